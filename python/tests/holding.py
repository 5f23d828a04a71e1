"""A holder with a loader that the test controls, and what it reports."""

from __future__ import annotations

import functools
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from catalogs import settings
from cortex_worker.models.catalog import CatalogModel, ModelSettings
from cortex_worker.models.holder import ModelHolder
from cortex_worker.models.loading import LoadedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from cortex_worker.models.pins import Pins

TIMEOUT = 20.0


class Model:
    """What a load gives. `str` of it is its name, version and generation."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __str__(self) -> str:
        return self.label


class Loaded(LoadedModel):
    """Notes when it is closed."""

    closed: list[str]

    def close(self) -> None:
        self.closed.append(str(self.model))


class Stage:
    """A holder and everything around it. It is the loader, too."""

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        self.loads: list[str] = []
        self.closed: list[str] = []
        self.logs: list[str] = []
        self.alive: weakref.WeakSet[Model] = weakref.WeakSet()
        #: What happens in a load, by name: called with the label.
        self.during: dict[str, Callable[[str], None]] = {}
        self.refused: dict[str, Exception] = {}
        self._events: deque[dict[str, Any]] = deque()
        self._gone = 0
        self._added = threading.Condition()
        patience = options.pop("patience", TIMEOUT)
        parsed = ModelSettings.parse(settings(**options))
        self.holder = ModelHolder(parsed, self, self._ensure, self._report, self._log, lambda: self.now, patience)

    def prepare(self) -> None:
        pass

    def load(self, name: str, version: str, path: str, signature_key: str | None) -> LoadedModel:
        self.loads.append(path)
        if name in self.during:
            self.during[name](path)
        model = Model(path)
        self.alive.add(model)
        weakref.finalize(model, self._on_gone)
        loaded = Loaded(model)
        loaded.closed = self.closed
        return loaded

    def get(self, name: str, version: Any = "latest") -> str:
        return str(self.holder.get(name, version).loaded.model)

    def update(self, removed: tuple[str, ...] = (), **changed: dict[str, Any]) -> None:
        self.holder.update({name: CatalogModel.parse(each) for name, each in changed.items()}, list(removed))

    def expect(self, event: str, label: str) -> dict[str, Any]:
        """Wait for the event of this version, and take it; others stay."""

        def find() -> dict[str, Any] | None:
            return next((e for e in self._events if (e["event"], label_of(e)) == (event, label)), None)

        with self._added:
            found = self._added.wait_for(find, TIMEOUT)
            assert found, f"no {event} of {label} in {self._events}"
            self._events.remove(found)
        return found

    def events(self) -> list[str]:
        """All events that have come and were not expected, in their order; they are taken."""
        with self._added:
            events = [f"{each['event']} {label_of(each)}" for each in self._events]
            self._events.clear()
        return events

    def until_gone(self) -> None:
        """Wait until the last model that was made is no more."""
        with self._added:
            assert self._added.wait_for(lambda: self._gone == len(self.loads), TIMEOUT)

    def request(self) -> Request:
        return Request(self.holder)

    def _ensure(self, name: str, version: str, generation: str) -> str:
        label = f"{name}{version}{generation}"
        if label in self.refused:
            raise self.refused[label]
        return label

    def _report(self, event: dict[str, Any]) -> None:
        with self._added:
            self._events.append(event)
            self._added.notify_all()

    def _on_gone(self) -> None:
        with self._added:
            self._gone += 1
            self._added.notify_all()

    def _log(self, level: str, message: str) -> None:
        self.logs.append(f"{level}: {message}")


class Request:
    """`with stage.request():` what this thread gets inside belongs to one request."""

    def __init__(self, holder: ModelHolder) -> None:
        self._holder = holder

    def __enter__(self) -> Pins:
        self.pins = self._holder.attach()
        return self.pins

    def __exit__(self, *_: object) -> None:
        self._holder.release(self.pins)
        # The thread is the test's own again.
        self._holder.detach()


def label_of(event: dict[str, Any]) -> str:
    return "{model}{version}{generation}".format(**event)


class Background:
    """Runs something in a thread, and gives what came of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self._result


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work` in so many threads that begin at the same time."""
    barrier = threading.Barrier(count)

    def run(index: int) -> Any:
        barrier.wait(TIMEOUT)
        return work(index)

    return [each.result() for each in [Background(functools.partial(run, index)) for index in range(count)]]


class Gate:
    """Holds loads up until it is opened, and tells when one has come."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, _: str) -> None:
        self._reached.set()
        assert self._open.wait(TIMEOUT)

    def wait(self) -> None:
        assert self._reached.wait(TIMEOUT)

    def open(self) -> None:
        self._open.set()
