"""The server's side of the agent's socket, and a real agent on the other."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from struct import Struct
from typing import Any

HEAD = Struct("<IBBHQ")
HELLO, LIST, FETCH, ABORT, PAGE, PROGRESS, DONE, FAULT = 0x10, 0x40, 0x41, 0x42, 0x48, 0x49, 0x4A, 0x4B
PUT, FIND, REMOVE = 0x43, 0x44, 0x45
MORE_FOLLOWS = 1
SOURCES = Path(__file__).resolve().parents[2] / "src"

Entry = dict[str, Any]


class Fault(Exception):
    """The agent says that a request failed."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


class Agent:
    """A running agent, spoken to frame by frame."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.progress: list[int] = []
        self._number = 0
        token = secrets.token_hex()
        path = str(home / "agent.sock")
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "GOOGLE_", "AZURE_")) and not name.lower().endswith("_proxy")
        }
        variables = {**clean, "HOME": str(home), "PYTHONPATH": str(SOURCES), "CORTEX_STORAGE_TOKEN": token}
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(30)
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cortex_storage", "--socket", path], env={**variables, **environment}
            )
            self._socket, _ = listener.accept()
        self._socket.settimeout(40)
        self._stream = self._socket.makefile("rb")
        kind, _, body = self.read()
        assert kind == HELLO
        assert json.loads(body) == {"protocol": 1, "role": "storage", "token": token}

    def send(self, kind: int, number: int, body: Any = None, flags: int = 0) -> None:
        """Send a frame."""
        text = b"" if body is None else json.dumps(body).encode()
        self._socket.sendall(HEAD.pack(len(text), kind, flags, 0, number) + text)

    def read(self) -> tuple[int, int, bytes]:
        """The next frame: kind, number, body."""
        head = self._stream.read(HEAD.size)
        assert len(head) == HEAD.size, "the agent has ended"
        length, kind, _, _, number = HEAD.unpack(head)
        assert length <= 16 << 20
        return kind, number, self._stream.read(length)

    def begin(self, kind: int, body: Any) -> int:
        """Send a request; returns its number."""
        self._number += 1
        self.send(kind, self._number, body)
        return self._number

    def end(self, number: int) -> list[Entry]:
        """Wait for the end of a request; returns what it listed."""
        found: list[Entry] = []
        while True:
            kind, answered, body = self.read()
            assert answered == number
            if kind == PAGE:
                found += json.loads(body)
            elif kind == PROGRESS:
                self.progress.append(int.from_bytes(body, "little"))
            elif kind == DONE:
                return found
            else:
                assert kind == FAULT
                raise Fault(**json.loads(body))

    def listing(self, url: str, limit: int = 100_000, **options: str) -> list[Entry]:
        """What is below a root."""
        return self.end(self.begin(LIST, {"url": url, "options": options, "limit": limit}))

    def paths(self, url: str, **options: str) -> list[str]:
        """The paths of what is below a root."""
        return [entry["path"] for entry in self.listing(url, 100_000, **options)]

    def fetch(self, url: str, objects: list[Entry], prefix: str = "", **options: str) -> Path:
        """Bring objects into a new folder, which is returned."""
        folder = self.new_folder()
        self.end(self.begin(FETCH, request(url, objects, folder, prefix, **options)))
        return folder

    def new_folder(self) -> Path:
        """An empty folder."""
        folder = self.home / f"folder-{secrets.token_hex(4)}"
        folder.mkdir()
        return folder

    def close(self) -> int:
        """Go away as a server does; returns the agent's status."""
        self._stream.close()
        self._socket.close()
        return self.process.wait(20)


def request(url: str, objects: list[Entry], folder: Path, prefix: str = "", **options: str) -> dict[str, Any]:
    """The body of a `FETCH`."""
    return {"url": url, "options": options, "folder": str(folder), "prefix": prefix, "objects": objects}


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
