"""What a cluster's gateway adds: a no-op behind its replica's own port, and behind a gateway in front of it."""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from cortex_bench.cluster.pods import Routes, running_gateway, running_replica
from cortex_bench.gateway.noop import BODY, EXPECTED, running_noop
from cortex_bench.measuring import Target, await_answer, print_rounds, record_rounds, take_turns
from cortex_bench.suite import Findings, Goal, Settings

CONNECTIONS = [1, 8, 32]
ADDED_GATE = 0.5
"""Milliseconds at the median that a gateway may add, at 1 connection."""
SERVER, REPLICA, GATEWAY = "cortex server", "replica", "gateway, replica"


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    with ExitStack() as stack:
        cortex, server = stack.enter_context(running_noop(settings))
        replica = stack.enter_context(running_replica(settings, cortex))
        direct = Target(REPLICA, f"{replica.url}/api-noop", BODY, EXPECTED)
        await_answer(direct)
        routes = Routes(cortex.folder)
        routes.write({"noop": [replica.address]})
        gateway = stack.enter_context(running_gateway(settings, routes))
        through = Target(GATEWAY, f"{gateway.url}/noop", BODY, EXPECTED)
        await_answer(through)
        targets = [direct, through, Target(SERVER, server.url, server.body, server.expected)]
        results = take_turns(settings.wrk, targets, CONNECTIONS, settings.rounds, settings.seconds)

    print("\nA gateway in front of a replica, no-op JSON predictor")
    print_rounds(results, GATEWAY)
    added = {
        connections: {
            key: statistics.median(
                getattr(ours, key) - getattr(theirs, key)
                for ours, theirs in zip(by_target[GATEWAY], by_target[REPLICA])
            )
            for key in ("p50_ms", "p99_ms")
        }
        for connections, by_target in results.items()
    }
    print()
    for connections, figures in added.items():
        print(
            f"added at {connections:2} connection{'s' if connections > 1 else ' '}: "
            f"{figures['p50_ms']:.2f} ms at the median, {figures['p99_ms']:.2f} ms at p99"
        )
    goal = Goal("added by the gateway, median, 1 connection", added[1]["p50_ms"], ADDED_GATE, "ms")
    record = {"rounds": record_rounds(results), "added_ms": {str(count): found for count, found in added.items()}}
    return Findings([goal], {"cluster": record})
