"""Dask: a cluster on this machine or another's, and the engine's way to speak to it."""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import dask
import distributed
from dask.system import CPU_COUNT
from distributed import Client, Future, LocalCluster, as_completed

from faces.errors import BadInput
from pipelines.config import RunOptions
from pipelines.executors import KilledWorker, Outcome
from pipelines.options import memory_of
from pipelines.plan import ShardTask
from pipelines.process import THREAD_LIMITS
from pipelines.worker import Prepare

log = logging.getLogger(__name__)

_WAIT_S = 60  # for the first worker of a scheduler somewhere else
_DEATHS = 2  # of workers under one task, before it counts as the task's fault


@contextmanager
def open_client(options: RunOptions, warm_up: Sequence[str] = ()) -> Iterator[Client | None]:
    """The client that the options ask for; None for ``--scheduler inline``.

    Raises:
        BadInput: an unknown kind of scheduler, nobody at its address, or no worker comes.
    """
    if options.scheduler == "inline":
        yield None
    elif options.scheduler == "local":
        with _settings(), _local(options) as cluster, Client(cluster) as client:
            yield _ready(client, Prepare(warm_up, ignore_interrupt=True))
    elif options.scheduler.startswith(("tcp://", "tls://")):
        with _settings(), _connect(options.scheduler) as client:
            yield _ready(client, Prepare(warm_up))
    else:
        raise BadInput(
            f"--scheduler {options.scheduler}",
            "an unknown kind",
            "local, inline or tcp://HOST:PORT",
            "start a scheduler of another kind with 'dask scheduler' and give its address",
        )


def _settings():
    environ = {f"distributed.nanny.pre-spawn-environ.{k}": v for k, v in THREAD_LIMITS.items()}
    return dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS, **environ})


def _local(options: RunOptions) -> LocalCluster:
    """One process a core, one thread a process, everything on loopback."""
    return LocalCluster(
        n_workers=options.workers or CPU_COUNT,
        threads_per_worker=1,
        memory_limit=memory_of(options),
        processes=True,
        host="127.0.0.1",
        dashboard_address=free_address(options.dashboard),
        # Tasks report their own errors; what is left are heartbeats missed while stopping.
        silence_logs=logging.WARNING if log.isEnabledFor(logging.DEBUG) else logging.CRITICAL,
    )


def _connect(address: str) -> Client:
    # Its traceback of a lost connection says less than the one line that we end with.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=10)
    except OSError as error:
        raise BadInput(
            f"--scheduler {address}",
            "nobody answers there",
            "a running Dask scheduler",
            "start it with 'dask scheduler', and check the address and the firewall",
        ) from error


def _ready(client: Client, prepare: Prepare) -> Client:
    """Wait for a worker, prepare the workers, say where the dashboard is."""
    try:
        client.wait_for_workers(1, timeout=_WAIT_S)
    except distributed.TimeoutError as error:
        raise BadInput(
            f"--scheduler {client.scheduler.address}",
            f"no worker within {_WAIT_S} s",
            "at least one",
            "start some with 'dask worker ADDRESS --nthreads 1 --nworkers N'",
        ) from error
    client.register_plugin(prepare)
    log.info("dashboard: %s", client.dashboard_link)
    return client


def free_address(address: str) -> str:
    """``HOST:PORT`` if that port can be had, else ``HOST:0``, any free one."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise BadInput(f"--dashboard {address}", "not HOST:PORT", "e.g. 127.0.0.1:8787", "mend it")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return f"{host}:0"
    return address


class Cluster:
    """The engine's executor on a Dask client; see executors.Executor."""

    def __init__(self, client: Client):
        self._client = client
        self._completed = as_completed()
        self._tasks: dict[str, tuple[ShardTask, Future]] = {}
        self._token = f"{time.time_ns():x}"  # parts this run's keys from another's
        self._window, self._counted_at = 0, float("-inf")

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        futures = [future for _, future in self._tasks.values()]
        if futures and self._client.status == "running":
            self._client.cancel(futures)

    @property
    def pending(self) -> int:
        return len(self._tasks)

    def window(self) -> int:
        """Two tasks a worker: one runs, one waits. Counted anew every few seconds."""
        if time.monotonic() - self._counted_at > 2:
            self._window = max(2, 2 * len(self._client.nthreads()))
            self._counted_at = time.monotonic()
        return self._window

    def submit(self, task: ShardTask, function: Callable[..., Outcome], args: tuple) -> None:
        key = f"{task.stage}-{self._token}-{task.index}"
        future = self._client.submit(function, *args, key=key, pure=False)
        self._tasks[future.key] = (task, future)
        self._completed.add(future)

    def next(self) -> tuple[ShardTask, Outcome | BaseException]:
        future = next(self._completed)
        task, _ = self._tasks.pop(future.key)
        if future.cancelled() or self._client.status != "running":
            raise ConnectionError(
                "the scheduler is gone; what is committed stays: run the same command to go on"
            )
        error = future.exception()
        if isinstance(error, distributed.KilledWorker):
            # Its own words name ports and runs, and a failure record is the same in every run.
            log.info("task '%s': %s", task.name, error)
            error = KilledWorker()
        return task, (error if error is not None else future.result())
