"""The hot loop: one thread, one connection, one request after the other."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from time import monotonic_ns, perf_counter_ns
from typing import TYPE_CHECKING, Any

from cortex_worker import device, loop, responses, wire
from cortex_worker.arguments import ArgumentBuilder, parse_meta, select
from cortex_worker.background import run_background
from cortex_worker.connection import Connection
from cortex_worker.errors import ConnectionLost, ProtocolError
from cortex_worker.exchange import AnswerSettings, Exchange
from cortex_worker.lifetime import LOST_DEVICE, OUT_OF_MEMORY
from cortex_worker.result import encode

if TYPE_CHECKING:
    from cortex_worker.cancellation import Cancellations
    from cortex_worker.contract import Contract
    from cortex_worker.lifetime import Lifetime
    from cortex_worker.models.holder import ModelHolder
    from cortex_worker.models.pins import Pins
    from cortex_worker.output import Output
    from cortex_worker.payload import PayloadReader
    from cortex_worker.records import Records

# Results of exactly these types need no look at what else they could be.
_PLAIN = frozenset({dict, list, str, bytes, int, float, bool, type(None), tuple})
_LONGEST_PAUSE = 1.0
_PART_SIZE = wire.REQUEST_PART.size
_unpack_part = wire.REQUEST_PART.unpack_from
_NO_META: dict[str, Any] = {}


@dataclass(frozen=True)
class SlotEnvironment:
    """What the slots of a process share."""

    predictor: Any
    contract: Contract
    payloads: PayloadReader
    answers: AnswerSettings
    cancellations: Cancellations
    records: Records
    output: Output
    lifetime: Lifetime
    #: None where the API configures no models.
    holder: ModelHolder | None


class Slot:
    """Answers requests until the process drains."""

    def __init__(self, environment: SlotEnvironment) -> None:
        contract = environment.contract
        self._environment = environment
        self._cancellations = environment.cancellations
        self._cancelled = environment.cancellations.numbers
        self._payloads = environment.payloads
        self._end_lines = environment.output.end_lines
        self._current = environment.output.current
        self._set_current = self._current.set
        self._predict = environment.predictor.predict
        self._predict_names = contract.predict
        self._post_predict = environment.predictor.post_predict if contract.post_predict is not None else None
        self._post_names = contract.post_predict or ()
        self._arguments = ArgumentBuilder(contract, environment.cancellations)
        self._selects = set(self._post_names) - set(contract.predict) - {"response"} != set()
        self._served = False
        self._holder = environment.holder
        self._pins: Pins | None = None

    def serve(self, path: str, worker: str, token: str, index: int) -> None:
        """Serve over one connection after the other: one that the server closes is opened again."""
        lifetime = self._environment.lifetime
        if self._holder is not None:
            self._pins = self._holder.attach()
        pause = 0.0
        while not lifetime.ending:
            # A connection that was closed without a request is not opened again in a hot loop.
            time.sleep(pause)
            pause = 0.0 if self._served else min(max(0.02, pause * 2), _LONGEST_PAUSE)
            self._served = False
            try:
                connection = Connection(path)
            except OSError:
                continue
            try:
                connection.hello(worker, token, "slot", index)
                with lifetime.serving(connection.socket):
                    self._serve(connection)
            except (OSError, ConnectionLost):
                lifetime.exit_if_forked()
            except ProtocolError as error:
                self._environment.records.log("error", f"slot {index} is closed: {error}")
            finally:
                connection.close()

    def _serve(self, connection: Connection) -> None:
        lifetime = self._environment.lifetime
        while not lifetime.retiring:
            frame = connection.take()
            if frame is None:
                frame = connection.read() if connection.buffered() else lifetime.read_when_idle(connection)
                if frame is None:
                    return
            if frame.kind != wire.REQUEST:
                raise ProtocolError(f"frame of kind {frame.kind:#x} where a request is due")
            self._served = True
            self._handle(connection, frame)

    def _handle(self, connection: Connection, frame: wire.Frame) -> None:
        _, flags, code, number, body, payload = frame
        length = len(body)
        if length < _PART_SIZE:
            raise ProtocolError(f"request of {length} bytes")
        deadline, _, hops, id_length, meta_length = _unpack_part(body)
        meta_start = _PART_SIZE + id_length
        body_start = meta_start + meta_length
        if body_start > length:
            raise ProtocolError(f"request of {length} bytes with lengths for {body_start}")
        content = body[body_start:] if payload is None else payload
        skipped = 0
        if deadline and monotonic_ns() >= deadline:
            skipped = wire.SKIPPED_DEADLINE
        elif number in self._cancelled:
            skipped = wire.SKIPPED_CANCELLED
        if skipped:
            if flags & wire.BODY_IS_PATH:
                os.unlink(bytes(content))
            connection.send(wire.frame(wire.SKIPPED, number, code=skipped))
            self._cancellations.discard(number)
            return
        environment = self._environment
        request_id = str(body[_PART_SIZE:meta_start], "ascii")
        exchange = Exchange(connection, environment, number, request_id, self._post_predict is not None, self._pins)
        self._set_current((request_id, deadline, hops, ()))
        if hops:
            self._current.begin_chained(hops)
        try:
            meta = body[meta_start:body_start] if meta_length else None
            self._answer(exchange, flags, code, meta, content, deadline)
        finally:
            if self._holder is not None and self._pins is not None and self._pins.entries:
                self._holder.release(self._pins)
            self._end_lines()
            self._set_current(None)
            if hops:
                self._current.end_chained()
            if number in self._cancelled:
                self._cancellations.discard(number)
            lifetime = environment.lifetime
            if exchange.failed:
                if exchange.out_of_memory:
                    lifetime.retire(OUT_OF_MEMORY)
                elif exchange.lost_device:
                    self._count_lost_device(lifetime)
            elif lifetime.device_failures:
                lifetime.device_failures = 0

    def _count_lost_device(self, lifetime: Lifetime) -> None:
        lifetime.device_failures += 1
        if lifetime.device_failures == device.LIMIT:
            text = f"{device.LIMIT} requests in a row failed because a device does not answer: the process is replaced"
            self._environment.records.log("error", text)
            lifetime.retire(LOST_DEVICE)

    def _answer(
        self,
        exchange: Exchange,
        flags: int,
        code: int,
        meta_text: memoryview | None,
        body: memoryview | bytes,
        deadline: int,
    ) -> None:
        background = None
        try:
            meta = _NO_META if meta_text is None else parse_meta(meta_text)
            if "trace" in meta:
                self._current.begin_traced(meta["trace"])
            content_type = meta.get("content_type", "")
            if flags & wire.BODY_IS_PATH:
                payload = self._read_file(code, bytes(body), content_type)
            else:
                payload = self._payloads.read(code, body, content_type)
            builder = self._arguments
            if builder.payload_only:
                arguments = {"payload": payload}
            else:
                arguments = builder.build(payload, meta, exchange.request_id, deadline, exchange.number)
            given = select(arguments, self._predict_names) if self._selects else arguments
            exchange.started = perf_counter_ns()
            result = self._predict(**given)
            is_plain = type(result) in _PLAIN
            if not is_plain and hasattr(result, "__await__"):
                result = loop.run(result)
            exchange.taken = perf_counter_ns() - exchange.started
            if not is_plain and responses.is_response(result):
                background = responses.deliver(exchange, result)
            else:
                content, encoded = encode(result)
                exchange.answer(200, encoded, content)
        except ConnectionLost:
            raise
        except BaseException as error:  # The predictor's boundary: whatever it raises is an answer.
            exchange.fail(error)
            return
        if exchange.more:
            self._run_rest(exchange, arguments, result, background)

    def _read_file(self, kind: int, path: bytes, content_type: str) -> Any:
        with open(path, "rb") as file:
            os.unlink(path)
            return self._payloads.read_file(kind, file, content_type)

    def _run_rest(self, exchange: Exchange, arguments: dict[str, Any], result: Any, background: Any) -> None:
        """What follows the answer; nobody but the log hears of what it raises."""
        self._current.answered()
        try:
            if background is not None and not exchange.failed:
                run_background(background)
        except BaseException as error:
            exchange.log_error(error)
        try:
            if self._post_predict is not None:
                after = self._post_predict(**select({**arguments, "response": result}, self._post_names))
                if hasattr(after, "__await__"):
                    loop.run(after)
        except BaseException as error:
            exchange.log_error(error)
        exchange.send(wire.frame(wire.IDLE, exchange.number))
