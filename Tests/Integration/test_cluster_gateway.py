"""`cortex gateway` in front of replicas, all of them plain processes of this machine."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest
import requests

from blackbox.admission import Gate
from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.load import Load
from blackbox.pods import ClusterGateway, ProjectServer, Replica
from blackbox.processes import MEASURABLE, Footprint
from blackbox.project import API, write

PREDICTORS = Path(__file__).parent / "predictors"
FILES = {name: (PREDICTORS / name).read_text() for name in ("gate.py", "pod.py")}


def names(answers: list[requests.Response]) -> set[str]:
    """The replicas that answered."""
    return {answer.json()["name"] for answer in answers}


@pytest.fixture(scope="module")
def pods(
    binary: Path, short_folder: Path, pod_tools: Path, projects: ProjectServer
) -> Iterator[Callable[..., Replica]]:
    """Makes replicas of `pod.py` that serve, each with a name of its own; `prepare` runs for the first."""
    with ExitStack() as stack:
        count = 0

        def make(**sections: Any) -> Replica:
            nonlocal count
            count += 1
            home = short_folder / f"replica-{count}"
            predictor = {"path": "pod.py", "config": {"name": home.name}, **sections.pop("predictor", {})}
            project = write(short_folder / "pod-project", FILES)
            replica = Replica(
                binary, home, API("pod", predictor=predictor, sections=sections), project, projects, pod_tools
            )
            return stack.enter_context(replica).serve()

        yield make


@pytest.fixture(scope="module")
def pair(pods: Callable[..., Replica]) -> tuple[Replica, Replica]:
    """Two replicas that no test harms."""
    return pods(), pods()


@pytest.fixture
def gateway(binary: Path, folder: Path) -> Iterator[ClusterGateway]:
    """A gateway of one test."""
    with ClusterGateway(binary, folder / "gateway", CORTEX_WAKE_TIMEOUT="20s") as gateway:
        yield gateway.start()


@pytest.fixture
def clients() -> Iterator[ThreadPoolExecutor]:
    """Threads that each send a request."""
    with ThreadPoolExecutor(64) as pool:
        yield pool


def in_flight(gateway: ClusterGateway, count: int, name: str = "cortex_in_flight_requests") -> None:
    """Returns once so many are there."""
    eventually(lambda: gateway.metric(f'{name}{{api="pod"}}') == count, f"{name} is {count}")


def test_a_request_passes_through_as_it_is(gateway: ClusterGateway, pair: tuple[Replica, Replica]) -> None:
    """Query, headers, body and answer; what gateway and replica say to each other stays between them."""
    gateway.route("pod", *pair, version=4)
    gateway.await_replicas("pod", 2)
    headers = {
        "X-Mine": "yes",
        "X-Request-ID": "of-a-test",
        "X-Cortex-Gateway": "1",
        "X-Cortex-Started": "1",
        "X-Cortex-Hops": "3",
        "Connection": "keep-alive, X-Private",
        "X-Private": "no",
    }
    answer = gateway.post("/pod?a=b%20c", json={"do": "who"}, headers=headers)
    assert answer.status_code == 200
    said = answer.json()
    assert said["query"] == {"a": "b c"}
    assert said["headers"]["x-mine"] == "yes"
    assert said["headers"]["x-cortex-hops"] == "3"
    assert "x-private" not in said["headers"]
    assert "x-cortex-started" not in said["headers"]
    assert answer.headers["X-Request-ID"] == "of-a-test"
    assert "predict;dur=" in answer.headers["Server-Timing"]
    assert not [name for name in answer.headers if name.lower().startswith("x-cortex")]
    assert gateway.post("/predict", json={"do": "who"}, headers={"Host": "api-pod"}).status_code == 200
    failed = gateway.post("/pod", json={"do": "raise"})
    assert (failed.status_code, failed.json()["code"]) == (500, "PREDICTOR_FAILED")
    assert failed.json()["request_id"] == failed.headers["X-Request-ID"]

    def records() -> dict[str, Any]:
        lines = (gateway.home / "logs" / "access.log").read_text().splitlines()
        return {record["request_id"]: record for record in map(json.loads, lines)}

    record = eventually(lambda: records().get("of-a-test"), "the access log has it")
    error = eventually(lambda: records().get(failed.headers["X-Request-ID"]), "the access log has the error")
    assert record["worker"].startswith("replica-")
    assert record["version"] == 1
    assert record["predict_ms"] <= record["total_ms"]
    assert error["error_code"] == "PREDICTOR_FAILED"
    marked = gateway.post("/pod", json={"do": "headers"})
    assert (marked.status_code, marked.text, marked.headers["X-Value"]) == (503, "marked", "caf\xe9")


def test_the_replica_with_less_to_do_gets_the_next(
    gateway: ClusterGateway, pair: tuple[Replica, Replica], folder: Path, clients: ThreadPoolExecutor
) -> None:
    """Of two replicas both are the draw: while one is busy the other answers, and none has more than it bears."""
    gateway.route("pod", *pair, limit=2)
    gateway.await_replicas("pod", 2)
    with Gate(folder / "gate") as gate:
        held = clients.submit(gateway.post, "/pod", json={"do": "wait", "gate": str(gate.path)})
        gate.await_arrival()
        assert len(names([gateway.post("/pod", json={"do": "who"}) for _ in range(8)])) == 1
        # Three more find room, and the fourth none.
        opened = folder / "opened"
        later = {"do": "until there", "path": str(opened)}
        queued = [clients.submit(gateway.post, "/pod", json=later) for _ in range(3)]
        in_flight(gateway, 4)
        refused = gateway.post("/pod", json={"do": "who"})
        assert (refused.status_code, refused.json()["code"]) == (503, "QUEUE_FULL")
        assert refused.json()["detail"]["limit"] == 4
        assert int(refused.headers["Retry-After"]) >= 1
        gate.open()
        opened.touch()
        assert [answer.result().status_code for answer in [held, *queued]] == [200] * 4


def test_what_was_not_started_outlives_its_replica(
    binary: Path, folder: Path, gateway: ClusterGateway, pods: Callable[..., Replica], clients: ThreadPoolExecutor
) -> None:
    """kill -9: what a worker had is told so, and all that waited there is answered by the other replica."""
    doomed, other = pods(), pods()
    gateway.route("pod", doomed)
    gateway.await_replicas("pod", 1)
    with Gate(folder / "gate") as gate:
        started = clients.submit(gateway.post, "/pod", json={"do": "wait", "gate": str(gate.path)})
        gate.await_arrival()
        queued = [clients.submit(gateway.post, "/pod", json={"do": "who"}) for _ in range(20)]
        in_flight(gateway, 21)
        gateway.route("pod", doomed, other)
        gateway.await_replicas("pod", 2)
        doomed.kill()
        answers = [answer.result() for answer in queued]
        assert [answer.status_code for answer in answers] == [200] * 20
        assert names(answers) == {other.home.name}
        lost = started.result()
        assert (lost.status_code, lost.json()["code"]) == (502, "WORKER_CRASHED")
    # It is still among the endpoints, and harms nobody.
    assert {gateway.post("/pod", json={"do": "who"}).status_code for _ in range(20)} == {200}


def test_requests_wait_for_the_only_replica_to_come_back(
    gateway: ClusterGateway, pods: Callable[..., Replica], folder: Path, clients: ThreadPoolExecutor
) -> None:
    """What was taken in when the last replica went is answered by the next one."""
    doomed = pods()
    gateway.route("pod", doomed)
    gateway.await_replicas("pod", 1)
    with Gate(folder / "gate") as gate:
        started = clients.submit(gateway.post, "/pod", json={"do": "wait", "gate": str(gate.path)})
        gate.await_arrival()
        queued = [clients.submit(gateway.post, "/pod", json={"do": "who"}) for _ in range(3)]
        in_flight(gateway, 4)
        doomed.kill()
        assert started.result().status_code == 502
        in_flight(gateway, 3, "cortex_queued_requests")
    gateway.route("pod")
    successor = pods()
    gateway.route("pod", successor)
    assert names([answer.result() for answer in queued]) == {successor.home.name}


def test_a_replica_that_is_taken_away_gets_nothing_more(gateway: ClusterGateway, pair: tuple[Replica, Replica]) -> None:
    """Under load, without a failed request."""
    first, second = pair
    gateway.route("pod", first, second)
    gateway.await_replicas("pod", 2)
    with Load(gateway.data + "/pod", clients=4, json={"do": "who"}) as load:
        eventually(lambda: len({json.loads(body)["name"] for _, body, _ in load.answers}) == 2, "both answer")
        gateway.route("pod", second)
        gateway.await_replicas("pod", 1)
        seen = len(load.answers) + 4
        eventually(lambda: len(load.answers) > seen + 50, "the load goes on")
    assert not load.failures()
    assert {json.loads(body)["name"] for _, body, _ in load.answers[seen:]} == {second.home.name}


def test_a_replica_that_cannot_be_reached_costs_a_moment(
    gateway: ClusterGateway, pair: tuple[Replica, Replica]
) -> None:
    """An address that nobody answers at, and a port that nobody has: the others get its requests."""
    with socket.socket() as silent, socket.socket() as free:
        # A queue that is full: the kernel drops what comes, as the network of a machine that is gone does.
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        # Held, so that nobody else gets it, and not listened at.
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
        gateway.route("pod", pair[0], f"127.0.0.1:{port}", f"127.0.0.1:{closed}")
        gateway.await_replicas("pod", 3)
        for _ in range(30):
            # A second is given to such a connection; the kernel would try for two minutes.
            assert gateway.post("/pod", json={"do": "who"}, headers={"X-Request-Timeout": "30s"}).status_code == 200
        for filler in fillers:
            filler.close()


def test_a_gateway_stays_in_its_service_where_an_api_cannot_answer(gateway: ClusterGateway) -> None:
    """Each gateway would leave, and clients would find nobody there to tell them."""
    gateway.route("nobody")
    gateway.await_replicas("nobody", 0)
    refused = gateway.post("/nobody", json={})
    assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
    assert requests.get(gateway.admin + "/readyz", timeout=60).status_code == 200


def test_a_sleeping_api_holds_requests(
    gateway: ClusterGateway, pair: tuple[Replica, Replica], clients: ThreadPoolExecutor
) -> None:
    """They are counted as waiting, within one replica's bound, and answered when a replica is there."""
    gateway.route("pod", asleep=True, limit=3)
    gateway.await_replicas("pod", 0)
    assert gateway.is_ready()
    held = [clients.submit(gateway.post, "/pod", json={"do": "who"}) for _ in range(3)]
    in_flight(gateway, 3, "cortex_queued_requests")
    refused = gateway.post("/pod", json={"do": "who"})
    assert (refused.status_code, refused.json()["code"]) == (503, "QUEUE_FULL")
    leaving = gateway.data.removeprefix("http://").partition(":")
    with RawConnection(int(leaving[2])) as connection:
        connection.send(b"GET /pod/readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        ready = connection.answer("GET")
        assert ready is not None
        assert ready.status == 200
    # The two are told in either order.
    gateway.route("pod", asleep=False, limit=3)
    gateway.route("pod", pair[0], asleep=False, limit=3)
    assert names([answer.result() for answer in held]) == {pair[0].home.name}
    in_flight(gateway, 0, "cortex_queued_requests")


def test_an_api_that_does_not_wake_is_told_of(binary: Path, folder: Path) -> None:
    """After the wake timeout; and an API that is awake and has no replica is told of at once."""
    with ClusterGateway(binary, folder / "gateway", CORTEX_WAKE_TIMEOUT="500ms") as gateway:
        gateway.start()
        gateway.route("pod", asleep=True)
        gateway.route("other")
        gateway.await_replicas("other", 0)
        asleep = gateway.post("/pod", json={"do": "who"})
        assert (asleep.status_code, asleep.json()["code"]) == (503, "NOT_READY")
        assert "it was asleep" in asleep.json()["error"]
        missing = gateway.post("/other", json={"do": "who"})
        assert (missing.status_code, missing.json()["code"]) == (503, "NOT_READY")
        assert int(missing.headers["Retry-After"]) >= 1
        assert "it was asleep" not in missing.json()["error"]
        gateway.remove("other")
        eventually(lambda: gateway.post("/other", json={}).status_code == 404, "the route is gone")


def test_deadlines_and_clients_that_leave(
    gateway: ClusterGateway, pair: tuple[Replica, Replica], folder: Path, clients: ThreadPoolExecutor
) -> None:
    """Both end the request, in the replica too: its predictor is told."""
    notes = folder / "notes"
    notes.touch()
    gateway.route("pod", pair[0], timeout="30s")
    gateway.await_replicas("pod", 1)
    late = gateway.post(
        "/pod", json={"do": "until cancelled", "notes": str(notes)}, headers={"X-Request-Timeout": "2s"}
    )
    assert (late.status_code, late.json()["code"]) == (504, "DEADLINE_EXCEEDED")
    assert "X-Request-Timeout allowed 2s" in late.json()["hint"]
    eventually(lambda: notes.read_text().count("ends") == 1, "the predictor is told of the deadline")
    with RawConnection(int(gateway.data.rpartition(":")[2])) as connection:
        body = json.dumps({"do": "until cancelled", "notes": str(notes)}).encode()
        connection.send(
            b"POST /pod HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        eventually(lambda: notes.read_text().count("begins") == 2, "it runs")
    eventually(lambda: notes.read_text().count("ends") == 2, "the predictor is told that its client has left")
    in_flight(gateway, 0)
    # Of time that is left the predictor sees what the gateway has not used.
    left = gateway.post("/pod", json={"do": "time"}, headers={"X-Request-Timeout": "25s"}).json()["left"]
    assert 0 < left <= 25


def test_large_bodies_pass_through_files(gateway: ClusterGateway, pair: tuple[Replica, Replica]) -> None:
    """Both ways, with their lengths, and without the memory that they would fill."""
    gateway.route("pod", pair[0])
    gateway.await_replicas("pod", 1)
    size = 48 << 20
    octets = {"Content-Type": "application/octet-stream"}
    assert gateway.post("/pod", data=b"z" * 1000, headers=octets).json()["length"] == 1000
    before = Footprint.of(gateway.pid).resident if MEASURABLE else 0
    for _ in range(2):
        assert gateway.post("/pod", data=b"z" * size, headers=octets).json()["length"] == size
        answer = gateway.post("/pod", json={"do": "large", "size": size}, stream=True)
        assert answer.headers["Content-Length"] == str(size)
        assert answer.headers["X-Of"] == "predictor"
        assert sum(len(piece) for piece in answer.iter_content(1 << 20)) == size
    if MEASURABLE:
        assert Footprint.of(gateway.pid).resident - before < 24 << 20
    assert not list((gateway.home / "spool").iterdir())


def test_streams_pass_through_as_they_come(
    gateway: ClusterGateway, pair: tuple[Replica, Replica], folder: Path
) -> None:
    """A reader that is slow holds the predictor back; one that leaves ends it."""
    notes = folder / "notes"
    notes.touch()
    gateway.route("pod", pair[0])
    gateway.await_replicas("pod", 1)
    answer = gateway.post("/pod", json={"do": "pieces", "size": 1000, "count": 50})
    assert (answer.status_code, len(answer.content)) == (201, 50_000)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    with gateway.post("/pod", json={"do": "stream", "notes": str(notes)}, stream=True) as stream:
        assert next(stream.iter_content(6)) == b"piece\n"
    eventually(lambda: "stream ends" in notes.read_text(), "the predictor's stream is closed")
    before = Footprint.of(gateway.pid).resident if MEASURABLE else 0
    with gateway.post("/pod", json={"do": "pieces", "size": 1 << 20, "count": 64}, stream=True) as stream:
        pieces = stream.iter_content(1 << 16)
        next(pieces)
        # What the sockets hold is there at once, and nothing more while nobody reads.
        time.sleep(1)
        if MEASURABLE:
            assert Footprint.of(gateway.pid).resident - before < 16 << 20
        assert sum(len(piece) for piece in pieces) > 60 << 20


def test_the_gateway_keeps_the_rules_of_each_api(
    gateway: ClusterGateway, pair: tuple[Replica, Replica], folder: Path
) -> None:
    """Keys, origins and sizes are told with the route, and change with it."""
    key = folder / "key"
    key.write_text("sesame\n")
    gateway.route("pod", pair[0], api_keys=[{"file": {"_0": str(key)}}], allow_origins=["https://a.example"])
    gateway.await_replicas("pod", 1)
    origin = {"Origin": "https://a.example"}
    assert gateway.post("/pod", json={"do": "who"}).status_code == 401
    known = gateway.post("/pod", json={"do": "who"}, headers={"X-API-Key": "sesame", **origin})
    assert known.status_code == 200
    assert known.headers["Access-Control-Allow-Origin"] == "https://a.example"
    key.write_text("open\n")
    eventually(
        lambda: gateway.post("/pod", json={"do": "who"}, headers={"X-API-Key": "open"}).status_code == 200,
        "the new key counts",
    )
    gateway.route("pod", pair[0], version=2, max_body_size=1024)
    eventually(lambda: gateway.post("/pod", json={"do": "who"}).status_code == 200, "no key is needed")
    assert gateway.post("/pod", json={"do": "who", "more": "x" * 2000}).status_code == 413
    summary = gateway.get("/pod").json()
    assert "make a prediction" in summary["message"]


def test_a_gateway_drains(
    binary: Path, folder: Path, pair: tuple[Replica, Replica], clients: ThreadPoolExecutor
) -> None:
    """Not ready at once, serving on for the delay, and what is in flight is answered, whatever the routes do."""
    with ClusterGateway(binary, folder / "gateway", CORTEX_DRAIN_DELAY="4s") as gateway, Gate(folder / "g") as gate:
        gateway.start()
        gateway.route("pod", pair[0])
        gateway.await_replicas("pod", 1)
        held = clients.submit(gateway.post, "/pod", json={"do": "wait", "gate": str(gate.path)})
        gate.await_arrival()
        gateway.terminate()
        eventually(lambda: not gateway.is_ready(), "it is not ready any more")
        gate.open()
        assert held.result().status_code == 200
        assert gateway.wait() == 0
