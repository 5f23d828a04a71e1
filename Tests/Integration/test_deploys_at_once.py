"""Deploys that meet another one, and one that is interrupted: row F12 of the faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.load import Load
from blackbox.project import API, write
from blackbox.rollouts import PREDICTOR, await_only, project, status
from blackbox.server import Server


def slow(folder: Path, name: str, version: int, gate: Path) -> Path:
    """A project whose constructor waits for a file."""
    source = f"""
        import os, time
        class PythonPredictor:
            def __init__(self, config):
                while not os.path.exists({str(gate)!r}):
                    time.sleep(0.02)
            def predict(self, payload):
                return {version}
    """
    return write(folder / name, {"predictor.py": source}, API(name))


def test_F12_a_deploy_while_another_is_in_progress(server: Server, folder: Path) -> None:
    gate = folder / "gate"
    project = slow(folder, "f12-busy", 1, gate)
    server.ok("deploy", "--no-wait", cwd=project)
    again = server.run("deploy", "--no-wait", cwd=project)
    assert again.returncode == 0 and "f12-busy (RealtimeAPI) is already updating" in again.stdout, again
    slow(folder, "f12-busy", 2, gate)
    refused = server.run("deploy", "--no-wait", cwd=project)
    assert refused.returncode == 1 and "f12-busy is updating" in refused.stderr, refused
    assert "--force" in refused.stderr, refused.stderr
    forced = server.run("deploy", "--no-wait", "--force", cwd=project)
    assert forced.returncode == 0 and "updating f12-busy (RealtimeAPI)" in forced.stdout, forced
    late = server.run("deploy", "--wait", "--timeout", "1s", cwd=project)
    assert late.returncode == 3 and "is not live after 1s" in late.stderr, late
    gate.touch()
    server.ok("deploy", "--wait", cwd=project)
    assert server.post("f12-busy", json=0).json() == 2
    server.ok("delete", "f12-busy")


def test_F12_a_deploy_forced_while_the_environment_is_built(own_server: Server, folder: Path) -> None:
    gate = folder / "gate"
    gate.touch()
    own_server.ok("deploy", "--no-wait", cwd=slow(folder, "f12-new", 1, gate))
    own_server.ok("deploy", "--wait", "--force", cwd=slow(folder, "f12-new", 2, gate))
    assert own_server.post("f12-new", json=0).json() == 2


def test_F12_two_deploys_at_once(server: Server, folder: Path) -> None:
    gate = folder / "gate"
    gate.touch()
    projects = [slow(folder / str(n), "f12-race", n, gate) for n in (1, 2)]
    processes = [
        subprocess.Popen(
            [server.binary, "deploy", "--wait", "-o", "json"],
            cwd=project,
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for project in projects
    ]
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert sorted(code for _, code in ends) in ([0, 0], [0, 1]), ends
    (api,) = server.json("get", "f12-race")
    answer = server.post("f12-race", json=0).json()
    accepted = [json.loads(out)[0] for (out, _), _ in ends]
    taken = [n + 1 for n, result in enumerate(accepted) if result["error"] == ""]
    assert answer in taken, (answer, accepted)
    assert api["status"]["status_code"] == "status_live" and api["deployment"]["version"] == len(taken), api
    server.ok("delete", "f12-race")


def test_F12_a_deploy_that_is_interrupted_goes_on_in_the_server(server: Server, folder: Path) -> None:
    name = "interrupted"
    server.deploy(project(folder, name, 1))
    gate = folder / "gate"
    os.mkfifo(gate)
    waiting = PREDICTOR.replace("self.version =", f"open({str(gate)!r}).close(); self.version =")
    with Load(server.url(name), json={}) as load:
        run = subprocess.Popen(
            [server.binary, "deploy", "--wait"],
            cwd=project(folder, name, 2, waiting),
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: status(server, name)["status_code"] == "status_updating", "the update is under way")
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=60) != 0
        assert status(server, name)["status_code"] == "status_updating"
        # The second replica comes to the gate when the first has passed it.
        open_gate(gate)
        eventually(lambda: status(server, name)["serving_version"] == 2, "the first replica is ready")
        open_gate(gate)
        await_only(server, name, 2)
    assert load.failures() == []
    server.ok("delete", name)


def test_F12_many_deploys_at_once_come_to_one_end(server: Server, folder: Path) -> None:
    name = "crowd"
    server.deploy(project(folder, name, 0, replicas=1))
    folders = [project(folder / str(number), name, number, replicas=1) for number in range(1, 5)]
    with Load(server.url(name), json={}) as load:
        runs = [
            subprocess.Popen(
                [server.binary, "deploy", "--force", "--no-wait"],
                cwd=each,
                env=server.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for each in folders
        ]
        assert [run.wait(timeout=60) for run in runs] == [0] * len(runs)
        wanted = server.json("get", name)[0]["deployment"]["version"]
        eventually(lambda: status(server, name)["serving_version"] == wanted, "the last one serves")
        eventually(lambda: status(server, name)["replica_counts"]["stale"] == 0, "and nobody else")
    assert load.failures() == []
    server.ok("delete", name)
