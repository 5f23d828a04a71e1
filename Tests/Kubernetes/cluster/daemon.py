"""One program of the cluster that runs until it is stopped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cluster.commands import ClusterError, search_path
from cluster.sandbox import Sandbox, until


class Daemon:
    """A program inside the sandbox, found again by name from any process of this machine."""

    def __init__(
        self, sandbox: Sandbox, name: str, command: list[str | Path], variables: Mapping[str, str] | None = None
    ) -> None:
        self.sandbox = sandbox
        self.name = name
        self.command = command
        self.variables = dict(variables or {})
        self._pid_file = sandbox.state / "run" / f"{name}.pid"
        self.log = sandbox.state / "log" / f"{name}.log"

    def start(self) -> None:
        """Starts it; whether it has come up is another question."""
        self._pid_file.unlink(missing_ok=True)
        # The number is the one inside the sandbox, where signals are sent from.
        note = 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec "$@"'
        with self.log.open("ab") as log:
            # Nobody's child, so that it is nobody's to wait for.
            subprocess.run(
                ["setsid", "--fork", *self.sandbox.entering("sh", "-c", note, self._pid_file, *self.command)],
                env={**os.environ, "PATH": search_path(), **self.variables},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )
        until(self._pid_file.exists, f"{self.name} has been started", within=30)

    def signal(self, name: str) -> bool:
        """Sends a signal (`KILL`, `STOP`, …); says whether the process was there."""
        if not self._pid_file.exists():
            return False
        send = self.sandbox.entering("sh", "-c", f"kill -{name} {self._pid_file.read_text().strip()}")
        return subprocess.run(send, capture_output=True).returncode == 0

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.signal("0")

    def kill(self) -> None:
        """kill -9, and gone when this returns."""
        if self.signal("KILL"):
            until(lambda: not self.is_running, f"{self.name} has ended", within=30)

    def require(self) -> None:
        """Fails, with the end of its log, where it has ended by itself."""
        if not self.is_running:
            told = self.log.read_text(errors="replace")[-3000:]
            raise ClusterError(f"{self.name} has ended; the end of {self.log}:\n{told}")
