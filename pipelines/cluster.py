"""Dask: a cluster on this machine or another's, and the engine's way to speak to it."""

import logging
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import dask
import distributed
from distributed import Client, Future, LocalCluster, as_completed

from faces.errors import BadInput
from pipelines.clusters import checks, launch, machine
from pipelines.clusters.watch import WorkerWatch
from pipelines.config import RunOptions
from pipelines.executors import KilledWorker, Outcome
from pipelines.isolation.process import THREAD_LIMITS
from pipelines.plan import ShardTask
from pipelines.worker import Prepare

log = logging.getLogger(__name__)

_DEATHS = 2  # of workers under one task, before it counts as the task's fault

# What to look at where no worker comes.
_REMEDIES = {
    "local": "see whether this machine has memory and processes left",
    "slurm": "see 'squeue --me' and the jobs' output (--cluster.logs), and whether the nodes reach "
    "this host (--cluster.interface)",
    "kubernetes": "see 'kubectl get pods' and their events, and whether the operator is installed",
    "tcp": "start some with 'dask worker ADDRESS --nthreads 1 --nworkers N'",
}


@contextmanager
def open_client(options: RunOptions, warm_up: Sequence[str] = ()) -> Iterator[Client | None]:
    """The client that the options ask for, its workers checked; None for ``--scheduler inline``.

    Raises:
        BadInput: an unknown kind of scheduler, nobody at its address, no worker comes, versions
            differ, or a worker cannot use the set's folder.
        MissingExtra: the library of a batch system is not installed.
    """
    if options.scheduler == "inline":
        yield None
        return
    with ExitStack() as stack:
        stack.enter_context(_settings())
        client = stack.enter_context(_client(options, stack))
        yield _ready(client, options, warm_up)


def is_remote(options: RunOptions) -> bool:
    """Whether workers may be on other machines, or of another installation."""
    return options.scheduler not in ("inline", "local")


def _client(options: RunOptions, stack: ExitStack) -> Client:
    kind = options.scheduler
    if kind == "local":
        return Client(stack.enter_context(_local(options)))
    if kind == "slurm":
        address = free_address(options.dashboard)
        return Client(stack.enter_context(launch.slurm_cluster(options, address)))
    if kind == "kubernetes":
        return Client(stack.enter_context(launch.kube_cluster(options)))
    if kind.startswith(("tcp://", "tls://")):
        return _connect(kind)
    raise BadInput(
        f"--scheduler {kind}",
        "an unknown kind",
        "local, inline, slurm, kubernetes, tcp://HOST:PORT or tls://HOST:PORT",
        "start a scheduler of another kind with 'dask scheduler' and give its address",
    )


def _settings():
    environ = {f"distributed.nanny.pre-spawn-environ.{k}": v for k, v in THREAD_LIMITS.items()}
    return dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS, **environ})


def _local(options: RunOptions) -> LocalCluster:
    """One process a core that memory allows, one thread a process, everything on loopback."""
    cluster = launch.cluster_options(options)
    need = launch.memory_bytes(cluster)
    shape = machine.fit(machine.find_machine(), options.workers, need)
    return LocalCluster(
        n_workers=shape.workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        memory_limit=shape.memory_bytes,
        # Not an empty mapping: with one, workers that died were seen not to come back.
        resources=launch.resources(cluster.worker_resources, "worker-resources") or None,
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


def _ready(client: Client, options: RunOptions, warm_up: Sequence[str]) -> Client:
    """Wait for a worker, check and prepare the workers, say where the dashboard is."""
    cluster = launch.cluster_options(options)
    remedy = _REMEDIES.get(options.scheduler, _REMEDIES["tcp"])
    checks.wait_for_worker(client, launch.wait_s(options, cluster), remedy)
    if is_remote(options):
        checks.check_versions(client)
        checks.check_folder(client, options.out)
    # Ctrl-C is for the driver alone where the workers hang on its terminal.
    client.register_plugin(Prepare(warm_up, ignore_interrupt=options.scheduler == "local"))
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
    """The engine's executor on a Dask client; see executors.Executor.

    Tasks that ask for a resource go to the workers that have it as soon as they are submitted, so
    many of them would fill the window and leave the other workers idle. Each such stage has a
    bound of its own, twice what its workers take at a time; what is above it waits here.

    Args:
        client: with workers.
        options: of the run.
        stages: of the plan.
    """

    def __init__(
        self, client: Client, options: RunOptions | None = None, stages: Sequence[str] = ()
    ):
        self._client, self._options = client, options or RunOptions(scheduler="local")
        self._cluster = launch.cluster_options(self._options)
        self._needs = launch.stage_needs(self._cluster, stages)
        self._completed = as_completed()
        self._tasks: dict[str, tuple[ShardTask, Future]] = {}
        self._held: dict[str, deque[tuple]] = {stage: deque() for stage in self._needs}
        self._flying: Counter[str] = Counter()  # tasks at the scheduler, of each stage with needs
        self._room: dict[str, int] = {}
        self._counted_at = float("-inf")
        self._token = f"{time.time_ns():x}"  # parts this run's keys from another's
        check = self._check_newcomers if is_remote(self._options) else None
        self._watch = WorkerWatch(client, check, self._cluster.give_up_s, self._cancel)

    def __enter__(self) -> "Cluster":
        checks.check_resources(self._client, self._needs)
        self._watch.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.__exit__()
        if self._client.status == "running":
            self._cancel()

    @property
    def pending(self) -> int:
        return len(self._tasks) + self._waiting

    def window(self) -> int:
        """Two tasks a worker: one runs, one waits. What is held here does not count."""
        return max(2, 2 * self._watch.count) + self._waiting

    def submit(self, task: ShardTask, function: Callable[..., Outcome], args: tuple) -> None:
        if task.stage in self._needs and self._flying[task.stage] >= self._bound(task.stage):
            self._held[task.stage].append((task, function, args))
        else:
            self._launch(task, function, args)

    def next(self) -> tuple[ShardTask, Outcome | BaseException]:
        future = next(self._completed)
        task, _ = self._tasks.pop(future.key)
        if future.cancelled() or self._client.status != "running":
            what = self._watch.gave_up or "the scheduler is gone"
            raise ConnectionError(f"{what}; what is committed stays: run the same command to go on")
        self._release(task.stage)
        error = future.exception()
        if isinstance(error, distributed.KilledWorker):
            # Its own words name ports and runs, and a failure record is the same in every run.
            log.info("task '%s': %s", task.name, error)
            error = KilledWorker()
        return task, (error if error is not None else future.result())

    @property
    def _waiting(self) -> int:
        return sum(map(len, self._held.values()))

    def _launch(self, task: ShardTask, function: Callable[..., Outcome], args: tuple) -> None:
        need = self._needs.get(task.stage)
        self._flying[task.stage] += need is not None
        key = f"{task.stage}-{self._token}-{task.index}"
        future = self._client.submit(function, *args, key=key, pure=False, resources=need)
        self._tasks[future.key] = (task, future)
        self._completed.add(future)

    def _release(self, stage: str) -> None:
        """A task of this stage is back: those that waited for its place go."""
        if stage not in self._needs:
            return
        self._flying[stage] -= 1
        while self._held[stage] and self._flying[stage] < self._bound(stage):
            self._launch(*self._held[stage].popleft())

    def _bound(self, stage: str) -> int:
        """Tasks of a stage that may be at the scheduler; counted anew every few seconds."""
        if time.monotonic() - self._counted_at > 5:
            offers = [info["resources"] for info in checks.worker_info(self._client).values()]
            self._room = {s: _places(need, offers) for s, need in self._needs.items()}
            self._counted_at = time.monotonic()
        return max(2, 2 * self._room[stage])

    def _check_newcomers(self, workers: list[str]) -> None:
        checks.check_versions(self._client, workers)
        checks.check_folder(self._client, self._options.out, workers)

    def _cancel(self) -> None:
        futures = [future for _, future in [*self._tasks.values()]]
        if futures:
            self._client.cancel(futures)


def _places(need: dict[str, float], offers: Sequence[dict[str, Any]]) -> int:
    """How many tasks with this need the workers run at a time; each has one thread."""
    return sum(all(offer.get(name, 0) >= k for name, k in need.items()) for offer in offers)
