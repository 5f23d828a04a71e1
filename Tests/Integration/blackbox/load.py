"""A steady load on an API, every answer of which is kept."""

from __future__ import annotations

import json
import threading
from typing import Any

import requests

from blackbox.conditions import eventually


class Load:
    """Clients that ask again and again until the block ends: a context manager."""

    def __init__(self, url: str, clients: int = 2, pause: float = 0.005, timeout: float = 60, **options: Any) -> None:
        """`pause` is a client's between two requests: steady, and not all that the machine can do. Both are seconds."""
        self.url = url
        self.options = options
        self.pause = pause
        self.timeout = timeout
        self.answers: list[tuple[int, str, str]] = []
        """Status, body and `X-Cortex-Model-Version`, in the order of arrival."""
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        eventually(lambda: self.answers, "the load has begun", self.timeout)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._stopped.is_set():
                try:
                    answer = session.post(self.url, timeout=self.timeout, **self.options)
                    version = answer.headers.get("X-Cortex-Model-Version", "")
                    self.answers.append((answer.status_code, answer.text, version))
                except requests.RequestException as error:
                    self.answers.append((0, repr(error), ""))
                self._stopped.wait(self.pause)

    def failures(self) -> list[tuple[int, str, str]]:
        """Answers that are none."""
        return [answer for answer in self.answers if answer[0] != 200]

    def await_other(self, known: set[int], within: float = 60) -> int:
        """Waits until a process other than these has answered; for predictors that tell of `pid`."""
        start = len(self.answers)

        def seen() -> set[int]:
            return {json.loads(body)["pid"] for code, body, _ in self.answers[start:] if code == 200} - known

        return eventually(seen, "another process answers", within).pop()

    def await_body(self, body: str, within: float = 60) -> None:
        """Waits until an answer that came after this call is `body`."""
        start = len(self.answers)
        eventually(
            lambda: any(answer[1] == body for answer in self.answers[start:]),
            f"an answer is {body!r}; the last ones are {self.answers[-3:]}",
            within,
        )
