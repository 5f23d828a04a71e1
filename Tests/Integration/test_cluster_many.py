"""`cortex gateway` with as many APIs as a large cluster has."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blackbox.conditions import eventually
from blackbox.kubernetes import FakeCluster
from blackbox.pods import ClusterGateway
from blackbox.processes import MEASURABLE, Footprint

COUNT = 2000
RENAMED = 50
"""APIs that go in each round; as many others come."""
ROUNDS = 9
SETTLED = 4
"""Rounds after which memory is to stay as it is."""


class _One(BaseHTTPRequestHandler):
    """Answers as a replica's gateway would."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(self.headers["Host"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


def _answers(gateway: ClusterGateway, name: str) -> bool:
    return gateway.post(f"/{name}", json={}).status_code == 200


@pytest.mark.slow
@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_memory_is_flat_while_routes_and_replicas_change(binary: Path, folder: Path) -> None:
    """Whatever came before: 2,000 APIs, all of which change their replicas, and some of which go, again and again."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _One)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"127.0.0.1:{server.server_address[1]}"
    first = 0
    with FakeCluster() as cluster:
        for index in range(COUNT):
            cluster.api(f"api-{index}")
            cluster.replicas(f"api-{index}", address)
        gateway = ClusterGateway(binary, folder / "gateway", **cluster.settings)
        gateway.arguments = ["gateway"]
        with gateway:
            gateway.start()
            eventually(gateway.is_ready, "it is ready", within=120)
            held = []
            for number in range(ROUNDS):
                for index in range(first, first + RENAMED):
                    cluster.remove("realtimeapis", f"api-{index}")
                    cluster.replicas(f"api-{index}")
                for index in range(first + RENAMED, first + COUNT):
                    # Nobody listens at the other one; it goes, and the next comes.
                    cluster.replicas(f"api-{index}", address, f"127.1.{number}.{index % 250 + 1}:1")
                for index in range(first + COUNT, first + COUNT + RENAMED):
                    cluster.replicas(f"api-{index}", address)
                    cluster.api(f"api-{index}")
                first += RENAMED
                # What is told last is known last, and what is used is to be given back as well.
                last = f"api-{first + COUNT - 1}"
                eventually(partial(_answers, gateway, last), "all is known", within=120)
                for index in range(first, first + COUNT, COUNT // 50):
                    assert gateway.post(f"/api-{index}", json={}).json() == f"api-api-{index}"
                held.append(Footprint.of(gateway.pid))
    server.shutdown()
    server.server_close()
    assert max(each.resident for each in held[SETTLED:]) < 1.15 * max(each.resident for each in held[:SETTLED]), held
    assert held[-1].descriptors <= held[SETTLED].descriptors + 100, held
