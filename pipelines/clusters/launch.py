"""Clusters of SLURM (dask-jobqueue) and Kubernetes (dask-kubernetes), from our settings."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dask.utils import format_bytes, parse_bytes

from faces.errors import BadInput, MissingExtra
from pipelines.clusters.options import ClusterOptions
from pipelines.config import from_dict, parse_toml, to_dict
from pipelines.isolation.process import THREAD_LIMITS

if TYPE_CHECKING:
    from distributed.deploy.cluster import Cluster as DaskCluster

    from pipelines.config import RunOptions

_WALLTIME = re.compile(r"(?:(\d+)-)?(\d{1,2}):(\d{2})(?::(\d{2}))?")
_EARLY_S = 120  # a worker leaves in order this long before its job's time is up


def cluster_options(run: "RunOptions") -> ClusterOptions:
    """The cluster's settings: those of --cluster-config, under what is given beside it.

    Raises:
        BadInput: no such file, an unknown setting, or a value that makes no sense.
    """
    given = run.cluster
    if run.cluster_config:
        default = to_dict(ClusterOptions())
        said = {k: v for k, v in to_dict(given).items() if v != default[k]}
        given = from_dict(ClusterOptions, {**_read(run.cluster_config), **said}, run.cluster_config)
    if run.memory:
        given = dataclasses.replace(given, memory=run.memory)
    memory_bytes(given)
    resources(given.worker_resources, "worker-resources")
    return given


def memory_bytes(options: ClusterOptions) -> int:
    """Memory of one worker, bytes."""
    try:
        nbytes = parse_bytes(options.memory)
    except ValueError as error:
        raise _bad("memory", options.memory, "a size such as 4GiB") from error
    if nbytes < 256 << 20:
        raise _bad("memory", options.memory, "at least 256MiB, which an idle worker takes")
    return nbytes


def resources(words: Sequence[str], name: str) -> dict[str, float]:
    """["CPU=1", "GPU=1"] as a mapping."""
    found = {}
    for word in words:
        key, _, amount = word.partition("=")
        try:
            found[key] = float(amount)
        except ValueError:
            found[key] = 0.0
        if not key or not 0 < found[key] < float("inf"):
            raise _bad(name, word, "NAME=AMOUNT, e.g. GPU=1")
    return found


def stage_needs(options: ClusterOptions, stages: Sequence[str]) -> dict[str, dict[str, float]]:
    """Stage -> what its tasks need of a worker.

    Raises:
        BadInput: a stage that the plan does not have, or a word that cannot be read.
    """
    needs: dict[str, dict[str, float]] = {}
    for word in options.stage_resources:
        stage, _, need = word.partition(":")
        if stage not in stages:
            raise _bad("stage-resources", word, f"STAGE:NAME=AMOUNT, STAGE of {', '.join(stages)}")
        needs.setdefault(stage, {}).update(resources([need], "stage-resources"))
    return needs


def slurm_cluster(run: "RunOptions", dashboard: str) -> "DaskCluster":
    """Jobs of a SLURM cluster, as many as --workers asks for, kept up as they end.

    Raises:
        BadInput: settings that make no sense. MissingExtra: dask-jobqueue is not installed.
    """
    arguments = slurm_arguments(run, dashboard)
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise MissingExtra("--scheduler slurm", "slurm") from error
    cluster = SLURMCluster(**arguments)
    # Jobs end with their walltime; adapting between equal bounds asks for new ones.
    cluster.adapt(minimum=run.workers, maximum=run.workers)
    return cluster


def slurm_arguments(run: "RunOptions", dashboard: str) -> dict[str, Any]:
    """What SLURMCluster is called with; one process a core, one thread a process."""
    options = cluster_options(run)
    _need_workers(run)
    if options.cores < 1:
        raise _bad("cores", str(options.cores), "at least 1")
    for line in options.directives:
        if not line.startswith("-") or "\n" in line:
            raise _bad("directives", line, "an option of sbatch, e.g. --gres=gpu:1")
    seconds = _walltime_s(options.walltime)
    exports = [f"export {name}={value}" for name, value in THREAD_LIMITS.items()]
    extra = ["--resources", _spelled(options)] if options.worker_resources else []
    if seconds > 2 * _EARLY_S:  # in order before the limit, and not all in one moment
        lifetime = f"{seconds - _EARLY_S}s"
        extra += ["--lifetime", lifetime, "--lifetime-stagger", f"{_EARLY_S // 2}s"]
    arguments = {
        "job_name": "facesynth",
        "cores": options.cores,
        "processes": options.cores,
        "memory": format_bytes(memory_bytes(options) * options.cores),
        "walltime": options.walltime,
        "job_extra_directives": list(options.directives),
        "job_script_prologue": [*exports, *options.prologue],
        "worker_extra_args": extra,
        "scheduler_options": {"dashboard_address": dashboard},
    }
    texts = {
        "queue": options.queue,
        "account": options.account,
        "interface": options.interface,
        "python": options.python,
        "local_directory": options.scratch,
        "log_directory": options.logs,
    }
    return arguments | {name: text for name, text in texts.items() if text}


def kube_cluster(run: "RunOptions") -> "DaskCluster":
    """A Dask cluster that the operator of dask-kubernetes makes.

    Raises:
        BadInput: settings that make no sense. MissingExtra: dask-kubernetes is not installed.
    """
    spec = kube_spec(run)
    from dask_kubernetes.operator import KubeCluster

    options = cluster_options(run)
    return KubeCluster(
        custom_cluster_spec=spec,
        namespace=options.namespace,
        resource_timeout=int(wait_s(run, options)),
        quiet=True,
    )


def kube_spec(run: "RunOptions") -> dict[str, Any]:
    """The DaskCluster resource: scheduler and workers of one image, with the shared volume."""
    options = cluster_options(run)
    _need_workers(run)
    if not options.image:
        raise _bad("image", "empty", "an image that holds facesynth, see docker/")
    try:
        from dask_kubernetes.operator import make_cluster_spec
    except ImportError as error:
        raise MissingExtra("--scheduler kubernetes", "kubernetes") from error
    command = ["dask", "worker", "--nthreads", "1", "--memory-limit", str(memory_bytes(options))]
    if options.worker_resources:
        command += ["--resources", _spelled(options)]
    spec = make_cluster_spec(
        name="facesynth",
        image=options.image,
        n_workers=run.workers,
        env=THREAD_LIMITS | dict(_pair(word) for word in options.env),
        worker_command=command,
    )
    limits = {"cpu": options.cpu, "memory": f"{memory_bytes(options) >> 20}Mi"}
    gpu = {"nvidia.com/gpu": str(options.gpus)} if options.gpus else {}
    worker = spec["spec"]["worker"]["spec"]
    worker["containers"][0]["resources"] = {"requests": limits | gpu, "limits": limits | gpu}
    if options.volume:
        for part in (worker, spec["spec"]["scheduler"]["spec"]):
            _mount(part, options.volume)
    return spec


def wait_s(run: "RunOptions", options: ClusterOptions) -> float:
    """How long to wait for the first worker, s; batch systems have queues."""
    return options.wait_s or (900.0 if run.scheduler in ("slurm", "kubernetes") else 60.0)


def _mount(pod: dict[str, Any], volume: str) -> None:
    claim, _, path = volume.partition(":")
    if not claim or not path.startswith("/"):
        raise _bad("volume", volume, "CLAIM:/PATH of a volume that many may write")
    pod["volumes"] = [{"name": "out", "persistentVolumeClaim": {"claimName": claim}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "out", "mountPath": path}]


def _read(path: str) -> dict[str, Any]:
    try:
        data = parse_toml(Path(path).read_text(), path)
    except (FileNotFoundError, IsADirectoryError) as error:
        got, remedy = "no such file", "check the path"
        raise BadInput(f"--cluster-config {path}", got, "a TOML file", remedy) from error
    known = {field.name for field in dataclasses.fields(ClusterOptions)}
    return data["cluster"] if set(data) == {"cluster"} and "cluster" not in known else data


def _need_workers(run: "RunOptions") -> None:
    if run.workers < 1:
        got, remedy = "not told how many workers", f"add --workers N to --scheduler {run.scheduler}"
        raise BadInput("--workers", got, "at least 1", remedy)


def _walltime_s(text: str) -> int:
    match = _WALLTIME.fullmatch(text)
    if not match:
        raise _bad("walltime", text, "[DAYS-]HH:MM:SS")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _spelled(options: ClusterOptions) -> str:
    found = resources(options.worker_resources, "worker-resources")
    return ",".join(f"{name}={amount:g}" for name, amount in found.items())


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise _bad("env", word, "NAME=VALUE")
    return name, value


def _bad(name: str, got: str, expected: str) -> BadInput:
    return BadInput(f"--cluster.{name}", f"'{got}'", expected, "mend the setting")
