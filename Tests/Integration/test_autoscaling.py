"""Replicas that follow a real load, by real clocks. Traces are unit tests, with times of their own."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.project import API, write
from blackbox.server import Server

GATE = """
class PythonPredictor:
    def __init__(self, config):
        pass

    def predict(self, payload):
        open(payload["gate"]).close()  # opens when the test writes
        return {}
"""


@pytest.mark.slow
def test_replicas_follow_the_load_and_outlive_the_server(binary: Path, folder: Path) -> None:
    with Server(binary, folder / "home") as server:
        quick = {"window": "10s", "upscale_stabilization_period": "0s", "downscale_stabilization_period": "10s"}
        api = API("busy", sections={"autoscaling": {"min_replicas": 1, "max_replicas": 2, **quick}})
        server.deploy(write(folder / "project", {"predictor.py": GATE}, api))
        gates = [folder / f"gate-{number}" for number in range(4)]
        for gate in gates:
            os.mkfifo(gate)
        senders = [threading.Thread(target=send, args=(server, gate)) for gate in gates]
        for sender in senders:
            sender.start()
        eventually(lambda: counts(server)["ready"] == 2, "the second replica is ready", 60)
        assert server.metrics("cortex_window_in_flight_requests", api="busy") > 0
        assert server.metrics("cortex_scalings_total", api="busy", direction="up") == 1
        server.kill()
        for sender in senders:
            sender.join()
        server.start()
        eventually(lambda: counts(server)["ready"] == 2, "both replicas are back", 60)
        # It goes on with what it remembers: nobody calls any more.
        eventually(lambda: counts(server)["requested"] == 1, "one replica is left", 60)
        told = [event["message"] for event in server.json("describe", "busy")["events"] if event["kind"] == "scaled"]
        assert len(told) == 2, told
        assert told[0].startswith("replicas 1 → 2: ") and "in flight on average over 10s" in told[0], told
        assert told[1].startswith("replicas 2 → 1: "), told


def send(server: Server, gate: Path) -> None:
    """A request that nobody lets end: the server is killed while it runs."""
    with pytest.raises(requests.ConnectionError):
        server.post("busy", json={"gate": str(gate)})


def counts(server: Server) -> dict[str, Any]:
    """Replicas, as `cortex get` counts them."""
    found: dict[str, Any] = server.json("get", "busy")[0]["status"]["replica_counts"]
    return found
