"""The holder with threads: single loads, swaps under requests, limits that hold."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from catalogs import model
from cortex_worker.errors import ModelLoadFailed, ModelNotFound, ModelUnavailable
from holding import Background, Gate, Stage, together


def cached(count: int, size: int, **options: Any) -> Stage:
    """Models m0, m1 and so on, of which `size` may be in memory."""
    return Stage(cache_size=size, dynamic=True, **{f"m{n}": model(1) for n in range(count)}, **options)


def test_fifty_threads_make_one_load() -> None:
    stage = Stage(dynamic=True, iris=model(1, 2))
    results = together(50, lambda _: stage.holder.get("iris"))
    assert len({id(entry.loaded) for entry in results}) == 1
    assert stage.loads == ["iris2a"]
    assert stage.holder.counters()["hits"] + stage.holder.counters()["misses"] == 50


def test_a_load_holds_up_nobody_else() -> None:
    stage = Stage(dynamic=True, slow=model(1), quick=model(1))
    stage.during["slow"] = gate = Gate()
    slow = Background(lambda: stage.get("slow"))
    gate.wait()
    assert stage.get("quick") == "quick1a"
    stage.update(other=model(1))
    assert stage.get("other") == "other1a"
    gate.open()
    assert slow.result() == "slow1a"


def test_an_eager_start_falls_back_to_what_loads() -> None:
    stage = Stage(good=model(1), half=model(1, 2), bad=model(1))

    def fail(label: str) -> None:
        if label in ("half2a", "bad1a"):
            raise OSError("corrupt")

    stage.during.update(half=fail, bad=fail)
    problems = stage.holder.start()
    assert [str(problem) for problem in problems] == ["version 1 of model 'bad' could not be loaded: OSError: corrupt"]
    assert stage.events() == ["failed bad1a", "loaded good1a", "failed half2a", "loaded half1a"]
    assert (stage.get("half"), stage.get("good")) == ("half1a", "good1a")
    with pytest.raises(ModelLoadFailed, match="version 1 of model 'bad' could not be loaded"):
        stage.get("bad")
    with pytest.raises(ModelLoadFailed, match="version 2 of model 'half' could not be loaded"):
        stage.get("half", 2)
    assert stage.loads.count("bad1a") == 1


def test_a_change_in_place_is_swapped_under_requests() -> None:
    stage = Stage(iris=model(1))
    stage.holder.start()
    stage.expect("loaded", "iris1a")
    with stage.request():
        before = stage.holder.get("iris")
        stage.update(iris=model((1, "b")))
        stage.expect("loaded", "iris1b")
        together(1, lambda _: stage.holder.get("iris"))
        # This request goes on with what it began with.
        assert stage.holder.get("iris") is before
        assert stage.get("iris", None) in ("iris1a", "iris1b")
        assert stage.closed == []
        del before
    assert stage.expect("unloaded", "iris1a")["reason"] == "replaced"
    assert stage.closed == ["iris1a"]
    assert stage.get("iris") == "iris1b"


def test_the_old_version_serves_while_the_new_one_loads() -> None:
    stage = Stage(iris=model(1))
    stage.holder.start()
    stage.during["iris"] = gate = Gate()
    stage.update(iris=model(1, 2))
    gate.wait()
    assert stage.get("iris") == "iris1a"
    # Who asks for it by its number waits for the same load.
    second = Background(lambda: stage.get("iris", 2))
    assert stage.get("iris") == "iris1a"
    gate.open()
    assert second.result() == "iris2a"
    assert stage.expect("unloaded", "iris1a")["reason"] == "replaced"
    assert stage.get("iris") == "iris2a"
    assert stage.loads == ["iris1a", "iris2a"]


def test_what_a_load_raises_is_told_alone() -> None:
    stage = Stage(cache_size=1, iris=model(1))

    def fail(_: str) -> None:
        raise RuntimeError("corrupt")

    stage.during["iris"] = fail
    with pytest.raises(ModelLoadFailed):
        stage.get("iris")
    assert "During handling of" not in stage.expect("failed", "iris1a")["traceback"]


def test_a_bad_change_is_told_and_tried_again() -> None:
    stage = Stage(iris=model(1))
    stage.holder.start()

    def fail(_: str) -> None:
        raise RuntimeError("corrupt")

    stage.during["iris"] = fail
    stage.update(iris=model((1, "b")))
    failed = stage.expect("failed", "iris1b")
    assert failed["error"] == "version 1 of model 'iris' could not be loaded: RuntimeError: corrupt"
    assert 'raise RuntimeError("corrupt")' in failed["traceback"]
    assert stage.get("iris") == "iris1a"
    stage.during.clear()
    # Too early; that it is looked at shows in the other model, which comes after it.
    stage.now = 9.9
    stage.update(iris=model((1, "b")), other=model(1))
    stage.expect("loaded", "other1a")
    assert stage.loads == ["iris1a", "iris1b", "other1a"]
    stage.now = 10.0
    stage.update(iris=model((1, "b")))
    stage.expect("loaded", "iris1b")
    stage.expect("unloaded", "iris1a")
    assert stage.get("iris") == "iris1b"


def test_removal() -> None:
    stage = Stage(dynamic=True, iris=model(1, 2))
    stage.holder.start()
    with stage.request():
        assert stage.get("iris") == "iris2a"
        stage.update(iris=model(1))
        stage.expect("loaded", "iris1a")
        with pytest.raises(ModelNotFound, match="version 2 of model 'iris' wasn't found; available: 1"):
            Background(lambda: stage.get("iris", 2)).result()
        assert Background(lambda: stage.get("iris")).result() == "iris1a"
        stage.update(iris=model())
        with pytest.raises(ModelNotFound, match="all versions of model 'iris' have been removed"):
            Background(lambda: stage.get("iris")).result()
        stage.update(removed=("iris",))
        with pytest.raises(ModelNotFound, match=r"model 'iris' wasn't found .* there is none"):
            Background(lambda: stage.get("iris")).result()
        assert stage.expect("unloaded", "iris1a")["reason"] == "removed"
        assert stage.get("iris") == "iris2a"
    assert stage.expect("unloaded", "iris2a")["reason"] == "removed"


def test_a_model_that_is_configured_and_gone_is_not_called_unknown() -> None:
    stage = Stage(iris=model(1), other=model(1))
    stage.update(removed=("iris",))
    with pytest.raises(ModelNotFound, match="all versions of model 'iris' have been removed; add at least one"):
        stage.get("iris")
    with pytest.raises(ModelNotFound, match=r"model 'irsi' wasn't found .* available: other"):
        stage.get("irsi")
    stage = Stage(single=True, _cortex_default=model(1))
    stage.update(removed=("_cortex_default",))
    with pytest.raises(ModelNotFound, match="all versions of the model have been removed; add at least one"):
        stage.get("whatever")


def test_a_load_that_never_ends_holds_up_no_other() -> None:
    stage = Stage(patience=0.01, iris=model(1), other=model(1))
    assert stage.holder.start() == []
    stage.events()
    gate = Gate()
    stage.during["iris"] = lambda label: gate(label) if label == "iris20a" else None
    stage.update(iris=model(1, 20))
    gate.wait()
    assert stage.get("iris") == "iris1a"
    # The same model's next version, and another model.
    stage.update(iris=model(1, 20, 21), other=model(1, 2))
    stage.expect("loaded", "iris21a")
    stage.expect("loaded", "other2a")
    assert (stage.get("iris"), stage.get("other")) == ("iris21a", "other2a")
    stage.update(iris=model(1, 22))
    stage.expect("loaded", "iris22a")
    assert stage.logs == ["warning: version 20 of model 'iris' is still being loaded; what serves goes on serving"]
    gate.open()
    # It came too late: its version is gone.
    assert stage.expect("unloaded", "iris20a")["reason"] == "removed"
    assert stage.get("iris") == "iris22a"


def test_a_start_begins_with_what_has_loaded_before() -> None:
    catalog = model(1, 2, 9)
    catalog["versions"]["1"]["proven"] = catalog["versions"]["2"]["proven"] = True
    stage = Stage(iris=catalog)
    gate = Gate()
    stage.during["iris"] = lambda label: gate(label) if label == "iris9a" else None
    assert stage.holder.start() == []
    assert stage.get("iris") == "iris2a"
    gate.wait()
    assert stage.get("iris") == "iris2a"
    gate.open()
    stage.expect("loaded", "iris9a")
    stage.expect("unloaded", "iris2a")
    assert stage.get("iris") == "iris9a"


def test_a_proven_version_that_fails_leaves_the_start_to_the_others() -> None:
    catalog = model(1, 2)
    catalog["versions"]["1"]["proven"] = True
    stage = Stage(iris=catalog)

    def fail(label: str) -> None:
        if label == "iris1a":
            raise ValueError("gone bad")

    stage.during["iris"] = fail
    assert stage.holder.start() == []
    assert stage.get("iris") == "iris2a"


def test_a_version_that_has_ended_processes_is_left_alone() -> None:
    poison = model(1, 2)
    poison["versions"]["2"]["error"] = "its load has ended the worker"
    stage = Stage(iris=poison)
    assert stage.holder.start() == []
    assert stage.get("iris") == "iris1a"
    with pytest.raises(ModelLoadFailed, match="its load has ended the worker"):
        stage.get("iris", 2)
    stage.now = 1e9
    assert stage.get("iris") == "iris1a"
    assert stage.loads == ["iris1a"]
    # Other content may be better.
    stage.update(iris=model(1, (2, "b")))
    stage.expect("loaded", "iris2b")
    assert stage.get("iris") == "iris2b"


def test_a_loader_that_says_what_is_wrong_is_passed_on() -> None:
    stage = Stage(dynamic=True, iris=model(1))

    def refuse(_: str) -> None:
        raise ModelUnavailable("the server of the models does not answer")

    stage.during["iris"] = refuse
    with pytest.raises(ModelUnavailable, match="does not answer"):
        stage.get("iris")


def test_what_a_request_still_has_is_not_loaded_again() -> None:
    stage = Stage(dynamic=True, iris=model(1))
    with stage.request():
        entry = stage.holder.get("iris")
        stage.update(removed=("iris",))
        stage.update(iris=model(1))
        assert Background(lambda: stage.holder.get("iris")).result() is entry
    assert (stage.loads, stage.events()) == (["iris1a"], ["loaded iris1a"])
    assert stage.holder.get("iris") is entry


def test_a_load_that_comes_too_late_serves_who_waited_for_it() -> None:
    stage = Stage(dynamic=True, iris=model(1))
    stage.during["iris"] = gate = Gate()

    def ask() -> str:
        with stage.request():
            return stage.get("iris")

    asked = Background(ask)
    gate.wait()
    stage.update(iris=model((1, "b")))
    gate.open()
    assert asked.result() == "iris1a"
    stage.expect("unloaded", "iris1a")
    assert stage.get("iris") == "iris1b"


def test_a_version_that_changes_while_it_is_brought_is_brought_as_it_is_now() -> None:
    stage = Stage(dynamic=True, iris=model(1))
    refuse = stage.refused

    class Refusal(ModelNotFound):
        """The server has told of the change before it refuses the old."""

        def again(self) -> Refusal:
            stage.update(iris=model((1, "b")))
            return Refusal(str(self))

    refuse["iris1a"] = Refusal("gone")
    assert stage.get("iris", 1) == "iris1b"


def test_what_cannot_be_brought() -> None:
    stage = Stage(dynamic=True, iris=model(1, 2))
    stage.refused["iris2a"] = ModelUnavailable("the store is down", "not now")
    with pytest.raises(ModelUnavailable, match="the store is down"):
        stage.get("iris", 2)
    assert stage.get("iris") == "iris1a"
    stage.refused.clear()
    stage.now = 1.0
    assert stage.get("iris", 2) == "iris2a"
    assert stage.events()[0] == "loaded iris1a"


def test_loads_that_ask_for_models() -> None:
    results: list[str] = []
    stage = Stage(dynamic=True, outer=model(1), inner=model(1), own=model(1))
    stage.during["outer"] = lambda _: results.append(stage.get("inner"))
    stage.during["own"] = lambda _: results.append(stage.get("own"))
    assert (stage.get("outer"), results) == ("outer1a", ["inner1a"])
    with pytest.raises(ModelLoadFailed, match="by what loads it"):
        stage.get("own")


def test_a_load_without_memory_is_the_requests_end() -> None:
    stage = Stage(dynamic=True, iris=model(1))

    def fail(_: str) -> None:
        raise MemoryError

    stage.during["iris"] = fail
    with pytest.raises(MemoryError):
        stage.get("iris")
    stage.expect("failed", "iris1a")
    with pytest.raises(ModelLoadFailed, match="out of memory"):
        stage.get("iris")


def test_the_least_recently_used_goes_before_another_comes() -> None:
    stage = cached(4, 2)
    seen: list[tuple[str, list[str]]] = []
    for name in ("m0", "m1", "m2", "m3"):
        stage.during[name] = lambda label: seen.append((label, sorted(map(str, stage.alive))))
    for name in ("m0", "m1", "m0", "m2", "m0", "m3"):
        assert stage.get(name) == f"{name}1a"
    assert seen == [("m01a", []), ("m11a", ["m01a"]), ("m21a", ["m01a"]), ("m31a", ["m01a"])]
    assert stage.events() == [
        "loaded m01a", "loaded m11a", "unloaded m11a", "loaded m21a", "unloaded m21a", "loaded m31a",
    ]  # fmt: skip
    assert stage.holder.counters() == {"hits": 2, "misses": 4}


def test_what_a_request_has_is_not_evicted() -> None:
    stage = cached(3, 1)
    with stage.request():
        assert [stage.get("m0"), stage.get("m1")] == ["m01a", "m11a"]
        assert Background(lambda: stage.get("m2")).result() == "m21a"
        # The other request is over, and what it had is the only one that can go.
        assert sorted(map(str, stage.alive)) == ["m01a", "m11a"]
        assert stage.get("m0") == "m01a"
    assert [str(each) for each in stage.alive] == ["m11a"]


@pytest.mark.parametrize(("models", "size", "threads"), [(3, 1, 16), (8, 3, 8)])
def test_the_limit_holds_under_threads(models: int, size: int, threads: int) -> None:
    stage = cached(models, size)
    wanted: dict[int, str] = {}
    broken: list[str] = []

    def check(label: str) -> None:
        # Whatever is alive when a load begins is wanted by some request, or has a place beside the one that comes.
        spare = [str(each) for each in list(stage.alive) if str(each) not in list(wanted.values())]
        if len(spare) > size - 1:
            broken.append(f"{label}: {spare}")

    for number in range(models):
        stage.during[f"m{number}"] = check

    def run(index: int) -> None:
        choose = random.Random(index)
        for _ in range(150):
            name = f"m{choose.randrange(models)}"
            wanted[index] = f"{name}1a"
            with stage.request():
                entry = stage.holder.get(name)
                assert str(entry.loaded.model) == f"{name}1a"
                assert entry.held
                del entry
            del wanted[index]

    together(threads, run)
    assert broken == []
    assert len(stage.alive) <= size
    # Each load has ended, and never were there two of one model.
    alive: set[str] = set()
    for event in stage.events():
        kind, label = event.split()
        assert (label in alive) == (kind == "unloaded"), event
        (alive.remove if kind == "unloaded" else alive.add)(label)
    assert len(alive) == len(stage.alive)


def test_a_reload_is_no_use_and_takes_no_place() -> None:
    stage = cached(3, 2)
    stage.holder.start()
    assert [stage.get("m0"), stage.get("m1")] == ["m01a", "m11a"]
    stage.update(m0=model((1, "b")))
    stage.expect("unloaded", "m01a")
    assert sorted(map(str, stage.alive)) == ["m01b", "m11a"]
    # m0 is still the least recently used.
    assert stage.get("m2") == "m21a"
    assert sorted(map(str, stage.alive)) == ["m11a", "m21a"]
    # What is not in memory is not reloaded either.
    stage.update(m0=model((1, "c")), m1=model((1, "b")))
    stage.expect("loaded", "m11b")
    assert "m01c" not in stage.loads


def test_a_newer_latest_takes_the_place_of_the_older() -> None:
    stage = cached(1, 1)
    stage.holder.start()
    assert stage.get("m0") == "m01a"
    stage.update(m0=model(1, 2))
    stage.expect("unloaded", "m01a")
    assert [str(each) for each in stage.alive] == ["m02a"]
    assert stage.get("m0") == "m02a"
    # Asked for by number, both are wanted: then the limit decides.
    assert stage.get("m0", 1) == "m01a"
    assert [str(each) for each in stage.alive] == ["m01a"]


def test_threads_of_the_users_own_pin_nothing() -> None:
    stage = cached(2, 1)
    kept = stage.holder.get("m0").loaded
    assert stage.get("m1") == "m11a"
    assert stage.closed == ["m01a"]
    assert str(kept.model) == "m01a"


def test_memory_is_kept_below_its_limit() -> None:
    class Heavy(Stage):
        def load(self, name: str, version: str, path: str, signature_key: str | None) -> Any:
            loaded = super().load(name, version, path, signature_key)
            loaded.model.ballast = bytearray(b"x") * (32 << 20)
            return loaded

    stage = Heavy(cache_memory=80 << 20, dynamic=True, **{f"m{n}": model(1) for n in range(8)})
    stage.holder.prepare()
    stage.holder.start()
    most = 0
    for turn in range(3):
        for number in range(8):
            assert stage.get(f"m{number}", 1 if turn else None) == f"m{number}1a"
            most = max(most, len(stage.alive))
    # Before each load there were at most 80 MiB, of which two take 64.
    assert most == 3


def test_names_and_versions_are_looked_up_without_a_trace() -> None:
    stage = cached(2, 1)
    names: tuple[Any, ...] = ("../etc", "m0/", "", " m0", "x" * 300, "\u043c0", "m0\0", None, 3, [], {})
    for name in names:
        with pytest.raises(ModelNotFound, match="available: m0, m1"):
            stage.holder.get(name)
    assert stage.loads == []
    assert stage.holder.counters() == {"hits": 0, "misses": 0}


def test_a_thousand_loads_leave_no_threads_behind() -> None:
    stage = cached(50, 5)
    stage.holder.start()
    for turn in range(1000):
        with stage.request():
            stage.get(f"m{turn % 50}")
    assert len(stage.alive) <= 5
    assert len([each for each in threading.enumerate() if each.name.startswith("model-")]) <= 2 * 30
