"""A cluster comes and goes, and the machine is as it was."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from blackbox.conditions import eventually
from cluster.cluster import Cluster
from cluster.commands import ClusterError
from cluster.kubectl import Kubectl, pod
from cluster.node import PAUSE_IMAGE
from cluster.sandbox import machine_network

KERNEL = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward")


def settings() -> dict[str, str]:
    """What a kubelet would change of the machine."""
    return {name: Path("/proc/sys", name).read_text() for name in KERNEL}


def processes(state: Path) -> list[str]:
    """The command lines that speak of a cluster's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(state) in command and entry.parent.name != str(os.getpid()):
            found.append(command)
    return found


@pytest.mark.slow
def test_nothing_stays_behind() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="cortex-cluster-") as scratch, machine_network():
        mounts, kernel, folders = Path("/proc/self/mounts").read_text(), settings(), sorted(os.listdir("/var/lib"))
        cluster = Cluster(Path(scratch) / "state")
        try:
            cluster.up()
            kubectl = Kubectl(cluster)
            kubectl.apply(pod("alive", PAUSE_IMAGE))
            kubectl.wait("pod/alive", "Ready")
            groups = list(Path("/sys/fs/cgroup").glob(f"*/{cluster.cgroup}/kubepods"))
            assert groups, "pods have control groups of their own"
            assert len(processes(cluster.state)) > 8
            assert Path("/proc/self/mounts").read_text() == mounts, "its mounts are its own"
            # However its keeper ends, all of it ends.
            holder = cluster.sandbox.pid
            assert holder is not None
            os.kill(holder, 9)
            eventually(lambda: not processes(cluster.state), "its processes have ended")
            assert not cluster.is_up
        finally:
            cluster.down()
        assert os.listdir(scratch) == []
        assert not list(Path("/sys/fs/cgroup").glob(f"*/{cluster.cgroup}"))
        assert (Path("/proc/self/mounts").read_text(), settings()) == (mounts, kernel)
        assert sorted(os.listdir("/var/lib")) == folders
        with pytest.raises(ClusterError, match="no cluster runs"):
            cluster.kubectl("get", "pods")


@pytest.mark.breaks
def test_a_daemon_that_was_killed_comes_back(cluster: Cluster, namespace: Kubectl, tools: str) -> None:
    namespace.apply(pod("witness", tools))
    namespace.wait("pod/witness", "Ready")
    proxy = cluster.daemons["kube-proxy"]
    proxy.kill()
    assert not proxy.is_running
    proxy.start()
    proxy.require()
    assert namespace.execute("witness", "hostname") == "witness\n"
