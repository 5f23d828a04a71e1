"""What must hold after every fault, whatever it was (`I1` to `I5`; `I3` is measured in `test_growth.py`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable

import requests

from blackbox.conditions import eventually
from blackbox.http import Answer
from blackbox.server import Server


@dataclass(frozen=True)
class Outcome:
    """An answer, from whichever client."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, answer: requests.Response | Answer) -> Outcome:
        """The answer of either client; header names in lower case."""
        if isinstance(answer, Answer):
            return cls(answer.status, dict(answer.headers), answer.body)
        return cls(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


class Invariants:
    """Sends a fault and checks that it hurt nobody."""

    def __init__(self, server: Server, good: Callable[[], requests.Response]) -> None:
        self.server = server
        self.good = good

    def hold(
        self,
        status: int,
        send: Callable[[], requests.Response | Answer | None],
        api: str | None,
    ) -> Outcome:
        """Sends, and returns the answer.

        `api` names whose metric must count the request; nil where the request is none of an API's.
        """
        before = self.counted(status, api)
        answer = send()
        assert answer is not None, f"the server closed without an answer\n{self.server.tail()}"
        outcome = Outcome.of(answer)
        assert outcome.status == status, (outcome, self.server.tail())
        self.is_recorded(outcome, api, before)
        if status >= 400:
            self.is_an_error(outcome)
        self.goes_on()
        return outcome

    def goes_on(self) -> None:
        """I1 and I2."""
        assert self.server.get("/livez").status_code == 200
        assert self.good().status_code == 200

    def is_an_error(self, outcome: Outcome) -> None:
        """I4."""
        assert outcome.headers["content-type"].startswith("application/json"), outcome
        body = json.loads(outcome.body)
        assert isinstance(body["error"], str) and body["error"], body
        assert isinstance(body["code"], str) and body["code"], body
        assert body["request_id"] == outcome.headers["x-request-id"], (body, outcome.headers)

    def is_recorded(self, outcome: Outcome, api: str | None, before: float) -> None:
        """I5 for one request."""
        self.are_recorded([outcome], api, before)

    def are_recorded(self, outcomes: list[Outcome], api: str | None, before: float) -> None:
        """I5: one line of the access log for each, and each counted once; `before` is the count before the first."""

        def one_line_each() -> bool:
            for outcome in outcomes:
                lines = self.server.access_lines(outcome.headers["x-request-id"])
                assert len(lines) == 1, lines
                assert int(lines[0]["status"]) == outcome.status, lines
            return True

        eventually(one_line_each, "each request has its line in the access log")
        if api is not None and outcomes:
            status = outcomes[0].status
            eventually(
                lambda: self.counted(status, api) == before + len(outcomes),
                f"cortex_requests_total counts {len(outcomes)} x {status} of {api}",
            )

    def counted(self, status: int, api: str | None) -> float:
        """Answers of this status so far."""
        labels = {"code": str(status)}
        if api is not None:
            labels["api"] = api
        return self.server.metrics("cortex_requests_total", **labels)
