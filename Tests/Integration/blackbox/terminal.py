"""A command at a terminal: a pseudo-terminal of 80 columns, and what is on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType

from blackbox.conditions import is_readable
from blackbox.server import Cortex


class Terminal:
    """One command with a terminal for its input, output and errors."""

    rows = 24
    """Of the window, which has 80 columns."""

    def __init__(self, cortex: Cortex, *arguments: str | Path, cwd: Path | None = None, **settings: str) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, 80, 0, 0))
        self.text = ""
        self._expected = 0
        environment = {key: value for key, value in cortex.environment.items() if key != "NO_COLOR"}
        self.process = subprocess.Popen(
            [cortex.binary, *map(str, arguments)],
            cwd=cwd or cortex.home.parent,
            env={**environment, "TERM": "xterm-256color", **settings},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._own)

    def type(self, text: str) -> None:
        """Presses keys; `\\x03` is Ctrl-C."""
        os.write(self._own, text.encode())

    def read_until(self, wanted: str, within: float = 60) -> str:
        """Everything so far, once `wanted` is in it."""
        start, end = len(self.text), time.monotonic() + within
        while wanted not in self.text[start:]:
            left = end - time.monotonic()
            assert left > 0 and self._read(left), f"{wanted!r} is not in {self.text!r}"
        return self.text

    def expect(self, pattern: str, within: float = 60) -> re.Match[str]:
        """The next match of a pattern, in what comes after the one before; colours are left out."""
        end = time.monotonic() + within
        while not (match := re.compile(pattern).search(self.plain, self._expected)):
            left = end - time.monotonic()
            assert left > 0 and self._read(left), f"{pattern!r} is not in {self.plain[self._expected :]!r}"
        self._expected = match.end()
        return match

    def poll(self) -> None:
        """Takes what has been written meanwhile."""
        self._read(0)

    @property
    def plain(self) -> str:
        """Everything so far, as it can be read: no colours, and nothing of lines that were drawn over."""
        text = re.sub(r"[^\n]*\r\x1b\[K", "", self.text)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    def finish(self, within: float = 60) -> tuple[int, str]:
        """The exit code and everything that was written."""
        end = time.monotonic() + within
        while self._read(max(0.0, end - time.monotonic())):
            pass
        return self.process.wait(max(0.1, end - time.monotonic())), self.text

    def _read(self, within: float) -> bool:
        """Takes what comes next; false at the end, or when time is up."""
        if not is_readable(self._own, within):
            return False
        try:
            piece = os.read(self._own, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            return False
        self.text += piece.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(piece)
