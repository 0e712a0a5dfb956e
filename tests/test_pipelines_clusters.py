"""Workers of other machines: checked before any work, missed aloud, and bounded by resource."""

import dataclasses
import logging
import os
import shutil
import signal
import stat
import sys
import time

import pytest
from dask_processes import PLACES, ROOT, cluster, worker
from distributed import Client
from engine_toy import RECIPE, STAGES, toy_config, toy_plan

from faces.errors import BadInput
from manifests.verify import verify
from pipelines.cluster import Cluster, open_client
from pipelines.clusters import checks, launch, machine
from pipelines.clusters.options import ClusterOptions
from pipelines.clusters.watch import WorkerWatch
from pipelines.config import RunOptions
from pipelines.engine import run_plan
from pipelines.run import open_set, run_recipe

GB = 1 << 30


def options(scheduler, workers=2, **cluster):
    return RunOptions(scheduler=scheduler, workers=workers, cluster=ClusterOptions(**cluster))


# --- this machine ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cores", "memory", "asked", "expected"),
    [
        (8, 64 * GB, 0, 8),  # cores are the bound
        (8, 8 * GB, 0, 3),  # 8 less a tenth less half a GB hold three of two
        (8, 1 * GB, 0, 1),  # never none
        (2, 8 * GB, 5, 5),  # who asks gets it, with a warning
    ],
)
def test_workers_fit_cores_and_memory(cores, memory, asked, expected, caplog):
    shape = machine.fit(machine.Machine(cores, memory), asked, 2 * GB)
    assert shape.workers == expected
    assert shape.workers * shape.memory_bytes <= max(memory, 2 * GB)
    assert ("fewer workers are safer" in caplog.text) == (asked == 5)


@pytest.mark.parametrize("version", [1, 2])
def test_limits_of_groups_above_count(tmp_path, version):
    """A step without limits of its own in a job with limits, as batch systems make them."""
    files = {
        1: {
            "memory/job/memory.limit_in_bytes": str(3 * GB),
            "cpu,cpuacct/job/cpu.cfs_quota_us": "50000",
            "cpu,cpuacct/job/cpu.cfs_period_us": "100000",
        },
        2: {
            "job/memory.max": str(3 * GB),
            "job/cpu.max": "50000 100000",
            "job/step/cpu.max": "max 1",
        },
    }[version]
    lines = {1: "4:memory:/job/step\n3:cpu,cpuacct:/job/step\n", 2: "0::/job/step\n"}[version]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(lines)
    found = machine.find_machine(tmp_path, tmp_path)
    assert found == machine.Machine(1, 3 * GB)


# --- settings ----------------------------------------------------------------------------------


def test_a_cluster_file_stands_under_what_is_given(tmp_path):
    (tmp_path / "c.toml").write_text('[cluster]\nqueue = "long"\nmemory = "4GiB"\n')
    run = dataclasses.replace(
        options("slurm", memory="8GiB"), cluster_config=str(tmp_path / "c.toml")
    )
    found = launch.cluster_options(run)
    assert (found.queue, found.memory) == ("long", "8GiB")


@pytest.mark.parametrize(
    ("text", "match"),
    [("quue = 'x'", "did you mean 'queue'"), ("queue = 3", "expected str"), (None, "no such file")],
)
def test_a_bad_cluster_file_is_named(tmp_path, text, match):
    path = tmp_path / "c.toml"
    if text:
        path.write_text(text)
    with pytest.raises(BadInput, match=match):
        launch.cluster_options(RunOptions(cluster_config=str(path)))


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"memory": "lots"}, "size such as 4GiB"),
        ({"memory": "1MB"}, "idle worker"),
        ({"walltime": "soon"}, "HH:MM:SS"),
        ({"directives": ("rm -rf /",)}, "option of sbatch"),
        ({"worker_resources": ("GPU",)}, "NAME=AMOUNT"),
        ({"cores": 0}, "at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, match):
    with pytest.raises(BadInput, match=match):
        launch.slurm_arguments(options("slurm", **values), "127.0.0.1:0")


def test_slurm_and_kubernetes_want_a_number_of_workers():
    with pytest.raises(BadInput, match="add --workers N to --scheduler slurm"):
        launch.slurm_arguments(options("slurm", 0), "127.0.0.1:0")
    with pytest.raises(BadInput, match="image"):
        launch.kube_spec(options("kubernetes"))


def test_the_slurm_job_asks_for_what_was_set():
    jobqueue = pytest.importorskip("dask_jobqueue")
    run = options(
        "slurm",
        cores=4,
        memory="3GiB",
        queue="gpu",
        account="faces",
        walltime="1-02:00:00",
        directives=("--gres=gpu:1",),
        prologue=("module load cuda",),
        worker_resources=("GPU=1",),
    )
    with jobqueue.SLURMCluster(**launch.slurm_arguments(run, "127.0.0.1:0")) as slurm:
        script = slurm.job_script()
    for line in (
        "#SBATCH -p gpu",
        "#SBATCH -A faces",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --mem=12G",
        "#SBATCH -t 1-02:00:00",
        "#SBATCH --gres=gpu:1",
        "module load cuda",
        "export OMP_NUM_THREADS=1",
    ):
        assert line in script.splitlines(), line
    # one process a core, and gone in order before the job's time is up: 26 h less two minutes
    for words in ("--nthreads 1", "--nworkers 4", "--resources GPU=1", "--lifetime 93480s"):
        assert words in script, words


def test_the_kubernetes_resource_asks_for_what_was_set():
    pytest.importorskip("dask_kubernetes")
    run = options(
        "kubernetes",
        3,
        image="faces:1",
        memory="4GiB",
        cpu="2",
        gpus=1,
        volume="claim:/data",
        env=("TOKEN=x",),
        worker_resources=("GPU=1",),
    )
    spec = launch.kube_spec(run)["spec"]
    container = spec["worker"]["spec"]["containers"][0]
    assert (spec["worker"]["replicas"], container["image"]) == (3, "faces:1")
    wanted = {"cpu": "2", "memory": "4096Mi", "nvidia.com/gpu": "1"}
    assert container["resources"] == {"requests": wanted, "limits": wanted}
    assert {"name": "TOKEN", "value": "x"} in container["env"]
    assert {"name": "OMP_NUM_THREADS", "value": "1"} in container["env"]
    assert " ".join(container["args"]).startswith("dask worker --nthreads 1 --memory-limit")
    for part in ("worker", "scheduler"):
        pod = spec[part]["spec"]
        assert pod["containers"][0]["volumeMounts"] == [{"name": "out", "mountPath": "/data"}]
        assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "claim"}


SBATCH = """#!{python}
import os, subprocess, sys
places = {places!r}
process = subprocess.Popen(["sh", sys.argv[-1]], env={{**os.environ, "PYTHONPATH": places}},
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
open("{log}", "a").write("sbatch\\n")
print("Submitted batch job", process.pid)
"""
SCANCEL = """#!{python}
import os, signal, sys
for job in sys.argv[1:]:
    try:
        os.killpg(int(job), signal.SIGTERM)
    except ProcessLookupError:
        pass
"""


def test_a_set_comes_out_of_slurm_jobs(tmp_path, monkeypatch):
    """Against a batch system of two programs, which start and end a job's script right here."""
    pytest.importorskip("dask_jobqueue")
    (tmp_path / "bin").mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        path = tmp_path / "bin" / name
        path.write_text(text.format(python=sys.executable, places=PLACES, log=tmp_path / "log"))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    config = toy_config(tmp_path / "set", "slurm", workers=2)
    config = dataclasses.replace(
        config,
        run=dataclasses.replace(
            config.run,
            cluster=ClusterOptions(memory="300MiB", scratch=str(tmp_path), interface="lo"),
        ),
    )
    assert run_recipe(RECIPE, config) == 0
    assert verify(tmp_path / "set") == []
    assert (tmp_path / "log").read_text().count("sbatch") >= 2


# --- workers of another machine ----------------------------------------------------------------


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """(address, working directory) of a scheduler and a worker that run elsewhere."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with cluster(folder) as address:
        yield address, folder


def test_a_set_is_made_by_a_remote_worker(remote, tmp_path):
    assert run_recipe(RECIPE, toy_config(tmp_path / "set", remote[0])) == 0
    assert verify(tmp_path / "set") == []
    assert not list((tmp_path / "set" / ".run").glob("token*"))


def test_a_worker_that_sees_another_folder_is_named(remote, tmp_path, monkeypatch):
    """A relative folder is another one for a worker with another working directory."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"1 of 1 workers.*on host .*another folder or none"):
        run_recipe(RECIPE, toy_config("set", remote[0]))


def test_urls_are_opened_by_the_workers(remote):
    with (
        Client(remote[0]) as client,
        pytest.raises(BadInput, match="workers cannot use it"),
    ):
        checks.check_folder(client, "memory://set")  # each process has a memory of its own


OTHER_NUMPY = """
import importlib.metadata
told = importlib.metadata.version
importlib.metadata.version = lambda name: "0.9" if name == "numpy" else told(name)
"""


def test_a_worker_with_another_library_is_refused_and_sent_away(remote, tmp_path, caplog):
    with Client(remote[0]) as client, WorkerWatch(client, lambda w: None) as watch:
        watch._check = lambda workers: checks.check_versions(client, workers)
        watch._times = (0.1, 1.0, 1.0)
        checks.check_versions(client)
        with worker(remote[0], tmp_path, before=OTHER_NUMPY):
            wait(lambda: "is sent away" in caplog.text)
            wait(lambda: len(client.nthreads()) == 1)
    assert "numpy            0.9  (driver:" in caplog.text


def test_other_code_of_one_version_is_found(remote, tmp_path):
    """A worker that runs another working copy, of the same version number."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for package in checks.PACKAGES:
        (tree / package).symlink_to(ROOT / package)
    (tree / "pipelines").unlink()
    shutil.copytree(ROOT / "pipelines", tree / "pipelines")
    with (tree / "pipelines" / "seeds.py").open("a") as file:
        file.write("# a change\n")
    with Client(remote[0]) as client, worker(remote[0], tmp_path, root=tree) as process:
        wait(lambda: len(client.nthreads()) == 2)
        with pytest.raises(BadInput, match=r"1 of \d parts differ[^)]*facesynth code [^)]*driver"):
            checks.check_versions(client)
        process.terminate()
        wait(lambda: len(client.nthreads()) == 1)


def wait(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_missing_workers_are_missed_aloud_and_in_the_end_given_up(tmp_path, caplog, monkeypatch):
    """None at the start, then one that dies under its task."""
    monkeypatch.setattr(checks, "_TELL_S", 0.2)
    caplog.set_level(logging.INFO, "pipelines")
    config = toy_config(tmp_path / "set")
    tasks = toy_plan(config, tmp_path / "set")
    with cluster(tmp_path, workers=0) as address:
        run = options(address, wait_s=0.5)
        with pytest.raises(BadInput, match=r"no worker within 0 s.*dask worker"), open_client(run):
            pass
        assert "no worker at tcp://127.0.0.1" in caplog.text
        run = dataclasses.replace(
            config.run, scheduler=address, cluster=ClusterOptions(give_up_s=1.0)
        )
        with (
            worker(address, tmp_path) as process,
            open_client(run) as client,
            Cluster(client, run) as executor,
        ):
            executor._watch._times = (0.1, 0.5, 60.0)
            executor.submit(tasks[0], time.sleep, (30,))
            process.kill()
            with pytest.raises(ConnectionError, match=r"no worker for 1 s.*same command"):
                executor.next()
    assert "still waiting" in caplog.text


@pytest.mark.parametrize("offered", [(), ("GPU=1",)])
def test_a_local_worker_that_was_killed_comes_back_with_what_it_offered(offered, tmp_path):
    """The machine's memory keeper kills workers; one that is not replaced is missed for days."""
    run = options("local", workers=1, worker_resources=offered)
    with open_client(
        dataclasses.replace(run, out=str(tmp_path), dashboard="127.0.0.1:0")
    ) as client:
        (before,) = client.run(os.getpid).values()
        os.kill(before, signal.SIGKILL)
        wait(lambda: before not in client.run(os.getpid, on_error="ignore").values())
        wait(lambda: len(client.nthreads()) == 1)
        resources = {"GPU": 1} if offered else None
        after = client.submit(os.getpid, resources=resources, pure=False).result(timeout=20)
    assert after != before


# --- resources ---------------------------------------------------------------------------------


def test_a_stage_with_a_need_has_a_bound_of_its_own(remote, tmp_path):
    """Its tasks run where the resource is, and no more wait there than the bound."""
    address = remote[0]
    config = toy_config(tmp_path / "set", inputs=16)
    run = dataclasses.replace(
        config.run,
        scheduler=address,
        cluster=ClusterOptions(stage_resources=("samples:GPU=1",)),
    )
    config = dataclasses.replace(config, run=run)
    tasks = toy_plan(config, tmp_path / "set")
    open_set(tmp_path / "set", "toy", config, tasks)
    with worker(address, tmp_path, "--resources", "GPU=1") as process, Client(address) as watcher:
        watcher.wait_for_workers(2, timeout=30)
        with open_client(run) as client:
            most, ran = flights(client, config, tasks)
            gpu = {w for w, info in checks.worker_info(client).items() if info["resources"]}
        process.terminate()
        wait(lambda: len(watcher.nthreads()) == 1)
    assert 0 < most <= 2  # one worker with the resource, two tasks a worker
    assert ran == gpu


def flights(client, config, tasks):
    """The most tasks of a bounded stage at the scheduler at once, and the workers that ran them."""
    most = []
    launch_one = Cluster._launch

    def counted(self, task, function, args):
        launch_one(self, task, function, args)
        most.append(self._flying["samples"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cluster, "_launch", counted)
        client.get_task_stream()
        summary = run_plan(tasks, STAGES, config, client)
        assert summary.done == len(tasks)
        ran = {t["worker"] for t in client.get_task_stream() if t["key"].startswith("samples")}
    return max(most), ran


def test_a_need_that_no_worker_meets_is_refused(remote, tmp_path):
    run = dataclasses.replace(
        toy_config(tmp_path, remote[0]).run,
        cluster=ClusterOptions(stage_resources=("samples:GPU=1",)),
    )
    with Client(remote[0]) as client:
        with (
            pytest.raises(BadInput, match="none of 1 workers offers it"),
            Cluster(client, run, ["samples"]),
        ):
            pass
        with pytest.raises(BadInput, match="STAGE of scans"):
            Cluster(client, run, ["scans"])
