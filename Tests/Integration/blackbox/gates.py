"""Fifos that hold a predictor up until a test lets it go on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from blackbox.conditions import eventually


def open_gate(gate: Path, text: str = "", within: float = 60) -> None:
    """Lets the reader that waits at a fifo go on with `text`.

    Fails where there is none, be it that its worker has been ended meanwhile: a plain `open` would wait for ever.
    """

    def opened() -> int | None:
        try:
            return os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return None

    descriptor = eventually(opened, f"somebody reads {gate.name}", within)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
