"""The control connection: configuration in, readiness and records out, cancellation and drain in."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from cortex_worker import wire
from cortex_worker.cancellation import Cancellations
from cortex_worker.connection import Connection
from cortex_worker.errors import ProtocolError
from cortex_worker.models.catalog import CatalogModel, ModelSettings
from cortex_worker.records import Records

if TYPE_CHECKING:
    from cortex_worker.models.clients import Models


@dataclass(frozen=True)
class Welcome:
    """What the server tells a worker that it accepts."""

    api: str
    project_directory: str
    predictor_path: str
    predictor_type: str
    python_path: str | None
    config: dict[str, Any]
    threads: int
    spool_directory: str
    inline_limit: int
    json_depth_limit: int
    form_part_limit: int
    #: None where the API configures no models.
    models: ModelSettings | None

    @classmethod
    def parse(cls, text: bytes) -> Welcome:
        """From the JSON of a `WELCOME`; keys that this release does not know are left alone."""
        message = json.loads(text)
        if message["protocol"] != wire.PROTOCOL_VERSION:
            raise ProtocolError(f"protocol {message['protocol']}; this worker speaks {wire.PROTOCOL_VERSION}")
        models = message.get("models")
        fields = {name: message[name] for name in cls.__dataclass_fields__ if name != "models"}
        return cls(**fields, models=None if models is None else ModelSettings.parse(models))


class Control:
    """The worker's end of the control connection."""

    def __init__(self, path: str, worker: str, token: str) -> None:
        self._connection = Connection(path)
        self._connection.hello(worker, token, "control", 0)
        frame = self._connection.read()
        if frame is None:
            raise ProtocolError("the server closed the connection: it does not know this worker")
        if frame.kind != wire.WELCOME:
            raise ProtocolError(f"frame of kind {frame.kind:#x} where a welcome is due")
        self.welcome = Welcome.parse(bytes(frame.body))
        self.cancellations = Cancellations()
        self.records = Records(self._connection.send)

    def listen(self, drain: Callable[[], None], models: Models | None) -> None:
        """Read from the server in a thread of its own, from now until the process ends."""
        threading.Thread(target=self._listen, args=(drain, models), name="control", daemon=True).start()

    def _listen(self, drain: Callable[[], None], models: Models | None) -> None:
        try:
            while (frame := self._connection.read()) is not None:
                if frame.kind == wire.CANCEL:
                    self.cancellations.add(frame.number)
                elif frame.kind == wire.DRAIN:
                    drain()
                elif models is None or not self._on_models(models, frame):
                    raise ProtocolError(f"frame of kind {frame.kind:#x}, which this worker does not know")
        except OSError:
            pass
        except (ProtocolError, ValueError, KeyError, TypeError) as error:
            # Past `sys.stderr`, which may wait for the server; this must not wait for anyone.
            with contextlib.suppress(OSError):
                os.set_blocking(2, False)
                os.write(2, f"the server is not to be understood: {error!r}\n".encode())
        # The server is gone, or is not to be understood: whatever still runs here, runs for nobody, and so does what
        # the predictor has started. (The server starts each worker in a session of its own.)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    def _on_models(self, models: Models, frame: wire.Frame) -> bool:
        """Take a frame about models. Nothing is loaded or unloaded here: a cancellation may be next."""
        if frame.kind == wire.ENSURED:
            models.ensures.answered(frame.number, bytes(frame.body))
        elif frame.kind == wire.MODELS:
            message = json.loads(bytes(frame.body))
            changed = {name: CatalogModel.parse(each) for name, each in message["changed"].items()}
            models.holder.update(changed, message["removed"])
        elif frame.kind == wire.COUNT:
            self.records.tell(wire.COUNTED, models.holder.counters(), frame.number)
        else:
            return False
        return True

    def after_fork(self) -> None:
        """In a forked child: let go of the connection, which is the parent's."""
        self._connection.close()
