"""Projects that the operator keeps in an object store."""

from __future__ import annotations

import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.project import API, write
from blackbox.s3 import KEY, S3
from blackbox.server import Cortex
from cluster.cluster import Cluster
from cluster.kubectl import Kubectl
from cluster.sandbox import NODE_ADDRESS

BUCKET = "cortex"
PLACE = f"s3://{BUCKET}/of/tests"
PREDICTOR = """# Of API, so that no two have one project.
class PythonPredictor:
    def predict(self, payload):
        return {"answer": NUMBER, "payload": payload}
"""
COMPUTE = {"compute": {"cpu": "20m", "mem": "150Mi"}}
READER = """
from pathlib import Path

class PythonPredictor:
    def __init__(self, config, python_client):
        self.client = python_client

    def load_model(self, model_path):
        return Path(model_path, "weights").read_text()

    def predict(self, payload):
        return self.client.get_model()
"""


CommandLine = Callable[[Path], Cortex]


class Installation:
    """A namespace in which `up` keeps projects in a store."""

    def __init__(self, cortex: Cortex, kubectl: Kubectl, store: S3, image: str, wheels: str, folder: Path) -> None:
        self.cortex = cortex
        self.kubectl = kubectl
        self.store = store
        self.name = kubectl.namespace
        self.folder = folder
        self.flags = ("--image", image, "--image-pull-policy", "Never", "--wheels", wheels, "--gateways", "1")

    def credentials(self, key: str, name: str = "cortex-project-store") -> None:
        """What the operator gets into the store by, or others, by a Secret of another name."""
        data = {**self.store.environment, "AWS_ACCESS_KEY_ID": key}
        metadata = {"name": name}
        self.kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})

    def up(self, place: str = PLACE) -> subprocess.CompletedProcess[str]:
        """Sets it up, or up again."""
        return self.cortex.run("cluster", "up", "--namespace", self.name, *self.flags, "--project-store", place)

    def ok(self) -> None:
        """Sets it up, and it is."""
        done = self.up()
        pods = "" if done.returncode == 0 else self.kubectl.run("describe", "pods").stdout[-6000:]
        assert done.returncode == 0, f"{done.stderr}\n{pods}"

    def deploy(self, api: str, number: int) -> subprocess.CompletedProcess[str]:
        """Deploys a project that answers with a number, and waits for it."""
        source = PREDICTOR.replace("API", api).replace("NUMBER", str(number))
        project = write(self.folder / f"{api}-{number}", {"predictor.py": source}, API(api, sections=COMPUTE))
        return self.cortex.run("deploy", "--env", self.name, "--wait", cwd=project)

    def kept(self) -> list[str]:
        """The keys of the bucket."""
        found = self.store.client.list_objects_v2(Bucket=BUCKET)
        return sorted(each["Key"] for each in found.get("Contents", []))

    def project(self, api: str) -> str:
        """Where the project of an API is kept."""
        spec = self.kubectl.json("get", f"realtimeapi/{api}")["spec"]
        return f"of/tests/{spec['project']['hash']}.tar"

    def ask(self, api: str) -> requests.Response:
        """Asks it by the gateways."""
        address = self.kubectl.json("get", "service/cortex-gateway")["spec"]["clusterIP"]
        return requests.post(f"http://{address}:8888/{api}", json=[1], timeout=60)


@pytest.fixture(scope="module")
def installation(
    cluster: Cluster, kubectl: Kubectl, command_line: CommandLine, image: str, wheels: str
) -> Iterator[Installation]:
    name = f"store-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory(prefix="cx-", dir="/tmp") as folder:
        place = Path(folder)
        with S3(place / "s3.log", NODE_ADDRESS) as store:
            assert store.proxy is not None
            store.proxy.key = KEY
            store.make(BUCKET)
            cortex = command_line(place)
            kubectl.ok("create", "namespace", name)
            try:
                installation = Installation(cortex, Kubectl(cluster, name), store, image, wheels, place)
                installation.credentials(KEY)
                installation.ok()
                yield installation
            finally:
                Kubectl(cluster, name).run("delete", "pods,deployments", "--all", "--grace-period=1", "--wait=false")
                kubectl.run("delete", "namespace", name, "--wait=false")


def test_projects_outlive_the_operator(installation: Installation) -> None:
    done = installation.deploy("lasting", 1)
    assert done.returncode == 0, done
    key = installation.project("lasting")
    assert installation.kept() == [key], "stored once, and nothing else is left there"
    assert installation.ask("lasting").json() == {"answer": 1, "payload": [1]}

    kubectl = installation.kubectl
    assert kubectl.json("get", "pvc")["items"] == [], "no volume was asked for"
    (before,) = pods(kubectl, "operator")
    kubectl.ok("delete", "pod", before)
    eventually(lambda: before not in pods(kubectl, "operator"), "another operator", within=120)
    kubectl.wait("deployment/cortex-operator", "Available")
    (replica,) = pods(kubectl, "replica")
    reads = installation.store.reads(key)
    kubectl.ok("delete", "pod", replica, "--wait=false")
    fresh = eventually(
        lambda: [each for each in pods(kubectl, "replica") if each != replica], "another replica", within=120
    )
    kubectl.wait(f"pod/{fresh[0]}", "Ready")
    assert installation.store.reads(key) > reads, "the new operator has fetched it for the new replica"
    eventually(lambda: installation.ask("lasting").status_code == 200, "it answers", within=60)
    assert installation.deploy("lasting", 2).returncode == 0
    assert installation.ask("lasting").json()["answer"] == 2
    back = installation.cortex.run("rollback", "lasting", "--env", installation.name)
    assert back.returncode == 0, back


def pods(kubectl: Kubectl, component: str) -> list[str]:
    found = kubectl.json("get", "pods", "-l", f"app.kubernetes.io/component={component}")["items"]
    return [each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]]


def test_a_wrong_key_is_told_and_can_be_put_right(installation: Installation) -> None:
    installation.credentials("wrong")
    done = installation.up()
    assert done.returncode == 1 and done.stdout == "", done
    assert f"projects cannot be kept in {PLACE}/: " in done.stderr, done
    assert "access is denied (AccessDenied" in done.stderr and "check AWS_ACCESS_KEY_ID" in done.stderr, done
    assert "Secret cortex-project-store" in done.stderr, done
    done = installation.deploy("refused", 1)
    assert done.returncode == 1 and "access is denied (AccessDenied" in done.stderr, done
    assert installation.kubectl.run("get", "realtimeapi/refused").returncode != 0, "what is not stored is not named"
    installation.credentials(KEY)
    installation.ok()
    assert installation.deploy("refused", 1).returncode == 0


def test_an_upload_that_breaks_off_leaves_nothing(installation: Installation) -> None:
    before = installation.kept()
    with installation.store.failing("drop", lambda method, path: method == "PUT"):
        done = installation.deploy("broken", 1)
    assert done.returncode == 1 and f"projects cannot be kept in {PLACE}/: " in done.stderr, done
    assert installation.kept() == before
    assert installation.kubectl.run("get", "realtimeapi/broken").returncode != 0
    assert installation.deploy("broken", 1).returncode == 0, "as soon as the store takes it"


def test_another_place_is_not_taken_while_apis_are_there(installation: Installation) -> None:
    assert installation.deploy("staying", 1).returncode == 0
    done = installation.up("volume")
    assert done.returncode == 1 and "staying" in done.stderr and "--force" in done.stderr, done
    info = json.loads(installation.cortex.run("cluster", "info", "-n", installation.name, "-o", "json").stdout)
    assert info["project_store"] == PLACE


def test_replicas_read_models_with_a_secret_of_their_own(installation: Installation) -> None:
    installation.credentials(KEY, "cortex-model-credentials")
    installation.store.put(BUCKET, "models/1/weights", b"the first")
    api = API("reader", predictor={"model_path": f"s3://{BUCKET}/models/"}, sections={"compute": {"cpu": "20m"}})
    project = write(installation.folder / "reader", {"predictor.py": READER}, api)
    done = installation.cortex.run("deploy", "--env", installation.name, "--wait", cwd=project)
    assert done.returncode == 0, f"{done}\n{installation.kubectl.run('describe', 'pods').stdout[-6000:]}"
    assert installation.ask("reader").text == "the first"
    # It is followed there, too.
    installation.store.put(BUCKET, "models/2/weights", b"the second")
    eventually(lambda: installation.ask("reader").text == "the second", "the newer version is loaded", 120)
