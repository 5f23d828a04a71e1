"""A blocking Unix socket that frames are read from."""

from __future__ import annotations

import contextlib
import socket
from collections import deque

from cortex_worker.errors import ProtocolError
from cortex_worker.wire import (
    FRAME_HEAD,
    HELLO,
    MAXIMUM_LENGTH,
    PROTOCOL_VERSION,
    REQUEST,
    REQUEST_PART,
    TAKEN,
    Frame,
    json_frame,
)

_USUAL_SIZE = 64 << 10
# Asked of the system, which gives what it allows: an answer that fits in wakes the server less often.
_SEND_BUFFER = 1 << 20
_unpack_head = FRAME_HEAD.unpack_from
_new = tuple.__new__
_PARTS_SIZE = FRAME_HEAD.size + REQUEST_PART.size


class Connection:
    """One connection to the server. Reads are one thread's; writes are one thread's, which may be another."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            self.socket.connect(path)
        except BaseException:
            self.socket.close()
            raise
        self.send = self.socket.sendall
        self._buffer = bytearray(_USUAL_SIZE)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        # Bytes before the body of the last request, if that was a large one.
        self._before_body = 0
        self._waiting: deque[Frame] = deque()

    def hello(self, worker: str, token: str, role: str, slot: int) -> None:
        """Introduce the connection: the first frame on it."""
        message = {
            "protocol": PROTOCOL_VERSION,
            "worker": worker,
            "token": token,
            "role": role,
            "slot": slot,
            "capabilities": [],
        }
        self.send(json_frame(HELLO, message))

    def send_parts(self, head: bytes, body: bytes) -> None:
        """Send a frame whose body is too large to be copied behind its head."""
        sent = self.socket.sendmsg([head, body])
        if sent < len(head):
            self.send(head[sent:])
            sent = len(head)
        if sent < len(head) + len(body):
            self.send(memoryview(body)[sent - len(head) :])

    def buffered(self) -> bool:
        """Whether bytes of a frame are here already, so that the next read may not block."""
        return self._end > self._start or bool(self._waiting)

    def take(self) -> Frame | None:
        """The next frame, if all of it is here already; `read` has those that this leaves."""
        body = self._start + 16
        if body > self._end or self._waiting:
            return None
        length, kind, flags, code, number = _unpack_head(self._buffer, self._start)
        end = body + length
        if end > self._end or length > _USUAL_SIZE:
            return None
        self._start = end
        self._before_body = 0
        # As `Frame(…)` does it, without a call of Python's.
        return _new(Frame, (kind, flags, code, number, self._view[body:end], None))

    def read(self) -> Frame | None:
        """The next frame, or None at end of file. Its body is valid until the next call."""
        if self._waiting:
            return self._waiting.popleft()
        return self._receive()

    def wait_taken(self, number: int) -> bool:
        """Wait until the server has opened the file of the answer `number`; False at end of file.

        Requests that were handed over meanwhile are kept for `read`.
        """
        while True:
            frame = self._receive()
            if frame is None:
                return False
            if frame.kind == TAKEN and frame.number == number:
                return True
            if frame.kind != REQUEST:
                raise ProtocolError(f"frame of kind {frame.kind:#x} while the answer {number} was to be taken")
            self._waiting.append(frame._replace(body=memoryview(bytes(frame.body))))

    def _receive(self) -> Frame | None:
        start = self._start
        while self._end - start < 16:
            if not self._fill(16):
                return None
            start = self._start
        length, kind, flags, code, number = FRAME_HEAD.unpack_from(self._buffer, start)
        if length > MAXIMUM_LENGTH:
            raise ProtocolError(f"frame of {length} bytes; at most {MAXIMUM_LENGTH} are allowed")
        size = 16 + length
        if kind == REQUEST and length > _USUAL_SIZE:
            if self._receive_parts(size):
                start, body_start = self._start, self._start + self._before_body
                parts = self._view[start + 16 : body_start]
                payload = self._receive_body(body_start, start + size)
                return None if payload is None else Frame(kind, flags, code, number, parts, payload)
            start = self._start
        else:
            self._before_body = 0
        while self._end - start < size:
            if not self._fill(size):
                return None
            start = self._start
        self._start = start + size
        return Frame(kind, flags, code, number, self._view[start + 16 : start + size])

    def _receive_parts(self, size: int) -> bool:
        """Receive what comes before the body of a request that is a frame of `size`.

        False where the rest is not to be received apart: it is here, it is not as it should be, or the file has ended.
        """
        before = _PARTS_SIZE
        while self._end - self._start < before:
            if not self._fill(before):
                return False
        _, _, _, id_length, meta_length = REQUEST_PART.unpack_from(self._buffer, self._start + FRAME_HEAD.size)
        before += id_length + meta_length
        if before > size:
            return False
        while self._end - self._start < before:
            if not self._fill(before):
                return False
        self._before_body = before
        return self._end - self._start < size

    def _receive_body(self, start: int, end: int) -> bytes | None:
        """The body that would lie at `start` to `end` of the buffer, in memory of its own; None at end of file.

        It is received right where `predict` gets it: nothing of it is copied, but for what has come already.
        """
        pieces = [bytes(self._view[start : self._end])] if self._end > start else []
        missing = end - self._end
        self._start = self._end
        while missing > 0:
            piece = self.socket.recv(missing, socket.MSG_WAITALL)
            if not piece:
                return None
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _fill(self, size: int) -> bool:
        """Receive some bytes, with room made for a frame of `size`; False at end of file."""
        start, end = self._start, self._end
        count = 0
        if start == end:
            start = end = 0
            if len(self._buffer) > _USUAL_SIZE and size <= _USUAL_SIZE:
                self._replace(_USUAL_SIZE, b"")
            # After a large request comes another: nothing of its body is received here.
            count = min(self._before_body, _USUAL_SIZE)
        elif start + size > len(self._buffer):
            rest = bytes(self._view[start:end])
            start, end = 0, len(rest)
            self._replace(max(size, _USUAL_SIZE), rest)
        self._start, self._end = start, end
        count = self.socket.recv_into(self._view[end:], count)
        self._end = end + count
        return count > 0

    def _replace(self, size: int, contents: bytes) -> None:
        # Never resized in place: views of the old buffer may still be held.
        self._buffer = bytearray(size)
        self._view = memoryview(self._buffer)
        self._view[: len(contents)] = contents

    def close(self) -> None:
        """Close the connection. Requests that were not begun are thrown away: the server gives them to another slot."""
        # A Unix socket that is closed with unread bytes resets its peer, which then might miss the last answer.
        with contextlib.suppress(OSError):
            while self.socket.recv(_USUAL_SIZE, socket.MSG_DONTWAIT):
                pass
        self.socket.close()
