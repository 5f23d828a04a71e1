"""The cluster itself: what the other tests take for granted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from cluster.cluster import Cluster
from cluster.images import Image, require_small
from cluster.kubectl import Kubectl, pod, service

pytestmark = pytest.mark.apart

FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode(), end='')"
RESOLVE = "import json, socket, sys; print(json.dumps(sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 80)})))"
ASLEEP = ["/usr/bin/sleep", "infinity"]
"""A pod's `command` where the test does the rest by `kubectl exec`."""


def test_a_pod_of_the_image_tells_the_version(namespace: Kubectl, image: str, binary: Path) -> None:
    namespace.apply(pod("version", image, args=["version"]))
    ended = "{.status.containerStatuses[0].state.terminated.exitCode}"
    eventually(
        lambda: namespace.ok("get", "pod/version", f"--output=jsonpath={ended}") == "0", "it has ended", within=60
    )
    told = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout
    assert namespace.ok("logs", "version") == told


def test_the_image_is_small(image_file: Image, binary: Path) -> None:
    assert image_file.size > 100e6
    require_small(image_file, binary)


def test_pods_find_services_by_name(namespace: Kubectl, image: str, tools: str) -> None:
    greet = ["sh", "-c", "mkdir /www && hostname >/www/index.html && exec httpd -f -p 80 -h /www"]
    ready = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}
    namespace.apply(
        pod("web", tools, command=greet, readinessProbe=ready),
        service("web", 80),
        {**service("web", 80, headless=True), "metadata": {"name": "web-pods"}},
        pod("client", image, command=ASLEEP),
    )
    namespace.wait("pod/web", "Ready")
    namespace.wait("pod/client", "Ready")

    def resolve(name: str) -> list[str]:
        return list(json.loads(namespace.execute("client", "python3", "-c", RESOLVE, name)))

    own = namespace.ok("get", "service/web", "--output=jsonpath={.spec.clusterIP}")
    there = namespace.ok("get", "pod/web", "--output=jsonpath={.status.podIP}")
    for name in ("web", f"web.{namespace.namespace}", f"web.{namespace.namespace}.svc.cluster.local"):
        eventually(lambda name=name: resolve(name) == [own], f"{name} is the Service's address")  # type: ignore[misc]
        # The rules of a Service follow its pods by about a second.
        eventually(
            lambda name=name: namespace.execute("client", "python3", "-c", FETCH, f"http://{name}/") == "web\n",  # type: ignore[misc]
            f"{name} answers",
        )
    eventually(lambda: resolve("web-pods") == [there], "a headless Service is its pods")
    assert requests.get(f"http://{own}/", timeout=10).text == "web\n", "this process is in the cluster's network"

    unknown = namespace.run("exec", "client", "--", "python3", "-c", RESOLVE, "nobody.example.com", within=20)
    assert "Name or service not known" in unknown.stderr, "said at once, and not as if it might come"
    namespace.ok("delete", "service/web")
    eventually(
        lambda: namespace.run("exec", "client", "--", "python3", "-c", RESOLVE, "web").returncode != 0,
        "its name is gone",
    )


def test_a_pod_installs_packages_without_a_way_out(namespace: Kubectl, image: str, wheels: str) -> None:
    namespace.apply(pod("builder", image, command=ASLEEP))
    namespace.wait("pod/builder", "Ready")
    namespace.execute("builder", "uv", "venv", "--quiet", "env")
    install = ["uv", "pip", "install", "--quiet", "--python=env", "--no-index", f"--find-links={wheels}"]
    namespace.execute("builder", *install, "scikit-learn", "starlette")
    told = namespace.execute("builder", "env/bin/python", "-c", "import sklearn, starlette; print(sklearn.__name__)")
    assert told == "sklearn\n"


def test_a_folder_of_wheels_is_mounted_into_a_pod(
    namespace: Kubectl, cluster: Cluster, image: str, wheels: str
) -> None:
    assert wheels, "the folder on the node is filled"
    mounted = pod("builder", image, command=ASLEEP, volumeMounts=[{"name": "wheels", "mountPath": "/wheels"}])
    mounted["spec"]["volumes"] = [{"name": "wheels", "hostPath": {"path": str(cluster.state / "wheels")}}]
    namespace.apply(mounted)
    namespace.wait("pod/builder", "Ready")
    namespace.execute("builder", "uv", "venv", "--quiet", "env")
    install = ["uv", "pip", "install", "--quiet", "--offline", "--python=env", "--no-index", "--find-links=/wheels"]
    namespace.execute("builder", *install, "starlette")
    told = namespace.execute("builder", "env/bin/python", "-c", "import starlette; print(starlette.__name__)")
    assert told == "starlette\n"


def test_a_pod_waits_for_a_device_until_the_node_has_it(namespace: Kubectl, tools: str) -> None:
    device = {"limits": {"cortex.test/device": "1"}}
    namespace.apply(pod("wants", tools, resources=device))
    reason = "--output=jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason}"
    eventually(lambda: namespace.ok("get", "pod/wants", reason) == "Unschedulable", "it is nowhere")
    namespace.offer("cortex.test/device", 1)
    namespace.wait("pod/wants", "Ready")
    namespace.offer("cortex.test/device", 0)


def test_a_claim_gets_a_volume_that_outlives_its_pod(namespace: Kubectl, image: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "kept"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    namespace.apply(claim)
    for name, does in {"writer": "echo kept >/kept/file", "reader": "cat /kept/file"}.items():
        mounts = [{"name": "kept", "mountPath": "/kept"}]
        container = pod(name, image, command=["sh", "-c", does], volumeMounts=mounts)
        container["spec"]["volumes"] = [{"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}}]
        namespace.apply(container)
        phase = ["get", f"pod/{name}", "--output=jsonpath={.status.phase}"]
        eventually(lambda phase=phase: namespace.ok(*phase) == "Succeeded", f"{name} has ended", within=60)  # type: ignore[misc]
    assert namespace.ok("logs", "reader") == "kept\n"


@pytest.fixture
def hello(folder: Path) -> Path:
    """A project whose answer tells where it runs."""
    (folder / "predictor.py").write_text(
        "import socket\n\n\n"
        "class PythonPredictor:\n"
        "    def __init__(self, config):\n"
        "        self.greeting = config['greeting']\n\n"
        "    def predict(self, payload):\n"
        "        return {'text': f\"{self.greeting}, {payload['name']}\", 'host': socket.gethostname()}\n"
    )
    (folder / "cortex.yaml").write_text(
        "- name: hello\n  kind: RealtimeAPI\n"
        "  predictor: {type: python, path: predictor.py, config: {greeting: Hello}}\n"
    )
    return folder


def test_cortex_serves_a_project_in_a_pod(namespace: Kubectl, image: str, wheels: str, hello: Path) -> None:
    variables = [{"name": "UV_FIND_LINKS", "value": wheels}, {"name": "UV_NO_INDEX", "value": "1"}]
    serve = ["server", "run", "--host", "0.0.0.0"]
    ready = {"httpGet": {"path": "/readyz", "port": 8888}, "periodSeconds": 1}
    namespace.apply(pod("server", image, args=serve, env=variables, readinessProbe=ready))
    namespace.wait("pod/server", "Ready")
    for file in ("cortex.yaml", "predictor.py"):
        write = ["sh", "-c", f"mkdir -p /tmp/hello && cat >/tmp/hello/{file}"]
        namespace.ok("exec", "--stdin", "server", "--", *write, given=(hello / file).read_text())
    namespace.execute("server", "cortex", "deploy", "/tmp/hello/cortex.yaml", "--wait", within=240)
    address = namespace.ok("get", "pod/server", "--output=jsonpath={.status.podIP}")
    answer = requests.post(f"http://{address}:8888/hello", json={"name": "iris"}, timeout=30)
    assert answer.json() == {"text": "Hello, iris", "host": "server"}
