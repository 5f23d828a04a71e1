"""What befalls a server from inside: workers that are killed, and versions that replace each other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from pathlib import Path

from blackbox.processes import children
from blackbox.project import API, write
from blackbox.server import Server

SOURCE = (Path(__file__).parents[2] / "predictors" / "soak.py").read_text()
NAMES = ["soak-json", "soak-bytes", "soak-stream", "soak-large"]
PROCESSES = 2
"""Of each API: one of them is there while the other is started again."""


def deploy_all(server: Server, folder: Path) -> None:
    """Deploys the APIs that the traffic asks."""
    two = {"processes_per_replica": PROCESSES}
    server.deploy(write(folder / "still", {"predictor.py": SOURCE}, *(API(name, predictor=two) for name in NAMES)))
    server.deploy(write(folder / "updated", {"predictor.py": SOURCE}, API("soak-updated", predictor=two)))


def workers(server: Server) -> list[int]:
    """The processes of the server's workers."""
    found = []
    for pid in children(server.pid):
        with contextlib.suppress(OSError):
            if b"--worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                found.append(pid)
    return found


class Killer:
    """kill -9 for one worker every `interval` seconds."""

    def __init__(self, server: Server, interval: float) -> None:
        self.kills = 0
        self._server = server
        self._interval = interval
        self._seen: dict[int, float] = {}

    async def run(self) -> None:
        """Kills until it is cancelled."""
        while True:
            # One that has just been started may belong to a deploy, which would count as failed.
            known = {pid for pid in workers(self._server)}
            self._seen = {pid: self._seen.get(pid, time.monotonic()) for pid in known}
            await asyncio.sleep(self._interval)
            known = {pid for pid in workers(self._server)}
            grown = [pid for pid, seen in self._seen.items() if pid in known and time.monotonic() - seen > 5]
            if grown:
                os.kill(random.choice(grown), signal.SIGKILL)
                self.kills += 1


class Deployer:
    """A new version of one API every `interval` seconds."""

    def __init__(self, server: Server, folder: Path, interval: float) -> None:
        self.deploys = 0
        self.failures: list[str] = []
        self._server = server
        self._folder = folder
        self._interval = interval

    async def run(self) -> None:
        """Deploys until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._interval)
            source = SOURCE.replace("VERSION = 0", f"VERSION = {self.deploys + 1}")
            write(self._folder / "updated", {"predictor.py": source})
            try:
                await loop.run_in_executor(None, self._server.deploy, self._folder / "updated")
            except AssertionError as error:
                self.failures.append(str(error)[:2000])
            self.deploys += 1
