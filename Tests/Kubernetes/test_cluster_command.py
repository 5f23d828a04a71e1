"""`cortex cluster up`, `info` and `down` on a real cluster."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.server import Cortex
from cluster.cluster import Cluster
from cluster.kubectl import Kubectl

pytestmark = pytest.mark.apart

Done = subprocess.CompletedProcess[str]


class Installation:
    """A name for a namespace, which need not be there, and the commands about it."""

    def __init__(self, cortex: Cortex, cluster: Cluster, image: str) -> None:
        self.cortex = cortex
        self.image = image
        self.namespace = f"up-{secrets.token_hex(3)}"
        self.kubectl = Kubectl(cluster, self.namespace)

    def up(self, *flags: str | Path, image: str | None = None, policy: str = "Never") -> Done:
        named = ("--namespace", self.namespace, "--image", image or self.image, "--image-pull-policy", policy)
        return self.cortex.run("cluster", "up", *named, *flags)

    def ok(self, *flags: str | Path) -> str:
        done = self.up(*flags)
        assert done.returncode == 0, f"{done.stderr}\n{self.state()}"
        return done.stdout

    def refused(self, *flags: str | Path, **options: Any) -> str:
        done = self.up(*flags, **options)
        assert done.returncode == 1, f"{done}\n{self.state()}"
        assert done.stdout == ""
        return done.stderr

    def info(self) -> dict[str, Any]:
        """What it says of itself, well or not."""
        found: dict[str, Any] = json.loads(
            self.cortex.run("cluster", "info", "-n", self.namespace, "-o", "json").stdout
        )
        return found

    def state(self) -> str:
        """All pods, for a failure's message."""
        return self.kubectl.run("describe", "pods").stdout[-6000:]

    def deployments(self) -> dict[str, Any]:
        """The specs by name, with their generations: one more for each change."""
        found = self.kubectl.json("get", "deployments")["items"]
        return {each["metadata"]["name"]: (each["metadata"]["generation"], each["spec"]) for each in found}

    def is_there(self, what: str) -> bool:
        return self.kubectl.run("get", what).returncode == 0


@pytest.fixture
def installation(cortex: Cortex, cluster: Cluster, image: str, kubectl: Kubectl) -> Iterator[Installation]:
    installation = Installation(cortex, cluster, image)
    yield installation
    # The gateways' grace would hold the namespace up.
    installation.kubectl.run("delete", "pods,deployments", "--all", "--grace-period=1", "--wait=false")
    kubectl.run("delete", "namespace", installation.namespace, "--wait=false")


def test_up_and_up_again_and_down(installation: Installation, kubectl: Kubectl) -> None:
    said = installation.ok("--gateways", "1")
    name = installation.namespace
    assert f"is up in the namespace {name}" in said and f"cortex deploy --env {name}" in said
    assert installation.cortex.json("get", "--env", name) == [], "the operator answers, through the API server"
    assert "server version" in installation.cortex.ok("version", "--env", name)
    info = installation.info()
    assert info["operator"] == info["gateways"] == {"ready": 1, "requested": 1} and info["problems"] == []
    assert (info["environments"], info["apis"], info["project_store"]) == ([name], 0, "volume")

    before = installation.deployments()
    tokens = installation.kubectl.json("get", "secret/cortex-tokens")["data"]
    internal = installation.kubectl.json("get", "secret/cortex-internal")["data"]
    done = installation.cortex.run("cluster", "up", "--env", name)
    assert done.returncode == 0, done
    assert installation.deployments() == before, "what was chosen is kept, and nothing is started anew"
    assert installation.kubectl.json("get", "secret/cortex-tokens")["data"] == tokens
    assert installation.kubectl.json("get", "secret/cortex-internal")["data"] == internal

    installation.kubectl.ok("delete", "deployment/cortex-gateway", "service/cortex-operator", "role/cortex-gateway")
    installation.ok("--gateways", "2")
    assert installation.info()["gateways"] == {"ready": 2, "requested": 2}, "what was missing is mended"

    done = installation.cortex.run("cluster", "down", "--env", name, "--yes")
    assert done.returncode == 0, done
    assert kubectl.run("get", "namespace", name).returncode != 0, "the namespace was made by `up`"
    assert [each["name"] for each in installation.cortex.json("env", "list")] == ["local"]
    done = installation.cortex.run("cluster", "down", "-n", name, "--yes")
    assert done.returncode == 0 and ("nothing of Cortex is in" in done.stderr or "is gone from" in done.stdout), done


def test_the_columns_of_kubectl(installation: Installation) -> None:
    installation.ok("--gateways", "1", "--no-wait")
    project = {"hash": "0" * 64}
    spec = {"config": {"name": "iris", "kind": "RealtimeAPI"}, "project": project}
    metadata = {"name": "iris"}
    installation.kubectl.ok("scale", "deployment/cortex-operator", "--replicas=0")
    installation.kubectl.apply(
        {"apiVersion": "cortex.dev/v1", "kind": "RealtimeAPI", "metadata": metadata, "spec": spec}
    )
    head = installation.kubectl.ok("get", "rapi", "-o", "wide").splitlines()[0].split()
    assert head == ["NAME", "STATUS", "READY", "REQUESTED", "VERSION", "ENDPOINT", "REASON", "AGE"]
    assert "realtimeapi.cortex.dev/iris" in installation.kubectl.ok("get", "cortex", "-o", "name")
    assert installation.kubectl.ok("get", "tsplit", "--ignore-not-found") == ""
    for wrong in (
        {"config": {}, "project": {"hash": "../../etc"}},
        {"project": project},
        {"config": {}, "project": project, "refresh": -1},
    ):
        given = {"apiVersion": "cortex.dev/v1", "kind": "RealtimeAPI", "metadata": {"name": "bad"}, "spec": wrong}
        done = installation.kubectl.run("apply", "--validate=false", "-f", "-", given=json.dumps(given))
        assert done.returncode == 1 and "is invalid" in done.stderr, done
    installation.kubectl.ok("delete", "rapi", "iris", "--wait=false")


def test_an_image_that_cannot_be_pulled(installation: Installation) -> None:
    said = installation.refused("--gateways", "1", image="localhost/nothing:1")
    assert "error: the image localhost/nothing:1 cannot be pulled: " in said
    assert "is not present with pull policy of Never" in said and "--image-pull-secret" in said
    assert installation.info()["problems"], "info says the same"
    installation.ok()


def test_a_quota_that_is_full(installation: Installation, kubectl: Kubectl) -> None:
    kubectl.ok("create", "namespace", installation.namespace)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"pods": "1"}},
    }
    installation.kubectl.apply(quota)
    eventually(
        lambda: "hard" in installation.kubectl.json("get", "quota/small")["status"], "the quota is in force", within=30
    )
    said = installation.refused("--gateways", "2")
    assert "a quota of the namespace is used up: " in said and "exceeded quota: small" in said, said
    installation.kubectl.apply({**quota, "spec": {"hard": {"services": "1"}}})
    eventually(
        lambda: installation.kubectl.json("get", "quota/small")["status"].get("hard") == {"services": "1"},
        "the other quota is in force",
        within=30,
    )
    installation.kubectl.ok("delete", "service", "cortex-gateway", "cortex-operator")
    said = installation.refused("--gateways", "2")
    assert "a quota of the namespace is used up: " in said and "services=1" in said, said
    installation.kubectl.ok("delete", "quota", "small")
    installation.ok()
    done = installation.cortex.run("cluster", "down", "-n", installation.namespace, "--yes")
    assert done.returncode == 0, done
    assert kubectl.run("get", "namespace", installation.namespace).returncode == 0, "it was there before"
    left = installation.kubectl.ok(
        "get", "all,secrets,pvc,roles,rolebindings,pdb", "-l", "app.kubernetes.io/name=cortex"
    )
    assert left == "", left


def limited(installation: Installation, kubectl: Kubectl, cluster: Cluster, folder: Path, rules: list[Any]) -> Path:
    """A kubeconfig of an account that has these rights in the namespace, and no others."""
    if not installation.is_there(f"namespace/{installation.namespace}"):
        kubectl.ok("create", "namespace", installation.namespace)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "someone"}}
    version = "rbac.authorization.k8s.io/v1"
    role = {"apiVersion": version, "kind": "Role", "metadata": {"name": "someone"}, "rules": rules}
    subject = {"kind": "ServiceAccount", "name": "someone", "namespace": installation.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "someone"}
    binding = {
        "apiVersion": version,
        "kind": "RoleBinding",
        "metadata": {"name": "someone"},
        "roleRef": reference,
        "subjects": [subject],
    }
    installation.kubectl.apply(account, role, binding)
    token = eventually(lambda: token_of(installation.kubectl), "the account has a token", within=30)
    config = kubectl.json("config", "view", "--raw")
    config["users"] = [{"name": "someone", "user": {"token": token}}]
    config["contexts"] = [{"name": "someone", "context": {"cluster": config["clusters"][0]["name"], "user": "someone"}}]
    config["current-context"] = "someone"
    file = folder / "someone.kubeconfig"
    file.write_text(json.dumps(config))
    return file


def token_of(kubectl: Kubectl) -> str | None:
    for secret in kubectl.json("get", "secrets")["items"]:
        annotations = secret["metadata"].get("annotations", {})
        if annotations.get("kubernetes.io/service-account.name") == "someone" and "token" in secret.get("data", {}):
            return base64.b64decode(secret["data"]["token"]).decode()
    return None


def test_missing_rights_are_named_and_nothing_is_applied(
    installation: Installation, kubectl: Kubectl, cluster: Cluster, folder: Path
) -> None:
    rules = [{"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    config = limited(installation, kubectl, cluster, folder, rules)
    said = installation.refused("--kubeconfig", config)
    assert "you lack rights for this in the cluster of the context someone; nothing was applied" in said
    assert f"create, get, patch roles.rbac.authorization.k8s.io, in the namespace {installation.namespace}" in said
    assert "update, watch realtimeapis.cortex.dev" in said, "what the operator may do, too"
    assert "pods/log" not in said, "of that it has enough"
    assert "kubectl --context someone auth can-i" in said
    found = installation.kubectl.ok("get", "all,secrets,roles", "-l", "app.kubernetes.io/name=cortex")
    assert found == "", found
    assert [each["name"] for each in installation.cortex.json("env", "list")] == ["local"]
    installation.ok("--gateways", "1", "--no-wait")


def test_an_owner_of_a_namespace_needs_nothing_in_the_cluster(
    installation: Installation, kubectl: Kubectl, cluster: Cluster, folder: Path
) -> None:
    """Where somebody else has applied the custom resources."""
    objects = json.loads(
        installation.cortex.ok("cluster", "up", "--image", "i", "--dry-run", "-o", "json", "-n", installation.namespace)
    )["items"]
    kubectl.apply(*[each for each in objects if each["kind"] == "CustomResourceDefinition"])
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    config = limited(installation, kubectl, cluster, folder, rules)
    installation.ok("--kubeconfig", config, "--gateways", "1")
    said = installation.cortex.run("cluster", "down", "-n", installation.namespace, "--kubeconfig", config, "--yes")
    assert said.returncode == 0 and "the custom resources stay" in said.stderr, said


def test_a_namespace_that_is_being_deleted(installation: Installation, kubectl: Kubectl) -> None:
    kubectl.ok("create", "namespace", installation.namespace)
    metadata = {"name": "held", "finalizers": ["cortex.test/held"]}
    installation.kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    kubectl.ok("delete", "namespace", installation.namespace, "--wait=false")
    said = eventually(
        lambda: told(installation.refused(), "finalizers remaining"), "the namespace's reason is told", within=60
    )
    assert f"error: the namespace {installation.namespace} is being deleted" in said
    assert f"kubectl --context test wait --for=delete namespace/{installation.namespace}" in said
    installation.kubectl.ok("patch", "configmap", "held", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    eventually(lambda: not installation.is_there(f"namespace/{installation.namespace}"), "it is gone", within=120)
    installation.ok("--gateways", "1", "--no-wait")


def told(text: str, part: str) -> str | None:
    return text if part in text else None


def test_an_older_cortex(installation: Installation) -> None:
    installation.ok("--gateways", "1", "--no-wait")
    installation.kubectl.ok(
        "annotate", "deployment/cortex-operator", "cortex.dev/version=99.0.0", "--overwrite", "--field-manager=test"
    )
    said = installation.refused()
    assert f"cortex 99.0.0 is installed in the namespace {installation.namespace}" in said and "--force" in said
    installation.ok("--force", "--no-wait")
    assert installation.info()["version"] != "99.0.0"


def test_an_older_operator_needs_the_image_of_this_release(installation: Installation) -> None:
    installation.ok("--gateways", "1", "--no-wait")
    installation.kubectl.ok(
        "annotate", "deployment/cortex-operator", "cortex.dev/version=0.0.1", "--overwrite", "--field-manager=test"
    )
    done = installation.cortex.run("cluster", "up", "--env", installation.namespace)
    assert done.returncode == 2 and f"cortex 0.0.1 is installed, with the image {installation.image}" in done.stderr
    assert "--image NAME" in done.stderr, done
    assert installation.info()["version"] == "0.0.1", "nothing was changed"
    installation.ok("--no-wait")
    assert installation.info()["version"] != "0.0.1"


def test_no_kubeconfig(installation: Installation, folder: Path) -> None:
    """In the words of a real kubectl."""
    said = installation.refused("--kubeconfig", folder / "nothing")
    assert "kubectl knows no cluster: " in said and "--kubeconfig FILE" in said, said
    said = installation.refused("--context", "elsewhere")
    assert "elsewhere" in said and "kubectl config get-contexts" in said, said


def test_what_is_given_to_git_can_be_applied(installation: Installation) -> None:
    name = installation.namespace
    flags = ("--gateways", "1", "--dry-run", "--kubernetes-version", "1.20")
    text = installation.ok(*flags, "-o", "yaml")
    assert text == installation.ok(*flags), "the same each time, so that it can be compared"
    assert "kind: Secret" not in text
    installation.kubectl.ok("apply", "-f", "-", given=text)
    done = installation.cortex.run("cluster", "up", "-n", name)
    assert done.returncode == 0, f"{done.stderr}\n{installation.state()}"
    assert installation.cortex.json("get", "--env", name) == []


def test_roles_give_no_more_than_is_needed(installation: Installation) -> None:
    installation.ok("--gateways", "1", "--no-wait")

    def may(account: str, *words: str) -> bool:
        name = f"--as=system:serviceaccount:{installation.namespace}:cortex-{account}"
        return installation.kubectl.run("auth", "can-i", *words, name).stdout.strip() == "yes"

    assert may("operator", "patch", "deployments.apps") and may("operator", "get", "pods/log")
    assert may("gateway", "watch", "realtimeapis.cortex.dev") and may(
        "gateway", "watch", "endpointslices.discovery.k8s.io"
    )
    for account, words in {
        "operator": [["create", "pods"], ["create", "pods/exec"], ["get", "nodes"], ["create", "rolebindings"]],
        "gateway": [["get", "secrets"], ["patch", "realtimeapis.cortex.dev"], ["list", "pods"]],
        "replica": [["get", "realtimeapis.cortex.dev"], ["get", "secrets"], ["list", "endpoints"]],
    }.items():
        for each in words:
            assert not may(account, *each), f"cortex-{account} may {each}"
    assert not may("operator", "list", "secrets", "--all-namespaces")


@pytest.mark.breaks
def test_an_api_server_that_is_away_for_a_while(installation: Installation, cluster: Cluster) -> None:
    installation.ok("--gateways", "1")
    server = cluster.daemons["kube-apiserver"]
    server.kill()
    said = installation.refused()
    assert "the API server of the cluster of the context test does not answer" in said
    said = installation.cortex.run("get", "--env", installation.namespace).stderr
    assert "does not answer" in said, said
    timer = threading.Timer(6, server.start)
    timer.start()
    installation.ok("--gateways", "2")
    timer.join()
    assert installation.info()["gateways"] == {"ready": 2, "requested": 2}
