"""Valid requests at a steady rate, each answer checked to be the answer to its request."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from dataclasses import dataclass, field
from typing import Callable

from blackbox.soak.client import Answer, BrokenAnswer, Connection, request

JSON = "application/json"
LARGE = 3 << 20
"""Bytes: more than the server holds in memory."""


@dataclass
class Tally:
    """What became of the valid requests."""

    right: int = 0
    crashed: int = 0
    """Ran in a worker that was killed: 502 `WORKER_CRASHED`, or a stream that broke off."""
    wrong: int = 0
    """Answers to another request than the one that was sent."""
    failures: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    """Of each right answer, from its request on."""

    @property
    def failed(self) -> int:
        """Requests without their answer, those of killed workers apart."""
        return self.wrong + sum(self.failures.values())

    @property
    def success(self) -> float:
        """The share of right answers, those of killed workers apart."""
        return self.right / max(1, self.right + self.failed)

    def fail(self, reason: str) -> None:
        """Counts a failure by its reason."""
        self.failures[reason] = self.failures.get(reason, 0) + 1

    def quantile(self, share: float) -> float:
        """Seconds within which that share of the right answers came."""
        times = sorted(self.seconds)
        return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


@dataclass(frozen=True)
class Kind:
    """One kind of request, and how its answer is known."""

    name: str
    weight: int
    make: Callable[[str], bytes]
    is_right: Callable[[str, Answer], bool]


def _json(nonce: str) -> bytes:
    return json.dumps({"nonce": nonce}).encode()


def _is_json(nonce: str, answer: Answer) -> bool:
    return json.loads(answer.body)["nonce"] == nonce  # type: ignore[no-any-return]


def _stream(nonce: str) -> bytes:
    return request("/soak-stream?answer=stream", json.dumps({"nonce": nonce, "pieces": 20}).encode(), JSON)


def _is_stream(nonce: str, answer: Answer) -> bool:
    return answer.body == "".join(f"{nonce}:{number};" for number in range(20)).encode()


def _bytes(nonce: str, size: int) -> bytes:
    return nonce.encode() + bytes(size)


def _is_bytes(nonce: str, answer: Answer, size: int) -> bool:
    return len(answer.body) == len(nonce) + size and answer.body.startswith(nonce.encode())


KINDS = [
    Kind("json", 60, lambda nonce: request("/soak-json", _json(nonce), JSON), _is_json),
    Kind("updated", 15, lambda nonce: request("/soak-updated", _json(nonce), JSON), _is_json),
    Kind(
        "bytes",
        15,
        lambda nonce: request("/soak-bytes", _bytes(nonce, 10_000), "application/octet-stream"),
        lambda nonce, answer: _is_bytes(nonce, answer, 10_000),
    ),
    Kind("stream", 9, _stream, _is_stream),
    Kind(
        "large",
        1,
        lambda nonce: request("/soak-large", _bytes(nonce, LARGE), "application/octet-stream"),
        lambda nonce, answer: _is_bytes(nonce, answer, LARGE),
    ),
]


class Traffic:
    """Clients that together send `rate` requests a second until they are stopped."""

    def __init__(self, port: int, rate: float, clients: int = 48) -> None:
        self.port = port
        self.tallies = {kind.name: Tally() for kind in KINDS}
        self._interval = clients / rate
        self._clients = clients
        self._numbers = itertools.count()
        self._is_stopped = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to send."""
        self._tasks = [asyncio.create_task(self._client(index)) for index in range(self._clients)]

    async def stop(self) -> None:
        """Waits for what is in flight."""
        self._is_stopped = True
        await asyncio.gather(*self._tasks)

    async def _client(self, index: int) -> None:
        connection = Connection(self.port)
        choices = random.Random(index)
        due = time.monotonic() + self._interval * index / self._clients
        while not self._is_stopped:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            # Late ones are made up for, so that a pause of the server costs its success and not our rate.
            due = max(due + self._interval, time.monotonic() - 1)
            (kind,) = choices.choices(KINDS, [kind.weight for kind in KINDS])
            await self._ask(connection, kind, self.tallies[kind.name])
        connection.close()

    async def _ask(self, connection: Connection, kind: Kind, tally: Tally) -> None:
        nonce = f"{next(self._numbers):016}"
        begun = time.monotonic()
        try:
            answer = await asyncio.wait_for(connection.ask(kind.make(nonce)), 60)
        except BrokenAnswer as error:
            if kind.name == "stream":
                tally.crashed += 1
            else:
                tally.fail(str(error))
            return
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            tally.fail(type(error).__name__)
            return
        if answer.status == 200 and kind.is_right(nonce, answer):
            tally.right += 1
            tally.seconds.append(time.monotonic() - begun)
        elif answer.status == 200:
            tally.wrong += 1
        else:
            code = str(json.loads(answer.body).get("code"))
            if code == "WORKER_CRASHED":
                tally.crashed += 1
            else:
                tally.fail(f"{answer.status} {code}")
