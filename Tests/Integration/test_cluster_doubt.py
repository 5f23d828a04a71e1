"""`cortex gateway` where the cluster takes replicas for not ready that are: a node was not heard of for a while."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable

import pytest

from blackbox.conditions import eventually
from blackbox.kubernetes import FakeCluster
from blackbox.load import Load
from blackbox.pods import ClusterGateway


class Replica(ThreadingHTTPServer):
    """Answers with its name, and says whether it is ready: a context manager."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_ready = True
        self.refusals = 0
        """Requests that are still to be refused, as by a replica whose worker is being replaced."""
        self.refused = 0
        super().__init__(("127.0.0.1", 0), _ReplicaHandler)

    @property
    def address(self) -> str:
        """As an endpoint is written."""
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Replica:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _ReplicaHandler(BaseHTTPRequestHandler):
    server: Replica
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refused < self.server.refusals:
            self.server.refused += 1
            self._answer(503, {"X-Cortex-Error": "NOT_READY", "X-Cortex-Not-Started": "1"})
        else:
            self._answer(200)

    def do_GET(self) -> None:
        assert self.path == "/readyz"
        self._answer(200 if self.server.is_ready else 503)

    def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(self.server.name).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def replica() -> Iterator[Callable[[str], Replica]]:
    """Starts replicas by their names."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Replica(name))


@pytest.mark.parametrize("slices", ["v1", None])
def test_replicas_of_a_node_that_is_not_heard_of_serve_on(
    binary: Path, folder: Path, slices: str | None, replica: Callable[[str], Replica]
) -> None:
    one, two = replica("one"), replica("two")
    with FakeCluster(slices) as cluster, ClusterGateway(binary, folder / "gateway", **cluster.settings) as gateway:
        gateway.arguments = ["gateway"]
        cluster.api("iris")
        cluster.replicas("iris", one.address, two.address)
        gateway.start()
        eventually(gateway.is_ready, "it is ready", within=60)
        gateway.await_replicas("iris", 2)
        with Load(gateway.data + "/iris", json={}) as load:
            cluster.replicas("iris", unready=(one.address, two.address))
            # One that says itself that it is not ready gets nothing more.
            two.is_ready = False
            gateway.await_replicas("iris", 1)
            since = len(load.answers) + 2
            eventually(lambda: len(load.answers) > since + 20, "requests are answered")
            assert {body for _, body, _ in load.answers[since:]} == {'"one"'}
            # What is ready for the cluster is all that counts, again.
            two.is_ready = True
            cluster.replicas("iris", two.address, unready=(one.address,))
            load.await_body('"two"')
            since = len(load.answers) + 2
            eventually(lambda: len(load.answers) > since + 20, "requests are answered")
            assert {body for _, body, _ in load.answers[since:]} == {'"two"'}
        assert load.failures() == []


def test_where_none_says_so_nothing_is_ready(binary: Path, folder: Path, replica: Callable[[str], Replica]) -> None:
    one = replica("one")
    one.is_ready = False
    with FakeCluster() as cluster, ClusterGateway(binary, folder / "gateway", **cluster.settings) as gateway:
        gateway.arguments = ["gateway"]
        cluster.api("iris")
        cluster.replicas("iris", one.address)
        gateway.start()
        eventually(gateway.is_ready, "it is ready", within=60)
        gateway.await_replicas("iris", 1)
        cluster.replicas("iris", unready=(one.address,))
        gateway.await_replicas("iris", 0)
        eventually(lambda: gateway.post("/iris", json={}).status_code == 503, "it says so", within=60)
        one.is_ready = True
        gateway.await_replicas("iris", 1)
        assert gateway.post("/iris", json={}).json() == "one"


def test_replicas_that_recover_are_tried_again(binary: Path, folder: Path, replica: Callable[[str], Replica]) -> None:
    """A request that none has started waits for one of them, not for news of them, and for no other request."""
    one = replica("one")
    one.refusals = 4
    with ClusterGateway(binary, folder / "gateway") as gateway, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gateway.start()
        gateway.route("iris", one.address, f"127.0.0.1:{nobody.getsockname()[1]}")
        gateway.await_replicas("iris", 2)
        answer = gateway.post("/iris", json={})
        assert (answer.status_code, answer.json()) == (200, "one")
        assert one.refused == 4


def test_replicas_that_refuse_for_long_are_told_of(
    binary: Path, folder: Path, replica: Callable[[str], Replica]
) -> None:
    one = replica("one")
    one.refusals = 1_000_000
    with ClusterGateway(binary, folder / "gateway") as gateway:
        gateway.start()
        gateway.route("iris", one.address)
        gateway.await_replicas("iris", 1)
        answer = gateway.post("/iris", json={})
        assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
        assert "refused" in answer.json()["error"]
        # It is left alone in between.
        assert one.refused < 20
