from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import pytest

from cortex_worker.metrics import SERIES_LIMIT, MetricsClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]

METRICS = 0x27


class Server:
    """What a client has sent and warned of."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self.has_room = True
        self.client = MetricsClient(self._take, self.warnings.append)

    def _take(self, message: dict[str, Any]) -> bool:
        if self.has_room:
            self.messages.append(message)
        return self.has_room

    def told(self) -> dict[str, Any]:
        """All that has been sent, the last of it now."""
        self.client.flush()
        keys = ("counters", "gauges", "histograms")
        told: dict[str, Any] = {key: [entry for each in self.messages for entry in each[key]] for key in keys}
        return {**told, "dropped": sum(each["dropped"] for each in self.messages)}


@pytest.fixture
def server() -> Server:
    return Server()


def test_updates_are_added_up_before_they_are_sent(server: Server) -> None:
    client = server.client
    for _ in range(3):
        client.increment("cars", tags={"b": "2", "a": "1"})
    client.increment(metric="cars", value=0.5, tags={"a": "1", "b": "2"})
    client.gauge("level", 1)
    client.gauge("level", -2.5)
    for value in (0.001, 0.002, 7, 1e9):
        client.histogram("size", value)
    told = server.told()
    assert sum(value for _, _, value in told["counters"]) == 3.5
    assert {(name, *sorted(tags.items())) for name, tags, _ in told["counters"]} == {("cars", ("a", "1"), ("b", "2"))}
    assert told["gauges"][-1] == ["level", {}, -2.5]
    counts = [sum(column) for column in zip(*(counts for *_, counts in told["histograms"]))]
    assert [index for index, count in enumerate(counts) if count] == [0, 1, 12, 22]
    assert sum(total for _, _, total, _ in told["histograms"]) == pytest.approx(1e9 + 7.003)
    assert told["dropped"] == 0
    assert server.warnings == []


def test_nothing_is_sent_where_nothing_was_counted(server: Server) -> None:
    server.client.flush()
    assert server.messages == []


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        (lambda c: c.increment("a.b"), "letters, digits and _"),
        (lambda c: c.increment("1a"), "no digit first"),
        (lambda c: c.increment("é"), "letters"),
        (lambda c: c.increment("a\n"), "letters"),
        (lambda c: c.increment("x" * 101), "at most 100"),
        (lambda c: c.increment(""), "letters"),
        (lambda c: c.increment("cars_total"), "made by the server"),
        (lambda c: c.gauge("a_bucket", 1), "made by the server"),
        (lambda c: c.increment(None), "letters"),
        (lambda c: c.increment(["a"]), "unhashable"),
        (lambda c: c.increment("a", -1), "negative"),
        (lambda c: c.increment("a", math.inf), "finite"),
        (lambda c: c.gauge("a", math.nan), "finite"),
        (lambda c: c.histogram("a", "much"), "much"),
        (lambda c: c.histogram("a", None), "NoneType"),
        (lambda c: c.gauge("a", 10**400), "too large"),
        (lambda c: c.increment("a", tags={"le": "1"}), "the server sets"),
        (lambda c: c.increment("a", tags={"__x": "1"}), "no __ first"),
        (lambda c: c.increment("a", tags={'a"b': "1"}), "letters"),
        (lambda c: c.increment("a", tags={3: "1"}), "letters"),
        (lambda c: c.increment("a", tags=["b"]), "list indices"),
        (lambda c: c.increment("a", tags={f"t{i}": "x" for i in range(11)}), "at most 10"),
        (lambda c: (c.gauge("a", 1), c.increment("a"))[1], "a gauge already"),
    ],
)
def test_what_is_not_allowed_is_dropped_and_told_once(
    server: Server, update: Callable[[Any], None], reason: str
) -> None:
    for _ in range(3):
        update(server.client)
    assert len(server.warnings) == 1
    assert reason in server.warnings[0]
    told = server.told()
    assert told["dropped"] == 3
    assert told["counters"] == told["histograms"] == []


def test_series_are_bounded_and_those_that_are_there_go_on(server: Server) -> None:
    for number in range(SERIES_LIMIT + 50):
        server.client.increment("requests", tags={"id": str(number)})
    server.client.increment("requests", tags={"id": "0"})
    told = server.told()
    assert len({str(tags) for _, tags, _ in told["counters"]}) == SERIES_LIMIT
    assert told["dropped"] == 50
    assert sum(value for *_, value in told["counters"]) == SERIES_LIMIT + 1
    assert len(server.warnings) == 1


def test_values_of_tags_are_cut(server: Server) -> None:
    server.client.increment("a", tags={"b": "x" * 1000, "c": 3})  # type: ignore[dict-item]
    assert server.told()["counters"] == [["a", {"b": "x" * 128, "c": "3"}, 1.0]]


def test_what_finds_no_room_is_sent_later(server: Server) -> None:
    server.has_room = False
    server.client.increment("a")
    server.client.flush()
    server.client.increment("a", 2)
    server.has_room = True
    assert server.told()["counters"] == [["a", {}, 3.0]]


def test_threads_lose_nothing(server: Server) -> None:
    def count() -> None:
        for _ in range(2_000):
            server.client.increment("a")
            server.client.histogram("b", 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        server.client.flush()
    told = server.told()
    assert sum(value for *_, value in told["counters"]) == 8_000
    assert sum(sum(counts) for *_, counts in told["histograms"]) == 8_000


def test_a_predictor_counts(serve: Serve) -> None:
    worker, slot = serve(
        """
        import os
        class PythonPredictor:
            def __init__(self, config, metrics_client):
                self.metrics = metrics_client
            def predict(self, payload):
                self.metrics.increment("cars", tags={"colour": payload})
                self.metrics.increment("not.a.name")
                child = os.fork()
                if not child:
                    self.metrics.increment("cars", tags={"colour": "none"})
                    os._exit(0)
                return os.waitpid(child, 0)[1]
        """
    )
    slot.request(b'"red"', request_id="r-7")
    assert slot.answer().body == b"0"
    assert worker.log("not.a.name")["request_id"] == "r-7"
    told: dict[str, Any] = {"counters": [], "dropped": 0}
    while not told["counters"] or not told["dropped"]:
        message = worker.event(METRICS)
        told = {"counters": told["counters"] + message["counters"], "dropped": told["dropped"] + message["dropped"]}
    assert told == {"counters": [["cars", {"colour": "red"}, 1.0]], "dropped": 1}


def test_what_was_counted_last_is_told_at_the_end(serve: Serve) -> None:
    worker, slot = serve(
        """
        class PythonPredictor:
            def __init__(self, config, metrics_client):
                self.metrics = metrics_client
            def predict(self, payload):
                self.metrics.increment("cars")
        """
    )
    slot.request(b"1")
    slot.answer()
    worker.control.send(0x32)
    assert worker.event(METRICS)["counters"] == [["cars", {}, 1.0]]
    assert worker.process.wait(20) == 0
