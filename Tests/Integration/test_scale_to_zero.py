"""APIs without a replica: they sleep while nobody asks, and the first request wakes them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.processes import is_alive
from blackbox.project import API, write
from blackbox.server import Server

SLEEPER = """
import os

class PythonPredictor:
    def __init__(self, config):
        self.version = config["version"]
        with open(config["notes"], "a") as notes:
            notes.write(f"{os.getpid()}\\n")
        broken = config["notes"] + ".broken"
        if os.path.exists(broken) and open(broken).read() in ("", str(self.version)):
            raise ValueError("broken today")
        gate = f"{config['notes']}.gate-{self.version}"
        if os.path.exists(gate):
            open(gate).close()  # opens when the test writes: it starts no sooner

    def predict(self, payload):
        return {"pid": os.getpid(), "version": self.version}
"""


class Sleeper:
    """An API that has no replica while nobody asks, and what its constructor notes."""

    def __init__(self, server: Server, folder: Path, name: str, **autoscaling: Any) -> None:
        self.server = server
        self.name = name
        self.folder = folder / name
        self.notes = folder / f"{name}.notes"
        self.broken = folder / f"{name}.notes.broken"
        self.autoscaling = {"min_replicas": 0, **autoscaling}

    def project(self, version: int = 1) -> Path:
        """Its project's folder."""
        api = API(
            self.name,
            predictor={"config": {"notes": str(self.notes), "version": version}},
            sections={"autoscaling": self.autoscaling},
        )
        return write(self.folder, {"predictor.py": SLEEPER}, api)

    def starts(self) -> int:
        """How many workers have been started."""
        return len(self.notes.read_text().splitlines()) if self.notes.exists() else 0

    def status(self) -> dict[str, Any]:
        """What `cortex get` says."""
        found: dict[str, Any] = self.server.json("get", self.name)[0]["status"]
        return found

    def requested(self) -> int:
        """Replicas that are wanted."""
        return int(self.status()["replica_counts"]["requested"])

    def workers(self) -> float:
        """Processes, whatever they do."""
        return self.server.metrics("cortex_workers", api=self.name)

    def await_sleep(self, within: float = 60) -> None:
        """Returns once it has no replica any more."""
        eventually(lambda: self.requested() == 0 and self.workers() == 0, f"{self.name} sleeps", within)

    def gate(self, version: int) -> Path:
        """What a version's constructor waits for, where it is there."""
        return self.folder.parent / f"{self.name}.notes.gate-{version}"

    def close_gate(self, version: int = 1) -> None:
        """No worker that starts from now on is ready before `open_gate`."""
        os.mkfifo(self.gate(version))

    def open_gate(self, version: int = 1) -> None:
        """Lets the worker that starts go on, and those after it."""
        with self.gate(version).open("w"):
            pass
        self.gate(version).unlink()

    def send(self, count: int, **options: Any) -> Senders:
        """Requests beside each other."""
        return Senders(self.server, self.name, count, **options)


class Senders:
    """Requests on their way, each in a thread."""

    def __init__(self, server: Server, path: str, count: int, **options: Any) -> None:
        self.answers: list[requests.Response] = []
        self.threads = [
            threading.Thread(target=lambda: self.answers.append(server.post(path, json={}, **options)))
            for _ in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def join(self) -> list[requests.Response]:
        """All answers, once they are there."""
        for thread in self.threads:
            thread.join()
        return self.answers


@pytest.fixture(scope="module", autouse=True)
def idle(server: Server, short_folder: Path) -> Iterator[Sleeper]:
    """One that is laid to sleep by the autoscaler: while the other tests run its time passes."""
    sleeper = Sleeper(server, short_folder, "idle", init_replicas=1, window="10s", downscale_stabilization_period="0s")
    server.deploy(sleeper.project())
    yield sleeper
    server.ok("delete", sleeper.name)


def asleep(server: Server, folder: Path, name: str, **autoscaling: Any) -> Sleeper:
    """One that has shown that it comes up, and sleeps."""
    sleeper = Sleeper(server, folder, name, **autoscaling)
    server.deploy(sleeper.project())
    sleeper.await_sleep()
    assert sleeper.starts() == 1
    return sleeper


def test_the_first_request_of_many_starts_one_replica(server: Server, folder: Path) -> None:
    sleeper = asleep(server, folder, "many")
    assert sleeper.status()["message"] == "live"
    assert server.get("/many/readyz").status_code == 200
    assert server.get("/many").status_code == 200
    assert sleeper.workers() == 0, "neither health nor the summary wakes it"
    sleeper.close_gate()
    senders = sleeper.send(8)
    eventually(lambda: server.metrics("cortex_queued_requests", api="many") == 8, "all of them wait")
    eventually(lambda: sleeper.starts() == 2, "a worker starts")
    status = sleeper.status()
    assert (status["message"], status["replica_counts"]["requested"]) == ("live", 1)
    assert status["progress"] == "waking: its first replica is starting"
    assert server.get("/many/readyz").status_code == 200
    sleeper.open_gate()
    answers = senders.join()
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["pid"] for answer in answers}) == 1
    assert sleeper.starts() == 2
    server.ok("delete", "many")


def test_no_more_wait_than_one_replica_bears(server: Server, folder: Path) -> None:
    sleeper = asleep(server, folder, "few", max_replica_concurrency=2)
    sleeper.close_gate()
    senders = sleeper.send(2)
    eventually(lambda: server.metrics("cortex_queued_requests", api="few") == 2, "two wait")
    refused = server.post("few", json={})
    assert (refused.status_code, refused.json()["code"]) == (503, "QUEUE_FULL")
    assert int(refused.headers["retry-after"]) >= 1
    sleeper.open_gate()
    assert [answer.status_code for answer in senders.join()] == [200, 200]
    server.ok("delete", "few")


def test_a_replica_that_does_not_come_up_is_told(server: Server, folder: Path) -> None:
    sleeper = asleep(server, folder, "broken")
    sleeper.broken.touch()
    refused = server.post("broken", json={})
    assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
    assert "could not be started" in refused.json()["error"]
    # The first of the starts that follow is at most a second away, later ones farther: that is told.
    assert refused.headers["retry-after"] == "1"
    eventually(lambda: int(server.post("broken", json={}).headers["retry-after"]) > 1, "later starts are told of")
    status = sleeper.status()
    assert status["message"].startswith("error") and "broken today" in status["reason"], status
    assert server.get("/broken/readyz").status_code == 503
    sleeper.broken.unlink()
    eventually(lambda: server.post("broken", json={}).status_code == 200, "the next start succeeds")
    server.ok("delete", "broken")


def test_an_update_of_one_that_sleeps(server: Server, folder: Path) -> None:
    sleeper = asleep(server, folder, "updated")
    # What has served wakes sooner than what has not come up yet.
    sleeper.close_gate(2)
    server.ok("deploy", "cortex.yaml", "--no-wait", cwd=sleeper.project(2))
    assert server.post("updated", json={}).json()["version"] == 1
    sleeper.open_gate(2)
    eventually(lambda: server.post("updated", json={}).json()["version"] == 2, "the new version answers")
    server.ok("delete", "updated")


def test_a_broken_update_of_one_that_sleeps(server: Server, folder: Path) -> None:
    sleeper = asleep(server, folder, "unseated")
    sleeper.broken.write_text("2")
    done = server.run("deploy", "cortex.yaml", "--wait", cwd=sleeper.project(2))
    assert done.returncode == 1, done
    status = sleeper.status()
    assert status["message"] == "error (previous version serving)"
    # It sleeps on, though the new version is tried again and again.
    eventually(lambda: sleeper.notes.read_text().count("\n") >= 4, "the new version is tried again")
    counts = sleeper.status()["replica_counts"]
    assert (counts["requested"], counts["stale"]) == (0, 0), counts
    assert server.metrics("cortex_workers", api="unseated", state="ready") == 0
    assert server.post("unseated", json={}).json()["version"] == 1
    eventually(lambda: sleeper.status()["replica_counts"]["stale"] == 1, "the version before has been woken")
    server.ok("delete", "unseated")


def test_sleep_outlives_the_server_and_a_bounded_time_is_waited(binary: Path, folder: Path) -> None:
    with Server(binary, folder / "home", None, CORTEX_WAKE_TIMEOUT="1s") as server:
        sleeper = asleep(server, folder, "kept")
        server.kill()
        server.start()
        eventually(lambda: sleeper.status()["message"] == "live", "it is back")
        assert sleeper.requested() == 0
        assert (sleeper.starts(), sleeper.workers()) == (1, 0), "nothing was started for it"
        sleeper.close_gate()
        refused = server.post("kept", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
        assert "asleep" in refused.json()["error"] and refused.headers["retry-after"] == "1"
        sleeper.open_gate()
        assert eventually(lambda: server.post("kept", json={}), "it answers").json()["version"] == 1
        assert sleeper.starts() == 2


def test_one_that_is_idle_goes_to_sleep_and_wakes_at_once(server: Server, idle: Sleeper) -> None:
    (pid,) = map(int, idle.notes.read_text().split())
    idle.await_sleep()
    assert not is_alive(pid)
    assert idle.status()["message"] == "live"
    answer = server.post("idle", json={})
    assert answer.status_code == 200 and answer.json()["pid"] != pid
    messages = [event["message"] for event in server.json("describe", "idle")["events"] if event["kind"] == "scaled"]
    assert "replicas 1 → 0: 0 in flight on average over 10s" in messages[0]
    assert messages[-1] == "replicas 0 → 1: woken by a request"
    eventually(lambda: server.metrics("cortex_requested_replicas", api="idle") == 1, "the metrics tell of it")
    assert server.metrics("cortex_scalings_total", api="idle", direction="down") >= 1
