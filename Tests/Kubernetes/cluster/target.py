"""An installation on a cluster as a place to deploy to."""

from __future__ import annotations

import subprocess
from pathlib import Path

from blackbox.server import Cortex
from cluster.kubectl import Kubectl


class ClusterTarget:
    """What `cortex cluster up` made, as the contract sees it."""

    def __init__(self, cortex: Cortex, kubectl: Kubectl, environment: str) -> None:
        """`kubectl` is that of the installation's namespace, `environment` the command line's name of it."""
        self.cortex = cortex
        self.environment = environment
        address = kubectl.json("get", "service/cortex-gateway")["spec"]["clusterIP"]
        self._gateways = f"http://{address}:8888"

    def cli(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command of `cortex` to its end."""
        command, *rest = arguments
        return self.cortex.run(command, "-e", self.environment, *rest, cwd=cwd)

    def url(self, path: str) -> str:
        """An address on the gateways."""
        return f"{self._gateways}/{path.lstrip('/')}"
