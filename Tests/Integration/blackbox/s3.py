"""An S3 server, and a proxy before it that fails on demand."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import boto3
from botocore.config import Config

from blackbox.conditions import eventually

KEY = "key-of-the-tests"
SECRET = "s3cret-of-the-tests"
REGION = "us-east-1"


@dataclass(frozen=True)
class Fault:
    """What happens instead of an answer to requests that it is for."""

    kind: str
    """`status` (`detail` says which), `cut` (half of the body), `etag` (another tag than that listed), `drop` (the
    connection is closed in the middle of what is sent)."""
    matches: Callable[[str, str], bool]
    """Of the method and the path with its query."""
    detail: int = 0


def reads(part: str = "") -> Callable[[str, str], bool]:
    """Downloads of objects whose key has `part`."""
    return lambda method, path: method == "GET" and "list-type=" not in path and part in path


def anything(_: str, __: str) -> bool:
    """Every request."""
    return True


class S3:
    """moto's server in a process of its own, behind a proxy in this one: a context manager."""

    def __init__(self, log: Path, host: str = "127.0.0.1") -> None:
        """`host` is where the proxy listens."""
        self.log = log
        self.host = host
        self.process: subprocess.Popen[bytes] | None = None
        self.proxy: Proxy | None = None
        self.client: Any = None

    def __enter__(self) -> S3:
        port = free_port()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        process = self.process

        def is_up() -> bool:
            assert process.poll() is None, f"the S3 server ended: {self.log.read_text()[-2000:]}"
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        try:
            eventually(is_up, "the S3 server is up")
            self.client = boto3.client(
                "s3",
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_access_key_id=KEY,
                aws_secret_access_key=SECRET,
                region_name=REGION,
                config=Config(retries={"max_attempts": 1}),
            )
            self.proxy = Proxy(port, self.host)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends both."""
        if self.proxy is not None:
            self.proxy.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)

    @property
    def endpoint(self) -> str:
        """The address of the proxy."""
        assert self.proxy is not None
        return f"http://{self.host}:{self.proxy.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a server needs to find this one, as users say it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
        }

    def make(self, bucket: str) -> None:
        """Makes a bucket."""
        self.client.create_bucket(Bucket=bucket)

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Puts one object."""
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def upload(self, bucket: str, prefix: str, folder: Path) -> None:
        """Puts all files below a folder; `prefix` ends in a slash."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self.put(bucket, prefix + file.relative_to(folder).as_posix(), file.read_bytes())

    def remove(self, bucket: str, prefix: str) -> None:
        """Deletes what begins with the prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", []):
                self.client.delete_object(Bucket=bucket, Key=item["Key"])

    def listings(self, prefix: str) -> int:
        """How many listings of this prefix have been answered."""
        assert self.proxy is not None
        return sum("list-type=" in path and prefix in path for _, path in self.proxy.seen)

    def reads(self, part: str) -> int:
        """How many downloads of objects whose key has `part` have begun."""
        assert self.proxy is not None
        return sum(reads(part)(method, path) for method, path in self.proxy.seen)

    @contextmanager
    def failing(self, kind: str, matches: Callable[[str, str], bool], detail: int = 0) -> Iterator[None]:
        """Requests fail in this way until the block ends."""
        assert self.proxy is not None
        self.proxy.fault = Fault(kind, matches, detail)
        try:
            yield
        finally:
            self.proxy.fault = None

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens until the block ends."""
        assert self.proxy is not None
        self.proxy.close()
        try:
            yield
        finally:
            self.proxy.listen()


class Proxy:
    """Passes requests on to a port, unless it has been told to fail."""

    def __init__(self, upstream: int, host: str = "127.0.0.1") -> None:
        self.upstream = upstream
        self.host = host
        self.key: str | None = None
        """Who alone may ask; None for everybody."""
        self.fault: Fault | None = None
        self.seen: list[tuple[str, str]] = []
        self.port = 0
        self.listen()

    def listen(self) -> None:
        """Begins to listen; again on the same port."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self.server = ThreadingHTTPServer((self.host, self.port), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Ends, the connections too: whoever comes next is refused."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.0"  # one request to a connection, so that closing the proxy closes all of it

    def do_GET(self) -> None:
        proxy = self.proxy
        fault = proxy.fault if proxy.fault is not None and proxy.fault.matches(self.command, self.path) else None
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length // 2 if fault is not None and fault.kind == "drop" else length)
        proxy.seen.append((self.command, self.path))
        if fault is not None and fault.kind == "drop":
            return None
        if proxy.key is not None and f"Credential={proxy.key}/" not in self.headers.get("Authorization", ""):
            return self.refuse(403)
        if fault is not None and fault.kind == "status":
            return self.refuse(fault.detail)
        connection = http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        return self.pass_on(answer, content, fault)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def pass_on(self, answer: http.client.HTTPResponse, content: bytes, fault: Fault | None) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("connection", "transfer-encoding", "server", "date", "content-length"):
                continue
            if fault is not None and fault.kind == "etag" and name.lower() == "etag":
                value = '"0123456789abcdef0123456789abcdef"'
            self.send_header(name, value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            cut = fault is not None and fault.kind == "cut"
            self.wfile.write(content[: len(content) // 2] if cut else content)

    def refuse(self, status: int) -> None:
        code = {403: "AccessDenied", 404: "NoSuchKey", 500: "InternalError", 503: "SlowDown"}[status]
        content = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>told to</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: pytest's output is not for this."""


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
