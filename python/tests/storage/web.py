"""A web server that does what a test tells it to: it cuts connections, fails, stalls, changes what it serves."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODIFIED = 1_760_000_000


@dataclass
class Fault:
    """What happens to the next answer of a path."""

    status: int = 0
    cut_after: int | None = None
    stall_after: int | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WebServer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests look at `requests`."""

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_OPTIONS(self) -> None:
        self.send(self.server.options_status, b"", self.server.options_headers)

    def do_PUT(self) -> None:
        """What a machine's metadata asks for first."""
        self.send(200, b"token", {})

    def do_POST(self) -> None:
        """A service that gives roles to nobody."""
        body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not you</Message></Error></ErrorResponse>"
        self.send(403, body, {"Content-Type": "text/xml"})

    def do_PROPFIND(self) -> None:
        self.server.requests.append(("PROPFIND", self.path, dict(self.headers)))
        self.send(207, self.server.propfind, {"Content-Type": "application/xml"})

    def answer(self, with_body: bool) -> None:
        site = self.server
        path = self.path.partition("?")[0]
        with site.lock:
            site.requests.append((self.command, self.path, dict(self.headers)))
            queue = site.faults.get(path, [])
            fault = queue.pop(0) if queue and with_body else Fault()
        if fault.status:
            return self.send(fault.status, fault.body, fault.headers)
        if self.path in site.pages:
            kind, page = site.pages[self.path]
            return self.send(200, page, {"Content-Type": kind})
        data = site.objects.get(path)
        if data is None:
            return self.send(404, b"", {})
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        headers = {"Last-Modified": formatdate(MODIFIED, usegmt=True), **({"ETag": tag} if site.has_tags else {})}
        if site.has_tags and self.headers.get("If-Match", tag) != tag:
            return self.send(412, b"", {})
        status, start, end = 200, 0, len(data)
        given = self.headers.get("Range")
        if given and site.has_ranges:
            first, _, last = given.removeprefix("bytes=").partition("-")
            status, start, end = 206, int(first), min(len(data), int(last) + 1 if last else len(data))
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
        body = data[start:end]
        if fault.cut_after is None and fault.stall_after is None:
            return self.send(status, body if with_body else b"", headers, len(body))
        sent = fault.cut_after if fault.cut_after is not None else fault.stall_after
        self.send(status, body[:sent], headers, len(body))
        self.wfile.flush()
        if fault.stall_after is not None:
            site.release.wait(30)
        self.close_connection = True
        return None

    def send(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


class WebServer(ThreadingHTTPServer):
    """Serves `objects` by path, with tags and ranges unless told otherwise."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.has_tags = True
        self.has_ranges = True
        self.options_status = 405
        self.options_headers: dict[str, str] = {}
        self.propfind = b""
        self.release = threading.Event()
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that are cut off, or that give up, are what is tested."""

    def gets(self, path: str) -> list[dict[str, str]]:
        """The headers of all `GET`s of a path, names in lower case."""
        with self.lock:
            return [
                {name.lower(): value for name, value in headers.items()}
                for method, asked, headers in self.requests
                if method == "GET" and asked.partition("?")[0] == path
            ]

    def entry(self, path: str, name: str) -> dict[str, Any]:
        """An object as a listing of the root would describe it, where `name` is its path below that."""
        data = self.objects[path]
        tag = f'"{hashlib.md5(data).hexdigest()}"' if self.has_tags else None
        return {"path": name, "size": len(data), "modified": MODIFIED * 1000, "tag": tag}

    def close(self) -> None:
        self.release.set()
        self.shutdown()
        self.server_close()
        self._thread.join()
