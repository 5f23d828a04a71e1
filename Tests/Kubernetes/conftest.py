"""Fixtures: a cluster, the image of the binary under test in it, and clients of both.

While they are in use, this process is in the cluster's network: addresses of pods, Services and the API server can be
asked as they are (`requests.get("http://10.244.0.7:8888/")`), and so can they by every program that is started. Names
cannot, since `/etc/resolv.conf` is the machine's.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from blackbox.conditions import eventually
from blackbox.server import Cortex
from cluster.cluster import Cluster
from cluster.folders import REPOSITORY, locked
from cluster.images import Image, cortex_image, serving_image
from cluster.kubectl import Kubectl
from cluster.node import PAUSE_IMAGE
from cluster.sandbox import machine_network
from cluster.target import ClusterTarget
from cluster.wheels import WHEELS_URL, offer, wheelhouse

pytest_plugins = ["blackbox.again"]
"""What a second run needs."""

pytest.register_assert_rewrite("contract", "target")


# Before xdist reads what belongs together.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that break the cluster come last, and not at all where others are on it.

    Where several processes run tests, those of a file stay together, but for files that need not.
    """
    for item in items:
        if item.get_closest_marker("apart") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("breaks") is not None)
    if not os.environ.get("CORTEX_TEST_CLUSTER_IS_OURS"):
        reason = "breaks the cluster: run it without CORTEX_TEST_CLUSTER"
        for item in items:
            if item.get_closest_marker("breaks"):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def binary() -> Path:
    """The binary under test: `CORTEX_BINARY`, or what `make build` left."""
    path = Path(os.environ.get("CORTEX_BINARY", REPOSITORY / "bin" / "cortex")).absolute()
    if not path.exists():
        pytest.exit(f"{path} is not there: run `make build` first, or set CORTEX_BINARY", returncode=2)
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster of `CORTEX_TEST_CLUSTER`, started where it does not run; others may be using it too."""
    state = os.environ.get("CORTEX_TEST_CLUSTER")
    if not state:
        pytest.exit("CORTEX_TEST_CLUSTER names no folder: run dev/integration-kubernetes", returncode=2)
    cluster = Cluster(Path(state))
    cluster.up()
    with cluster.sandbox.joined():
        yield cluster


@pytest.fixture(scope="session")
def image_file(binary: Path) -> Image:
    """The image of `deploy/Dockerfile` with the binary under test."""
    with machine_network():
        return cortex_image(binary)


@pytest.fixture(scope="session")
def image(cluster: Cluster, image_file: Image) -> str:
    """The name of that image, which the cluster's node has; with `imagePullPolicy: Never`, or `IfNotPresent`."""
    cluster.import_image(image_file)
    return image_file.name


@pytest.fixture(scope="session")
def tools(cluster: Cluster) -> str:
    """The name of a tiny image on the node: busybox, with `sleep` as what it does by itself."""
    assert cluster.is_up
    return PAUSE_IMAGE


@pytest.fixture(scope="session")
def wheels(cluster: Cluster) -> str:
    """The address in the cluster at which there are wheels for pods; for `UV_FIND_LINKS`, with `UV_NO_INDEX=1`."""
    with machine_network():
        folder = wheelhouse()
    offer(folder, cluster.state)
    return WHEELS_URL


@pytest.fixture(scope="session")
def serving(cluster: Cluster) -> str:
    """The name of an image that stands in for TensorFlow Serving, which the cluster's node has."""
    with machine_network():
        image = serving_image(wheelhouse())
    cluster.import_image(image)
    return image.name


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    """kubectl for the whole cluster."""
    return Kubectl(cluster)


@pytest.fixture
def namespace(cluster: Cluster, kubectl: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a fresh namespace of one test, whose name is `namespace.namespace`."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl.ok("create", "namespace", name)
    bound = Kubectl(cluster, name)
    # What a pod needs of a namespace comes a moment later.
    eventually(lambda: bound.run("get", "serviceaccount", "default").returncode == 0, f"{name} can have pods")
    yield bound
    kubectl.ok("delete", "namespace", name, "--wait=false")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh folder for one test, with a short path, since that of a Unix socket holds 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="cx-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def definitions(cluster: Cluster, kubectl: Kubectl) -> None:
    """Keeps a `cortex cluster down` from taking the custom resources along, which tests beside it need.

    They go with the last installation: this one has an operator of no pods, and stays as long as the cluster.
    """
    name, labels = "cortex-kept", {"app.kubernetes.io/name": "cortex", "app.kubernetes.io/component": "operator"}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "none", "image": PAUSE_IMAGE}]}}
    operator = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template},
    }
    # Two that begin at once would both make what is not there.
    with locked(cluster.state / "kept"):
        kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        Kubectl(cluster, name).apply(operator)


@pytest.fixture(scope="session")
def command_line(cluster: Cluster, binary: Path, definitions: None) -> Callable[[Path], Cortex]:
    """Makes command lines as `cortex` is one, each with its home in a folder that is given."""
    return lambda folder: _command_line(cluster, binary, folder)


@pytest.fixture
def cortex(cluster: Cluster, binary: Path, folder: Path, definitions: None) -> Cortex:
    """The command line with a fresh home, with the administrator's kubeconfig, and with kubectl on its `PATH`."""
    return _command_line(cluster, binary, folder)


@pytest.fixture(scope="session")
def target(
    cluster: Cluster, kubectl: Kubectl, binary: Path, image: str, wheels: str, definitions: None
) -> Iterator[ClusterTarget]:
    """An installation that tests share, as `cortex cluster up` makes it in a namespace of its own."""
    name = f"cortex-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="cx-", dir="/tmp") as folder:
        cortex = _command_line(cluster, binary, Path(folder))
        image_options = ["--image", image, "--image-pull-policy", "Never"]
        try:
            cortex.ok("cluster", "up", "--namespace", name, *image_options, "--wheels", wheels)
            yield ClusterTarget(cortex, Kubectl(cluster, name), environment=name)
        finally:
            # Gateways end when nothing is in flight any more, and nobody waits for them here.
            Kubectl(cluster, name).run("delete", "pods", "--all", "--grace-period=1", "--wait=false")
            kubectl.run("delete", "namespace", name, "--wait=false")


@pytest.fixture
def inside(cluster: Cluster, target: ClusterTarget) -> Kubectl:
    """kubectl in the namespace of that installation."""
    return Kubectl(cluster, target.environment)


@pytest.fixture
def names(request: pytest.FixtureRequest, target: ClusterTarget) -> Iterator[list[str]]:
    """Names of a test's own; what is deployed under them is deleted in the end, the last first."""
    own = request.node.name.removeprefix("test_").replace("_", "-")[:30].rstrip("-")
    found = [f"{own}-{letter}" for letter in "abc"]
    yield found
    for name in reversed(found):
        target.cli("delete", name)


def _command_line(cluster: Cluster, binary: Path, folder: Path) -> Cortex:
    settings = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": f"{cluster.programs}:{os.environ['PATH']}"}
    return Cortex(binary, folder / "home", None, **settings)
