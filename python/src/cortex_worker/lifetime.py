"""How the process ends: by draining, by retiring, or because the server is gone."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cortex_worker.connection import Connection
    from cortex_worker.wire import Frame


# Statuses that are hardly a user's own; `WorkerExit` has the same.
LOST_DEVICE = 241
OUT_OF_MEMORY = 242


class _Reading:
    """A slot's connection, and whether its thread is waiting for a request."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.idle = False


class Lifetime:
    """The flags that the slots look at, and the way to wake those that wait.

    Nothing here takes a lock: `drain` is also called from a signal handler.
    """

    def __init__(self) -> None:
        #: Once set, slots answer what was handed to them and end.
        self.draining = False
        #: Once set, slots end after the request that they work on.
        self.retiring = False
        #: What the process exits with, which tells the server why it retired.
        self.status = 0
        #: Requests in a row that failed because a device does not answer.
        self.device_failures = 0
        self._forked = False
        self._readings: dict[int, _Reading] = {}

    @property
    def ending(self) -> bool:
        return self.draining or self.retiring

    def drain(self) -> None:
        """Let each slot answer what it has, and end."""
        self.draining = True
        self._wake()

    def retire(self, status: int) -> None:
        """Let each slot finish the request that it works on, and end; what else was handed over is not begun."""
        self.status = status
        self.retiring = True
        self._wake()

    @contextlib.contextmanager
    def serving(self, connected: socket.socket) -> Iterator[None]:
        """Know this thread's connection while it serves."""
        key = threading.get_ident()
        self._readings[key] = _Reading(connected)
        try:
            yield
        finally:
            del self._readings[key]

    def read_when_idle(self, connection: Connection) -> Frame | None:
        """The next frame, or None at end of file or once the process ends and no frame has come."""
        reading = self._readings[threading.get_ident()]
        # First idle, then the look at the flags; `_wake` goes the other way round, so that one of the two sees it.
        reading.idle = True
        try:
            if self.ending:
                self._hang_up(reading)
            return connection.read()
        finally:
            reading.idle = False

    def exit_if_forked(self) -> None:
        """End a process that was forked off inside `predict`, and came back into the slot's loop."""
        if self._forked:
            os._exit(0)

    def after_fork(self) -> None:
        """In a forked child: let go of the connections, which are the parent's."""
        self._forked = True
        for reading in self._readings.values():
            reading.socket.close()

    def _wake(self) -> None:
        for reading in list(self._readings.values()):
            if reading.idle:
                self._hang_up(reading)

    def _hang_up(self, reading: _Reading) -> None:
        # What has arrived can still be read; then comes an end of file.
        with contextlib.suppress(OSError):
            reading.socket.shutdown(socket.SHUT_RD)
