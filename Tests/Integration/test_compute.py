"""`compute` on one machine: memory is a limit (C14), cpu a number of threads, devices are each one API's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from blackbox.conditions import eventually
from blackbox.processes import MEASURABLE, is_alive
from blackbox.project import API, write
from blackbox.server import Cortex, Server

HUNGRY = (Path(__file__).parent / "predictors" / "hungry.py").read_text()
needs_proc = pytest.mark.skipif(not MEASURABLE, reason="memory is measured by way of /proc")
MEM = "150Mi"
ENDED = r"used \d+ MiB of 150 MiB \(compute\.mem\) and was ended"


def hungry(name: str, compute: dict[str, Any], *, env: dict[str, str] | None = None, **config: Any) -> API:
    """An API that uses as much as it is told."""
    predictor: dict[str, Any] = {"config": config}
    if env:
        predictor["env"] = env
    return API(name, predictor=predictor, sections={"compute": compute})


def project(folder: Path, *apis: API) -> Path:
    return write(folder / "project", {"predictor.py": HUNGRY}, *apis)


def pid(server: Server, name: str) -> int:
    answer = server.post(name, json={})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["pid"])


def status(server: Cortex, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.json("get", name)[0]["status"]
    return found


def restarts(server: Server, name: str, reason: str) -> float:
    return server.metrics("cortex_worker_restarts_total", api=name, reason=reason)


def events(server: Cortex, name: str) -> list[str]:
    return [event["message"] for event in server.json("describe", name)["events"]]


@pytest.fixture
def deployed(server: Server, folder: Path) -> Iterator[Callable[..., None]]:
    """Deploys APIs, and takes them away afterwards."""
    names: list[str] = []

    def deploy(*apis: API) -> None:
        names.extend(api.name for api in apis)
        server.deploy(project(folder, *apis))

    yield deploy
    for name in names:
        server.ok("delete", name)


@needs_proc
@pytest.mark.parametrize("where", ["worker", "child", "session", "daemon"])
def test_C14_who_uses_more_than_its_limit_is_ended_and_replaced(
    server: Server, folder: Path, deployed: Callable[..., None], where: str
) -> None:
    name = f"balloon-{where}"
    deployed(hungry(name, {"mem": MEM}))
    before = pid(server, name)
    file = folder / "daemon.pid"
    answer = server.post(name, json={"eat": 300, "where": where, "file": str(file)})
    assert (answer.status_code, answer.json()["code"]) == (502, "WORKER_CRASHED")
    assert pid(server, name) != before
    server.await_log(name, rf"{name}-1-0-0 {ENDED}")
    server.await_end(before)
    if where == "daemon":
        server.await_end(int(file.read_text()))
    assert restarts(server, name, "out_of_memory") == 1
    assert any(
        message.startswith(f"{name}-1-0-0 used ") and "of 150 MiB" in message for message in events(server, name)
    )
    eventually(lambda: status(server, name)["status_code"] == "status_live", "it is live again")


@needs_proc
def test_C14_while_no_worker_is_ready_the_status_says_why(
    server: Server, folder: Path, deployed: Callable[..., None]
) -> None:
    name, gate = "balloon-gate", folder / "gate"
    deployed(hungry(name, {"mem": MEM}, gate=str(gate)))
    Path(f"{gate}.shut").touch()
    assert server.post(name, json={"eat": 300}).status_code == 502

    def is_told() -> bool:
        now = status(server, name)
        assert now["status_code"] == "status_oom", now
        assert f"worker {name}-1-0-0 used " in now["reason"] and "of 150 MiB (compute.mem)" in now["reason"], now
        return True

    eventually(is_told, "the status is out of memory")
    assert "error (out of memory)" in server.ok("get", name)
    Path(f"{gate}.open").touch()
    assert pid(server, name) > 0
    # The status follows what the worker says after it has begun to answer.
    eventually(lambda: status(server, name)["status_code"] == "status_live", "it is live again")


@needs_proc
def test_C14_a_constructor_that_needs_too_much_fails_the_deploy(server: Server, folder: Path) -> None:
    name = "balloon-constructor"
    done = server.run("deploy", "cortex.yaml", "--wait", cwd=project(folder, hungry(name, {"mem": MEM}, mebibytes=300)))
    assert done.returncode == 1, done
    assert "of 150 MiB (compute.mem) and was ended before it was ready" in done.stderr, done.stderr
    now = status(server, name)
    assert now["status_code"] == "status_oom" and "of 150 MiB (compute.mem)" in now["reason"], now
    server.deploy(project(folder, hungry(name, {"mem": MEM})))
    serving = pid(server, name)
    # The next one fails too; this one serves on.
    done = server.run("deploy", "cortex.yaml", "--wait", cwd=project(folder, hungry(name, {"mem": MEM}, mebibytes=301)))
    assert done.returncode == 1 and "of 150 MiB (compute.mem)" in done.stderr, done
    now = status(server, name)
    assert now["status_code"] == "status_rollout_failed" and "of 150 MiB (compute.mem)" in now["reason"], now
    assert pid(server, name) == serving
    server.ok("delete", name)


@needs_proc
def test_memory_that_forks_share_is_not_counted_twice(
    server: Server, folder: Path, deployed: Callable[..., None]
) -> None:
    shared, other = "balloon-forks", "balloon-other"
    deployed(hungry(shared, {"mem": "300Mi"}, mebibytes=150, forks=3), hungry(other, {"mem": MEM}))
    before = pid(server, shared)
    assert server.metrics("cortex_worker_rss_bytes", api=shared) > 4 * 150 << 20, "each of the four has it"
    # The other's end tells that all have been measured.
    assert server.post(other, json={"eat": 300}).status_code == 502
    assert pid(server, shared) == before
    assert restarts(server, shared, "out_of_memory") == 0
    # What is written to is shared no longer.
    assert server.post(shared, json={"eat": 200}).status_code == 502
    assert pid(server, shared) != before
    assert restarts(server, shared, "out_of_memory") == 1


def test_who_is_killed_by_somebody_is_not_out_of_memory(server: Server, deployed: Callable[..., None]) -> None:
    name = "killed-by-hand"
    deployed(hungry(name, {"mem": "2Gi"}))
    os.kill(pid(server, name), signal.SIGKILL)
    server.await_log(name, f"{name}-1-0-0 was killed by signal 9, which this server did not send")
    assert pid(server, name) > 0
    assert (restarts(server, name, "killed"), restarts(server, name, "out_of_memory")) == (1, 0)


@needs_proc
def test_workers_go_before_the_server_when_memory_runs_out(server: Server, deployed: Callable[..., None]) -> None:
    deployed(hungry("scored", {}))

    def score(process: int) -> int:
        return int(Path(f"/proc/{process}/oom_score_adj").read_text())

    assert score(pid(server, "scored")) > score(server.pid)


class Group:
    """A control group with a limit of its own; only for root, and where the hierarchy may be written to."""

    def __init__(self, name: str, limit: int) -> None:
        root = Path("/sys/fs/cgroup")
        version_1 = root / "memory" / "memory.limit_in_bytes"
        self.folder = (root / "memory" if version_1.exists() else root) / name
        self.folder.mkdir()
        (self.folder / ("memory.limit_in_bytes" if version_1.exists() else "memory.max")).write_text(str(limit))

    def add(self, process: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(process))

    def remove(self) -> None:
        def is_gone() -> bool:
            try:
                self.folder.rmdir()
            except OSError as error:
                raise AssertionError(str(error)) from error
            return True

        eventually(is_gone, "the group is empty")


def test_C14_who_is_ended_by_the_kernel_was_out_of_memory(own_server: Server, folder: Path) -> None:
    name = "kernel"
    try:
        group = Group(f"cortex-test-{os.getpid()}", 400 << 20)
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    try:
        group.add(own_server.pid)
        own_server.deploy(project(folder, hungry(name, {})))
        answer = own_server.post(name, json={"eat": 600})
        assert (answer.status_code, answer.json()["code"]) == (502, "WORKER_CRASHED")
        own_server.await_log(
            name, f"{name}-1-0-0 was ended by the kernel, since the machine or its container had no memory"
        )
        assert pid(own_server, name) > 0
        assert restarts(own_server, name, "out_of_memory") == 1
        # The kernel's kill was that one's: the next is not taken for another.
        os.kill(pid(own_server, name), signal.SIGKILL)
        own_server.await_log(name, "was killed by signal 9, which this server did not send")
        assert is_alive(own_server.pid)
    finally:
        own_server.stop()
        group.remove()


THREADS = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
]


def variables(server: Server, name: str, *names: str) -> dict[str, str | None]:
    found: dict[str, str | None] = server.post(name, json={"variables": names}).json()["variables"]
    return found


def test_cpu_is_a_number_of_threads_for_each_process(server: Server, deployed: Callable[..., None]) -> None:
    halves = API("threads-halves", predictor={"processes_per_replica": 2}, sections={"compute": {"cpu": "1500m"}})
    own = hungry("threads-own", {"cpu": 1}, env={"MKL_NUM_THREADS": "7"})
    deployed(hungry("threads-one", {"cpu": "200m"}), halves, own, hungry("threads-none", {}))
    assert variables(server, "threads-one", *THREADS) == dict.fromkeys(THREADS, "1")
    assert variables(server, "threads-halves", *THREADS) == dict.fromkeys(THREADS, "1")
    assert variables(server, "threads-own", *THREADS) == {**dict.fromkeys(THREADS, "1"), "MKL_NUM_THREADS": "7"}
    inherited = {name: server.environment.get(name) for name in THREADS}
    assert variables(server, "threads-none", *THREADS) == inherited


def test_what_the_machine_does_not_have_is_refused_with_its_place(server: Server, folder: Path) -> None:
    source = write(
        folder / "project",
        {
            "predictor.py": HUNGRY,
            "cortex.yaml": """\
                - name: too-much
                  kind: RealtimeAPI
                  predictor: {type: python, path: predictor.py}
                  compute:
                    cpu: 4000
                    mem: 900Ti
                    inf: 1
                """,
        },
    )
    done = server.run("deploy", cwd=source)
    assert done.returncode == 1, done
    message = "cortex.yaml:7:10: too-much: compute.inf: asks for 1 Inferentia chip, and this machine has none"
    assert message in done.stderr, done.stderr
    assert server.run("get", "too-much").returncode == 1
    text = (source / "cortex.yaml").read_text()
    (source / "cortex.yaml").write_text(text.replace("    inf: 1\n", ""))
    done = server.run("deploy", "--wait", cwd=source)
    assert done.returncode == 0, done
    assert "compute.cpu: is 4000, and this machine has" in done.stderr, done.stderr
    if MEASURABLE:
        assert "compute.mem: is 900Ti, and this machine or its container has" in done.stderr, done.stderr
    server.ok("delete", "too-much")


NVIDIA_SMI = """\
#!/bin/sh
test "$1" = -L || exit 1
echo "GPU 0: Stand-in (UUID: GPU-11111111-0000)"
echo "GPU 1: Stand-in (UUID: GPU-22222222-0000)"
"""


@pytest.fixture
def gpu_server(binary: Path, folder: Path) -> Iterator[Server]:
    """A server of a machine that says it has two GPUs."""
    tools = folder / "tools"
    tools.mkdir()
    tool = tools / "nvidia-smi"
    tool.write_text(NVIDIA_SMI)
    tool.chmod(0o755)
    with Server(binary, folder / "gpus", PATH=f"{tools}:{os.environ['PATH']}") as server:
        yield server


def test_gpus_belong_to_one_API_each(gpu_server: Server, folder: Path) -> None:
    server = gpu_server

    def gpu(name: str) -> str | None:
        return variables(server, name, "CUDA_VISIBLE_DEVICES")["CUDA_VISIBLE_DEVICES"]

    def deploy(*apis: API, flag: str = "--wait") -> Any:
        return server.run("deploy", flag, cwd=project(folder, *apis))

    one, two, three = (hungry(name, {"gpu": 1}) for name in ("one", "two", "three"))
    assert deploy(one, two).returncode == 0
    assert sorted([gpu("one") or "", gpu("two") or ""]) == ["0", "1"]

    # A third waits, and says for whom; requests are told, too.
    assert deploy(three, flag="--no-wait").returncode == 0

    def is_held() -> bool:
        now = status(server, "three")
        assert now["status_code"] == "status_stalled", now
        assert "it needs 1 GPU (compute.gpu) and none is free" in now["reason"], now
        assert f"GPU {gpu('one')} by one" in now["reason"] and f"GPU {gpu('two')} by two" in now["reason"], now
        return True

    eventually(is_held, "it waits for a GPU")
    assert "compute unavailable" in server.ok("get", "three")
    refused = server.post("three", json={})
    assert refused.status_code == 503 and "none is free" in refused.text, refused.text

    # An update uses what its predecessor has.
    before, mine = pid(server, "two"), gpu("two")
    assert deploy(hungry("two", {"gpu": 1}, round=2)).returncode == 0
    assert gpu("two") == mine and pid(server, "two") != before
    assert status(server, "three")["status_code"] == "status_stalled"

    freed = gpu("one")
    server.ok("delete", "one")
    eventually(lambda: status(server, "three")["status_code"] == "status_live", "the third has the first's")
    assert gpu("three") == freed


def test_more_gpus_than_there_are_is_refused_with_its_place(gpu_server: Server, folder: Path) -> None:
    done = gpu_server.run("deploy", cwd=project(folder, hungry("many", {"gpu": 3})))
    assert done.returncode == 1, done
    assert "many: compute.gpu: asks for 3 GPUs, and this machine has 2; it may be at most 2" in done.stderr, done.stderr
    # The server's own setting is a limit as well.
    few = Server(gpu_server.binary, folder / "few", PATH=gpu_server.environment["PATH"], CUDA_VISIBLE_DEVICES="1")
    with few:
        done = few.run("deploy", cwd=project(folder, hungry("many", {"gpu": 2})))
        assert "asks for 2 GPUs, and this machine has 1" in done.stderr, done.stderr
        few.deploy(project(folder, hungry("many", {"gpu": 1})))
        assert variables(few, "many", "CUDA_VISIBLE_DEVICES") == {"CUDA_VISIBLE_DEVICES": "1"}


def test_without_a_gpu_the_message_says_where_was_looked(server: Server, folder: Path) -> None:
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has one")
    done = server.run("deploy", cwd=project(folder, hungry("none", {"gpu": 1})))
    assert done.returncode == 1, done
    assert "asks for 1 GPU, and this machine has none; neither nvidia-smi nor /dev/nvidia0 shows one" in done.stderr
