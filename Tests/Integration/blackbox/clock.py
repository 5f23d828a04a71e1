"""A wall clock that a test sets, for the processes that it starts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
"""Makes what stands between a process and its clock; Swift brings one."""


class Clock:
    """The wall clock of processes that have its `environment`; their monotonic clock goes on as ever."""

    def __init__(self, folder: Path) -> None:
        assert COMPILER is not None
        library, self._shift = folder / "clock.so", folder / "clock"
        source = Path(__file__).with_suffix(".c")
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, source], check=True, timeout=120)
        self._shift.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(self._shift)}

    def set(self, seconds: int) -> None:
        """Makes it differ from the machine's by so much, for processes that run as well."""
        with self._shift.open("r+b", buffering=0) as shift:
            shift.write(seconds.to_bytes(8, "little", signed=True))
