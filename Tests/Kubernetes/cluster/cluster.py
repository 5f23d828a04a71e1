"""A Kubernetes cluster of one node, started and stopped as a whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster import cgroups
from cluster.binaries import kubernetes
from cluster.certificates import Certificates
from cluster.commands import ClusterError, require_machine, run, tell
from cluster.control_plane import control_plane
from cluster.daemon import Daemon
from cluster.folders import locked
from cluster.images import Image, node_image
from cluster.names import name_server, name_writer
from cluster.node import CONTAINERD, node, write_configuration
from cluster.sandbox import NODE, Sandbox, until
from cluster.volumes import volume_maker
from cluster.wheels import wheel_server

_IMAGES_KEPT = 6


class Cluster:
    """One cluster, whose state is a folder: whoever names the folder has the cluster."""

    def __init__(self, state: Path) -> None:
        self.state = state.absolute()
        self.programs = kubernetes()
        self.sandbox = Sandbox(self.state)
        self.certificates = Certificates(self.state / "certificates")
        self.daemons: dict[str, Daemon] = {
            daemon.name: daemon
            for daemon in (
                *control_plane(self.sandbox, self.programs, self.certificates),
                *node(self.sandbox, self.programs, self.certificates),
                name_server(self.sandbox),
                name_writer(self.sandbox, self.certificates),
                volume_maker(self.sandbox, self.certificates),
                wheel_server(self.sandbox),
            )
        }
        # Two clusters of one machine share its control groups.
        self.cgroup = f"cortex-{hashlib.sha256(str(self.state).encode()).hexdigest()[:8]}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, for clients in the cluster's network."""
        return self.certificates.file("admin.kubeconfig")

    @property
    def is_up(self) -> bool:
        """Whether it runs and was started to its end."""
        return self.sandbox.pid is not None and (self.state / "up").exists()

    def up(self) -> None:
        """Starts it from nothing, where it does not run already."""
        with locked(self.state.parent):
            if self.is_up:
                return
            require_machine()
            self._remove()
            started = time.monotonic()
            try:
                self._start()
            except BaseException:
                if not os.environ.get("CORTEX_KEEP_BROKEN_CLUSTER"):
                    self._remove()
                raise
            tell(f"a cluster runs in {self.state}, since {time.monotonic() - started:.0f} s")

    def down(self) -> None:
        """Ends it, and removes all that it made."""
        with locked(self.state.parent):
            self._remove()

    def kubectl(self, *arguments: str | Path) -> list[str]:
        """A command line of kubectl's, as the administrator; it may be run in any network."""
        return self.sandbox.reaching(self.programs / "kubectl", f"--kubeconfig={self.kubeconfig}", *arguments)

    def import_image(self, image: Image) -> None:
        """Makes an image known to the node, where it is not."""
        used = self.state / "images"
        with locked(used):
            (used / image.archive.name).write_text(image.name)
            if image.name not in self._ctr("images", "ls", "-q").split():
                self._ctr("images", "import", image.archive)
            # Each build of the binary makes one. Containers that run of a forgotten one go on.
            stale = sorted(used.glob("*.tar"), key=lambda file: file.stat().st_mtime)[:-_IMAGES_KEPT]
            for file in stale:
                self._ctr("images", "rm", file.read_text())
                file.unlink()

    def kill_container(self, container: str) -> None:
        """kill -9 of a container's first process, with which the kernel ends the others."""
        tasks = dict(line.split()[:2] for line in self._ctr("tasks", "ls").splitlines()[1:])
        run(self.sandbox.entering("sh", "-c", f"kill -KILL {tasks[container]}"))

    def _ctr(self, *arguments: str | Path) -> str:
        client = ["ctr", f"--address={CONTAINERD}", "--namespace=k8s.io"]
        return run(self.sandbox.entering(*client, *arguments), within=300)

    def _ask(self, *arguments: str) -> str:
        return run(self.kubectl(*arguments), within=60)

    def _start(self) -> None:
        self.state.mkdir(parents=True)
        pause = node_image()
        self.certificates.make()
        write_configuration(self.state, self.certificates, self.cgroup)
        (self.state / "names").touch()
        (self.state / "wheels").mkdir()
        cgroups.make(self.cgroup)
        self.sandbox.start()
        for name in ("etcd", "kube-apiserver", "containerd", "dnsmasq", "wheels"):
            self.daemons[name].start()
        self._await("containerd", lambda: bool(self._ctr("version")))
        self._ctr("images", "import", pause.archive)
        self._await("kube-apiserver", lambda: self._ask("get", "--raw", "/readyz") == "ok")
        for name in ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "names", "volumes"):
            self.daemons[name].start()
        self._await("kube-controller-manager", lambda: bool(self._ask("get", "serviceaccount", "default")))
        self._await("kubelet", self._node_is_ready)
        for daemon in self.daemons.values():
            daemon.require()
        (self.state / "up").touch()

    def _node_is_ready(self) -> bool:
        found: dict[str, Any] = json.loads(self._ask("get", "node", NODE, "--output=json"))
        conditions = {each["type"]: each["status"] for each in found["status"].get("conditions", [])}
        return conditions.get("Ready") == "True" and not found["spec"].get("taints")

    def _await(self, name: str, is_done: Callable[[], bool]) -> None:
        """Waits until a question that fails at first is answered, or the daemon has ended."""
        daemon = self.daemons[name]

        def observe() -> bool:
            daemon.require()
            try:
                return bool(is_done())
            except ClusterError:
                return False

        try:
            until(observe, f"{name} is ready", within=120)
        except ClusterError as error:
            raise ClusterError(f"{error}\n{daemon.log.read_text(errors='replace')[-3000:]}") from error

    def _remove(self) -> None:
        self.sandbox.end()
        cgroups.remove(self.cgroup)
        if self.state.exists():
            shutil.rmtree(self.state)
