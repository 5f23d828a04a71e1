"""The same no-op behind the other servers of models, each beside Cortex with nothing else running."""

from __future__ import annotations

from typing import Any

from cortex_bench.gateway.noop import running_noop
from cortex_bench.machine import say
from cortex_bench.measuring import print_rounds, record_rounds, take_turns
from cortex_bench.peers import PEERS, running_peer
from cortex_bench.suite import Findings, Goal, Settings

CONNECTIONS = [32, 1]
MOST_ROUNDS = 3
"""Their ratios are far from one."""


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    goals = []
    record: dict[str, Any] = {}
    rounds = min(settings.rounds, MOST_ROUNDS)
    with running_noop(settings) as (_, target):
        for peer in PEERS:
            say(f"starting {peer.name}")
            with running_peer(peer) as (other, version):
                results = take_turns(settings.wrk, [target, other], CONNECTIONS, rounds, settings.seconds)
            print(f"\nNo-op JSON, {peer.name} {version}")
            ratios = print_rounds(results, "Cortex")
            goals.append(
                Goal(f"32 connections, {peer.name}", ratios["32"][peer.name], peer.gate, "times", at_least=True)
            )
            record[peer.name] = {"version": version, "rounds": record_rounds(results), "ratios": ratios}
    return Findings(goals, {"peers": record})
