"""How long a thread that loads is left the processor while others want it."""

from __future__ import annotations

import os
import threading
from typing import Callable

import pytest

from catalogs import model
from cortex_worker.errors import ModelLoadFailed
from cortex_worker.models.yielding import slice_of_this_thread, yielding
from holding import Stage

pytestmark = pytest.mark.skipif(not slice_of_this_thread(), reason="this kernel has slices of one length")

LONG = 100_000_000


def in_thread(work: Callable[[], None]) -> None:
    """Does it in a thread of its own, as the settings are the thread's; raises what it raises."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


def test_the_slice_is_long_only_while_it_is_entered() -> None:
    def work() -> None:
        usual = slice_of_this_thread()
        assert usual != LONG
        with yielding():
            assert slice_of_this_thread() == LONG
            with yielding():
                pass
            assert slice_of_this_thread() == LONG
        assert slice_of_this_thread() == usual

    in_thread(work)


def test_threads_that_are_started_meanwhile_do_not_inherit_it() -> None:
    def work() -> None:
        slices: list[int | None] = []
        with yielding():
            in_thread(lambda: slices.append(slice_of_this_thread()))
        assert slices == [slice_of_this_thread()]

    in_thread(work)


def test_a_thread_whose_policy_was_chosen_keeps_it() -> None:
    def work() -> None:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        assert slice_of_this_thread() is None
        with yielding():
            assert os.sched_getscheduler(0) == os.SCHED_BATCH

    in_thread(work)


def test_a_load_yields_and_the_request_after_it_does_not() -> None:
    stage = Stage(dynamic=True, iris=model(1), broken=model(1))
    during: list[int | None] = []
    stage.during["iris"] = lambda _: during.append(slice_of_this_thread())

    def fail(_: str) -> None:
        during.append(slice_of_this_thread())
        raise OSError("corrupt")

    stage.during["broken"] = fail

    def work() -> None:
        usual = slice_of_this_thread()
        assert stage.get("iris") == "iris1a"
        assert slice_of_this_thread() == usual
        with pytest.raises(ModelLoadFailed):
            stage.get("broken")
        assert slice_of_this_thread() == usual

    in_thread(work)
    assert during == [LONG, LONG]
