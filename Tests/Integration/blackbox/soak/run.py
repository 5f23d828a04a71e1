"""The soak as a whole."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Callable

from blackbox.server import Server
from blackbox.soak import report as reports
from blackbox.soak.accidents import NAMES, PROCESSES, Deployer, Killer, deploy_all
from blackbox.soak.hostile import Hostiles
from blackbox.soak.report import Report
from blackbox.soak.traffic import Traffic
from blackbox.soak.watch import Clock, Sample, Watch

SETTINGS = {"CORTEX_HEADER_TIMEOUT": "3s", "CORTEX_BODY_TIMEOUT": "3s"}
"""Little patience, so that those who abuse it come around often."""
GAUGES = ["cortex_in_flight_requests", "cortex_queued_requests"]


def soak(binary: Path, folder: Path, minutes: float, rate: float, say: Callable[[str], None]) -> Report:
    """Runs a server of its own in `folder` for so long."""
    with Server(binary, folder / "home", None, **SETTINGS) as server:
        deploy_all(server, folder)
        report = asyncio.run(_soak(server, folder, minutes * 60, rate, say))
        say("")
        say(str(report))
        return report


async def _soak(server: Server, folder: Path, seconds: float, rate: float, say: Callable[[str], None]) -> Report:
    idle = Sample.of(server, time.monotonic())
    traffic, hostiles, watch = Traffic(server.port, rate), Hostiles(server.port), Watch(server)
    killer = Killer(server, min(10, seconds / 6))
    deployer = Deployer(server, folder, min(30, seconds / 3))
    accidents = [asyncio.create_task(part.run()) for part in (killer, deployer, watch)]
    hostiles.start()
    traffic.start()
    begun, clock = time.monotonic(), Clock(server)
    try:
        await _tell(traffic, watch, begun + seconds, begun, say)
        for task in accidents:
            assert not task.done(), task.exception()
    finally:
        for task in accidents:
            task.cancel()
        await asyncio.gather(*accidents, return_exceptions=True)
        lasted, used = time.monotonic() - begun, str(clock)
        await traffic.stop()
        await hostiles.stop()
    report = Report()
    say("")
    say(reports.table(traffic))
    say(used)
    reports.judge_traffic(report, traffic, killer, lasted, rate)
    reports.judge_others(report, hostiles, deployer)
    # The second minute of a long soak: pools and caches are full by then.
    early = (60.0, 120.0) if seconds >= 180 else (seconds / 3, seconds / 2)
    reports.judge_growth(report, watch, early, (lasted - (early[1] - early[0]), lasted + 1))
    wanted = PROCESSES * (len(NAMES) + 1)
    await _until(lambda: _is_at_rest(server, wanted), within=30)
    gauges = {name: server.metrics(name) for name in GAUGES}
    reports.judge_rest(report, idle, Sample.of(server, begun), gauges, wanted)
    return report


async def _tell(traffic: Traffic, watch: Watch, end: float, begun: float, say: Callable[[str], None]) -> None:
    """Says now and then how far it has come."""
    before, then = 0, begun
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(15, left))
        sum_, now = reports.total(traffic), time.monotonic()
        sample = watch.samples[-1]
        say(
            f"{now - begun:5.0f} s  {(sum_.right - before) / (now - then):5.0f}/s  failed {sum_.failed}  "
            f"in killed {sum_.crashed}  memory {sample.resident / 2**20:.0f} MiB  "
            f"descriptors {sample.descriptors}  workers {sample.workers}  spooled {sample.spooled}"
        )
        before, then = sum_.right, now


def _is_at_rest(server: Server, wanted: int) -> bool:
    sample = Sample.of(server, 0)
    return sample.workers == wanted and sample.spooled == 0 and not any(map(server.metrics, GAUGES))


async def _until(observe: Callable[[], bool], within: float) -> None:
    """Waits for what nothing announces; it is judged afterwards, whether it came or not."""
    end = time.monotonic() + within
    while not observe() and time.monotonic() < end:
        await asyncio.sleep(0.1)
