"""Models in memory: loaded once however many threads ask, swapped while requests flow, unloaded to make room."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Callable

from cortex_worker.errors import ModelError, ModelLoadFailed
from cortex_worker.failure import user_traceback
from cortex_worker.models.catalog import CatalogModel
from cortex_worker.models.entry import Entry
from cortex_worker.models.flight import Flight, Key
from cortex_worker.models.loading import call_loader
from cortex_worker.models.naming import SINGLE_MODEL, missing_model, parse_version, title, without_versions
from cortex_worker.models.pins import CurrentPins, Pins
from cortex_worker.models.refresher import PATIENCE, Refresher
from cortex_worker.models.residents import Report, Residents
from cortex_worker.models.state import REMOVED, ModelState
from cortex_worker.models.yielding import yielding

if TYPE_CHECKING:
    from cortex_worker.models.catalog import ModelSettings
    from cortex_worker.models.loading import ModelLoader

#: Brings (name, version, generation) to disk, and returns its folder.
Ensure = Callable[[str, str, str], str]


class ModelHolder:
    """The models of one process.

    Everything is guarded by one lock, which is held for decisions only, never while something is loaded or unloaded.
    What a model's state decides is in `ModelState`, who is in memory in `Residents`.
    """

    def __init__(
        self,
        settings: ModelSettings,
        loader: ModelLoader,
        ensure: Ensure,
        report: Report,
        log: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self.caching = settings.caching
        self._settings = settings
        self._single = settings.single
        self._loader = loader
        self._ensure = ensure
        self._report = report
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._catalog = dict(settings.catalog)
        #: The models that were ever asked for; the others of many thousands cost nothing.
        self._states: dict[str, ModelState] = {}
        #: What requests are given without further thought, by name and by the version as it was named.
        self._ready: dict[Any, dict[Any, Entry]] = {}
        self._flights: dict[Key, Flight] = {}
        self._uses = 0
        self._hits = 0
        self._misses = 0
        self._current = CurrentPins()
        self._residents = Residents(settings, self._lock, self._evict, report, log)
        self._refresher = Refresher(self._lock, clock, self._next_load, self._load_again, self._tell_slow, patience)

    # What predictors and clients call.

    def get(self, name: Any = None, version: Any = "latest") -> Entry:
        """The entry that serves `version` of `name`, loaded if need be; the request keeps it until its end."""
        if self._single:
            name = SINGLE_MODEL
        if type(version) is int:
            version = str(version)
        pins = self._current.pins
        try:
            if pins is not None:
                known = pins.got.get((name, version))
                if known is not None:
                    return known
            with self._lock:
                entry = self._ready[name][version]
                self._hits += 1
                self._use(entry, pins, name, version)
                return entry
        except (KeyError, TypeError):  # TypeError: something that cannot be a key
            known = None
        # Here, so that what a load raises is not told as a consequence of the lookup.
        return self._find(name, version, pins)

    def metadata(self) -> dict[str, Any]:
        """Names, versions and times of change, as the summary of the API has them."""
        with self._lock:
            return {name: model.summary for name, model in self._catalog.items()}

    # What the worker calls.

    def prepare(self) -> None:
        """Import what loads need. Raises `ModelLoadFailed`."""
        self._loader.prepare()
        self._residents.set_baseline()

    def start(self) -> list[ModelError]:
        """Load the latest version of each model, unless they are loaded when asked for. Returns what failed."""
        problems = []
        if self._settings.eager:
            for name in sorted(self._catalog):
                try:
                    # What has loaded before first: a newer version that never ends to load must not keep this one away.
                    self._find(name, None, None, first=self._catalog[name].newest_proven)
                except ModelError as error:
                    problems.append(error)
        with self._lock:
            self._hits = self._misses = 0
            # What the constructor has built counts as little as the interpreter does.
            self._residents.set_baseline()
            self._refresher.start()
        return problems

    def attach(self) -> Pins:
        """From now on, the requests of this thread pin what they get."""
        self._current.pins = Pins()
        return self._current.pins

    def detach(self) -> None:
        """From now on, this thread's requests are not the holder's business."""
        self._current.pins = None

    def release(self, pins: Pins) -> None:
        """The request has ended. Every one comes along here, hence the plain code."""
        residents, entries = self._residents, pins.entries
        if not entries:
            return
        leaving: list[Entry] | None = None
        pins.got.clear()
        with self._lock:
            while entries:
                entry = entries.pop()
                entry.pins -= 1
                if entry.pins == 0 and not entry.held:
                    leaving = leaving or []
                    residents.depart(entry, leaving)
            evicted = residents.trim() if residents.is_full() else None
        del entry
        if leaving:
            residents.unload_soon(leaving)
        if evicted:
            # At once: from here on the limit holds again.
            residents.unload(evicted)

    def update(self, changed: dict[str, CatalogModel], removed: list[str]) -> None:
        """Take over what the server says is there now. Never waits."""
        dropped: list[Entry] = []
        with self._lock:
            for name in removed:
                self._catalog.pop(name, None)
                self._ready.pop(name, None)
                state = self._states.pop(name, None)
                if state is not None:
                    dropped += state.change(CatalogModel(None, {}))
            for name, model in changed.items():
                self._catalog[name] = model
                self._ready.pop(name, None)
                state = self._states.get(name)
                if state is None and self._settings.eager:
                    state = self._states[name] = ModelState(name, model)
                if state is not None:
                    dropped += state.change(model)
                    self._refresher.look_at(name)
            leaving = self._residents.let_go(dropped)
        self._residents.unload_soon(leaving)

    def counters(self) -> dict[str, int]:
        """How many requests found their model in memory, and how many did not."""
        return {"hits": self._hits, "misses": self._misses}

    def after_fork(self) -> None:
        """In a forked child: what is in memory can be used; whoever held the lock is not here."""
        self._lock = threading.Lock()
        self._flights.clear()
        self._residents.after_fork(self._lock)
        self._refresher.after_fork(self._lock)

    # A model that is not at hand.

    def _find(self, name: Any, version: Any, pins: Pins | None, first: int | None = None) -> Entry:
        """Look further; `first` is the version to load as the latest where nothing serves as it yet."""
        number = parse_version(version)
        missed = False
        failed: ModelError | None = None
        while True:
            with self._lock:
                state = self._state_of(name)
                try:
                    if first is not None and failed is None and state.bound is None and first not in state.loaded:
                        choice: Entry | int = first
                    else:
                        choice = state.choose(number, self._clock())
                except ModelError as error:
                    raise failed or error from None
                found: Entry | Flight
                if isinstance(choice, Entry):
                    found = choice
                else:
                    self._misses += not missed
                    missed = True
                    found = self._board(state, choice, number)
                if isinstance(found, Entry):
                    self._hits += not missed
                    if isinstance(version, str) or version is None:
                        self._ready.setdefault(name, {})[version] = found
                    self._use(found, pins, name, version)
                    return found
                flight = found
                is_mine, flight.is_begun = not flight.is_begun, True
                if not is_mine and flight.thread == threading.get_ident():
                    raise ModelLoadFailed(f"{title(name)} is asked for while it is being loaded, by what loads it")
                flight.waiting += 1
            if is_mine:
                self._load(flight, takes_place=True)
            else:
                flight.done.wait()
            if flight.entry is not None:
                return self._take_over(flight.entry, pins, name, version)
            assert flight.error is not None
            failed = failed or flight.error.again()
            with self._lock:
                # A version that was changed meanwhile is tried as it is now.
                if number is not None and flight.key[2] == self._generation(name, number):
                    raise failed

    def _board(self, state: ModelState, number: int, wanted: int | None) -> Flight | Entry:
        """The load of a version to wait for, begun if there is none; the entry where some request still has it."""
        key = (state.name, number, state.catalog.versions[number].generation)
        entry = self._residents.revive(key)
        if entry is not None:
            entry.by_number = entry.by_number or wanted is not None
            self._residents.unload_soon(self._hold(state, entry, wanted is None) or [])
            return entry
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = Flight(key, state.catalog.signature_key)
        flight.as_latest = flight.as_latest or wanted is None
        flight.by_number = flight.by_number or wanted is not None
        return flight

    def _take_over(self, entry: Entry, pins: Pins | None, name: Any, version: Any) -> Entry:
        """Make the pin that came with a load one of the request's."""
        if pins is None:
            # A thread of the user's own: the entry is good as long as it is referred to.
            pins = Pins()
            pins.entries.append(entry)
            self.release(pins)
            return entry
        if not pins.take(entry, name, version):
            with self._lock:
                entry.pins -= 1
        return entry

    def _use(self, entry: Entry, pins: Pins | None, name: Any, version: Any) -> None:
        self._uses += 1
        entry.used = self._uses
        if pins is not None and pins.take(entry, name, version):
            entry.pins += 1

    def _state_of(self, name: Any) -> ModelState:
        model = self._catalog.get(name) if isinstance(name, str) else None
        if model is None:
            configured = {} if self._settings.dynamic else self._settings.catalog
            if isinstance(name, str) and (self._single or name in configured):
                raise without_versions(name)
            raise missing_model(name, self._catalog)
        state = self._states.get(name)
        if state is None:
            state = self._states[name] = ModelState(name, model)
        return state

    def _generation(self, name: str, number: int) -> str | None:
        model = self._catalog.get(name)
        version = None if model is None else model.versions.get(number)
        return None if version is None else version.generation

    # Loading.

    def _load(self, flight: Flight, takes_place: bool) -> None:
        """Load, and let the entry serve. What goes wrong is in the flight afterwards; only `MemoryError` is raised."""
        with yielding():
            try:
                entry = self._bring(flight, takes_place)
            except ModelError as error:
                leaving = self._fail(flight, error)
            except MemoryError:
                text = f"{title(*flight.key[:2])} could not be loaded: out of memory"
                self._residents.unload(self._fail(flight, ModelLoadFailed(text)))
                raise
            else:
                leaving = self._arrive(flight, entry)
                # What has arrived may leave again before what it replaces is unloaded.
                del entry
            self._residents.unload(leaving)

    def _bring(self, flight: Flight, takes_place: bool) -> Entry:
        name, number, generation = flight.key
        with self._lock:
            leaving = self._residents.is_leaving(flight.key)
        if leaving is not None:
            leaving.wait()
        path = self._ensure(name, str(number), generation)
        self._residents.make_room(flight, takes_place)
        return Entry(name, number, generation, call_loader(self._loader, flight, path, self._report))

    def _load_again(self, flight: Flight) -> None:
        """Load for the refresher: in the place of what serves, if anything does."""
        try:
            self._load(flight, takes_place=False)
        except MemoryError as error:
            self._log("error", user_traceback(error))

    def _tell_slow(self, flight: Flight) -> None:
        name, number, _ = flight.key
        self._log("warning", f"{title(name, number)} is still being loaded; what serves goes on serving")

    def _arrive(self, flight: Flight, entry: Entry) -> list[Entry]:
        """Let a loaded entry serve. Returns what is to be unloaded for it."""
        with self._lock:
            self._end(flight)
            entry.pins = flight.waiting
            entry.by_number = flight.by_number
            if flight.waiting:
                self._uses += 1
                entry.used = self._uses
                flight.entry = entry
            state = self._states.get(entry.name)
            leaving = None if state is None else self._hold(state, entry, flight.as_latest)
            if leaving is None:
                # It came too late: its version is gone, or has changed again.
                entry.reason = REMOVED
                leaving = self._residents.let_go([entry])
            leaving += self._residents.trim()
        flight.done.set()
        return leaving

    def _fail(self, flight: Flight, error: ModelError) -> list[Entry]:
        """Remember that a version cannot be loaded. Returns what is to be unloaded for it."""
        name, number, generation = flight.key
        leaving: list[Entry] = []
        with self._lock:
            self._end(flight)
            flight.error = error
            state = self._states.get(name)
            if state is not None:
                leaving = self._residents.let_go(state.fail(number, generation, error, self._clock()))
                self._ready.pop(name, None)
        flight.done.set()
        return leaving

    def _end(self, flight: Flight) -> None:
        del self._flights[flight.key]
        self._residents.arrived(flight)
        self._refresher.look_at(flight.key[0])

    def _hold(self, state: ModelState, entry: Entry, as_latest: bool) -> list[Entry] | None:
        """Let an entry serve. Returns what is to be unloaded for it, or None if it came too late."""
        dropped = state.install(entry, as_latest)
        if dropped is None:
            return None
        self._residents.hold(entry)
        self._ready.pop(state.name, None)
        return self._residents.let_go(dropped)

    def _evict(self, entry: Entry) -> None:
        self._states[entry.name].evict(entry)
        self._ready.pop(entry.name, None)

    def _next_load(self, name: str, now: float) -> tuple[Flight | None, float | None]:
        """What the refresher has to load of a model, and when it has to look again."""
        state = self._states.get(name)
        if state is None:
            return None, None
        as_latest = self._settings.eager or state.bound is not None
        numbers, look_again_at = state.work(now, self._settings.eager)
        for number in numbers:
            key = (name, number, state.catalog.versions[number].generation)
            if key in self._flights:
                # A request has begun it already; its end is told.
                continue
            entry = self._residents.revive(key)
            if entry is not None:
                self._residents.unload_soon(self._hold(state, entry, as_latest) or [])
                continue
            flight = self._flights[key] = Flight(key, state.catalog.signature_key)
            flight.as_latest, flight.is_begun = as_latest, True
            # Whatever comes of it, there may be more to do.
            return flight, look_again_at
        return None, look_again_at
