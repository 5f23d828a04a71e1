"""Twice as many requests as the API can answer: what is answered, how soon the others are refused, and what follows."""

from __future__ import annotations

import itertools
import json
from urllib.parse import urlsplit

from cortex_bench.measuring import Target, await_answer, measure
from cortex_bench.openloop import Answer, Latencies, OpenLoop, Stream, percentile
from cortex_bench.servers import running_cortex
from cortex_bench.suite import Findings, Goal, Settings

PREDICT_MS = 5
LIMIT = 32
"""`max_replica_concurrency`."""
TIMES = 2.0
"""Offered, of the capacity."""
CALM = 0.5
"""Offered before and after."""
CALM_SECONDS = 10.0
RECOVERY_SECONDS = 2.0
"""After the overload, until everything is as it was before."""
CONNECTIONS = 256
"""More than can be under way at once, so that no request waits for a connection."""
GOODPUT_GATE = 0.95
REFUSAL_GATE = 5.0
"""Milliseconds."""
LATENCY_GATE = 1.25
"""Most of p99 of the accepted, as a multiple of what a full queue takes."""
RECOVERY_GATE = 2.0
"""Most of p99 afterwards, as a multiple of that before."""


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    body = json.dumps({"ms": PREDICT_MS})
    # Most of the generator's connections are idle before and after the overload.
    with running_cortex(settings.binary, CORTEX_IDLE_TIMEOUT="10m") as cortex:
        url = cortex.deploy(
            "slow", {"type": "python", "path": "slow.py"}, autoscaling={"max_replica_concurrency": LIMIT}
        )
        target = Target("Cortex", url, body, json.loads(body))
        await_answer(target)
        capacity = measure(settings.wrk, target, LIMIT // 2, settings.seconds).requests_per_second
        begin, end = CALM_SECONDS, CALM_SECONDS + settings.overload_seconds
        bodies = itertools.repeat(body)
        streams = [
            Stream("before", CALM * capacity, bodies, 0, begin),
            Stream("overload", TIMES * capacity, bodies, begin, end - begin),
            Stream("after", CALM * capacity, bodies, end, CALM_SECONDS),
        ]
        loop = OpenLoop(cortex.port, urlsplit(url).path, CONNECTIONS, may_fail=True)
        found = loop.run(streams, end + CALM_SECONDS)
    return _findings(capacity, found, begin, end)


def _findings(capacity: float, found: dict[str, Latencies], begin: float, end: float) -> Findings:
    every = [answer for latencies in found.values() for answer in latencies.answers]
    # What was accepted at the very end is answered after it: within the window, as much comes in as goes out.
    goodput = sum(answer.status == 200 and begin <= answer.ended < end for answer in every) / (end - begin) / capacity
    overload = found["overload"].answers
    accepted = [answer.ended - answer.due for answer in overload if answer.status == 200]
    refused = [answer.ended - answer.sent for answer in overload if answer.status == 503]
    others = sum(answer.status not in (200, 503) for answer in every)
    recovered = [answer for answer in found["after"].answers if answer.due >= end + RECOVERY_SECONDS]
    before = percentile(found["before"].seconds, 0.99)
    after = percentile([answer.ended - answer.due for answer in recovered], 0.99)
    failed_after = sum(answer.status != 200 for answer in recovered)
    full_queue = LIMIT / capacity * 1000
    accepted_p99 = percentile(accepted, 0.99)
    refused_p50, refused_p99 = percentile(refused, 0.5), percentile(refused, 0.99)
    late = found["overload"].lateness(0.99)

    print(f"\nOverload: a predictor of {PREDICT_MS} ms, {TIMES:g} times its capacity for {end - begin:g} s, open loop")
    lines = {
        "capacity": f"{capacity:8.1f} req/s",
        "goodput": f"{goodput:8.1%} of it, {len(accepted)} accepted, {len(refused)} refused, {others} else",
        "accepted, p50 and p99": f"{percentile(accepted, 0.5):8.1f} ms, {accepted_p99:.1f} ms",
        "what a full queue takes": f"{full_queue:8.1f} ms",
        "refused, p50 and p99": f"{refused_p50:8.2f} ms, {refused_p99:.2f} ms",
        "p99 before, and 2 s after": f"{before:8.1f} ms, {after:.1f} ms; {failed_after} failed",
        "all as before": f"{_recovery(found['after'].answers, before, end):8.2f} s after the end",
        "p99 of the generator's lateness": f"{late:8.2f} ms",
    }
    for what, figure in lines.items():
        print(f"  {what:34} {figure}")
    goals = [
        Goal("goodput under overload", goodput, GOODPUT_GATE, "of the capacity", at_least=True),
        Goal("p50 of refusals", refused_p50, REFUSAL_GATE, "ms"),
        Goal("p99 of refusals", refused_p99, REFUSAL_GATE, "ms"),
        Goal("p99 of accepted requests", accepted_p99 / full_queue, LATENCY_GATE, "times a full queue"),
        Goal("answers other than 200 and 503", others, 0, "answers"),
        Goal("refused two seconds after the overload", failed_after, 0, "answers"),
        Goal("p99 two seconds after the overload", after / before, RECOVERY_GATE, "times that before"),
    ]
    record = {
        "capacity": capacity,
        "goodput": goodput,
        "accepted": len(accepted),
        "accepted_p99_ms": accepted_p99,
        "refused": len(refused),
        "refused_p50_ms": refused_p50,
        "refused_p99_ms": refused_p99,
        "before_p99_ms": before,
        "after_p99_ms": after,
        "late_p99_ms": late,
    }
    return Findings(goals, {"overload": record})


def _recovery(after: list[Answer], before_ms: float, end: float) -> float:
    """Seconds after the overload until the last request that was refused, or took twice what it took before."""
    harmed = [
        answer.due - end
        for answer in after
        if answer.status != 200 or (answer.ended - answer.due) * 1000 > RECOVERY_GATE * before_ms
    ]
    return max([0.0, *(each for each in harmed if each <= RECOVERY_SECONDS)])
