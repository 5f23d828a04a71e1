"""Versions that do not come up, or not for long: they unseat nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.project import write
from blackbox.rollouts import BROKEN, PREDICTOR, await_only, project, status, versions
from blackbox.server import Server


@pytest.mark.parametrize("way", sorted(BROKEN))
def test_a_broken_version_unseats_nothing(server: Server, folder: Path, way: str) -> None:
    name = f"broken-{way}"
    server.deploy(project(folder, name, 1))
    with Load(server.url(name), json={}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, name, 2, BROKEN[way]))
        assert done.returncode == 1, done
        now = status(server, name)
        assert now["status_code"] == "status_rollout_failed", now
        assert now["reason"] and now["replica_counts"]["stale"] == 2 and now["replica_counts"]["failed"] >= 1, now
    assert load.failures() == []
    assert set(versions(load)) == {1}
    # What is visibly broken is replaced without force.
    server.deploy(project(folder, name, 3))
    await_only(server, name, 3)
    server.ok("delete", name)


def test_a_broken_version_gives_the_place_back_that_was_made_for_it(server: Server, folder: Path) -> None:
    name = "made-room"
    strategy = {"max_surge": 0, "max_unavailable": 2}
    server.deploy(project(folder, name, 1, update_strategy=strategy))
    broken = project(folder, name, 2, BROKEN["constructor"], update_strategy=strategy)
    assert server.run("deploy", "--wait", cwd=broken).returncode == 1
    eventually(lambda: status(server, name)["replica_counts"]["stale"] == 2, "the old version has its replicas again")
    assert server.post(name, json={}).json()["version"] == 1
    server.ok("delete", name)


def test_a_version_that_never_becomes_ready_is_replaced_with_force(server: Server, folder: Path) -> None:
    name = "never-ready"
    server.deploy(project(folder, name, 1, replicas=1))
    source = PREDICTOR.replace('self.version = config["version"]', "import time; time.sleep(3600)")
    with Load(server.url(name), json={}) as load:
        hanging = project(folder, name, 2, source, replicas=1)
        assert server.run("deploy", "--wait", "--timeout", "1s", cwd=hanging).returncode == 3
        assert status(server, name)["status_code"] == "status_updating"
        refused = server.run("deploy", "--wait", cwd=project(folder, name, 3, replicas=1))
        assert refused.returncode == 1 and "--force" in refused.stderr + refused.stdout, refused
        done = server.run("deploy", "--force", "--wait", cwd=folder / "project")
        assert done.returncode == 0, done
    assert load.failures() == []
    assert set(versions(load)) == {1, 3}
    server.ok("delete", name)


def test_C14_a_version_that_needs_too_much_memory_unseats_nothing(server: Server, folder: Path) -> None:
    name = "hungry"
    compute = {"mem": "150Mi"}
    server.deploy(project(folder, name, 1, replicas=1, compute=compute))
    source = PREDICTOR.replace("self.version =", "self.weights = bytearray(400 << 20); self.version =")
    with Load(server.url(name), json={}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, name, 2, source, replicas=1, compute=compute))
        assert done.returncode == 1, done
        now = status(server, name)
        assert now["status_code"] == "status_rollout_failed" and "of 150 MiB (compute.mem)" in now["reason"], now
    assert load.failures() == []
    assert set(versions(load)) == {1}
    server.ok("delete", name)


def test_a_version_that_ends_at_the_sample_unseats_nothing(server: Server, folder: Path) -> None:
    name = "dies-at-sample"
    readiness = {"readiness": {"sample": "sample.json"}}
    write(folder / "project", {"sample.json": "{}"})
    server.deploy(project(folder, name, 1, PREDICTOR, **readiness))
    dying = PREDICTOR.replace("return {", "os._exit(3); return {")
    with Load(server.url(name), json={}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, name, 2, dying, **readiness))
        assert done.returncode == 1, done
        now = status(server, name)
        assert now["status_code"] == "status_rollout_failed" and "ended while it ran it" in now["reason"], now
        assert now["replica_counts"]["stale"] == 2, now
    assert load.failures() == []
    assert set(versions(load)) == {1}
    server.ok("delete", name)


LATER = {
    "the first request": PREDICTOR.replace("return {", "os._exit(3); return {"),
    "a while": "import threading\n"
    + PREDICTOR.replace("self.version =", "threading.Timer(0.5, os._exit, [3]).start(); self.version ="),
}


@pytest.mark.parametrize("when", LATER)
def test_a_version_that_ends_later_is_shown_and_rolled_back(server: Server, folder: Path, when: str) -> None:
    """It was ready, and nothing asked more of it: what tells is the status, and the way back is short."""
    name = f"dies-after-{when.rpartition(' ')[2]}"
    server.deploy(project(folder, name, 1))
    with Load(server.url(name), json={}) as load:
        server.ok("deploy", "--no-wait", cwd=project(folder, name, 2, LATER[when]))
        eventually(lambda: "crash loop" in status(server, name)["message"], "the loop is shown")
        assert "exited with status 3" in status(server, name)["reason"]
        server.ok("rollback", name)
        await_only(server, name, 1)
    assert {code for code, _, _ in load.answers} <= {200, 502, 503}
    with Load(server.url(name), json={}) as after:
        eventually(lambda: len(after.answers) > 50, "requests are answered again")
    assert after.failures() == []
    server.ok("delete", name)
