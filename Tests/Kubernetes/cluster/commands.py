"""Running the programs that the cluster is made with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path


class ClusterError(Exception):
    """What went wrong, and what to do."""


PACKAGES = {
    "buildah": "buildah",
    "busybox": "busybox-static",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "debootstrap": "debootstrap",
    "dnsmasq": "dnsmasq-base",
    "dpkg-source": "dpkg-dev",
    "etcd": "etcd-server",
    "ethtool": "ethtool",
    "go": "golang-go",
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "runc": "runc",
    "socat": "socat",
    "strip": "binutils",
    "tini-static": "tini",
}
"""Debian's package of each program that is run."""

FOLDERS = {
    Path("/usr/lib/cni"): "containernetworking-plugins",
    Path("/usr/share/gocode/src/github.com/modern-go/reflect2"): "golang-github-modern-go-reflect2-dev",
}
"""Debian's package of each folder that is read."""


def missing_packages() -> list[str]:
    """The packages to install before a cluster can be built and run."""
    programs = [package for program, package in PACKAGES.items() if shutil.which(program, path=search_path()) is None]
    return sorted({*programs, *(package for folder, package in FOLDERS.items() if not folder.is_dir())})


def require_machine() -> None:
    """Fails where this machine cannot run a cluster, and says what it lacks."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise ClusterError(
            "a cluster needs Linux and root: its pods are real, with namespaces and cgroups of their own"
        )
    if missing := missing_packages():
        raise ClusterError(f"not installed: apt-get install --no-install-recommends {' '.join(missing)}")


def search_path() -> str:
    """`PATH`, with the folders of system programs that a plain user's lacks."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def run(
    command: Iterable[str | Path],
    *,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
    within: float = 1800,
    given: str | None = None,
) -> str:
    """Standard output of a command that must succeed; `variables` are added to this process's own."""
    words = [str(word) for word in command]
    environment = {**os.environ, "PATH": search_path(), **(variables or {})}
    try:
        done = subprocess.run(
            words, cwd=cwd, env=environment, input=given or "", capture_output=True, text=True, timeout=within
        )
    except subprocess.TimeoutExpired as expired:
        raise ClusterError(f"`{' '.join(words)}` did not end within {within:.0f} s") from expired
    if done.returncode != 0:
        output = f"{done.stdout[-4000:]}{done.stderr[-8000:]}".strip()
        raise ClusterError(f"`{' '.join(words[:12])}` failed (exit {done.returncode}):\n{output}")
    return done.stdout


def tell(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)
