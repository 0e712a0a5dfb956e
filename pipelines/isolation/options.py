"""What the run's options come to: bounds for workers' processes."""

import dask.utils

from faces.errors import BadInput
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
    nbytes = memory_of(options)
    return Limits(options.input_timeout, nbytes, options.recycle) if isolate else None


def memory_of(options: RunOptions) -> int:
    """Bytes that a worker may have by --memory; 0 where its cluster says.

    Raises:
        BadInput: an amount that cannot be read.
    """
    if options.memory:
        try:
            return dask.utils.parse_bytes(options.memory)
        except ValueError as error:
            raise BadInput(
                f"--memory {options.memory}", "not an amount", "e.g. 4GB or 2GiB", "mend it"
            ) from error
    return 0
