"""What the worker tells the server over the control connection, without ever waiting for it."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Callable

from cortex_worker.missing import missing_module
from cortex_worker.text import encode_text
from cortex_worker.wire import LOG, LOG_LEVELS, LOG_PART, LOG_STREAMS, MISSING, frame, json_frame

_MOST_RECORDS = 10_000
_MOST_BYTES = 8 << 20
_GATHERED_BYTES = 64 << 10
_MESSAGE_LIMIT = 128 << 10


class Records:
    """A bounded queue of control frames and the thread that sends them.

    While the server does not read, log records are dropped, counted, and the count is told once there is room.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._changed = threading.Condition()
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._sending = False
        self._broken = False
        self._missed: set[str] = set()
        threading.Thread(target=self._run, name="control-sender", daemon=True).start()

    def log(self, level: str, message: str, request_id: str | None = None, stream: str = "worker") -> None:
        """Queue a log record; it is dropped if too many wait already."""
        if len(message) > _MESSAGE_LIMIT:
            half = _MESSAGE_LIMIT // 2
            message = message[:half] + "\n… (cut) …\n" + message[-half:]
        self._put(_log_frame(level, message, request_id, stream), bounded=True)

    def line(self, stream: str, text: str, request_id: str | None) -> None:
        """Queue a line that the user printed."""
        self._put(_log_frame("info", text, request_id, stream), bounded=True)

    def tell(self, kind: int, value: Any, number: int = 0) -> None:
        """Queue a message that must not be dropped."""
        self._put(json_frame(kind, value, number), bounded=False)

    def offer(self, kind: int, value: Any) -> bool:
        """Queue a message, or say that too much waits already."""
        return self._put(json_frame(kind, value), bounded=True, counted=False)

    def missed(self, error: BaseException, stage: str) -> None:
        """Tell which module `error` says is not there; nothing where it is about something else."""
        module = missing_module(error)
        if module is not None:
            self.tell_missing(module, stage)

    def tell_missing(self, module: str, stage: str) -> None:
        """Tell, once, of a module that is not there."""
        if module not in self._missed:
            self._missed.add(module)
            self.tell(MISSING, {"module": module, "stage": stage})

    def flush(self, timeout: float) -> None:
        """Wait until everything is sent, or `timeout` seconds have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._broken or not (self._frames or self._sending), timeout)

    def _put(self, data: bytes, bounded: bool, counted: bool = True) -> bool:
        with self._changed:
            if bounded and (len(self._frames) >= _MOST_RECORDS or self._bytes + len(data) > _MOST_BYTES):
                if counted:
                    self._dropped += 1
                return False
            self._frames.append(data)
            self._bytes += len(data)
            if not self._sending:
                self._changed.notify_all()
            return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._sending = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._frames))
                batch = self._take()
                self._sending = True
            try:
                self._send(batch)
            except OSError:
                # The reader of the connection sees this too, and ends the process.
                with self._changed:
                    self._broken = True
                    self._changed.notify_all()
                return

    def _take(self) -> bytes:
        batch: list[bytes] = []
        size = 0
        while self._frames and size < _GATHERED_BYTES:
            data = self._frames.popleft()
            batch.append(data)
            size += len(data)
        self._bytes -= size
        if self._dropped:
            batch.append(_log_frame("warning", f"{self._dropped} log records were dropped: nobody read them", None))
            self._dropped = 0
        return b"".join(batch)


def _log_frame(level: str, message: str, request_id: str | None, stream: str = "worker") -> bytes:
    name = (request_id or "").encode()
    return frame(LOG, 0, LOG_PART.pack(len(name)) + name + encode_text(message), LOG_LEVELS[level], LOG_STREAMS[stream])
