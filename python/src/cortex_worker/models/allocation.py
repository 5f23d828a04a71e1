"""Where the C library takes the memory of models from."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Callable

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""Parameters of `mallopt`, from malloc.h."""
_LARGE = 1 << 20
_USUAL = 32 << 20
"""What glibc's own threshold comes to in a process that frees large blocks, and the most that it may be."""
_USUAL_TRIM = 2 * _USUAL


def _find_mallopt() -> Callable[[int, int], int] | None:
    if "MALLOC_MMAP_THRESHOLD_" in os.environ or "mmap_threshold" in os.environ.get("GLIBC_TUNABLES", ""):
        # The user has chosen.
        return None
    try:
        library = ctypes.CDLL(None)
        # Others may have a `mallopt` that means something else.
        _ = library.gnu_get_libc_version
        mallopt: Callable[[int, int], int] = library.mallopt
    except (AttributeError, OSError):
        return None
    return mallopt


class OwnMappings:
    """While it is entered, by any number of threads, each large block is a mapping of its own.

    glibc begins so, but once one such block is freed it takes others of that size from its heaps, where what is freed
    stays behind whatever lies after it. A loaded model then holds twice its size, as what was only needed while loading
    is in between, and one that is unloaded leaves most of it. Mappings go back to the system when they are freed; new
    ones cost page faults, so everybody else, such as the requests' own arrays, has the heaps again when loads are over.
    """

    def __init__(self) -> None:
        self._mallopt = _find_mallopt()
        self._lock = threading.Lock()
        self._users = 0

    def __enter__(self) -> None:
        if self._mallopt is None:
            return
        with self._lock:
            self._users += 1
            if self._users == 1:
                # To set one turns the other's adjustment off, too.
                self._mallopt(_TRIM_THRESHOLD, _USUAL_TRIM)
                self._mallopt(_MMAP_THRESHOLD, _LARGE)

    def __exit__(self, *_: object) -> None:
        if self._mallopt is None:
            return
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._mallopt(_MMAP_THRESHOLD, _USUAL)


own_mappings = OwnMappings()
"""Of this process: the C library has one setting."""
