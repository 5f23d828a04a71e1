"""The cluster's own world on this machine: network, mounts, processes and host name, all gone when one process ends."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.commands import ClusterError, search_path

NODE = "node1"
NODE_ADDRESS = "10.99.0.1"

_CLONE_NEWNET = 0x40000000

_KERNEL_SETTINGS = {
    "kernel/keys/root_maxbytes": "25000000",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
}
"""What kubelet wants of the machine. It is shown files with these values, and the machine stays as it was."""

_SETUP = f"""
set -eu
state=$1
hostname {NODE}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock
mount --bind "$state/log" /var/log
# What pods and daemons make in folders of the node is the cluster's, not the machine's.
mount -t overlay -o "lowerdir=/var/lib,upperdir=$state/lib,workdir=$state/lib.work" overlay /var/lib
for setting in {" ".join(_KERNEL_SETTINGS)}; do
    mount --bind "$state/kernel/$setting" "/proc/sys/$setting"
done
mount --make-rshared /
ip link set lo up
# A bridge with a port that is up: an address of the node on which nothing is sent away.
ip link add node0 type bridge
ip link add node0a type veth peer name node0b
ip link set node0a master node0
ip link set node0a up
ip link set node0b up
ip address add {NODE_ADDRESS}/24 dev node0
ip link set node0 up
ip route add default dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi
echo ready
exec tini -s -- sleep infinity >/dev/null 2>&1 </dev/null
"""


class Sandbox:
    """The namespaces of one cluster; they live as long as the process that `start` leaves behind."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._record = state / "sandbox.json"
        self._holder: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that holds everything; none where no cluster runs."""
        try:
            record = json.loads(self._record.read_text())
        except (FileNotFoundError, ValueError):
            return None
        # A number alone may be another process by now.
        return int(record["pid"]) if _started(record["pid"]) == record["started"] else None

    def start(self) -> None:
        """Makes the namespaces, and returns when they are as the daemons need them."""
        for setting, value in _KERNEL_SETTINGS.items():
            file = self.state / "kernel" / setting
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{value}\n")
        for folder in ("lib", "lib.work", "log", "run"):
            (self.state / folder).mkdir(exist_ok=True)
        flags = ["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "--kill-child"]
        with (self.state / "log" / "sandbox.log").open("ab") as log:
            holder = self._holder = subprocess.Popen(
                ["unshare", *flags, "--propagation", "private", "sh", "-c", _SETUP, "sandbox", str(self.state)],
                env={**os.environ, "PATH": search_path()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._record.write_text(json.dumps({"pid": holder.pid, "started": _started(holder.pid)}))
        assert holder.stdout is not None
        with holder.stdout:
            if holder.stdout.readline() != b"ready\n":
                holder.wait(timeout=20)
                told = (self.state / "log" / "sandbox.log").read_text()
                raise ClusterError(f"the node's namespaces could not be made:\n{told[-2000:]}")

    def end(self) -> None:
        """Kills every process of the cluster, and with the last of them its mounts and its network."""
        pid = self.pid
        if pid is not None:
            inner = _children(pid)
            os.kill(pid, signal.SIGKILL)
            until(lambda: not any(map(_started, (pid, *inner))), "the cluster's processes have ended", within=60)
        if self._holder is not None:
            self._holder.wait(timeout=20)
        self._record.unlink(missing_ok=True)

    def entering(self, *command: str | Path) -> list[str]:
        """The command, to be run inside: in the network, with the mounts and among the processes of the cluster."""
        return [*self._enter("--net", "--mount", "--pid", "--uts", "--ipc"), "--", *map(str, command)]

    def reaching(self, *command: str | Path) -> list[str]:
        """The command, to be run in the cluster's network alone."""
        return [*self._enter("--net"), "--", *map(str, command)]

    def _enter(self, *spaces: str) -> list[str]:
        pid = self.pid
        if pid is None:
            raise ClusterError(f"no cluster runs in {self.state}")
        # The holder itself stands outside the process namespace that it made.
        named = [f"--pid=/proc/{pid}/ns/pid_for_children" if space == "--pid" else space for space in spaces]
        return ["nsenter", f"--target={pid}", *named]

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Has the calling thread, and what it starts, in the cluster's network for a while."""
        with open("/proc/thread-self/ns/net") as before, open(f"/proc/{self.pid}/ns/net") as wanted:
            _left.append(before.fileno())
            _enter_network(wanted.fileno())
            try:
                yield
            finally:
                _enter_network(_left.pop())


_left: list[int] = []
"""The networks that this process has left for a cluster's; the first is the machine's."""


@contextmanager
def machine_network() -> Iterator[None]:
    """The machine's own network for a while, also within `joined`."""
    if not _left:
        yield
        return
    with open("/proc/thread-self/ns/net") as before:
        _enter_network(_left[0])
        try:
            yield
        finally:
            _enter_network(before.fileno())


def _enter_network(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "the network namespace could not be entered")


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _started(pid: int) -> str | None:
    """When the process began, which tells it from a later one of the same number; none for one that has ended."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in "ZX" else None


def _children(pid: int) -> list[int]:
    processes = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return [process for process in processes if (fields := _stat(process)) and int(fields[1]) == pid]


def until(observe: Callable[[], bool], what: str, within: float) -> None:
    """Waits for what nothing announces."""
    end = time.monotonic() + within
    while not observe():
        if time.monotonic() > end:
            raise ClusterError(f"not within {within:.0f} s: {what}")
        time.sleep(0.05)
