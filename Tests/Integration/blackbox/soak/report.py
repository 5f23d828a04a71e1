"""What a soak found, and whether that is good enough."""

from __future__ import annotations

from dataclasses import dataclass, field

from blackbox.soak.accidents import Deployer, Killer
from blackbox.soak.hostile import Hostiles
from blackbox.soak.traffic import Tally, Traffic
from blackbox.soak.watch import Sample, Watch, median

SUCCESS = 0.9999
RATE = 500
MEMORY = 8 << 20
"""Bytes that allocators may round up to, on top of a twentieth."""


@dataclass
class Report:
    """The claims of a soak, each with what was measured."""

    claims: list[tuple[bool, str]] = field(default_factory=list)

    def claim(self, holds: bool, what: str) -> None:
        """Adds one."""
        self.claims.append((holds, what))

    @property
    def holds(self) -> bool:
        """Whether all do."""
        return all(holds for holds, _ in self.claims)

    def __str__(self) -> str:
        return "\n".join(f"{'ok    ' if holds else 'FAILED'}  {what}" for holds, what in self.claims)


def table(traffic: Traffic) -> str:
    """One line for each kind of request."""
    lines = [f"{'requests':10} {'right':>9} {'failed':>7} {'in killed':>9} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}"]
    for name, tally in traffic.tallies.items():
        times = "".join(f" {tally.quantile(share) * 1000:8.1f}" for share in (0.5, 0.99, 1))
        lines.append(f"{name:10} {tally.right:9} {tally.failed:7} {tally.crashed:9}{times}")
    return "\n".join(lines)


def total(traffic: Traffic) -> Tally:
    """All kinds of requests together."""
    sum_ = Tally()
    for tally in traffic.tallies.values():
        sum_.right += tally.right
        sum_.crashed += tally.crashed
        sum_.wrong += tally.wrong
        for reason, count in tally.failures.items():
            sum_.failures[reason] = sum_.failures.get(reason, 0) + count
    return sum_


def judge_traffic(report: Report, traffic: Traffic, killer: Killer, seconds: float, rate: float) -> None:
    """Rate, success, and whose answers came."""
    sum_ = total(traffic)
    reached = sum_.right / seconds
    wanted = min(RATE, 0.9 * rate)
    report.claim(reached >= wanted, f"{reached:.0f} right answers a second, at least {wanted:.0f}")
    reasons = ", ".join(f"{count} x {reason}" for reason, count in sum_.failures.items()) or "none"
    report.claim(
        sum_.success >= SUCCESS,
        f"{sum_.success:.5%} of {sum_.right + sum_.failed} valid requests, at least {SUCCESS:.2%}; failures: {reasons}",
    )
    report.claim(sum_.wrong == 0, f"{sum_.wrong} answers to another request")
    # A worker has one thread, so that one request of each can have been started.
    report.claim(
        sum_.crashed <= killer.kills,
        f"{sum_.crashed} requests ran in one of the {killer.kills} workers that were killed",
    )


def judge_others(report: Report, hostiles: Hostiles, deployer: Deployer) -> None:
    """Hostile clients and deploys."""
    visits = ", ".join(f"{count} {name}" for name, count in hostiles.visits.items())
    surprises = "; ".join(f"{count} x {what}" for what, count in hostiles.surprises.items()) or "none"
    report.claim(not hostiles.surprises, f"hostile clients: {visits}; surprises: {surprises}")
    report.claim(not deployer.failures, f"{deployer.deploys} deploys, {len(deployer.failures)} failed")


def judge_growth(report: Report, watch: Watch, early: tuple[float, float], late: tuple[float, float]) -> None:
    """Memory, descriptors and spool: an early stretch beside the last one."""
    first, last = watch.between(*early), watch.between(*late)
    if not first or not last:
        report.claim(False, "too few samples to tell growth")
        return
    before, after = median(first, "resident"), median(last, "resident")
    report.claim(
        after <= before * 1.05 + MEMORY,
        f"memory {before / 2**20:.1f} MiB from second {early[0]:.0f}, {after / 2**20:.1f} MiB in the end",
    )
    for name in ("descriptors", "spooled", "workers"):
        before, after = median(first, name), median(last, name)
        report.claim(after <= before * 1.2 + 10, f"{name} {before:.0f}, {after:.0f} in the end")


def judge_rest(report: Report, idle: Sample, rest: Sample, gauges: dict[str, float], wanted: int) -> None:
    """What is left when all have gone."""
    report.claim(not any(gauges.values()), f"gauges in the end: {gauges}")
    report.claim(rest.spooled == 0, f"{rest.spooled} files in the spool in the end")
    report.claim(rest.workers == wanted, f"{rest.workers} workers in the end, {wanted} wanted")
    report.claim(
        rest.descriptors <= idle.descriptors + 10, f"descriptors {idle.descriptors} before, {rest.descriptors} after"
    )
