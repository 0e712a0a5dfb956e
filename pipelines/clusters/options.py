"""The settings of a cluster, for --cluster.NAME, a [run.cluster] group or --cluster-config."""

from dataclasses import dataclass

from pipelines.setting import setting


@dataclass(frozen=True)
class ClusterOptions:
    """Where workers come from. Texts that are empty leave the matter to the system's default."""

    memory: str = setting("2GiB", "memory of one worker, e.g. 4GiB", "local")
    wait_s: float = setting(
        0.0, "seconds to wait for the first worker; 0: 60, on slurm and kubernetes 900", "local"
    )
    give_up_s: float = setting(
        0.0, "seconds without any worker after which a run ends; 0: it goes on waiting", "local"
    )
    worker_resources: tuple[str, ...] = setting(
        (), "what each worker offers, e.g. CPU=1 GPU=1", "local"
    )
    stage_resources: tuple[str, ...] = setting(
        (), "what a task of a stage needs, e.g. samples:GPU=1", "local"
    )
    queue: str = setting("", "slurm: partition", "local")
    account: str = setting("", "slurm: account", "local")
    cores: int = setting(1, "slurm: cores, and so workers, of one job", "local")
    walltime: str = setting("04:00:00", "slurm: time limit of a job, [DAYS-]HH:MM:SS", "local")
    interface: str = setting("", "slurm: network interface that workers reach, e.g. ib0", "local")
    directives: tuple[str, ...] = setting(
        (), "slurm: further #SBATCH words, e.g. --gres=gpu:1", "local"
    )
    prologue: tuple[str, ...] = setting(
        (), "slurm: shell lines before the worker, e.g. 'module load cuda'", "local"
    )
    python: str = setting("", "slurm: the nodes' Python; empty: this one's path", "local")
    scratch: str = setting("", "slurm: the nodes' fast local folder", "local")
    logs: str = setting("", "slurm: folder for the jobs' output", "local")
    namespace: str = setting("default", "kubernetes: namespace", "local")
    image: str = setting("", "kubernetes: container image with facesynth", "local")
    volume: str = setting(
        "", "kubernetes: CLAIM:/PATH, the shared volume that holds --out", "local"
    )
    cpu: str = setting("1", "kubernetes: CPU request of a worker", "local")
    gpus: int = setting(0, "kubernetes: GPUs of a worker", "local")
    env: tuple[str, ...] = setting((), "kubernetes: NAME=VALUE for the containers", "local")
