"""The HTTP front: what a request costs, and how it behaves when there are too many, too large or too idle ones."""

from __future__ import annotations

from cortex_bench.gateway import bodies, handover, idle, noop, overload, peers
from cortex_bench.machine import say
from cortex_bench.suite import Findings, Settings

PARTS = {
    "noop": noop.run,
    "peers": peers.run,
    "bodies": bodies.run,
    "handover": handover.run,
    "overload": overload.run,
    "idle": idle.run,
}


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    findings = Findings()
    for name, part in PARTS.items():
        if settings.wants(name):
            say(f"gateway: {name}")
            findings.add(part(settings))
    return findings
