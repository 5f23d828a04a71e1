"""Serves a folder over HTTP as quickly as the system can: index pages, ranges, `sendfile`. Prints its port."""

from __future__ import annotations

import html
import re
import sys
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote


class Handler(BaseHTTPRequestHandler):
    """One connection, in a thread of its own."""

    protocol_version = "HTTP/1.1"
    root = Path()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_HEAD(self) -> None:
        """The headers of a `GET`."""
        self.answer(with_body=False)

    def do_GET(self) -> None:
        """A file, or the page of a folder."""
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        """Sends what the path names."""
        path = self.root / unquote(self.path).strip("/")
        if path.is_dir():
            entries = sorted(f"{each.name}/" if each.is_dir() else each.name for each in path.iterdir())
            page = "".join(f'<a href="{quote(name)}">{html.escape(name)}</a>\n' for name in entries).encode()
            self.head(200, {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(page))})
            if with_body:
                self.wfile.write(page)
        elif path.is_file():
            self.send_part(path, with_body)
        else:
            self.head(404, {"Content-Length": "0"})

    def send_part(self, path: Path, with_body: bool) -> None:
        """Sends a file, or the range that is asked for."""
        state = path.stat()
        size = state.st_size
        headers = {
            "Content-Type": "application/octet-stream",
            "Last-Modified": formatdate(state.st_mtime, usegmt=True),
            "ETag": f'"{state.st_mtime_ns:x}-{size:x}"',
            "Accept-Ranges": "bytes",
        }
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = 0, size - 1
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        count = last - first + 1
        self.head(206 if wanted else 200, {**headers, "Content-Length": str(count)})
        if with_body and count:
            self.wfile.flush()
            with path.open("rb") as file:
                self.connection.sendfile(file, first, count)

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Sends what goes before a body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def main() -> None:
    """Serves until it is ended."""
    Handler.root = Path(sys.argv[1]).resolve()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
