"""What a thread writes while others may give up what it writes to."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from cortex_storage.faults import StorageFault
from cortex_storage.objects import StoredObject
from cortex_storage.part import Part
from cortex_storage.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def new_target(folder: Path, size: int) -> Target:
    return Target(StoredObject("a", size, 0, None), "s3://bucket/a", str(folder), "a")


def is_open(path: Path) -> bool:
    """Whether this process has the file open."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}") == str(path):
                return True
        except FileNotFoundError:
            continue
    return False


def test_pieces_are_written_in_their_order_and_their_place(tmp_path: Path) -> None:
    target = new_target(tmp_path, 9)
    first, second = Part(target, 0, 4), Part(target, 4, 9)
    second.drain(b"ef", iter([b"ghi"]), lambda _: None)
    first.drain(b"abcd", iter([]), lambda _: None)
    assert (first.at, second.at) == (4, 9)
    target.finish()
    assert (tmp_path / "a").read_bytes() == b"abcdefghi"


def test_an_answer_that_ends_early_leaves_the_rest_to_another(tmp_path: Path) -> None:
    target = new_target(tmp_path, 6)
    part = Part(target, 0, 6)
    part.drain(b"ab", iter([b"cd"]), lambda _: None)
    assert part.at == 4
    assert part.truncated().message == "s3://bucket/a: the connection ended after 4 of 6 bytes"
    part.drain(b"ef", iter([]), lambda _: None)
    target.finish()
    assert (tmp_path / "a").read_bytes() == b"abcdef"


def test_what_is_more_than_was_asked_for_is_not_written(tmp_path: Path) -> None:
    target = new_target(tmp_path, 6)
    with pytest.raises(StorageFault, match="has changed"):
        Part(target, 0, 3).drain(b"ab", iter([b"cd"]), lambda _: None)
    target.abandon()
    assert (tmp_path / "a").read_bytes() == b"ab"


def test_what_was_abandoned_is_closed_and_written_no_more(tmp_path: Path) -> None:
    target = new_target(tmp_path, 9)
    part = Part(target, 0, 9)

    def pieces() -> Iterator[bytes]:
        yield b"def"
        target.abandon()
        assert not is_open(tmp_path / "a")
        # Whoever opens a file now gets the number that the target had.
        with (tmp_path / "other").open("wb"):
            yield b"ghi"

    with pytest.raises(StorageFault, match="is not wanted any more"):
        part.drain(b"abc", pieces(), lambda _: None)
    assert (tmp_path / "a").read_bytes() == b"abcdef"
    assert (tmp_path / "other").read_bytes() == b""


def test_a_file_that_is_abandoned_during_a_write_is_closed_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = new_target(tmp_path, 3)
    begun, go_on = threading.Event(), threading.Event()
    pwrite = os.pwrite

    def slow(descriptor: int, piece: Any, offset: int) -> int:
        begun.set()
        assert go_on.wait(30)
        return pwrite(descriptor, piece, offset)

    monkeypatch.setattr(os, "pwrite", slow)
    thread = threading.Thread(target=target.write, args=(b"abc", 0))
    thread.start()
    assert begun.wait(30)
    # Does not wait for the disk.
    target.abandon()
    assert is_open(tmp_path / "a")
    go_on.set()
    thread.join(30)
    assert not is_open(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"abc"
