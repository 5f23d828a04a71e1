"""`cortex replica prepare` and `run`: the pod of one replica, without a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
import requests

from blackbox.admission import Gate
from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.pods import TOKEN, ProjectServer, Replica
from blackbox.project import API, write

PREDICTORS = Path(__file__).parent / "predictors"
FILES = {name: (PREDICTORS / name).read_text() for name in ("gate.py", "pod.py")}


def message(payload: Any, *headers: str) -> bytes:
    """A request as a gateway sends it."""
    body = json.dumps(payload).encode()
    lines = ["POST /predict HTTP/1.1", "Host: api-pod", "Content-Type: application/json", "X-Cortex-Gateway: 1"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def head(connection: RawConnection) -> str:
    """The next head on a connection, without its end."""
    read = b""
    while not read.endswith(b"\r\n\r\n"):
        piece = connection.socket.recv(1)
        assert piece, f"closed after {read!r}"
        read += piece
    return read[:-4].decode()


@pytest.fixture
def pod(binary: Path, folder: Path, pod_tools: Path, projects: ProjectServer) -> Iterator[Callable[..., Replica]]:
    """Makes a replica of `pod.py` with such a config and such sections."""
    made: list[Replica] = []

    def make(config: dict[str, Any] | None = None, **sections: Any) -> Replica:
        project = write(folder / "project", FILES)
        settings = sections.pop("settings", {})
        predictor = {"path": "pod.py", "config": config or {}, **sections.pop("predictor", {})}
        api = API("pod", path="pod.py", predictor=predictor, sections=sections)
        made.append(Replica(binary, folder / f"pod-{len(made)}", api, project, projects, pod_tools, **settings))
        return made[-1]

    yield make
    for replica in made:
        replica.stop()


def test_a_prepared_replica_serves_and_logs(pod: Callable[..., Replica]) -> None:
    """By the name of its API, with health on both ports; the API's log is on standard output, line by line."""
    replica = pod({"name": "first"}).serve()
    answer = replica.post("/predict?a=b", json={"do": "who"}, headers={"Host": "api-pod"})
    assert answer.status_code == 200
    assert answer.json()["name"] == "first"
    assert answer.json()["query"] == {"a": "b"}
    assert requests.get(replica.admin + "/readyz", timeout=60).status_code == 200
    assert requests.get(replica.admin + "/livez", timeout=60).text == "ok\n"
    assert replica.metric('cortex_requests_total{api="pod",code="200"}') == 1
    eventually(lambda: "version 1 is live" in replica.output.read_text(), "it is told")
    lines = [json.loads(line) for line in replica.output.read_text().rpartition("\n")[0].splitlines()]
    assert {line["api"] for line in lines} == {"pod"}
    assert "version 1 is live" in [line["message"] for line in lines]
    replica.terminate()
    assert replica.wait() == 0


def test_a_gateway_hears_of_starts_and_of_what_was_not_started(pod: Callable[..., Replica], gate: Gate) -> None:
    """102 when a worker gets the request; nothing while it waits; an error that says whether anything has run."""
    replica = pod(autoscaling={"max_replica_concurrency": 2}).serve()
    port = int(replica.data.rpartition(":")[2])
    with RawConnection(port) as first, RawConnection(port) as second, RawConnection(port) as third:
        first.send(message({"do": "wait", "gate": str(gate.path)}))
        assert head(first).startswith("HTTP/1.1 102 ")
        gate.await_arrival()
        second.send(message({"do": "who"}))
        eventually(lambda: replica.metric('cortex_in_flight_requests{api="pod"}') == 2, "both are there")
        third.send(message({"do": "who"}))
        refused = third.answer()
        assert refused is not None
        assert refused.status == 503
        assert refused.values("x-cortex-error") == ["QUEUE_FULL"]
        assert refused.values("x-cortex-not-started") == ["1"]
        second.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            second.socket.recv(1)
        gate.open()
        second.socket.settimeout(20)
        assert head(second).startswith("HTTP/1.1 102 ")
        assert head(first).startswith("HTTP/1.1 200 ")
        answered = head(second)
        assert answered.startswith("HTTP/1.1 200 ")
        assert f"X-Cortex-Worker: {replica.home.name}/pod-1-0" in answered
        assert "X-Cortex-Version: 1" in answered
    with RawConnection(port) as connection:
        connection.send(message({"do": "exit"}))
        assert head(connection).startswith("HTTP/1.1 102 ")
        crashed = connection.answer()
        assert crashed is not None
        assert (crashed.status, crashed.values("x-cortex-error")) == (502, ["WORKER_CRASHED"])
        assert crashed.values("x-cortex-not-started") == []
    # A worker that ends is replaced within; the process goes on.
    eventually(lambda: replica.post("/predict", json={"do": "who"}).status_code == 200, "another worker answers")
    assert replica.is_ready()


def test_a_predictor_cannot_speak_for_its_replica(pod: Callable[..., Replica]) -> None:
    """Headers that gateways go by are never a predictor's."""
    replica = pod().serve()
    with RawConnection(int(replica.data.rpartition(":")[2])) as connection:
        connection.send(message({"do": "headers"}))
        assert head(connection).startswith("HTTP/1.1 102 ")
        answer = connection.answer()
    assert answer is not None
    assert (answer.status, answer.body) == (503, b"marked")
    assert answer.values("x-cortex-not-started") == answer.values("x-cortex-error") == []


def test_another_version_with_the_same_workers_is_adopted(pod: Callable[..., Replica]) -> None:
    """The file changes; the worker stays, and says the new version."""
    replica = pod().serve()
    before = replica.post("/predict", json={"do": "who"}).json()["pid"]
    sections = {"autoscaling": {"max_replica_concurrency": 7}, "networking": {"endpoint": "/pod", "timeout": "7s"}}
    replica.write_deployment(API("pod", path="pod.py", predictor=replica.api.predictor, sections=sections), 2)

    def version() -> str:
        with RawConnection(int(replica.data.rpartition(":")[2])) as connection:
            connection.send(message({"do": "who"}))
            assert head(connection).startswith("HTTP/1.1 102 ")
            answer = connection.answer()
        assert answer is not None
        assert json.loads(answer.body)["pid"] == before
        return answer.values("x-cortex-version")[0]

    eventually(lambda: version() == "2", "the new version is told")


def test_a_version_that_does_not_start_says_why_and_exits(pod: Callable[..., Replica]) -> None:
    """Kubernetes is told by the termination log, and starts the container again."""
    replica = pod({"fails": "no weights at /mnt"})
    assert replica.prepare().returncode == 0
    replica.start()
    assert replica.wait(120) == 1
    assert "no weights at /mnt" in replica.termination
    assert "could not be started" in replica.termination


def test_a_replica_drains(pod: Callable[..., Replica], gate: Gate) -> None:
    """Not ready at once, serving on for the delay, answering what is in flight."""
    replica = pod(settings={"CORTEX_DRAIN_DELAY": "4s"}).serve()
    with RawConnection(int(replica.data.rpartition(":")[2])) as connection:
        connection.send(message({"do": "wait", "gate": str(gate.path)}))
        assert head(connection).startswith("HTTP/1.1 102 ")
        gate.await_arrival()
        replica.terminate()
        eventually(lambda: not replica.is_ready(), "it is not ready any more")
        gate.open()
        answer = connection.answer()
        assert answer is not None
        assert answer.status == 200
        assert answer.values("connection") == ["close"]
    assert replica.wait() == 0


def test_prepare_fetches_only_what_was_deployed(pod: Callable[..., Replica], projects: ProjectServer) -> None:
    """Tries again while the operator is away, refuses other content, and shows nobody else the token."""
    replica = pod()
    projects.refusals = 1
    assert replica.prepare().returncode == 0
    assert projects.asked[-1] == (f"/v1/projects/{replica.hash}", f"Bearer {TOKEN}")
    # It is there by now.
    asked = len(projects.asked)
    assert replica.prepare().returncode == 0
    assert len(projects.asked) == asked

    other = pod()
    projects.projects[other.hash], kept = b"\0" * 1024, projects.projects[other.hash]
    done = other.prepare()
    projects.projects[other.hash] = kept
    assert done.returncode == 1
    assert "is not the one that was deployed" in other.termination

    elsewhere = f"{projects.url.replace('127.0.0.1', 'localhost')}/v1/projects/{other.hash}"
    done = other.prepare(CORTEX_PROJECT_URL=elsewhere)
    assert done.returncode == 1
    assert projects.asked[-1][1] is None
    assert "401" in other.termination


def test_prepare_tells_what_keeps_it_from_building(
    pod: Callable[..., Replica], projects: ProjectServer, folder: Path
) -> None:
    """The end of an init container says the same as the log."""
    replica = pod()
    write(folder / "project", {"requirements.txt": "no-such-package-of-cortex==9.9\n"})
    replica.hash = projects.add(folder / "project")
    replica.write_deployment(replica.api, 1)
    done = replica.prepare()
    assert done.returncode == 1
    assert "no-such-package-of-cortex" in replica.termination
    assert len(replica.termination.encode()) <= 4096
