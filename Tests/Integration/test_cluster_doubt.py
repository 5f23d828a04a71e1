"""`cortex gateway` where the cluster takes replicas for not ready that are: a node was not heard of for a while."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from blackbox.conditions import eventually
from blackbox.kubernetes import FakeCluster
from blackbox.load import Load
from blackbox.pods import ClusterGateway
from blackbox.replicas import Replicas, gateway_of


@pytest.mark.parametrize("slices", ["v1", None])
def test_replicas_of_a_node_that_is_not_heard_of_serve_on(
    binary: Path, folder: Path, slices: str | None, replica: Replicas
) -> None:
    one, two = replica("one"), replica("two")
    with FakeCluster(slices) as cluster, gateway_of(binary, folder, **cluster.settings) as gateway:
        cluster.api("iris")
        cluster.replicas("iris", one.address, two.address)
        gateway.start()
        eventually(gateway.is_ready, "it is ready", within=60)
        gateway.await_replicas("iris", 2)
        with Load(gateway.data + "/iris", json={}) as load:
            cluster.replicas("iris", unready=(one.address, two.address))
            # One that says itself that it is not ready gets nothing more.
            two.is_ready = False
            gateway.await_replicas("iris", 1)
            since = len(load.answers) + 2
            eventually(lambda: len(load.answers) > since + 20, "requests are answered")
            assert {body for _, body, _ in load.answers[since:]} == {'"one"'}
            # What is ready for the cluster is all that counts, again.
            two.is_ready = True
            cluster.replicas("iris", two.address, unready=(one.address,))
            load.await_body('"two"')
            since = len(load.answers) + 2
            eventually(lambda: len(load.answers) > since + 20, "requests are answered")
            assert {body for _, body, _ in load.answers[since:]} == {'"two"'}
        assert load.failures() == []


def test_where_none_says_so_nothing_is_ready(binary: Path, folder: Path, replica: Replicas) -> None:
    one = replica("one")
    one.is_ready = False
    with FakeCluster() as cluster, gateway_of(binary, folder, **cluster.settings) as gateway:
        cluster.api("iris")
        cluster.replicas("iris", one.address)
        gateway.start()
        eventually(gateway.is_ready, "it is ready", within=60)
        gateway.await_replicas("iris", 1)
        cluster.replicas("iris", unready=(one.address,))
        gateway.await_replicas("iris", 0)
        eventually(lambda: gateway.post("/iris", json={}).status_code == 503, "it says so", within=60)
        one.is_ready = True
        gateway.await_replicas("iris", 1)
        assert gateway.post("/iris", json={}).json() == "one"


def test_replicas_that_recover_are_tried_again(binary: Path, folder: Path, replica: Replicas) -> None:
    """A request that none has started waits for one of them, not for news of them, and for no other request."""
    one = replica("one")
    one.refusals = 4
    with ClusterGateway(binary, folder / "gateway") as gateway, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gateway.start()
        gateway.route("iris", one.address, f"127.0.0.1:{nobody.getsockname()[1]}")
        gateway.await_replicas("iris", 2)
        answer = gateway.post("/iris", json={})
        assert (answer.status_code, answer.json()) == (200, "one")
        assert one.refused == 4


def test_replicas_that_refuse_for_long_are_told_of(binary: Path, folder: Path, replica: Replicas) -> None:
    one = replica("one")
    one.refusals = 1_000_000
    with ClusterGateway(binary, folder / "gateway") as gateway:
        gateway.start()
        gateway.route("iris", one.address)
        gateway.await_replicas("iris", 1)
        answer = gateway.post("/iris", json={})
        assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
        assert "refused" in answer.json()["error"]
        # It is left alone in between.
        assert one.refused < 20
