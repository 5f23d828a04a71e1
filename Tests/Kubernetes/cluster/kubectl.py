"""kubectl, as tests use it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from blackbox.conditions import eventually
from cluster.cluster import Cluster
from cluster.sandbox import NODE

Manifest = dict[str, Any]


class Kubectl:
    """kubectl with the administrator's rights, in one namespace."""

    def __init__(self, cluster: Cluster, namespace: str = "default") -> None:
        self.cluster = cluster
        self.namespace = namespace

    def run(
        self, *arguments: str | Path, given: str | None = None, within: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, however that is."""
        return subprocess.run(
            self.cluster.kubectl(f"--namespace={self.namespace}", *arguments),
            input=given or "",
            capture_output=True,
            text=True,
            timeout=within,
        )

    def ok(self, *arguments: str | Path, given: str | None = None, within: float = 120) -> str:
        """What it prints; it must succeed."""
        done = self.run(*arguments, given=given, within=within)
        assert done.returncode == 0, f"kubectl {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str | Path) -> Any:
        """What it prints with `-o json`."""
        return json.loads(self.ok(*arguments, "--output=json"))

    def apply(self, *manifests: Manifest) -> None:
        """Makes these objects, or changes them."""
        self.ok(
            "apply", "--filename=-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
        )

    def wait(self, what: str, condition: str, within: float = 120) -> None:
        """Waits for a condition, such as `Ready` of `pod/web`; the failure describes the object."""
        done = self.run("wait", what, f"--for=condition={condition}", f"--timeout={within:.0f}s", within=within + 30)
        assert done.returncode == 0, f"{done.stderr}\n{self.run('describe', what).stdout[-4000:]}"

    def execute(self, pod: str, *command: str, within: float = 120) -> str:
        """What a command prints in a pod; it must succeed."""
        return self.ok("exec", pod, "--", *command, within=within)

    def pods(self, selector: str) -> list[Manifest]:
        """The pods with these labels that are not ending, the oldest first."""
        found = self.json("get", "pods", f"--selector={selector}", "--sort-by=.metadata.creationTimestamp")["items"]
        return [each for each in found if "deletionTimestamp" not in each["metadata"]]

    def kill(self, pod: str, container: str) -> None:
        """kill -9 of all processes of a pod's container; the kubelet hears of it later."""
        status = self._status(pod, container)
        self.cluster.kill_container(status["containerID"].removeprefix("containerd://"))

    def restarts(self, pod: str, container: str) -> int:
        """How often the container was started again."""
        return int(self._status(pod, container)["restartCount"])

    def _status(self, pod: str, container: str) -> Manifest:
        statuses: list[Manifest] = self.json("get", "pod", pod)["status"]["containerStatuses"]
        return next(each for each in statuses if each["name"] == container)

    def offer(self, resource: str, count: int) -> None:
        """Has the node offer a device that it lacks, such as `nvidia.com/gpu`; 0 takes it back."""

        def changed() -> bool:
            node = self.json("get", "node", NODE)
            for amounts in (node["status"]["capacity"], node["status"]["allocatable"]):
                amounts[resource] = str(count)
            # Refused where kubelet's own report came between.
            path = f"/api/v1/nodes/{NODE}/status"
            self.run("replace", "--raw", path, "--filename=-", given=json.dumps(node))
            return bool(self.json("get", "node", NODE)["status"]["capacity"].get(resource) == str(count))

        eventually(changed, f"{NODE} offers {count} {resource}", within=60)


def pod(name: str, image: str, **container: Any) -> Manifest:
    """A pod of one container, not started again when it ends; `container` is what its manifest says besides."""
    labels = {"app": name}
    run_here = {"name": "main", "image": image, "imagePullPolicy": "Never", **container}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [run_here]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def service(name: str, port: int, *, headless: bool = False) -> Manifest:
    """A Service of the pods with the label `app` of that name."""
    ports = [{"port": port, "targetPort": port, "protocol": "TCP"}]
    spec = {"selector": {"app": name}, "ports": ports, **({"clusterIP": "None"} if headless else {})}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
