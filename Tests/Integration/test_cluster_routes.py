"""`cortex gateway` and the cluster: what it hears of the API server, and what the operator hears of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.kubernetes import FakeCluster, FakeOperator
from blackbox.replicas import Replicas, gateway_of


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A cluster of one test."""
    with FakeCluster() as cluster:
        yield cluster


def test_routes_and_replicas_follow_the_cluster(
    binary: Path, folder: Path, cluster: FakeCluster, replica: Replicas
) -> None:
    """Each change while it is watched; an API that the operator has said nothing of has no route."""
    one, two = replica("one").address, replica("two").address
    cluster.api("iris")
    cluster.replicas("iris", one, unready=(two,))
    cluster.set("realtimeapis", "silent", {"spec": {}})
    with gateway_of(binary, folder, **cluster.settings) as gateway:
        gateway.start()
        eventually(gateway.is_ready, "it is ready")
        assert gateway.post("/iris", json={}).json() == "one"
        assert gateway.post("/silent", json={}).status_code == 404
        assert gateway.post("/predict", json={}, headers={"Host": "api-iris:8888"}).json() == "one"

        def changed(change: Callable[[], None], holds: Callable[[], bool]) -> None:
            change()
            eventually(holds, "the change is seen")

        changed(lambda: cluster.replicas("iris", two), lambda: gateway.post("/iris", json={}).json() == "two")
        changed(
            lambda: cluster.api("iris", version=2, endpoint="/flowers"),
            lambda: gateway.post("/flowers", json={}).status_code == 200,
        )
        assert gateway.post("/iris", json={}).status_code == 404
        changed(lambda: cluster.replicas("iris"), lambda: gateway.metric('cortex_gateway_replicas{api="iris"}') == 0)
        cluster.replicas("iris", one, part=1)
        eventually(lambda: gateway.post("/flowers", json={}).json() == "one", "another slice has a replica")
        changed(
            lambda: cluster.remove("realtimeapis", "iris"),
            lambda: gateway.post("/flowers", json={}).status_code == 404,
        )


def test_every_gateway_that_starts_finds_the_replicas(
    binary: Path, folder: Path, cluster: FakeCluster, replica: Replicas
) -> None:
    """APIs and replicas are told of at once, in ways of their own: neither may undo what the other has said."""
    cluster.api("iris")
    cluster.replicas("iris", replica("one").address)
    for number in range(10):
        with gateway_of(binary, folder / str(number), **cluster.settings) as gateway:
            gateway.start()
            eventually(gateway.is_ready, "it is ready")
            assert gateway.post("/iris", json={}).json() == "one"


@pytest.mark.parametrize("slices", ["v1beta1", None])
def test_old_clusters_tell_otherwise(binary: Path, folder: Path, slices: str | None, replica: Replicas) -> None:
    """Slices of an older version, and endpoints from before there were any."""
    one, two = replica("one").address, replica("two").address
    with FakeCluster(slices) as cluster, gateway_of(binary, folder, **cluster.settings) as gateway:
        cluster.api("iris")
        cluster.replicas("iris", one, unready=(two,))
        gateway.start()
        eventually(gateway.is_ready, "it is ready")
        assert {gateway.post("/iris", json={}).json() for _ in range(8)} == {"one"}
        cluster.replicas("iris", two)
        eventually(lambda: gateway.post("/iris", json={}).json() == "two", "the other one is led to")


def test_a_gateway_serves_on_without_the_api_server(binary: Path, folder: Path, replica: Replicas) -> None:
    """It is not ready before it knows the routes; what it knows it keeps, and it is told the rest once it can be."""
    one, two = replica("one").address, replica("two").address
    with FakeCluster() as cluster, gateway_of(binary, folder, **cluster.settings) as gateway:
        cluster.api("iris")
        cluster.replicas("iris", one)
        cluster.forbids = {"endpointslices"}
        gateway.start()
        eventually(
            lambda: any("forbidden" in record.get("error", "") for record in gateway.records()), "it says what is wrong"
        )
        assert not gateway.is_ready()
        assert requests.get(gateway.admin + "/readyz", timeout=60).status_code == 503
        cluster.forbids = set()
        eventually(gateway.is_ready, "it is ready")
        assert gateway.post("/iris", json={}).json() == "one"

        cluster.forbids = {"endpointslices", "realtimeapis"}
        cluster.drop()
        cluster.replicas("iris", two)
        eventually(
            lambda: [record["message"] for record in gateway.records()].count("APIs stay as they were told last") == 1,
            "it says that it knows no better",
        )
        assert gateway.is_ready()
        assert gateway.post("/iris", json={}).json() == "one"
        cluster.forbids = set()
        eventually(lambda: gateway.post("/iris", json={}).json() == "two", "it is told what has changed")


def test_the_operator_hears_what_a_gateway_bears(
    binary: Path, folder: Path, cluster: FakeCluster, replica: Replicas
) -> None:
    """At once when a sleeping API gets a request; counts from the start; again and again while nothing happens."""
    cluster.api("iris", asleep=True)
    with FakeOperator() as operator, gateway_of(binary, folder, **cluster.settings, **operator.settings) as gateway:
        gateway.start()
        eventually(gateway.is_ready, "it is ready")
        answers: list[requests.Response] = []
        client = threading.Thread(target=lambda: answers.append(gateway.post("/iris", json={})))
        client.start()
        report = operator.await_report("iris", waiting=1)
        assert report["gateway"].startswith("gateway-1/")
        assert report["apis"]["iris"]["in_flight"] == 1
        cluster.replicas("iris", replica("one").address)
        cluster.api("iris")
        client.join()
        assert answers[0].json() == "one"
        done = operator.await_report("iris", in_flight=0, waiting=0, received=1, code_2xx=1)
        assert done["apis"]["iris"]["total_ms"] > 0
        operator.await_report("iris", received=1)
