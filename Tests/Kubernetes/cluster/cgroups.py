"""The control groups below which the node keeps its pods."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cluster.commands import ClusterError
from cluster.sandbox import until

_ROOT = Path("/sys/fs/cgroup")


def make(name: str) -> None:
    """Makes a group in each hierarchy."""
    if not (_ROOT / "cpuset" / "cpuset.cpus").exists():
        raise ClusterError(f"the cluster needs control groups of version 1 below {_ROOT}, which this machine lacks")
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (group / file).exists():
                (group / file).write_text((hierarchy / file).read_text())


def remove(name: str) -> None:
    """Removes the groups with all that is below them, whose processes have ended."""

    def is_gone() -> bool:
        for hierarchy in _hierarchies():
            for folder, _, _ in os.walk(hierarchy / name, topdown=False):
                # A process that ends is counted until its parent has seen it.
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        return not any((hierarchy / name).exists() for hierarchy in _hierarchies())

    until(is_gone, f"the control groups {name} are removed", within=30)


def _hierarchies() -> list[Path]:
    return [folder for folder in _ROOT.iterdir() if folder.is_dir() and not folder.is_symlink()]
