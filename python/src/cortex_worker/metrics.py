"""`metrics_client`: what a predictor counts itself, added up here and told to the server now and then."""

from __future__ import annotations

import math
import re
import threading
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Upper bounds of a histogram's buckets: the unit of its values is the user's, hence the range. (The server has the
#: same ones.)
BOUNDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0,
    100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0,
)  # fmt: skip

#: Series of one process beyond which new ones are dropped; the server has this limit for an API.
SERIES_LIMIT = 1000
VALUE_LIMIT = 128
_TAG_LIMIT = 10
_WARNING_LIMIT = 20
_INTERVAL = 0.5
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}", re.ASCII)
_SUFFIXES = ("_total", "_bucket", "_count", "_sum")
# Labels that the server sets, and those that have a meaning of their own in Prometheus.
_RESERVED = frozenset({"api", "worker", "le", "quantile", "job", "instance"})

if TYPE_CHECKING:
    #: Name and tags; tags sorted by name.
    Series = tuple[str, tuple[tuple[str, str], ...]]


class _Refused(Exception):
    """Why an update is not taken."""


class _Buckets:
    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0


class MetricsClient:
    """Counters, gauges and histograms of a predictor, shown at `/metrics` with the prefix `cortex_user_`.

    Calls may come from any thread, take a microsecond or two, and neither wait nor raise: what cannot be taken is
    dropped and counted, and the log says why, once for each cause.
    """

    def __init__(self, send: Callable[[dict[str, Any]], bool], warn: Callable[[str], None]) -> None:
        """`send` takes a message for the server, or says that there is no room for it now."""
        self._send = send
        self._warn = warn
        self._lock = threading.Lock()
        self._counters: dict[Series, float] = {}
        self._gauges: dict[Series, float] = {}
        self._histograms: dict[Series, _Buckets] = {}
        #: All that were ever used, with their kinds: known ones need no further check.
        self._known: dict[Series, str] = {}
        self._kinds: dict[str, str] = {}
        self._dropped = 0
        self._warned: set[str] = set()
        self._changed = threading.Event()
        self._sender: threading.Thread | None = None
        self._off = False

    def increment(self, metric: str, value: float = 1, tags: Mapping[str, str] | None = None) -> None:
        """Add `value`, which is not negative, to a counter."""
        self._update("counter", metric, value, tags)

    def gauge(self, metric: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Set a gauge. Each worker has its own."""
        self._update("gauge", metric, value, tags)

    def histogram(self, metric: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Add a value to a distribution."""
        self._update("histogram", metric, value, tags)

    def flush(self) -> None:
        """Tell the server what has come since the last time."""
        with self._lock:
            if not (self._counters or self._gauges or self._histograms or self._dropped):
                return
            message = {
                "counters": [[name, dict(tags), value] for (name, tags), value in self._counters.items()],
                "gauges": [[name, dict(tags), value] for (name, tags), value in self._gauges.items()],
                "histograms": [
                    [name, dict(tags), buckets.sum, buckets.counts]
                    for (name, tags), buckets in self._histograms.items()
                ],
                "dropped": self._dropped,
            }
            # Under the lock: nothing must be added to what is being sent. It only joins a queue.
            if not self._send(message):
                return
            self._counters, self._gauges, self._histograms = {}, {}, {}
            self._dropped = 0

    def after_fork(self) -> None:
        """In a forked child, which has no connection of its own: take nothing more."""
        self._off = True

    def _update(self, kind: str, metric: str, value: float, tags: Mapping[str, str] | None) -> None:
        if self._off:
            return
        try:
            number = float(value)
            labels = tuple(sorted((name, str(tags[name])[:VALUE_LIMIT]) for name in tags)) if tags else ()
            series: Series = (metric, labels)
            with self._lock:
                if self._known.get(series) != kind:
                    self._admit(kind, series)
                self._add(kind, series, number)
        except _Refused as error:
            self._refuse(str(error))
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
            self._refuse(f"{kind} {str(metric)[:100]!r}: {error}")
        if not self._changed.is_set():
            self._changed.set()
            self._start()

    def _add(self, kind: str, series: Series, number: float) -> None:
        if kind == "gauge":
            self._gauges[series] = _finite(series, number)
        elif kind == "counter":
            if _finite(series, number) < 0:
                raise _Refused(f"counter {series[0]!r}: {number} is negative; a counter only rises, a gauge does not")
            self._counters[series] = self._counters.get(series, 0.0) + number
        else:
            buckets = self._histograms.get(series)
            if buckets is None:
                buckets = self._histograms[series] = _Buckets()
            buckets.counts[bisect_left(BOUNDS, _finite(series, number))] += 1
            buckets.sum += number

    def _admit(self, kind: str, series: Series) -> None:
        """Check a series that is new. Raises `_Refused` with what is wrong and what is allowed."""
        name, tags = series
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _Refused(f"{kind} {str(name)[:100]!r}: a name has letters, digits and _, at most 100, no digit first")
        if name.endswith(_SUFFIXES):
            raise _Refused(f"{kind} {name!r}: names that end in {', '.join(_SUFFIXES)} are made by the server")
        if len(tags) > _TAG_LIMIT:
            raise _Refused(f"{kind} {name!r}: {len(tags)} tags; at most {_TAG_LIMIT} are allowed")
        for tag, _ in tags:
            if not isinstance(tag, str) or not _NAME.fullmatch(tag) or tag.startswith("__"):
                shown = repr(str(tag)[:100])
                raise _Refused(f"{kind} {name!r}: tag {shown}: a name has letters, digits and _, no __ first")
            if tag in _RESERVED:
                raise _Refused(f"{kind} {name!r}: tag {tag!r} is one that the server sets; give it another name")
        if self._kinds.get(name, kind) != kind:
            raise _Refused(f"{kind} {name!r}: it is a {self._kinds[name]} already; a name has one kind")
        if len(self._known) >= SERIES_LIMIT:
            raise _Refused(f"more than {SERIES_LIMIT} series: tags must not hold what differs with each request")
        self._kinds[name] = kind
        self._known[series] = kind

    def _refuse(self, reason: str) -> None:
        with self._lock:
            self._dropped += 1
            if reason in self._warned or len(self._warned) >= _WARNING_LIMIT:
                return
            self._warned.add(reason)
        self._warn(f"metrics_client: {reason}")

    def _start(self) -> None:
        with self._lock:
            if self._sender is not None:
                return
            self._sender = threading.Thread(target=self._run, name="metrics-sender", daemon=True)
        self._sender.start()

    def _run(self) -> None:
        pause = threading.Event()
        while not self._off:
            self._changed.wait()
            # Soon enough for any scrape, and seldom enough to cost nothing.
            pause.wait(_INTERVAL)
            self._changed.clear()
            self.flush()


def _finite(series: Series, number: float) -> float:
    if not math.isfinite(number):
        raise _Refused(f"{series[0]!r}: {number} is no finite number")
    return number
