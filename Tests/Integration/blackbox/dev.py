"""`cortex dev` at a terminal, and the smallest of projects for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from blackbox.conditions import eventually
from blackbox.processes import children, is_alive
from blackbox.server import Cortex
from blackbox.terminal import Terminal

ONE = "class PythonPredictor:\n    def predict(self, payload):\n        return 1\n"
TWO = ONE.replace("return 1", "return 2")


@contextmanager
def dev(cortex: Cortex, project: Path, *arguments: str | Path, **settings: str) -> Iterator[Terminal]:
    """`cortex dev` in a project's folder, ended by Ctrl-C if it still runs."""
    with Terminal(cortex, "dev", *arguments, cwd=project, **settings) as terminal:
        yield terminal
        if terminal.process.poll() is None:
            end(terminal)


def end(terminal: Terminal) -> str:
    """Ends it as a person does, and makes sure that nothing is left; what it wrote."""
    left = children(terminal.process.pid)
    terminal.type("\x03")
    code, _ = terminal.finish()
    assert code == 0, terminal.plain
    assert [pid for pid in left if is_alive(pid)] == [], "a process outlives its server"
    return terminal.plain


def live(terminal: Terminal, api: str = "hello") -> str:
    """Where the API is, once that was told."""
    return terminal.expect(rf"{api}   live in [\d.]+ s    (http://localhost:\d+/\S+)")[1]


def ask(url: str) -> object:
    """The answer to an empty request."""
    answer = requests.post(url, json={}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def await_sight(terminal: Terminal, pattern: str) -> None:
    """Waits until a pattern is anywhere in what was written."""

    def is_seen() -> bool:
        terminal.poll()
        return re.search(pattern, terminal.plain) is not None

    eventually(is_seen, pattern)
