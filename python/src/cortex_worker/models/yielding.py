"""Threads that load let those that answer requests run first."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager
from struct import Struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG = 100_000_000
"""Nanoseconds; the kernel allows no more."""
_ATTRIBUTES = Struct("=IIQiIQQQ")
"""`struct sched_attr`: size, policy, flags, nice, priority, runtime, deadline, period."""
_RESET_ON_FORK = 1
# The numbers of `sched_setattr` and `sched_getattr`; there are no functions in the C library.
_NUMBERS = {"x86_64": (314, 315), "aarch64": (274, 275), "riscv64": (274, 275)}


def _find_calls() -> tuple[Any, int, int] | None:
    numbers = _NUMBERS.get(os.uname().machine)
    if sys.platform != "linux" or numbers is None:
        return None
    try:
        return ctypes.PyDLL(None, use_errno=True).syscall, *numbers
    except (AttributeError, OSError):
        return None


_calls = _find_calls()


@contextmanager
def yielding() -> Iterator[None]:
    """While it is entered, any other thread that has something to do takes the processor from this one at once.

    Linux lets a thread that computes run until its slice is over, at the next tick of the clock: up to 4 ms in which
    another that wakes up on that processor waits. A slice that is longer than others' is no such shelter (from 6.12 on;
    earlier kernels ignore its length). The share of the processor that this thread gets is as large as before, unlike
    that of a lower priority, with which it might hold a lock and get no processor while others wait for it.
    """
    before = _attributes()
    if before is None:
        yield
        return
    _set(before, _LONG)
    try:
        yield
    finally:
        _set(before, before[5])


def slice_of_this_thread() -> int | None:
    """Nanoseconds; 0 where the kernel has one length for all, None where it cannot be asked."""
    found = _attributes()
    return None if found is None else found[5]


def _attributes() -> tuple[int, ...] | None:
    """This thread's, unless its priority says that somebody has thought about it."""
    if _calls is None:
        return None
    syscall, _, get = _calls
    buffer = ctypes.create_string_buffer(_ATTRIBUTES.size)
    if syscall(get, 0, buffer, _ATTRIBUTES.size, 0) != 0:
        return None
    found = _ATTRIBUTES.unpack(buffer.raw)
    _, policy, _, nice = found[:4]
    return found if policy == os.SCHED_OTHER and nice >= 0 else None


def _set(attributes: tuple[int, ...], length: int) -> None:
    assert _calls is not None
    syscall, set_, _ = _calls
    size, policy, flags, nice, *_ = attributes
    # Threads that a library starts for later, while it loads, are not to keep it.
    flags |= _RESET_ON_FORK
    syscall(set_, 0, _ATTRIBUTES.pack(size, policy, flags, nice, 0, length, 0, 0), 0)
