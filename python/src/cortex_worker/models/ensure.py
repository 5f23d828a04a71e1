"""Ask the server to bring a version to this machine's disk, and to keep it there while it is loaded."""

from __future__ import annotations

import itertools
import json
import threading
from typing import TYPE_CHECKING, Any

from cortex_worker import wire
from cortex_worker.errors import ModelNotFound, ModelUnavailable
from cortex_worker.models.naming import title

if TYPE_CHECKING:
    from cortex_worker.records import Records


class _Answer:
    def __init__(self) -> None:
        self.come = threading.Event()
        self.message: dict[str, Any] = {}


class Ensures:
    """The `ENSURE`s that wait for their `ENSURED`.

    There is no timeout: a download may take hours, and without the server the process ends.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Answer] = {}
        self._forked = False

    def __call__(self, name: str, version: str, generation: str) -> str:
        """The folder of the version's files, leased until `failed` or `unloaded` is told of it."""
        unavailable = f"version {version} of {title(name)} is not available at the moment"
        if self._forked:
            raise ModelUnavailable(f"{unavailable}: a process forked off the worker cannot load models")
        answer = _Answer()
        number = next(self._numbers)
        self._waiting[number] = answer
        message = {"model": name, "version": version, "generation": generation}
        self._records.tell(wire.ENSURE, message, number)
        answer.come.wait()
        error = answer.message.get("error")
        if error is None:
            path: str = answer.message["path"]
            return path
        if answer.message.get("code") == "MODEL_NOT_FOUND":
            raise ModelNotFound(f"version {version} of {title(name)} wasn't found: it has just been removed or changed")
        raise ModelUnavailable(f"{unavailable}: {error}", f"{unavailable}; try again later")

    def answered(self, number: int, body: bytes) -> None:
        """Take an `ENSURED` from the control connection."""
        answer = self._waiting.pop(number, None)
        if answer is not None:
            answer.message = json.loads(body)
            answer.come.set()

    def after_fork(self) -> None:
        """In a forked child: nobody answers here."""
        self._forked = True
