"""Payloads as the seed document has them, and what happens to malformed ones: the B rows of the fault list."""

from __future__ import annotations

import io
import json
import pickle
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from blackbox.http import exchange
from blackbox.invariants import Invariants
from blackbox.project import API, write
from blackbox.server import Server

ECHO = (Path(__file__).parent / "predictors" / "echo.py").read_text()


@pytest.fixture(scope="module")
def echo(server: Server, short_folder: Path) -> str:
    """The name of an API that answers with what it was given."""
    name = "payload-echo"
    server.deploy(write(short_folder / name, {"predictor.py": ECHO}, API(name)))
    return name


@pytest.fixture
def invariants(server: Server, echo: str) -> Invariants:
    """Checks that the echo still answers."""
    return Invariants(server, lambda: server.post(echo, json={"a": 1}))


@dataclass(frozen=True)
class Row:
    """A body and what becomes of it."""

    id: str
    body: bytes
    media_type: str | None
    status: int = 200
    expected: dict[str, Any] = field(default_factory=dict)
    """A part of the echo's answer."""
    error: str = ""
    """A part of the error's text."""


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def form(*items: list[Any]) -> dict[str, Any]:
    """What the echo says of a form."""
    return {"type": "FormData", "items": list(items)}


ROWS = [
    Row("B01 empty JSON", b"", JSON, 400, error="Expecting value: line 1 column 1 (char 0)"),
    Row("B01 blank JSON", b" \n ", JSON, 400, error="Expecting value: line 2 column 2 (char 3)"),
    Row("B02 truncated", b'{"a": [1, 2', JSON, 400, error="line 1 column 12 (char 11)"),
    Row("B02 trailing garbage", b'{"a": 1} x', JSON, 400, error="Extra data: line 1 column 10 (char 9)"),
    Row("B02 single quotes", b"{'a': 1}", JSON, 400, error="line 1 column 2 (char 1)"),
    Row("B02 trailing comma", b'{"a":1,}', JSON, 400, error="line 1 column 8"),
    Row("B03 invalid UTF-8", b'{"a": "\xff"}', JSON, 400, error="utf-8"),
    Row("B03 UTF-16", '{"a": 1}'.encode("utf-16"), JSON, 400, error="UTF-16"),
    Row("B03 UTF-32", '{"a": 1}'.encode("utf-32"), JSON, 400, error="UTF-32"),
    Row("B03 UTF-8 with BOM", b'\xef\xbb\xbf{"a": 1}', JSON, expected={"value": {"a": 1}}),
    Row("B04 120 deep", b"[" * 120 + b"]" * 120, JSON, expected={"depth": 119}),
    Row("B04 512 deep", b"[" * 512 + b"]" * 512, JSON, expected={"depth": 511}),
    Row("B04 513 deep", b"[" * 513 + b"]" * 513, JSON, 400, error="512"),
    Row("B04 250,000 deep", b"[" * 250_000, JSON, 400),
    Row("B04 objects 250,000 deep", b'{"a":' * 250_000, JSON, 400),
    Row("B04 brackets in a string", json.dumps("[" * 5000).encode(), JSON, expected={"value": "[" * 5000}),
    Row("B05 duplicate keys", b'{"a":1,"a":2}', JSON, expected={"value": {"a": 2}}),
    Row("B07 NUL", b'{"a": "x\\u0000y"}', JSON, expected={"value": {"a": "x\0y"}}),
    Row("B07 lone surrogate", b'{"a": "\\ud800"}', JSON, expected={"text": '{"a": "\\ud800"}'}),
    Row("B08 upper case", b"[1]", "Application/JSON; charset=utf-8", expected={"value": [1]}),
    Row("B08 empty parameter", b"[1]", "application/json;", expected={"value": [1]}),
    Row("B08 spaces", b"[1]", "  application/json  ; charset=utf-8", expected={"value": [1]}),
    Row("B10 jsonl is bytes", b"[1]\n[2]\n", "application/jsonl", expected={"type": "bytes", "length": 8}),
    Row("B10 json-patch is bytes", b"[]", "application/json-patch+json", expected={"type": "bytes", "length": 2}),
    Row("B11 null", b"null", JSON, expected={"type": "NoneType", "value": None}),
    Row("B11 integer", b"12345678901234567890", JSON, expected={"value": 12345678901234567890}),
    Row("B11 string", b'"a"', JSON, expected={"value": "a"}),
    Row("B11 false", b"false", JSON, expected={"type": "bool", "value": False}),
    Row("B11 NaN", b"NaN", JSON, expected={"text": "NaN"}),
    Row("B12 empty form", b"", FORM, expected=form()),
    Row("B12 repeated keys", b"a=1&b=2&a=3", FORM, expected=form(["a", "1"], ["b", "2"], ["a", "3"])),
    Row("B12 plus and %20", b"a=x+y%20z%2B", FORM, expected=form(["a", "x y z+"])),
    Row("B12 bad escape", b"a=%zz&b=%4&c=%", FORM, expected=form(["a", "%zz"], ["b", "%4"], ["c", "%"])),
    Row("B12 empty value", b"a=&b=1", FORM, expected=form(["a", ""], ["b", "1"])),
    Row("B12 UTF-8", b"a=%C3%A9", FORM + "; charset=utf-8", expected=form(["a", "é"])),
    Row("B12 a form without boundary", b"--x\r\n", "multipart/form-data", 400, error="oundary"),
    Row("B12 a form cut short", b"--x\r\nContent-Disposit", "multipart/form-data; boundary=x", 400),
    Row("B17 no bytes", b"", "application/octet-stream", expected={"type": "bytes", "length": 0}),
    Row("B17 no content type", b"abc", None, expected={"type": "bytes", "hex": "616263"}),
    Row("B17 text is bytes", b"abc", "text/plain", expected={"type": "bytes", "length": 3}),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_body_is_read_by_its_media_type(server: Server, echo: str, invariants: Invariants, row: Row) -> None:
    headers = {} if row.media_type is None else {"Content-Type": row.media_type}
    lines = [f"POST /{echo} HTTP/1.1", "Host: localhost", f"Content-Length: {len(row.body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    data = "\r\n".join([*lines, "", ""]).encode() + row.body
    outcome = invariants.hold(row.status, lambda: exchange(server.port, data), api=echo)
    answer = json.loads(outcome.body)
    assert row.error in answer.get("error", ""), answer
    for key, value in row.expected.items():
        assert answer[key] == value, answer


@pytest.mark.slow
def test_B07_a_string_of_100_megabytes_passes(server: Server, echo: str, invariants: Invariants) -> None:
    body = b'"' + b"x" * 100_000_000 + b'"'
    send = {"data": body, "headers": {"Content-Type": JSON}}
    outcome = invariants.hold(200, lambda: server.post(echo, **send), api=echo)
    assert json.loads(outcome.body) == {"type": "str", "length": 100_000_000}


@pytest.mark.parametrize(
    ("escaped", "expected"), [(rb"a\ud800b", "a\ufffdb"), (rb"\ud83d\ude00", "\U0001f600"), (rb"x\u0000y", "x\0y")]
)
def test_B07_no_string_crashes_the_encoder(
    server: Server, echo: str, invariants: Invariants, escaped: bytes, expected: str
) -> None:
    """UTF-8 has no lone surrogates: where one would stand, there is the replacement character."""
    body = b'{"text": "' + escaped + b'"}'
    send = {"data": body, "headers": {"Content-Type": JSON}, "params": {"answer": "str"}}
    outcome = invariants.hold(200, lambda: server.post(echo, **send), api=echo)
    assert outcome.body.decode() == expected


PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"


def test_B13_files_and_fields_arrive_as_starlette_has_them(server: Server, echo: str, invariants: Invariants) -> None:
    parts: list[tuple[str, Any]] = [
        ("note", (None, "héllo")),
        ("text", ("text.txt", io.BytesIO(b"some text"), "text/plain")),
        ("object", ("object.pkl", io.BytesIO(pickle.dumps({"key": "value"}, protocol=0)), "application/octet-stream")),
        ("image", ("image.png", io.BytesIO(PNG), "image/png")),
        ("empty", ("empty.bin", io.BytesIO(b""), "application/octet-stream")),
        ("image", ("second.png", io.BytesIO(PNG), "image/png")),
    ]
    outcome = invariants.hold(200, lambda: server.post(echo, files=parts), api=echo)
    items = json.loads(outcome.body)["items"]
    assert [key for key, _ in items] == ["note", "text", "object", "image", "empty", "image"]
    assert items[0][1] == "héllo"
    assert items[1][1] == {"filename": "text.txt", "content_type": "text/plain", "content": "some text"}
    assert pickle.loads(items[2][1]["content"].encode("latin-1")) == {"key": "value"}
    assert items[3][1]["content"].encode("latin-1") == PNG
    assert items[4][1] == {"filename": "empty.bin", "content_type": "application/octet-stream", "content": ""}
    assert items[5][1]["filename"] == "second.png"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "naïve.txt", 'a"b.txt', "x" * 500])
def test_B13_any_file_name_is_only_a_name(server: Server, echo: str, invariants: Invariants, name: str) -> None:
    quoted = name.replace('"', "%22")
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="'
        + quoted.encode()
        + b'"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--x--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    outcome = invariants.hold(200, lambda: server.post(echo, data=body, headers=headers), api=echo)
    (item,) = json.loads(outcome.body)["items"]
    assert item == ["file", {"filename": name, "content_type": "text/plain", "content": "content"}]


def test_B13_a_large_file_arrives_whole(server: Server, echo: str, invariants: Invariants) -> None:
    content = bytes(range(256)) * 12_000
    files = {"file": ("large.bin", io.BytesIO(content), "application/octet-stream")}
    outcome = invariants.hold(200, lambda: server.post(echo, files=files), api=echo)
    assert json.loads(outcome.body)["items"][0][1]["content"].encode("latin-1") == content


SIGNATURES = {
    "nothing": "self",
    "payload": "self, payload",
    "query": "self, query_params",
    "headers": "self, headers",
    "any-order": "self, headers, payload, query_params",
    "keyword-only": "self, *, query_params, payload",
    "default": "self, payload=None, headers=None",
    "variadic": "self, payload, *args, **kwargs",
}


@pytest.fixture(scope="module")
def signatures(server: Server, short_folder: Path) -> None:
    """One API for each signature."""
    files: dict[str, str | bytes] = {}
    for name, arguments in SIGNATURES.items():
        files[f"{name.replace('-', '_')}.py"] = (
            f"class PythonPredictor:\n    def predict({arguments}):\n        given = dict(locals())\n"
            "        given.pop('self')\n"
            "        return {name: type(value).__name__ for name, value in given.items()}\n"
        )
    apis = [API(f"signature-{name}", f"{name.replace('-', '_')}.py") for name in SIGNATURES]
    server.deploy(write(short_folder / "signatures", files, *apis))


@pytest.mark.usefixtures("signatures")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing", {}),
        ("payload", {"payload": "dict"}),
        ("query", {"query_params": "QueryParams"}),
        ("headers", {"headers": "Headers"}),
        ("any-order", {"headers": "Headers", "payload": "dict", "query_params": "QueryParams"}),
        ("keyword-only", {"query_params": "QueryParams", "payload": "dict"}),
        ("default", {"payload": "dict", "headers": "Headers"}),
        ("variadic", {"payload": "dict", "args": "tuple", "kwargs": "dict"}),
    ],
)
def test_B18_predict_gets_exactly_what_it_names(
    server: Server, invariants: Invariants, name: str, expected: dict[str, str]
) -> None:
    api = f"signature-{name}"
    outcome = invariants.hold(200, lambda: server.post(f"{api}?a=1", json={"b": 2}), api=api)
    assert json.loads(outcome.body) == expected


@pytest.mark.usefixtures("signatures")
def test_B18_a_body_that_nobody_names_is_not_read(server: Server, invariants: Invariants) -> None:
    api = "signature-nothing"
    send = {"data": b"{broken", "headers": {"Content-Type": JSON}}
    invariants.hold(200, lambda: server.post(api, **send), api=api)


@pytest.mark.parametrize("argument", ["image", "image=None"])
def test_B18_an_argument_that_does_not_exist_fails_the_deploy(
    server: Server, invariants: Invariants, folder: Path, argument: str
) -> None:
    name = f"signature-bad-{len(argument)}"
    source = f"class PythonPredictor:\n    def predict(self, payload, {argument}):\n        return 1\n"
    done = server.run("deploy", "--wait", cwd=write(folder, {"predictor.py": source}, API(name)))
    assert done.returncode == 1, done
    assert "image" in done.stderr and "predict" in done.stderr, done.stderr
    assert server.json("get", name)[0]["status"]["status_code"] == "status_error"
    invariants.goes_on()
    server.ok("delete", name)


def test_B21_two_requests_may_share_an_id(server: Server, echo: str, invariants: Invariants) -> None:
    headers = {"X-Request-ID": "twice-1"}
    first = server.post(echo, json={}, headers=headers)
    second = server.post(echo, json={}, headers=headers)
    assert [first.status_code, second.status_code] == [200, 200]
    assert first.headers["x-request-id"] == second.headers["x-request-id"] == "twice-1"
    invariants.goes_on()


@pytest.mark.parametrize("request_id", ["x" * 10_240, "x" * 129, "../../etc/passwd", "a b", "é", "a/b", ""])
def test_B21_an_id_that_is_none_is_replaced(server: Server, echo: str, invariants: Invariants, request_id: str) -> None:
    headers = {"X-Request-ID": request_id.encode()}
    outcome = invariants.hold(200, lambda: server.post(echo, json={}, headers=headers), api=echo)
    assert outcome.headers["x-request-id"] not in ("", request_id)
    assert len(outcome.headers["x-request-id"]) == 36


def test_B21_an_id_of_128_characters_is_kept(server: Server, echo: str, invariants: Invariants) -> None:
    headers = {"X-Request-ID": "Az09._-" + "x" * 121}
    outcome = invariants.hold(200, lambda: server.post(echo, json={}, headers=headers), api=echo)
    assert outcome.headers["x-request-id"] == headers["X-Request-ID"]


def test_B21_an_id_with_a_line_break_forges_no_header(server: Server, echo: str, invariants: Invariants) -> None:
    data = f"POST /{echo} HTTP/1.1\r\nHost: a\r\nX-Request-ID: a\n b: c\r\nContent-Length: 2\r\n\r\n[]".encode()
    answer = exchange(server.port, data)
    assert answer is None or answer.status in (200, 400), answer
    if answer is not None:
        assert not answer.values("b") and "\n" not in "".join(answer.values("x-request-id"))
    invariants.goes_on()
