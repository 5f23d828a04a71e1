"""Predictions that wait until they are let go, and clients that send them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.project import API, write
from blackbox.server import Server

GATE = (Path(__file__).parents[1] / "predictors" / "gate.py").read_text()
LIMIT = 3


def deploy_gates(server: Server, folder: Path) -> None:
    """Deploys them: `gate` has room for a few; `gate-many` for all that come, and runs four at a time."""
    many = API("gate-many", predictor={"threads_per_process": 4}, sections={"networking": {"timeout": "1m"}})
    few = API("gate", sections={"autoscaling": {"max_replica_concurrency": LIMIT}})
    slow = API("gate-slow", sections={"autoscaling": {"max_replica_concurrency": 12}})
    server.deploy(write(folder / "gate", {"predictor.py": GATE}, few, many, slow))


@pytest.fixture
def notes(folder: Path) -> Path:
    """What the predictor notes."""
    path = folder / "notes"
    path.touch()
    return path


class Gate:
    """A prediction that runs until it is let go: a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end: int | None = None
        os.mkfifo(path)

    def payload(self, **more: Any) -> dict[str, Any]:
        """What makes a prediction wait here."""
        return {"do": "wait", "gate": str(self.path), **more}

    def await_arrival(self) -> None:
        """Returns once a prediction waits."""

        def opens() -> bool:
            try:
                self.end = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                return False
            return True

        eventually(opens, "a prediction waits at the gate")

    def __enter__(self) -> Gate:
        return self

    def open(self) -> None:
        """Lets it go."""
        if self.end is not None:
            os.close(self.end)
            self.end = None

    def __exit__(self, *_: object) -> None:
        self.open()


@pytest.fixture
def gate(folder: Path) -> Iterator[Gate]:
    """A closed gate, opened in the end."""
    with Gate(folder / "pipe") as gate:
        yield gate


def message(api: str, payload: Any, *headers: str) -> bytes:
    """A request as bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    lines = [f"POST /{api} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


class Clients:
    """Connections with a request each, closed together: a context manager."""

    def __init__(self, server: Server, api: str) -> None:
        self.server = server
        self.api = api
        self.connections: list[RawConnection] = []

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def send(self, payload: Any, *headers: str, api: str | None = None) -> RawConnection:
        """Sends on a connection of its own."""
        connection = RawConnection(self.server.port, within=60)
        self.connections.append(connection)
        connection.send(message(api or self.api, payload, *headers))
        return connection

    def leave(self) -> None:
        """Closes them all."""
        for connection in self.connections:
            connection.socket.close()
        self.connections = []

    def await_in_flight(self, count: int) -> None:
        """Returns once as many are queued or running."""
        await_gauge(self.server, self.api, "cortex_in_flight_requests", count)


def await_gauge(server: Server, api: str, name: str, value: int) -> None:
    """Returns once a gauge of the API has that value."""

    def agrees() -> bool:
        found = server.metrics(name, api=api)
        assert found == value, f"{name} of {api} is {found}"
        return True

    eventually(agrees, f"{name} of {api} is {value}")


def await_note(notes: Path, line: str) -> None:
    """Returns once the predictor has noted that."""
    eventually(lambda: line in notes.read_text().splitlines(), f"{line!r} in {notes.read_text()!r}")
