"""Memory that is taken while a model is loaded, and what is left of it afterwards."""

from __future__ import annotations

import sys
import threading

import pytest

from cortex_worker.models.allocation import OwnMappings
from cortex_worker.models.memory import give_back, resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library has these settings")

_BLOCK = 2 << 20
# Together less than what glibc keeps at the end of a heap.
_BLOCKS = 20


def _left_of_blocks() -> int:
    """Bytes that stay when 40 MB in blocks are freed, of which each has something small after it that stays."""
    give_back()
    before = resident_bytes()
    blocks, small = [], []
    for _ in range(_BLOCKS):
        blocks.append(bytearray(_BLOCK))
        small.append(bytes(64 << 10))
    assert resident_bytes() - before > _BLOCKS * _BLOCK * 0.9
    blocks.clear()
    left = resident_bytes() - before
    assert small
    return left


def test_what_a_load_needed_goes_back_to_the_system() -> None:
    # From here on glibc takes blocks of up to that size from its heaps.
    del bytearray(_BLOCK * 8)[:]
    with OwnMappings():
        left = _left_of_blocks()
    assert left < _BLOCKS * _BLOCK * 0.1


def test_blocks_come_from_the_heaps_when_no_load_is_under_way() -> None:
    mappings = OwnMappings()
    with mappings:
        pass
    # Otherwise the test above would prove nothing.
    assert _left_of_blocks() > _BLOCKS * _BLOCK * 0.5


def test_the_last_of_several_loads_ends_it() -> None:
    mappings = OwnMappings()
    entered, leave = threading.Event(), threading.Event()

    def load() -> None:
        with mappings:
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        assert entered.wait(30)
        with mappings:
            pass
        assert _left_of_blocks() < _BLOCKS * _BLOCK * 0.1
    finally:
        leave.set()
        thread.join()
    assert _left_of_blocks() > _BLOCKS * _BLOCK * 0.5
