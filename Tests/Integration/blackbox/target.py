"""One machine as a place to deploy to."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from blackbox.server import Server


@dataclass(frozen=True)
class LocalTarget:
    """A running server, as the contract sees it."""

    server: Server

    def cli(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command of `cortex` to its end."""
        return self.server.run(*arguments, cwd=cwd)

    def url(self, path: str) -> str:
        """An address on the data port."""
        return self.server.url(path)
