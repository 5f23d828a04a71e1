"""Which version is the latest, what is loaded for it, and what goes: as tables, nothing is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from catalogs import model
from cortex_worker.errors import InvalidVersion, ModelError, ModelLoadFailed, ModelNotFound, ModelUnavailable
from cortex_worker.models.catalog import CatalogModel
from cortex_worker.models.entry import Entry
from cortex_worker.models.loading import LoadedModel
from cortex_worker.models.naming import missing_model, parse_version
from cortex_worker.models.state import ModelState


class Scene:
    """A model's state, driven by words: each step is told as what has happened."""

    def __init__(self, *versions: int | tuple[int, str]) -> None:
        self.now = 0.0
        self.eager = False
        self.dropped: list[str] = []
        self.state = ModelState("iris", self.catalog(versions))

    @staticmethod
    def catalog(versions: Any) -> CatalogModel:
        return CatalogModel.parse(model(*versions))

    def load(self, number: int, generation: str = "a", latest: bool = True, by_number: bool = False) -> Scene:
        entry = Entry("iris", number, generation, LoadedModel(None))
        entry.by_number = by_number
        dropped = self.state.install(entry, latest)
        self.dropped += ["too late"] if dropped is None else [f"{e.number}{e.generation} {e.reason}" for e in dropped]
        return self

    def fail(self, number: int, generation: str = "a", error: type[ModelError] = ModelLoadFailed) -> Scene:
        dropped = self.state.fail(number, generation, error("broken"), self.now)
        self.dropped += [f"{e.number}{e.generation} {e.reason}" for e in dropped]
        return self

    def change(self, *versions: int | tuple[int, str]) -> Scene:
        dropped = self.state.change(self.catalog(versions))
        self.dropped += [f"{e.number}{e.generation} {e.reason}" for e in dropped]
        return self

    def at(self, now: float) -> Scene:
        self.now = now
        return self

    def ask(self, number: int | None = None) -> str:
        """Who answers: an entry, or the version that is to be loaded, or the error."""
        try:
            choice = self.state.choose(number, self.now)
        except ModelError as error:
            return type(error).__name__
        return f"{choice.number}{choice.generation}" if isinstance(choice, Entry) else f"load {choice}"

    def work(self, eager: bool = False) -> list[int]:
        return self.state.work(self.now, eager).numbers


SCENES: list[tuple[str, Scene, str, list[int], list[str]]] = [
    # what happened, the scene, who answers as the latest, what the background loads, who went
    ("nothing is loaded before it is asked for", Scene(1, 2, 10), "load 10", [], []),
    ("the latest is the highest number, not the last upload", Scene(9, 10, 2).load(10), "10a", [], []),
    ("a model without versions", Scene(), "ModelNotFound", [], []),
    ("a bad latest gives way to the next", Scene(1, 2).fail(2), "load 1", [], []),
    ("and is loaded again when it is time", Scene(1, 2).fail(2).at(10), "load 2", [], []),
    ("the lower one serves until then", Scene(1, 2).fail(2).load(1), "1a", [], []),
    ("and the background tries the higher again", Scene(1, 2).fail(2).load(1).at(10), "1a", [2], []),
    ("all are bad", Scene(1, 2).fail(2).fail(1), "ModelLoadFailed", [], []),
    ("what could not be brought here is soon tried again",
     Scene(1).fail(1, error=ModelUnavailable), "ModelUnavailable", [], []),
    ("after a second", Scene(1).fail(1, error=ModelUnavailable).at(1), "load 1", [], []),
    ("a newer version is loaded, the older serves", Scene(1).load(1).change(1, 2), "1a", [2], []),
    ("then the newer serves, the older goes",
     Scene(1).load(1).change(1, 2).load(2, latest=False), "2a", [], ["1a replaced"]),
    ("not if it was asked for by number", Scene(1).load(1, by_number=True).change(1, 2).load(2), "2a", [], []),
    ("a newer version that is bad", Scene(1).load(1).change(1, 2).fail(2), "1a", [], []),
    ("a newer bad version, later", Scene(1).load(1).change(1, 2).fail(2).at(10), "1a", [2], []),
    ("the next upload does not wait for that",
     Scene(1).load(1).change(1, 2).fail(2).change(1, (2, "b")), "1a", [2], []),
    ("a change in place", Scene(1).load(1).change((1, "b")), "1a", [1], []),
    ("is swapped once loaded", Scene(1).load(1).change((1, "b")).load(1, "b", latest=False), "1b", [], ["1a replaced"]),
    ("a bad change in place leaves the old one", Scene(1, 2).load(2).change(1, (2, "b")).fail(2, "b"), "2a", [], []),
    ("a change that has changed again",
     Scene(1).load(1).change((1, "b")).change((1, "c")).load(1, "b"), "1a", [1], ["too late"]),
    ("a failure of what has changed again",
     Scene(1).load(1).change((1, "b")).change((1, "c")).fail(1, "b"), "1a", [1], []),
    ("the latest is removed: it stands in", Scene(1, 2).load(2).change(1), "2a", [1], []),
    ("until the next is loaded", Scene(1, 2).load(2).change(1).load(1, latest=False), "1a", [], ["2a removed"]),
    ("or was already", Scene(1, 2).load(1, by_number=True, latest=False).load(2).change(1), "1a", [], ["2a removed"]),
    ("the next is bad: the removed one stands in", Scene(1, 2).load(2).change(1).fail(1), "2a", [], []),
    ("it comes back", Scene(1, 2).load(2).change(1).change(1, 2), "2a", [], []),
    ("it comes back changed", Scene(1, 2).load(2).change(1).change(1, (2, "b")), "2a", [2], []),
    ("and is loaded", Scene(1, 2).load(2).change(1).change(1, (2, "b")).load(2, "b"), "2b", [], ["2a removed"]),
    ("all versions are removed", Scene(1, 2).load(2).change(), "ModelNotFound", [], ["2a removed"]),
    ("one by one", Scene(1, 2).load(2).change(1).change(), "ModelNotFound", [], ["2a removed"]),
    ("a removed version that was asked for by number",
     Scene(1, 2).load(1, latest=False, by_number=True).change(2), "load 2", [], ["1a removed"]),
    ("unversioned to versioned", Scene(1).load(1).change(3, 4), "1a", [4], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("scene", "latest", "loads", "gone"), [each[1:] for each in SCENES], ids=[each[0] for each in SCENES]
)
def test_what_serves_and_what_is_loaded(scene: Scene, latest: str, loads: list[int], gone: list[str]) -> None:
    assert scene.work() == loads
    assert scene.ask() == latest
    assert scene.dropped == gone


def test_an_eager_model_is_loaded_without_being_asked_for() -> None:
    scene = Scene(1, 2)
    assert scene.work(eager=True) == [2]
    assert scene.fail(2).work(eager=True) == [1]
    assert scene.fail(1).work(eager=True) == []
    assert scene.state.work(0, True).look_again_at == 10


def test_attempts_grow_rare_up_to_ten_minutes() -> None:
    scene = Scene(1)
    delays = []
    for _ in range(9):
        scene.fail(1)
        failure = scene.state.failure(1)
        assert failure is not None
        delays.append(failure.retry_at - scene.now)
        scene.at(failure.retry_at)
    assert delays == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert scene.change((1, "b")).ask() == "load 1"


def test_versions_by_number() -> None:
    scene = Scene(1, 2, 3).load(3).fail(2)
    assert [scene.ask(number) for number in (3, 2, 1, 4)] == ["3a", "ModelLoadFailed", "load 1", "ModelNotFound"]
    # Asked for by its number, it stays when the latest moves on.
    assert scene.change(1, 2, 3, 4).load(4).dropped == []
    assert (scene.ask(3), scene.ask()) == ("3a", "4a")
    # A version that is gone is not to be had by its number, even where it stands in for the latest.
    assert scene.change(1, 2, 3).ask(4) == "ModelNotFound"


def test_eviction_forgets_the_binding_with_the_entry() -> None:
    scene = Scene(1, 2).load(1, latest=False, by_number=True).load(2)
    bound = scene.state.bound
    assert bound is not None
    scene.state.evict(bound)
    assert (bound.reason, scene.ask(), scene.ask(1), scene.work()) == ("evicted", "load 2", "1a", [])


@pytest.mark.parametrize(
    ("choice", "number"),
    [(None, None), ("latest", None), ("0", 0), ("12", 12), (3, 3), (2**63 - 1, 2**63 - 1)],
)
def test_versions_as_they_are_given(choice: Any, number: int | None) -> None:
    assert parse_version(choice) == number


@pytest.mark.parametrize(
    "choice",
    ["01", "", "abc", "1e3", "-1", "+1", " 1", "1\n", "²", "\u0661", "Latest", "1.0", 1.0, -1, True, 2**63, 10**5000,
     "9" * 10**6, b"1", [], {}, "../1", "1" * 19 + "1"],
    ids=lambda choice: type(choice).__name__,
)  # fmt: skip
def test_what_cannot_be_a_version(choice: Any) -> None:
    with pytest.raises(InvalidVersion, match="is not a model version") as caught:
        parse_version(choice)
    assert len(str(caught.value)) < 300


def test_unknown_names_are_told_what_there_is() -> None:
    assert str(missing_model("b", ["iris", "app"])) == (
        "model 'b' wasn't found in the list of available models; available: app, iris"
    )
    assert str(missing_model(None, ["a"])) == "model_name was not specified; available: a"
    many = str(missing_model("x" * 1000, [f"m{n:04}" for n in range(1000)]))
    assert many.endswith("m0019, and 980 more")
    assert len(many) < 400
    assert isinstance(missing_model([], []), ModelNotFound)
