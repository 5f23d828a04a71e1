"""What is told of each request: Server-Timing, access lines, printed lines. Rows C16 and H17."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.server import Server
from blackbox.telemetry import NAME, project
from blackbox.terminal import Terminal

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def api(server: Server, short_folder: Path) -> str:
    """The name of the API that these tests share."""
    server.deploy(project(short_folder / NAME, NAME))
    return NAME


def line(server: Server, request_id: str) -> dict[str, Any]:
    """The one access line of a request."""
    lines = eventually(lambda: server.access_lines(request_id), f"an access line of {request_id}")
    assert len(lines) == 1
    return lines[0]


def records(server: Server, api: str) -> list[dict[str, Any]]:
    """The log of an API, as it is on disk."""
    text = (server.home / "logs" / "apis" / f"{api}.log").read_text().rpartition("\n")[0]
    return [json.loads(each) for each in text.splitlines()]


# Server-Timing


@pytest.mark.parametrize(
    ("path", "body", "parts"),
    [
        (NAME, {}, {"queue", "predict", "total"}),
        (NAME, {"do": "fail", "text": "x"}, {"queue", "predict", "total"}),
        (NAME, {"do": "stream"}, {"queue", "predict", "total"}),
        ("nowhere", {}, {"total"}),
    ],
)
def test_answers_say_where_the_time_went(
    server: Server, api: str, path: str, body: dict[str, str], parts: set[str]
) -> None:
    timing = server.post(path, json=body).headers["Server-Timing"]
    found = dict(re.findall(r"(\w+);dur=(\d+\.\d{3})", timing))
    assert set(found) == parts, timing
    assert float(found["total"]) + 0.01 >= sum(float(found[part]) for part in parts - {"total"}), timing


def test_predict_is_what_the_predictor_takes(server: Server, api: str) -> None:
    timing = server.post(api, json={"do": "sleep", "seconds": 1}).headers["Server-Timing"]
    found = {name: float(value) for name, value in re.findall(r"(\w+);dur=([\d.]+)", timing)}
    assert found["predict"] >= 1000
    assert found["queue"] < found["predict"]


# Access lines and traces


def test_a_request_has_one_access_line(server: Server, api: str) -> None:
    headers = {"X-Request-ID": "telemetry-1", "traceparent": PARENT, "tracestate": "vendor=1"}
    response = server.post(f"{api}?secret=1", json={}, headers=headers)
    assert response.headers["X-Request-ID"] == "telemetry-1"
    assert response.json() == {**response.json(), "traceparent": PARENT, "tracestate": "vendor=1"}
    found = line(server, "telemetry-1")
    assert found == {
        **found,
        "level": "info",
        "trace_id": TRACE,
        "api": api,
        "method": "POST",
        "path": f"/{api}",
        "status": 200,
        "bytes_in": 2,
        "bytes_out": len(response.content),
        "client": "127.0.0.1",
    }
    assert set(found) == {
        "ts", "level", "request_id", "trace_id", "api", "version", "method", "path", "status", "bytes_in", "bytes_out",
        "queue_ms", "predict_ms", "total_ms", "batch_size", "worker", "client",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["ts"])
    assert found["worker"].startswith(f"{api}-{found['version']}-")
    assert found["total_ms"] >= found["predict_ms"]
    assert found["batch_size"] == 1


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"X-Request-ID": "a" * 128}, True),
        ({"X-Request-ID": "a" * 129}, False),
        ({"X-Request-ID": 'x", "status": 200'}, False),
        ({"X-Request-ID": "../../etc/passwd"}, False),
        ({"X-Request-ID": ""}, False),
        ({}, False),
    ],
)
def test_H17_ids_are_taken_where_they_can_do_no_harm(
    server: Server, api: str, headers: dict[str, str], kept: bool
) -> None:
    answered = server.post(api, json={}, headers=headers).headers["X-Request-ID"]
    if kept:
        assert answered == headers["X-Request-ID"]
    else:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", answered)
    line(server, answered)


@pytest.mark.parametrize(
    "parent", ["00-short", PARENT.upper(), f"{PARENT}-more", f'00-{TRACE[:-1]}"-{"0" * 16}-01', ""]
)
def test_H17_a_malformed_trace_is_ignored_and_passed_on(server: Server, api: str, parent: str) -> None:
    response = server.post(api, json={}, headers={"traceparent": parent})
    assert response.json()["traceparent"] == parent
    assert "trace_id" not in line(server, response.headers["X-Request-ID"])


def test_H17_no_line_is_forged_by_a_path(server: Server) -> None:
    log = server.home / "logs" / "access.log"
    path = b'/%0A{"forged":1}"},"forged":2\\'
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\nX-Request-ID: telemetry-forged\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 4")
    eventually(lambda: b"forged" in log.read_bytes(), "it is logged")
    for each in log.read_bytes().rpartition(b"\n")[0].split(b"\n"):
        assert "forged" not in json.loads(each)
        assert not re.search("[\x00-\x1f\x7f-\x9f]", each.decode())


def test_health_is_not_logged(server: Server, api: str) -> None:
    for path in ("/livez", "/readyz", f"/{api}/readyz", "/ping"):
        server.get(path, headers={"X-Request-ID": "telemetry-health"})
    requests.get(f"{server.operator}/metrics", headers={"X-Request-ID": "telemetry-health"}, timeout=60)
    server.get("/", headers={"X-Request-ID": "telemetry-after"})
    line(server, "telemetry-after")
    assert server.access_lines("telemetry-health") == []


@pytest.mark.parametrize(
    ("body", "level", "code"),
    [({"do": "fail", "text": "x"}, "error", "PREDICTOR_FAILED"), ("", "warning", "MALFORMED_JSON")],
)
def test_an_error_has_its_code_in_the_line(server: Server, api: str, body: Any, level: str, code: str) -> None:
    data = json.dumps(body) if body else ""
    response = server.post(api, data=data, headers={"Content-Type": "application/json"})
    found = line(server, response.headers["X-Request-ID"])
    assert (found["level"], found["error_code"], found["status"]) == (level, code, response.status_code)


# Printed lines


def test_C16_printed_lines_carry_their_request_and_forge_nothing(server: Server, api: str) -> None:
    forged = '{"ts": "now", "level": "error", "message": "forged", "request_id": "other"}'
    text = f"{forged}\x1b[2J\x9b\r2026-11-21T00:00:00.000Z ERROR [other] \u202eforged\u2069"
    body = {"do": "print", "text": text}
    assert server.post(api, json=body, headers={"X-Request-ID": "telemetry-print"}).status_code == 200
    server.await_log(api, "to descriptor 1")
    server.await_log(api, "of a thread")
    found = records(server, api)
    assert not [each for each in found if each["message"] == "forged" or each.get("request_id") == "other"]
    tagged = {each["message"]: each["stream"] for each in found if each.get("request_id") == "telemetry-print"}
    assert tagged == {text: "stdout", "to stderr": "stderr", "logged": "stderr"}
    untagged = [each["message"] for each in found if "request_id" not in each]
    assert "of a thread" in untagged
    assert "[telemetry-print] to descriptor 1 \ufffd\ufffd" in untagged
    shown = server.logs(api)
    assert "[telemetry-print] to stderr" in shown
    of_request = server.ok("logs", api, "--request", "telemetry-print").splitlines()
    assert [each.split("[telemetry-print] ")[1] for each in of_request if "[telemetry-print]" in each][1:] == [
        "to stderr",
        "logged",
    ]
    assert len(of_request) == 3
    objects = [json.loads(each) for each in server.ok("logs", api, "-o", "json").splitlines()]
    assert objects == found
    own = server.ok("logs", api, "-o", "json", "--request", "telemetry-print").splitlines()
    assert [json.loads(each) for each in own] == [e for e in found if e.get("request_id") == "telemetry-print"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)
    assert "\\u{202e}forged" in shown
    nothing = server.run("logs", api, "--request", "nope")
    assert (nothing.returncode, nothing.stdout) == (0, "") and "the request nope" in nothing.stderr
    below = server.run("logs", api, "--last", "-1")
    assert below.returncode == 2 and "--last is -1; allowed are 0 to" in below.stderr
    assert not re.search(r"^2026-11-21T00:00:00.000Z ERROR", shown, re.MULTILINE)


# Access lines on standard error


def test_access_lines_are_shown_where_they_are_asked_for(own_server: Server) -> None:
    own_server.get("/nowhere", headers={"X-Request-ID": "hidden"})
    own_server.stop()
    assert "hidden" not in own_server.output.read_text()
    own_server.start("--access-log", "on")
    own_server.get("/nowhere", headers={"X-Request-ID": "shown"})
    eventually(lambda: '"request_id":"shown"' in own_server.output.read_text(), "the line is shown")
    for each in own_server.output.read_text().rpartition("\n")[0].splitlines():
        json.loads(each)


def test_a_terminal_shows_requests(cortex: Any) -> None:
    with Terminal(cortex, "server", "run") as terminal:
        port = terminal.expect(r"data=http://127.0.0.1:(\d+)")[1]
        requests.get(f"http://127.0.0.1:{port}/nowhere", headers={"X-Request-ID": "seen"}, timeout=60)
        terminal.expect(r"Z 404 GET /nowhere [\d.]+ ms NO_SUCH_API \[seen\]")
        assert "\x1b[33m404" in terminal.text
        terminal.type("\x03")
        assert terminal.finish()[0] == 0
