"""What the metrics say, of workers and versions that change too: row H11."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.server import Server
from blackbox.telemetry import NAME, project

#: A sample's name and labels, and what it counts.
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def api(server: Server, short_folder: Path) -> str:
    """The name of the API that these tests share."""
    server.deploy(project(short_folder / NAME, NAME))
    return NAME


def scrape(server: Server) -> str:
    """The text of `/metrics`."""
    response = requests.get(f"{server.operator}/metrics", timeout=60)
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return response.text


def samples(server: Server) -> Samples:
    """All samples, and that none is there twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(scrape(server)):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def is_counter(name: str) -> bool:
    """Whether a sample of this name may only rise."""
    return name.endswith(("_total", "_bucket", "_count", "_sum"))


# What /metrics says


def test_metrics_are_what_the_documents_say(server: Server, api: str, repository: Path) -> None:
    assert server.post(api, json={}).status_code == 200
    families = {family.name: family for family in text_string_to_metric_families(scrape(server))}
    expected = {
        "cortex_requests": ("counter", {"api", "code"}),
        "cortex_request_duration_seconds": ("histogram", {"api"}),
        "cortex_queue_duration_seconds": ("histogram", {"api"}),
        "cortex_predict_duration_seconds": ("histogram", {"api"}),
        "cortex_batch_size": ("histogram", {"api"}),
        "cortex_in_flight_requests": ("gauge", {"api"}),
        "cortex_queued_requests": ("gauge", {"api"}),
        "cortex_shed_requests": ("counter", {"api", "reason"}),
        "cortex_cancelled_requests": ("counter", {"api", "stage"}),
        "cortex_worker_restarts": ("counter", {"api", "reason"}),
        "cortex_workers": ("gauge", {"api", "state"}),
        "cortex_worker_rss_bytes": ("gauge", {"api"}),
        "cortex_build_info": ("gauge", {"version"}),
    }
    for name, (kind, labels) in expected.items():
        assert name in families, name
        family = families[name]
        assert family.type == kind, name
        assert family.documentation, name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, sample
    reasons = {each.labels["reason"] for each in families["cortex_shed_requests"].samples}
    # Loops of APIs that call each other belong to no API; tests of other files may have made one.
    assert reasons - {"chain_loop"} == {"queue_full", "not_ready", "draining", "deadline", "spool_full"}
    bounds = {
        float(sample.labels["le"])
        for sample in families["cortex_request_duration_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    assert {0.001, 60.0, float("inf")} <= bounds and min(bounds) == 0.001
    documented = (repository / "docs" / "metrics.md").read_text()
    for family in families.values():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert family.name.startswith("cortex_user_") or f"`{name}`" in documented, name


def test_two_workers_are_ready_and_have_memory(server: Server, api: str) -> None:
    found = samples(server)
    states = {
        dict(labels)["state"]: value
        for (name, labels), value in found.items()
        if name == "cortex_workers" and ("api", api) in labels
    }
    assert states == {"starting": 0, "ready": 2, "draining": 0, "backing_off": 0, "stopped": 0}
    assert found["cortex_worker_rss_bytes", frozenset({("api", api)})] > 5 << 20


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "counted"),
    [
        ("POST", NAME, b"{}", 200, NAME),
        ("POST", NAME, b"{", 400, NAME),
        ("POST", NAME, b'{"do": "fail", "text": "x"}', 500, NAME),
        ("GET", NAME, b"", 200, NAME),
        ("PUT", NAME, b"", 405, NAME),
        ("POST", "nowhere", b"{}", 404, ""),
        ("GET", "/", b"", 200, ""),
    ],
)
def test_each_request_is_counted_once(
    server: Server, api: str, method: str, path: str, body: bytes, status: int, counted: str
) -> None:
    def total() -> float:
        return sum(value for (name, _), value in samples(server).items() if name == "cortex_requests_total")

    before, all_before = server.metrics("cortex_requests_total", api=counted, code=str(status)), total()
    headers = {"Content-Type": "application/json"}
    response = requests.request(method, server.url(path), data=body, headers=headers, timeout=60)
    assert response.status_code == status
    assert server.metrics("cortex_requests_total", api=counted, code=str(status)) == before + 1
    assert total() == all_before + 1


def test_what_is_not_http_is_counted(server: Server) -> None:
    before = server.metrics("cortex_requests_total", api="", code="400")
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        connection.recv(4096)
    eventually(lambda: server.metrics("cortex_requests_total", api="", code="400") == before + 1, "it is counted")


def test_H11_no_series_comes_from_a_request(server: Server, api: str) -> None:
    for path in ("/nowhere", f"/{api}"):
        server.post(path, json={})
    before = set(samples(server))
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        for start in range(0, 10_000, 100):
            connection.sendall(
                b"".join(
                    b"GET /nowhere/%d?q=%d HTTP/1.1\r\nHost: h%d\r\nX-Request-ID: id-%d\r\n\r\n" % ((number,) * 4)
                    for number in range(start, start + 100)
                )
            )
            answers = b""
            while answers.count(b"HTTP/1.1 404") < 100:
                piece = connection.recv(1 << 16)
                assert piece
                answers += piece
    # What autoscaling thinks comes with its first decision, whatever is asked.
    decided = {"cortex_recommended_replicas", "cortex_window_in_flight_requests"}
    assert {series for series in set(samples(server)) - before if series[0] not in decided} == set()
    assert before <= set(samples(server))
    assert server.metrics("cortex_requests_total", api="", code="404") >= 10_000


def test_H11_counters_only_rise_while_workers_and_versions_change(server: Server, folder: Path) -> None:
    name = "telemetry-changes"
    server.deploy(project(folder / "project", name))
    seen: Samples = {}

    def look() -> Samples:
        found = samples(server)
        for key, value in found.items():
            if is_counter(key[0]):
                assert value >= seen.get(key, 0), (key, seen.get(key), value)
        gone = [key for key in seen if is_counter(key[0]) and ("api", name) in key[1] and key not in found]
        assert not gone, gone
        seen.update(found)
        return found

    count = {"do": "count", "colour": "red", "width": 2}
    with Load(server.url(name), json=count) as load:
        look()
        assert server.post(name, json={"do": "exit"}).status_code == 502
        for _ in range(10):
            look()
        with ThreadPoolExecutor(1) as pool:
            deployed = pool.submit(server.deploy, project(folder / "project", name, release=2))
            while not deployed.done():
                look()
            deployed.result()
        for _ in range(10):
            look()
    answered = len([answer for answer in load.answers if answer[0] == 200])
    key = ("cortex_user_cars_total", frozenset({("api", name), ("colour", "red")}))
    # A worker that is killed takes what it had not told yet with it: half a second.
    assert 0 < eventually(lambda: look().get(key), "user metrics have come") <= answered
    assert seen["cortex_worker_restarts_total", frozenset({("api", name), ("reason", "exit")})] >= 1
    releases = eventually(
        lambda: (
            (found := look())
            and {
                value
                for (sample, labels), value in found.items()
                if sample == "cortex_user_release" and ("api", name) in labels
            }
            == {2}
        ),
        "gauges of ended workers are gone",
    )
    assert releases

    server.ok("delete", name, "-f")
    assert not [labels for _, labels in samples(server) if ("api", name) in labels]


def test_predictors_count(server: Server, api: str) -> None:
    for width in (0.5, 3, 20_000):
        assert server.post(api, json={"do": "count", "colour": 'r"e\nd', "width": width}).status_code == 200
    labels = frozenset({("api", api), ("colour", 'r"e\nd')})
    eventually(lambda: samples(server).get(("cortex_user_cars_total", labels)) == 3, "three are counted")
    found = samples(server)
    assert found["cortex_user_width_count", labels] == 3
    assert found["cortex_user_width_sum", labels] == 20_003.5
    assert found["cortex_user_width_bucket", labels | {("le", "5")}] == 2
    assert found["cortex_user_metrics_dropped_total", frozenset({("api", api)})] == 3
    assert "no.name" in server.await_log(api, "metrics_client: counter")
