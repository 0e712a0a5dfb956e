"""What the run's options come to: bounds for workers' processes."""

from faces.errors import BadInput
from pipelines.clusters.launch import cluster_options, memory_bytes
from pipelines.config import RunOptions
from pipelines.isolation.isolate import Limits


def limits_of(options: RunOptions) -> Limits | None:
    """The bounds of the process that a worker does its tasks in; None for no such process.

    Raises:
        BadInput: an amount of memory that cannot be read, or a bound below 0.
    """
    isolate = options.scheduler != "inline" if options.isolate is None else options.isolate
    for flag, value in (("input-timeout", options.input_timeout), ("recycle", options.recycle)):
        if value < 0:
            raise BadInput(f"--{flag} {value:g}", "below 0", "0 for no bound, or more", "mend it")
    # 0: what the worker itself may have, which each worker knows
    nbytes = memory_bytes(cluster_options(options)) if options.memory else 0
    return Limits(options.input_timeout, nbytes, options.recycle) if isolate else None
