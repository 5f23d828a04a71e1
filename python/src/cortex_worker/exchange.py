"""One request on a slot, and the ways to answer it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import perf_counter_ns
from typing import TYPE_CHECKING

from cortex_worker import wire
from cortex_worker.device import is_lost
from cortex_worker.errors import ConnectionLost, UnusableResult
from cortex_worker.failure import failure_of, user_traceback

if TYPE_CHECKING:
    from cortex_worker.cancellation import Cancellations
    from cortex_worker.connection import Connection
    from cortex_worker.models.pins import Pins
    from cortex_worker.slot import SlotEnvironment

# A larger chunk of a stream goes in several frames.
_CHUNK_SIZE = 1 << 20
# A body beyond it is sent as it is, a smaller one copied behind the head of its frame.
_COPIED_SIZE = 64 << 10
_VERSION_HEADER = b"x-cortex-model-version"


@dataclass(frozen=True)
class AnswerSettings:
    """Where answers over `inline_limit` bytes go."""

    spool_directory: str
    inline_limit: int


class Exchange:
    """The answer of one request, from the first byte to the last. All of it happens on the slot's thread.

    One is made for each request: what most leave as it was at first is the class's.
    """

    #: Whether the first frame of the answer has gone.
    answered = False
    #: Whether an exception was the answer, or broke it off.
    failed = False
    out_of_memory = False
    lost_device = False
    #: When `predict` was called, and how long it took, in nanoseconds.
    started = 0
    taken = 0
    _stream: tuple[int, list[tuple[bytes, bytes]]] | None = None

    def __init__(
        self,
        connection: Connection,
        environment: SlotEnvironment,
        number: int,
        request_id: str,
        more: bool,
        pins: Pins | None,
    ) -> None:
        self._connection = connection
        self._environment = environment
        self._pins = pins
        self.number = number
        self.request_id = request_id
        #: Whether work follows the answer; decided before the answer's last frame.
        self.more = more

    @property
    def cancellations(self) -> Cancellations:
        return self._environment.cancellations

    @property
    def cancelled(self) -> bool:
        return self.number in self.cancellations

    def send(self, data: bytes) -> None:
        """Write to the slot. Raises `ConnectionLost`, never what looks like an error of the predictor's."""
        try:
            self._connection.send(data)
        except OSError as error:
            raise ConnectionLost(str(error)) from None

    def answer(
        self, status: int, body: bytes, content: int = 0, headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Send a whole answer; a large one by a spool file, and then wait until the server has opened it."""
        if self._pins is not None:
            headers = self._with_version(headers)
        if len(body) > self._environment.answers.inline_limit:
            path = self._spool(body)
            self._answer_by_file(status, path, content, wire.FORM_SPOOL, headers)
            return
        flags = wire.MORE_FOLLOWS if self.more else 0
        self.answered = True
        if len(body) > _COPIED_SIZE:
            self._answer_in_parts(status, body, content, headers, flags)
            return
        self.send(
            wire.answer(wire.ANSWER, self.number, status, self.taken, body, content, wire.FORM_INLINE, headers, flags)
        )

    def _answer_in_parts(
        self, status: int, body: bytes, content: int, headers: list[tuple[bytes, bytes]] | None, flags: int
    ) -> None:
        head = wire.answer(
            wire.ANSWER, self.number, status, self.taken, b"", content, wire.FORM_INLINE, headers, flags, len(body)
        )
        try:
            self._connection.send_parts(head, body)
        except OSError as error:
            raise ConnectionLost(str(error)) from None

    def answer_with_file(self, status: int, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Have the server send a file of the user's, which stays where it is."""
        if self._pins is not None:
            headers = self._with_version(headers) or []
        self._answer_by_file(status, path, wire.CONTENT_GIVEN, wire.FORM_FILE, headers)

    def open_stream(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begin a streamed answer. Its head goes with the first chunk, so that an error before it has a status."""
        self._stream = (status, headers)

    def chunk(self, data: bytes) -> None:
        """Send a part of the stream; an empty one only sends the head."""
        head = b""
        if not self.answered:
            assert self._stream is not None
            status, headers = self._stream
            if self._pins is not None:
                headers = self._with_version(headers) or []
            head = wire.answer(wire.HEAD, self.number, status, perf_counter_ns() - self.started, b"", headers=headers)
            self.answered = True
        if len(data) <= _CHUNK_SIZE:
            self.send(head + (wire.frame(wire.CHUNK, self.number, data) if data else b""))
            return
        for start in range(0, len(data), _CHUNK_SIZE):
            self.send(head + wire.frame(wire.CHUNK, self.number, data[start : start + _CHUNK_SIZE]))
            head = b""

    def end_stream(self, broken: bool) -> None:
        """End the stream, with its head first where there was no chunk."""
        if not self.answered:
            self.chunk(b"")
        flags = wire.MORE_FOLLOWS if self.more else 0
        self.send(wire.end(self.number, perf_counter_ns() - self.started, broken, flags))

    def fail(self, error: BaseException) -> None:
        """Answer with an error, or break the stream off if it has begun; the log gets the traceback."""
        failure = failure_of(error)
        self._environment.records.missed(error, "request")
        if failure.logged is not None:
            self._environment.records.log("error", failure.logged, self.request_id)
        self.failed = True
        self.out_of_memory = failure.out_of_memory
        self.lost_device = failure.logged is not None and is_lost(error)
        if self.answered:
            self.end_stream(broken=True)
            return
        self.answered = True
        self.more = False
        elapsed = self.taken or (perf_counter_ns() - self.started if self.started else 0)
        flags = wire.WORKER_ENDS if failure.out_of_memory else 0
        self.send(wire.failure(self.number, failure.status, elapsed, failure.report, flags))

    def log_error(self, error: BaseException) -> None:
        """Log what was raised after the answer had gone."""
        self._environment.records.log("error", user_traceback(error), self.request_id)
        self._environment.records.missed(error, "request")

    def _answer_by_file(
        self, status: int, path: str, content: int, form: int, headers: list[tuple[bytes, bytes]] | None
    ) -> None:
        flags = wire.MORE_FOLLOWS if self.more else 0
        self.answered = True
        name = os.fsencode(path)
        self.send(wire.answer(wire.ANSWER, self.number, status, self.taken, name, content, form, headers, flags))
        try:
            self._connection.wait_taken(self.number)
        except OSError as error:
            raise ConnectionLost(str(error)) from None

    def _with_version(self, headers: list[tuple[bytes, bytes]] | None) -> list[tuple[bytes, bytes]] | None:
        """The headers, and which version of the model answered, where it was one model and the predictor is silent."""
        version = None if self._pins is None else self._pins.version()
        if version is None:
            return headers
        if headers is None:
            return [(_VERSION_HEADER, version.encode())]
        if any(name.lower() == _VERSION_HEADER for name, _ in headers):
            return headers
        return [*headers, (_VERSION_HEADER, version.encode())]

    def _spool(self, body: bytes) -> str:
        path = os.path.join(self._environment.answers.spool_directory, f"answer-{os.urandom(16).hex()}")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with open(descriptor, "wb", buffering=0) as file:
                    view = memoryview(body)
                    while view:
                        view = view[file.write(view) :]
            except BaseException:
                os.unlink(path)
                raise
        except OSError as error:
            raise UnusableResult(
                f"an answer of {len(body)} bytes could not be written to the spool folder: {error.strerror}"
            ) from None
        return path
