"""Starts and ends the server of `oracle.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


class ServingProcess:
    """A server in a process of its own."""

    def __init__(self, models: dict[str, Any], port: int = 0, file: str | None = None) -> None:
        """`file`: has the configuration instead of `models`, as `--model_config_file` does."""
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracle.py")
        configuration = {"port": port, **({"models": models} if file is None else {"file": file})}
        self._process = subprocess.Popen(
            [sys.executable, script, json.dumps(configuration)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ports = [0, 0]
        self.first: list[list[Any]] = []
        """What it had when it was ready."""

    def ready(self) -> ServingProcess:
        """Wait until it has loaded its first configuration."""
        self._ports = json.loads(self._line())
        self.first = self.configured()
        return self

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def content_address(self) -> str:
        """Where tensors come as bytes."""
        return f"127.0.0.1:{self._ports[1]}"

    def configured(self) -> list[list[Any]]:
        """Wait for the next configuration that it took: the models and versions that it then had."""
        models: list[list[Any]] = json.loads(self._line())
        return models

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=20)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server ended"
        return line
