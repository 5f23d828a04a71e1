"""Where things are kept: what is built once, and what a running cluster writes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def cache() -> Path:
    """What takes minutes to build and does not change: `CORTEX_CACHE`, by default `~/.cache/cortex-dev`."""
    return Path(os.environ.get("CORTEX_CACHE") or Path.home() / ".cache" / "cortex-dev").absolute()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes from changing what is in the folder meanwhile: the second to come finds the work done."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def built(folder: Path) -> Iterator[Path]:
    """An empty folder to build in, which becomes `folder` when all went well: one that is there is whole."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
