"""From the bytes of a request to what predict gets."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]

ECHO = """
class PythonPredictor:
    def predict(self, payload):
        return [type(payload).__name__, payload if not isinstance(payload, bytes) else payload.decode("latin-1")]
"""

FORM = """
import io
from starlette.datastructures import FormData, UploadFile
class PythonPredictor:
    def predict(self, payload):
        assert isinstance(payload, FormData)
        def show(value):
            if isinstance(value, str): return value
            assert isinstance(value, UploadFile)
            data = value.file.read()
            value.file.seek(0)
            return [value.filename, value.content_type, len(data), data[:20].decode("latin-1")]
        return [[key, show(value)] for key, value in payload.multi_items()]
    def post_predict(self, payload):
        print("still readable", sum(len(v.file.read()) for v in payload.values() if not isinstance(v, str)))
"""


@pytest.fixture
def echo(serve: Serve) -> Peer:
    return serve(ECHO)[1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b" [1]\n", [1]),
        (b"null", None),
        (b"\xef\xbb\xbf[]", []),
        (b'"\\u0000\\ud800"', "\0\ud800"),
        (b"1e400", float("inf")),
        (b'{"a": "[[{{' + b"[" * 1000 + b'\\""}', {"a": "[[{{" + "[" * 1000 + '"'}),
        (json.dumps([[]] * 5000).encode(), [[]] * 5000),
    ],
    ids=itertools.count(),
)
def test_json_is_read(echo: Peer, text: bytes, value: Any) -> None:
    echo.request(text)
    assert json.loads(echo.answer().body) == [type(value).__name__, value]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"{bad", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"[1] x", "Extra data: line 1 column 5 (char 4)"),
        (b'["a', "Unterminated string starting at: line 1 column 2 (char 1)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0"),
        ("[1]".encode("utf-16"), "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte; the body"),
        (b'"\xed\xa0\x80"', "'utf-8' codec can't decode"),
        (b"[\n" + b"[" * 512, "Nested more than 512 levels deep: line 2 column 512 (char 513)"),
        (b"[" * 250_000, "Nested more than 512 levels deep: line 1 column 513 (char 512)"),
        (b'{"a":' * 250_000, "Nested more than 512 levels deep"),
    ],
    ids=itertools.count(),
)
def test_malformed_json_says_where(echo: Peer, text: bytes, error: str) -> None:
    echo.request(text)
    answer = echo.answer()
    assert (answer.kind, answer.status, answer.report["code"]) == ("failure", 400, "MALFORMED_JSON")
    assert answer.report["error"].startswith(error)
    echo.request(b"1")
    assert echo.answer().body == b'["int", 1]'


@pytest.mark.parametrize("depth", [120, 512])
def test_json_within_the_nesting_limit_is_answered(echo: Peer, depth: int) -> None:
    echo.request(b"[" * depth + b"]" * depth)
    body = echo.answer().body
    assert body == b'["list", ' + b"[" * depth + b"]" * depth + b"]"


def test_bytes_are_passed_as_they_are(echo: Peer) -> None:
    for body in (b"", b"\x00\xff", b"{bad"):
        echo.request(body, kind=4)
        assert json.loads(echo.answer().body) == ["bytes", body.decode("latin-1")]


@pytest.mark.parametrize("kind", [1, 4])
def test_a_spooled_body_is_read_and_unlinked(serve: Serve, kind: int) -> None:
    worker, peer = serve("class PythonPredictor:\n    def predict(self, payload): return len(payload)")
    path = worker.spool / "body"
    path.write_bytes(b'"' + b"x" * 3_000_000 + b'"')
    peer.request(str(path).encode(), kind=kind, flags=1)
    assert int(peer.answer().body) == (3_000_000 if kind == 1 else 3_000_002)
    assert not path.exists()


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b"", []),
        (b"k=v&k=v2", [["k", "v"], ["k", "v2"]]),
        (b"a=1+2%203&b=", [["a", "1 2 3"], ["b", ""]]),
        (b"bare&x=%zz&y=%C3%A9", [["bare", ""], ["x", "%zz"], ["y", "é"]]),
    ],
)
def test_urlencoded_forms(serve: Serve, body: bytes, items: list[Any]) -> None:
    _, peer = serve(FORM)
    peer.request(body, kind=2, content_type="application/x-www-form-urlencoded")
    assert json.loads(peer.answer().body) == items


def part(disposition: str, body: bytes, extra: str = "") -> bytes:
    return f"--B\r\nContent-Disposition: form-data; {disposition}\r\n{extra}\r\n".encode() + body + b"\r\n"


BIG = b"y" * 3_000_000
MULTIPART = (
    part('name="text"', "héllo".encode())
    + part('name="f"; filename="a.txt"', b"abc", "Content-Type: text/plain\r\n")
    + part('name="f"; filename="empty.bin"', b"", "Content-Type: application/x\r\n")
    + part('name="nameless"; filename=""', b"z", "Content-Type: a/b\r\n")
    + part('name="q"; filename="a \\"b\\".png"', b"\r\n--C\r\n", "Content-Type: image/png\r\n")
    + part("name=\"star\"; filename*=utf-8''gr%C3%B6%C3%9Fe", b"1", "Content-Type: a/b\r\n")
    + part('name="big"; filename="big"', BIG, "Content-Type: a/b\r\n")
    + part('name="long"', BIG)
    + b"--B--\r\n"
)


@pytest.mark.parametrize("spooled", [False, True])
def test_multipart_forms(serve: Serve, spooled: bool) -> None:
    worker, peer = serve(FORM)
    body, flags = MULTIPART, 0
    if spooled:
        path = worker.spool / "body"
        path.write_bytes(MULTIPART)
        body, flags = str(path).encode(), 1
    peer.request(body, kind=3, flags=flags, content_type='multipart/form-data; charset=utf-8; boundary="B"')
    answer = peer.answer()
    content = answer.body if not answer.path else Path(answer.path).read_bytes()
    assert json.loads(content) == [
        ["text", "héllo"],
        ["f", ["a.txt", "text/plain", 3, "abc"]],
        ["f", ["empty.bin", "application/x", 0, ""]],
        ["nameless", ["", "a/b", 1, "z"]],
        ["q", ['a "b".png', "image/png", 7, "\r\n--C\r\n"]],
        ["star", ["größe", "a/b", 1, "1"]],
        ["big", ["big", "a/b", len(BIG), "y" * 20]],
        ["long", BIG.decode()],
    ]
    assert answer.idle
    # `values` of a multi-dict has the last of each key: the empty file, and not the first `f`.
    worker.log(f"still readable {0 + 1 + 7 + 1 + len(BIG)}")


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"--B--\r\n", "multipart/form-data", "Missing boundary in multipart."),
        (b"nonsense", "multipart/form-data; boundary=B", ""),
        (b"", "multipart/form-data; boundary=B", "The multipart body ends before"),
        (MULTIPART[:100], "multipart/form-data; boundary=B", "The multipart body ends before"),
        (part("filename=a", b"") + b"--B--\r\n", "multipart/form-data; boundary=B", "The Content-Disposition header"),
        (
            part("name=a", b"") * 4 + b"--B--\r\n",
            "multipart/form-data; boundary=B",
            "Too many parts: more than 3; CORTEX_MAX_FORM_PARTS",
        ),
        (part("name=a", b"", "x: " + "y" * 20_000 + "\r\n"), "multipart/form-data; boundary=B", ""),
    ],
    ids=itertools.count(),
)
def test_malformed_multipart(serve: Serve, body: bytes, content_type: str, error: str) -> None:
    _, peer = serve(FORM, form_part_limit=3)
    peer.request(body, kind=3, content_type=content_type)
    answer = peer.answer()
    assert (answer.status, answer.report["code"]) == (400, "MALFORMED_FORM")
    assert answer.report["error"].startswith(error)


def test_too_many_urlencoded_fields(serve: Serve) -> None:
    _, peer = serve(FORM, form_part_limit=3)
    peer.request(b"a&b&c&d", kind=2, content_type="application/x-www-form-urlencoded")
    assert peer.answer().report["code"] == "MALFORMED_FORM"


def test_query_and_headers(serve: Serve) -> None:
    _, peer = serve(
        """
        from starlette.datastructures import Headers, QueryParams
        class PythonPredictor:
            def predict(self, query_params, headers):
                assert isinstance(query_params, QueryParams) and isinstance(headers, Headers)
                return [query_params.multi_items(), query_params["a"], headers["X-A"], headers.getlist("x-a")]
        """
    )
    peer.request(kind=0, query="a=1&b=&a=%C3%A9", headers=[["x-a", "1"], ["x-a", "\xe9"]])
    assert json.loads(peer.answer().body) == [[["a", "1"], ["b", ""], ["a", "é"]], "é", "1", ["1", "é"]]
    peer.request(kind=0, query="a=2", headers=[["x-a", "3"]])
    assert json.loads(peer.answer().body) == [[["a", "2"]], "2", "3", ["3"]]


# Around what a slot takes for large, with all of a frame in one piece and with its body in many.
_SIZES = [65_400, 65_479, 65_480, 65_500, 65_501, 65_600, 131_072, 1_000_000, 5]


@pytest.mark.parametrize("cut", [None, 1, 15, 16, 17, 35, 36, 40, 71, 72, 73, 65_536])
def test_large_bodies_arrive_whole_wherever_the_stream_is_cut(serve: Serve, cut: int | None) -> None:
    _, slot = serve(
        "import hashlib\n"
        "class PythonPredictor:\n"
        "    def predict(self, payload, query_params):\n"
        "        return [type(payload).__name__, hashlib.sha256(payload).hexdigest(), dict(query_params)]\n"
    )
    bodies = {number: random.Random(number).randbytes(size) for number, size in enumerate(_SIZES * 2, 1)}
    slot.hold()
    for number, body in bodies.items():
        # What comes before the body has another length each time, once more than fits beside it.
        query = "q=" + "x" * (70_000 if number == 13 else number % 7)
        slot.request(body, 4, number=number, request_id="i" * (1 + number % 5 * 20), query=query)
    slot.release_in(cut)
    for number, body in bodies.items():
        name, digest, _ = json.loads(slot.answer(number).body)
        assert (name, digest) == ("bytes", hashlib.sha256(body).hexdigest()), f"{len(body)} bytes"


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_a_large_body_of_any_kind_is_read(serve: Serve, kind: int) -> None:
    _, slot = serve("class PythonPredictor:\n    def predict(self, payload): return len(str(payload)) > 100_000\n")
    long = "x" * 200_000
    form = f'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n{long}\r\n--b--\r\n'
    body = {1: json.dumps(long), 2: f"a={long}", 3: form}[kind]
    content_type = {1: "application/json", 2: "application/x-www-form-urlencoded", 3: "multipart/form-data; boundary=b"}
    slot.request(body.encode(), kind, content_type=content_type[kind])
    assert slot.answer().body == b"true"


def test_a_large_request_whose_server_is_gone_is_not_begun(serve: Serve) -> None:
    worker, slot = serve("class PythonPredictor:\n    def predict(self, payload): return len(payload)\n")
    slot.hold()
    slot.request(b"x" * 200_000, 4)
    slot.release_part(150_000)
    slot.close()
    again = worker.accept()
    again.request(b"x" * 300_000, 4, number=2)
    assert again.answer(2).body == b"300000"
