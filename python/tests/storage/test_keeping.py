"""Files that the server keeps in a store: put whole or not at all, found by name, removed."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from storage.peer import FIND, PUT, REMOVE, Fault, files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage.conftest import S3
    from storage.peer import Agent, Entry

ROOT = "s3://projects/of/cortex/"
SMALL = os.urandom(300_000)
LARGE = os.urandom(1 << 20) * 20
"""More than goes in one part."""


@pytest.fixture
def agent(s3: S3, start: Callable[..., Agent]) -> Agent:
    s3.fill("projects", {})
    return start(**s3.variables)


def put(agent: Agent, path: str, file: Path, root: str = ROOT) -> None:
    agent.end(agent.begin(PUT, {"url": root, "options": {}, "path": path, "file": str(file)}))


def find(agent: Agent, path: str, root: str = ROOT) -> list[Entry]:
    return agent.end(agent.begin(FIND, {"url": root, "options": {}, "path": path}))


def remove(agent: Agent, *paths: str, root: str = ROOT) -> None:
    agent.end(agent.begin(REMOVE, {"url": root, "options": {}, "paths": paths}))


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_what_is_put_is_found_fetched_and_removed(agent: Agent, s3: S3, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "archive"
    file.write_bytes(content)
    assert find(agent, "a.tar") == []
    put(agent, "a.tar", file)
    assert s3.client.get_object(Bucket="projects", Key="of/cortex/a.tar")["Body"].read() == content
    (found,) = find(agent, "a.tar")
    assert (found["path"], found["size"]) == ("a.tar", len(content))
    assert files(agent.fetch(ROOT, [found])) == {"a.tar": content}
    assert agent.paths(ROOT) == ["a.tar"]
    remove(agent, "a.tar", "never-there.tar")
    assert find(agent, "a.tar") == []


def test_what_is_put_again_takes_the_place_of_the_first(agent: Agent, tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        (tmp_path / "file").write_bytes(content)
        put(agent, "again.tar", tmp_path / "file")
    assert files(agent.fetch(ROOT, find(agent, "again.tar"))) == {"again.tar": b"second"}
    remove(agent, "again.tar")


def test_a_bucket_that_is_not_there_is_told(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(Fault, match=r"there is no bucket nowhere in http://127\.0\.0\.1") as caught:
        put(agent, "a.tar", tmp_path / "file", root="s3://nowhere/")
    assert caught.value.kind == "notFound"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a.tar", "a//b", "a\n.tar"])
def test_a_path_that_no_file_may_have_is_refused(agent: Agent, tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(Fault, match="unsupported"):
        put(agent, path, tmp_path / "file")
    with pytest.raises(Fault, match="unsupported"):
        find(agent, path)
    with pytest.raises(Fault, match="unsupported"):
        remove(agent, path)


def test_a_file_that_is_not_there_is_told(agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="cannot be read: No such file or directory"):
        put(agent, "a.tar", tmp_path / "nothing")
    assert find(agent, "a.tar") == []


def test_a_web_server_keeps_nothing(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(Fault, match="unsupported"):
        put(agent, "a.tar", tmp_path / "file", root="http://127.0.0.1:1/x/")
    with pytest.raises(Fault, match="unsupported"):
        remove(agent, "a.tar", root="http://127.0.0.1:1/x/")


class Stubborn(ThreadingHTTPServer):
    """A store that answers everything in one way, or hangs up before it has the whole of a body."""

    daemon_threads = True

    def __init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

            def refuse(self) -> None:
                server.asked.append(self.command)
                if server.status == 0:
                    self.rfile.read(1000)
                    self.close_connection = True
                    return
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = f"<Error><Code>{server.code}</Code><Message>Not you</Message></Error>".encode()
                self.send_response(server.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_PUT = do_POST = do_DELETE = do_HEAD = do_GET = refuse

        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 403
        self.code = "AccessDenied"
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


@pytest.fixture
def stubborn() -> Iterator[Stubborn]:
    server = Stubborn()
    yield server
    server.close()


def test_a_key_that_may_not_write_is_told(stubborn: Stubborn, start: Callable[..., Agent], tmp_path: Path) -> None:
    agent = start(AWS_ENDPOINT_URL=stubborn.url, AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s", AWS_REGION="x")
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(Fault) as caught:
        put(agent, "a.tar", tmp_path / "file")
    assert caught.value.kind == "denied"
    assert caught.value.message == (
        "s3://projects/of/cortex/a.tar: access is denied (AccessDenied: Not you); check AWS_ACCESS_KEY_ID, and that "
        "its owner may list and read it; writing there has to be allowed too"
    )
    assert stubborn.asked == ["PUT"], "it is not asked again"
    with pytest.raises(Fault, match="access is denied"):
        find(agent, "a.tar")
    with pytest.raises(Fault, match="access is denied"):
        remove(agent, "a.tar")


def test_an_upload_that_is_cut_is_tried_again_and_then_told(
    stubborn: Stubborn, start: Callable[..., Agent], tmp_path: Path
) -> None:
    agent = start(AWS_ENDPOINT_URL=stubborn.url, AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s", AWS_REGION="x")
    stubborn.status = 0
    (tmp_path / "file").write_bytes(SMALL)
    with pytest.raises(Fault) as caught:
        put(agent, "a.tar", tmp_path / "file")
    assert caught.value.kind in ("unreachable", "failed")
    assert caught.value.message.startswith("s3://projects/of/cortex/a.tar")
    assert stubborn.url in caught.value.message
    assert len(stubborn.asked) > 1
