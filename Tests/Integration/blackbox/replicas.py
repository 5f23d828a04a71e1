"""What gateways of a cluster lead requests to, where only the way is tested."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable

import pytest

from blackbox.pods import ClusterGateway


class NamedReplica(ThreadingHTTPServer):
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

    def __enter__(self) -> NamedReplica:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _ReplicaHandler(BaseHTTPRequestHandler):
    server: NamedReplica
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


Replicas = Callable[[str], NamedReplica]
"""Starts replicas by their names."""


@pytest.fixture
def replica() -> Iterator[Replicas]:
    """Replicas that end with the test."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(NamedReplica(name))


def gateway_of(binary: Path, folder: Path, **settings: str) -> ClusterGateway:
    """A gateway that asks a cluster."""
    gateway = ClusterGateway(binary, folder / "gateway", **settings)
    gateway.arguments = ["gateway"]
    return gateway
