"""Who may call an API, and from which web pages: keys and CORS (row H13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.http import exchange
from blackbox.invariants import Invariants
from blackbox.project import API, write
from blackbox.server import Server

PREDICTOR: dict[str, str | bytes] = {
    "predictor.py": """
    class PythonPredictor:
        def __init__(self, config):
            pass

        def predict(self, payload):
            return payload
    """
}

KEY = "k-Zm9v0123456789"
OTHER = "k-YmFy9876543210"


@pytest.fixture(scope="module")
def keyed(binary: Path, short_folder: Path) -> Iterator[Server]:
    """A server with one API that needs a key, one that needs none, and one that two origins may call."""
    key_file = short_folder / "access-key"
    key_file.write_text(OTHER + "\n")
    references = [{"env": "IRIS_KEY"}, {"file": str(key_file)}]
    with Server(binary, short_folder / "access", None, IRIS_KEY=KEY) as server:
        server.deploy(
            write(
                short_folder / "access-project",
                PREDICTOR,
                API("locked", sections={"networking": {"api_keys": references}}),
                API("open"),
                API("pages", sections={"networking": {"cors": {"allow_origins": ["https://a.example"]}}}),
            )
        )
        yield server


@pytest.fixture
def invariants(keyed: Server) -> Invariants:
    """What must hold after each refusal."""
    return Invariants(keyed, lambda: keyed.post("/locked", json=1, headers={"X-API-Key": KEY}))


@pytest.mark.parametrize("headers", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"x-api-key": OTHER}])
def test_H13_a_key_lets_in(keyed: Server, headers: dict[str, str]) -> None:
    for path in ("/locked", "/locked/", "/locked/predict"):
        answer = keyed.post(path, json={"a": 1}, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"a": 1}), answer.text
    assert keyed.get("/locked", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path", ["/locked", "/locked/", "/locked/predict", "/locked?x=1", f"/locked?api_key={KEY}&X-API-Key={KEY}"]
)
def test_H13_no_route_of_the_api_answers_without(keyed: Server, invariants: Invariants, path: str) -> None:
    outcome = invariants.hold(401, lambda: keyed.post(path, json=1), api="locked")
    assert outcome.headers["www-authenticate"] == "Bearer"
    assert json.loads(outcome.body)["code"] == "UNAUTHORIZED"
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert requests.request(method, keyed.url(path), timeout=60).status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        *("/v2/models/locked/infer", "/v2/models/locked", "/docs", "/openapi.json", "/metrics", "/invocations"),
        *("/locked/invocations", "/locked/v2/models/locked/infer", "/locked/metrics", "/locked/docs", "/locked/livez"),
        *("//locked", "/locked//predict", "/./locked", "/open/../locked", "/open/%2e%2e/locked", "/%6cocked"),
        *("/locked%2fpredict", "/LOCKED", "/locked;a", "/locked%00", "/locked%3f", "/locked/.", "/predict/locked"),
        *("http://a/locked", "http://api-locked:8888/predict"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_H13_no_other_spelling_is_a_way_in(keyed: Server, target: str, method: str) -> None:
    """It is the same API, which needs the key, or none."""
    body = b'"let in"'
    lines = [f"{method} {target} HTTP/1.1", "Host: a", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, "", ""])
    answer = exchange(keyed.port, head.encode() + body)
    assert answer is not None, keyed.tail()
    assert answer.status in (400, 401, 404), answer
    assert b"let in" not in answer.body, answer


def test_H13_the_name_of_a_host_is_no_way_in(keyed: Server) -> None:
    for path in ("/", "/predict"):
        host = {"Host": "api-locked:8888"}
        assert keyed.post(path, json=1, headers=host).status_code == 401
        assert keyed.post(path, json=1, headers={**host, "X-API-Key": KEY}).status_code == 200


@pytest.mark.parametrize(
    "lines",
    [
        (f"X-API-Key: {KEY}x",),
        (f"X-API-Key: {KEY[:-1]}",),
        ("X-API-Key:",),
        (f"Authorization: Basic {KEY}",),
        (f"Authorization: {KEY}",),
        (f"Authorization: Bearer {KEY}", f"Authorization: Bearer {KEY}"),
        (f"X-API-Key: {KEY}", f"x-api-key: {OTHER}"),
        (f"X-API-Key: {KEY}, {OTHER}",),
        (f"Cookie: api_key={KEY}",),
    ],
)
def test_H13_a_wrong_or_doubled_key_is_refused(keyed: Server, invariants: Invariants, lines: tuple[str, ...]) -> None:
    head = "\r\n".join(["POST /locked HTTP/1.1", "Host: a", "Content-Length: 1", *lines])
    invariants.hold(401, lambda: exchange(keyed.port, f"{head}\r\n\r\n1".encode()), api="locked")


def test_a_large_body_without_a_key_is_not_read(keyed: Server) -> None:
    head = b"POST /locked HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n"
    answer = exchange(keyed.port, head + b"x" * 1000)
    assert answer is not None and answer.status == 401
    assert answer.values("connection") == ["close"]


def test_what_strangers_learn_of_it_is_its_name(keyed: Server) -> None:
    apis = {api["name"]: api for api in keyed.get("/").json()["apis"]}
    assert apis["locked"] == {"name": "locked", "needs_key": True}
    assert apis["open"]["endpoint"] == "/open"
    page = keyed.get("/", headers={"Accept": "text/html"}).text
    assert 'href="/open"' in page and 'href="/locked"' not in page
    assert keyed.get("/locked/readyz").status_code == 200


def test_keys_are_shown_nowhere(keyed: Server) -> None:
    keyed.post("/locked", json=1, headers={"X-API-Key": KEY, "X-Request-ID": "seen-1"})
    keyed.post("/locked", json=1, headers={"X-API-Key": KEY + "wrong"})
    eventually(lambda: keyed.access_lines("seen-1"), "the access line is written")
    shown = [
        keyed.ok("get", "locked"),
        keyed.ok("get", "locked", "-o", "json"),
        keyed.ok("describe", "locked"),
        keyed.logs("locked"),
        requests.get(f"{keyed.operator}/metrics", timeout=60).text,
        (keyed.home / "logs" / "access.log").read_text(),
        keyed.output.read_text(),
    ]
    for text in shown:
        assert text and KEY not in text and OTHER not in text


def test_a_key_that_is_not_there_is_told_where_it_is_named(keyed: Server, folder: Path) -> None:
    references = [{"env": "NOT_SET"}, {"file": str(folder / "none")}]
    project = write(folder / "p", PREDICTOR, API("keyless", sections={"networking": {"api_keys": references}}))
    done = keyed.run("deploy", "cortex.yaml", cwd=project)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("cortex.yaml:")]
    assert [line.split(": ")[2] for line in lines] == [
        "networking.api_keys[0].env",
        "networking.api_keys[1].file",
    ], done.stderr
    assert "NOT_SET, which is not set" in lines[0]


def test_a_changed_key_file_counts_at_once_and_a_lost_one_opens_nothing(own_server: Server, folder: Path) -> None:
    key = folder / "key"
    key.write_text("old-key")
    sections = {"networking": {"api_keys": [{"file": str(key)}]}}
    own_server.deploy(write(folder / "p", PREDICTOR, API("turned", sections=sections)))

    def status(value: str) -> int:
        return own_server.post("/turned", json=1, headers={"X-API-Key": value}).status_code

    assert (status("old-key"), status("new-key")) == (200, 401)
    (folder / "next").write_text("new-key\n")
    (folder / "next").rename(key)
    eventually(lambda: status("new-key") == 200, "the new key counts")
    assert status("old-key") == 401
    key.unlink()
    own_server.await_log("turned", "its keys stay as they were")
    assert (status("new-key"), status("old-key")) == (200, 401)
    own_server.stop()
    own_server.start()
    eventually(lambda: status("new-key") == 503, "nobody is let in")
    key.write_text("third-key")
    eventually(lambda: status("third-key") == 200, "the key is found")


def test_keys_and_origins_are_live(own_server: Server, folder: Path) -> None:
    own_server.deploy(write(folder / "p", PREDICTOR, API("live")))
    before = own_server.metrics("cortex_worker_restarts_total", api="live")
    key = folder / "key"
    key.write_text(KEY)
    networking = {"api_keys": [{"file": str(key)}], "cors": {"allow_origins": ["https://a.example"]}}
    own_server.deploy(write(folder / "p", {}, API("live", sections={"networking": networking})))
    assert own_server.post("/live", json=1).status_code == 401
    answer = own_server.post("/live", json=1, headers={"X-API-Key": KEY, "Origin": "https://b.example"})
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers
    assert "with the workers that were running" in own_server.logs("live")
    assert own_server.metrics("cortex_worker_restarts_total", api="live") == before


# CORS


def ask(server: Server, method: str, path: str, origin: str | None, **headers: str) -> requests.Response:
    """A request as a browser sends it for a page of `origin`."""
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    if origin is not None:
        headers["Origin"] = origin
    return requests.request(method, server.url(path), headers=headers, data="1", timeout=60)


def test_any_origin_may_call_by_default(keyed: Server) -> None:
    answer = ask(keyed, "POST", "/open", "https://anywhere.example", Content_Type="application/json")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in ask(keyed, "POST", "/open", None).headers


def test_an_origin_that_is_allowed_is_repeated_and_others_get_nothing(keyed: Server) -> None:
    allowed = ask(keyed, "POST", "/pages", "https://a.example")
    assert allowed.headers["access-control-allow-origin"] == "https://a.example"
    assert "Origin" in allowed.headers["vary"]
    for origin in ("https://b.example", "http://a.example", "https://a.example.evil.example", "null", None):
        answer = ask(keyed, "POST", "/pages", origin)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], origin
        assert "Origin" in answer.headers["vary"]


def test_errors_can_be_read_by_the_page_too(keyed: Server) -> None:
    for path, status, headers in (
        ("/pages", 400, {"Content_Type": "application/json", "X_Request_Timeout": "never"}),
        ("/locked", 401, {}),
    ):
        answer = ask(keyed, "POST", path, "https://a.example", **headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["access-control-allow-origin"] in ("*", "https://a.example")


def test_a_preflight_is_answered_for_allowed_pages_only(keyed: Server) -> None:
    wanted: dict[str, Any] = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization,content-type",
    }
    for path in ("/locked", "/locked/predict", "/open", "/pages"):
        answer = ask(keyed, "OPTIONS", path, "https://a.example", **wanted)
        assert answer.status_code == 204 and answer.content == b""
        assert answer.headers["access-control-allow-origin"] in ("*", "https://a.example")
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"].replace(" ", "") == "authorization,content-type"
        assert int(answer.headers["access-control-max-age"]) > 0
    refused = ask(keyed, "OPTIONS", "/pages", "https://b.example", **wanted)
    assert not [name for name in refused.headers if name.lower().startswith("access-control-")]
