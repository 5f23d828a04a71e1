"""A cluster's gateway: what it adds to a request, how soon it leaves what is gone, and what many routes cost it."""

from __future__ import annotations

from cortex_bench.cluster import added, routes, vanishing
from cortex_bench.machine import say
from cortex_bench.suite import Findings, Settings

PARTS = {"added": added.run, "vanishing": vanishing.run, "routes": routes.run}


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    findings = Findings()
    for name, part in PARTS.items():
        if settings.wants(name):
            say(f"cluster: {name}")
            findings.add(part(settings))
    return findings
