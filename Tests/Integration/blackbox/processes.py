"""Processes from outside, by way of /proc."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

MEASURABLE = Path("/proc/self/status").exists()


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return not MEASURABLE
    return state not in "ZX"


def children(pid: int) -> list[int]:
    """The living children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


@dataclass(frozen=True)
class Footprint:
    """What a process holds of its machine."""

    descriptors: int
    resident: int
    """Bytes."""

    @classmethod
    def of(cls, pid: int) -> Footprint:
        """The footprint of a living process."""
        status = Path(f"/proc/{pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match, status
        return cls(descriptors=len(os.listdir(f"/proc/{pid}/fd")), resident=int(match[1]) * 1024)


def processor_seconds(pid: int) -> float:
    """What a process has used of the processors, with the children that it has seen end; 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
