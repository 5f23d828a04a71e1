"""What the cluster's own helpers need of the API server: lists that follow it, and a few calls."""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster.certificates import SERVER, Certificates
from cluster.daemon import Daemon
from cluster.sandbox import Sandbox

Resource = dict[str, Any]


def watcher(name: str, module: str, sandbox: Sandbox, certificates: Certificates) -> Daemon:
    """A module of this package as a daemon, which is told the cluster's state and certificates."""
    command: list[str | Path] = [sys.executable, "-m", module, sandbox.state, certificates.folder]
    return Daemon(sandbox, name, command, {"PYTHONPATH": str(Path(__file__).resolve().parents[1])})


class Server:
    """The API server, with the administrator's rights."""

    def __init__(self, certificates: Certificates) -> None:
        self._context = ssl.create_default_context(cafile=str(certificates.file("ca.crt")))
        self._context.load_cert_chain(certificates.file("admin.crt"), certificates.file("admin.key"))

    def lines(self, method: str, path: str, content: Resource | None = None) -> Iterator[bytes]:
        """The lines of an answer, as they come."""
        connection = http.client.HTTPSConnection(urlsplit(SERVER).netloc, context=self._context, timeout=330)
        try:
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status >= 300:
                raise http.client.HTTPException(f"{method} {path}: {answer.status} {answer.read(500)!r}")
            yield from answer
        finally:
            connection.close()

    def ask(self, method: str, path: str, content: Resource | None = None) -> Resource:
        """An answer that is read whole."""
        return dict(json.loads(b"".join(self.lines(method, path, content))))


class Watch:
    """All objects of one kind, kept as they are at the API server."""

    def __init__(self, server: Server, path: str, changed: threading.Event) -> None:
        """Sets `changed` whenever one of them does."""
        self.path = path
        self.is_complete = False
        self._server = server
        self._changed = changed
        self._objects: dict[str, Resource] = {}
        threading.Thread(target=self._run, daemon=True).start()

    def objects(self) -> list[Resource]:
        """The objects as they are now."""
        return list(self._objects.values())

    def _run(self) -> None:
        """Follows the changes; a server that is away is asked again until it is back."""
        while True:
            try:
                self._follow()
            except (OSError, http.client.HTTPException, ValueError) as error:
                print(f"{self.path}: {error!r}", file=sys.stderr, flush=True)
                time.sleep(0.5)

    def _follow(self) -> None:
        found = self._server.ask("GET", self.path)
        self._objects = {item["metadata"]["uid"]: item for item in found["items"]}
        self.is_complete = True
        self._changed.set()
        version = found["metadata"]["resourceVersion"]
        for line in self._server.lines("GET", f"{self.path}?watch=1&timeoutSeconds=300&resourceVersion={version}"):
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            item = event["object"]
            # A new dictionary: another thread may be reading this one.
            objects = {key: each for key, each in self._objects.items() if key != item["metadata"]["uid"]}
            self._objects = objects if event["type"] == "DELETED" else {**objects, item["metadata"]["uid"]: item}
            self._changed.set()
