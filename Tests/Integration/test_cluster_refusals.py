"""`cortex cluster` and environments of clusters, as far as a stand-in for kubectl can show them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.kubectl import StandIn
from blackbox.processes import is_alive
from blackbox.project import API, write
from blackbox.server import Cortex, Server

GOLDEN = Path(__file__).parent / "golden" / "cluster.yaml"
UP = ("cluster", "up", "--image", "registry.example.com/cortex:1")
ALL = {"status": {"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}}
REFUSED = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n"


@pytest.fixture
def kubectl(folder: Path) -> StandIn:
    return StandIn(folder / "kubectl")


@pytest.fixture
def cortex(binary: Path, folder: Path, kubectl: StandIn) -> Cortex:
    return Cortex(binary, folder / "home", None, **kubectl.settings)


def version(kubectl: StandIn, release: str = "v1.29.3") -> None:
    kubectl.tell("version", says=json.dumps({"serverVersion": {"gitVersion": release}}))


def refused(cortex: Cortex, *arguments: str, code: int = 1) -> str:
    done = cortex.run(*arguments)
    assert done.returncode == code, done
    assert done.stdout == "", "a failure prints no result"
    return done.stderr


def test_the_objects_are_those_of_the_golden_file(cortex: Cortex, kubectl: StandIn) -> None:
    """`GOLDEN_UPDATE=1` writes it anew."""
    shown = cortex.ok(*UP, "--dry-run", "-o", "yaml")
    if os.environ.get("GOLDEN_UPDATE"):
        GOLDEN.write_text(shown)
    assert shown == GOLDEN.read_text()
    assert kubectl.calls == [], "a dry run asks nobody"


def test_flags_change_the_objects(cortex: Cortex) -> None:
    flags = (
        "--namespace=ml --gateways=3 --service-type=LoadBalancer --project-store=volume --storage-class=fast "
        "--wheels=/wheels --environment-cache=claim:shared --endpoint=https://ml.example.com "
        "--image-pull-policy=Always --image-pull-secret=registry "
        "--replica-service-account-annotation=eks.amazonaws.com/role-arn=arn:aws:iam::1:role --kubernetes-version=1.20"
    )
    found = json.loads(cortex.ok(*UP, *flags.split(), "--dry-run", "-o", "json"))["items"]

    def one(kind: str, name: str) -> dict[str, Any]:
        match: dict[str, Any]
        (match,) = [each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name)]
        return match

    assert {each["metadata"].get("namespace", "ml") for each in found} == {"ml"}
    assert one("Deployment", "cortex-gateway")["spec"]["replicas"] == 3
    assert one("Service", "cortex-gateway")["spec"]["type"] == "LoadBalancer"
    assert one("PodDisruptionBudget", "cortex-gateway")["apiVersion"] == "policy/v1beta1"
    assert one("ServiceAccount", "cortex-replica")["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role"
    }
    assert one("PersistentVolumeClaim", "cortex-operator")["spec"]["storageClassName"] == "fast"
    assert "annotations" not in one("ServiceAccount", "cortex-operator")["metadata"]
    assert not [each for each in found if each["kind"] in ("Secret", "ClusterRole", "ClusterRoleBinding")]
    pod = one("Deployment", "cortex-operator")["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    variables = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert (
        variables
        | {
            "CORTEX_PROJECT_STORE": "volume",
            "CORTEX_WHEELS": "/wheels",
            "CORTEX_ENVIRONMENT_CACHE": "claim:shared",
            "CORTEX_ENDPOINT": "https://ml.example.com",
            "CORTEX_IMAGE_PULL_POLICY": "Always",
            "CORTEX_IMAGE_PULL_SECRET": "registry",
        }
        == variables
    )


def test_an_object_store_needs_no_volume(cortex: Cortex) -> None:
    flags = "--project-store=gs://bucket/projects --operator-service-account-annotation=role=writer --wheels=/wheels"
    found = json.loads(cortex.ok(*UP, *flags.split(), "--dry-run", "-o", "json"))["items"]
    assert not [each for each in found if each["kind"] == "PersistentVolumeClaim"]
    (account, operator) = (
        each
        for each in found
        if each["metadata"]["name"] == "cortex-operator" and each["kind"] in ("ServiceAccount", "Deployment")
    )
    assert account["metadata"]["annotations"] == {"role": "writer"}
    template = operator["spec"]["template"]
    assert "role=writer" in template["metadata"]["annotations"]["cortex.dev/credentials"], "another role, another pod"
    (container,) = template["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "cortex-project-store", "optional": True}}]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["CORTEX_PROJECT_STORE"] == "gs://bucket/projects"
    assert variables["UV_FIND_LINKS"] in {each["mountPath"] for each in container["volumeMounts"]}
    assert {"name": "home", "emptyDir": {}} in template["spec"]["volumes"]


def test_no_kubectl(binary: Path, folder: Path) -> None:
    cortex = Cortex(binary, folder / "home", None, PATH="/nowhere")
    said = refused(cortex, *UP)
    assert "kubectl is not on this machine" in said and "CORTEX_KUBECTL" in said


def test_no_kubeconfig(cortex: Cortex, kubectl: StandIn) -> None:
    kubectl.tell("config view", first=True, complains="error: current-context must exist in order to minify\n")
    said = refused(cortex, *UP)
    assert "kubectl knows no cluster: current-context must exist" in said and "--kubeconfig FILE" in said


def test_nobody_answers(cortex: Cortex, kubectl: StandIn) -> None:
    kubectl.tell("version", complains=REFUSED)
    said = refused(cortex, *UP)
    assert "the API server of the cluster of the context test does not answer" in said
    assert "trying again" in said, "the wait is told of"


def test_an_api_server_that_is_away_for_a_moment(cortex: Cortex, kubectl: StandIn) -> None:
    kubectl.tell("version", complains=REFUSED, times=3)
    version(kubectl, "v1.19.1")
    said = refused(cortex, *UP)
    assert "the cluster runs Kubernetes 1.19; Cortex needs 1.20 or later" in said
    assert len([call for call in kubectl.calls if " version " in f" {call['words']} "]) == 4


def test_a_namespace_that_is_being_deleted(cortex: Cortex, kubectl: StandIn) -> None:
    version(kubectl)
    conditions = [{"type": "NamespaceContentRemaining", "status": "True", "message": "pods. has 1 resource instances"}]
    status = {"phase": "Terminating", "conditions": conditions}
    kubectl.tell("get namespace", says=json.dumps({"kind": "Namespace", "metadata": {"name": "ml"}, "status": status}))
    kubectl.tell("get customresourcedefinitions")
    said = refused(cortex, *UP, "-n", "ml")
    assert "the namespace ml is being deleted: pods. has 1 resource instances" in said
    assert "wait --for=delete namespace/ml" in said


def test_missing_rights_are_named_before_anything_is_applied(cortex: Cortex, kubectl: StandIn) -> None:
    version(kubectl)
    kubectl.tell("get (namespace|customresourcedefinitions)")
    rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    kubectl.tell("create .* -o json", says=json.dumps({"status": {"resourceRules": rules}}))
    # Of the whole cluster: three for the definitions, two for the namespace.
    kubectl.tell("create .*go-template", says="true\nfalse\nfalse\ntrue\ntrue\n")
    said = refused(cortex, *UP)
    assert "nothing was applied" in said
    assert "get, patch customresourcedefinitions.apiextensions.k8s.io, in the whole cluster" in said, said
    assert "kubectl --context test auth can-i" in said
    assert not [call for call in kubectl.calls if "apply" in call["words"]]
    asked = json.loads(kubectl.calls[-1]["input"])["items"]
    assert len(asked) == 5 and all(each["kind"] == "SelfSubjectAccessReview" for each in asked)


def test_an_older_cortex_does_not_replace_a_newer_one(cortex: Cortex, kubectl: StandIn) -> None:
    version(kubectl)
    kubectl.tell("get namespace", says=json.dumps({"kind": "Namespace", "metadata": {"name": "cortex"}}))
    metadata = {"name": "cortex-operator", "annotations": {"cortex.dev/version": "99.0.0"}}
    kubectl.tell("get deployments", says=json.dumps({"items": [{"kind": "Deployment", "metadata": metadata}]}))
    kubectl.tell("get (customresourcedefinitions|secrets)")
    said = refused(cortex, *UP)
    assert "cortex 99.0.0 is installed in the namespace cortex, and this is the older cortex" in said
    assert "--force" in said


def test_an_environment_that_leads_elsewhere_is_kept(cortex: Cortex, kubectl: StandIn, folder: Path) -> None:
    (folder / "token").write_text("cortex_x")
    endpoint = ("--operator-endpoint", "https://cortex.example.com", "--no-check")
    cortex.ok("env", "configure", "cortex", *endpoint, "--token-file", folder / "token")
    said = refused(cortex, *UP, code=2)
    assert "the environment cortex leads elsewhere: https://cortex.example.com" in said
    assert [call["words"].split()[0] for call in kubectl.calls] == ["config"]


def test_a_script_must_mean_it(cortex: Cortex, kubectl: StandIn) -> None:
    kubectl.tell("get namespace", says=json.dumps({"kind": "Namespace", "metadata": {"name": "cortex"}}))
    kubectl.tell("get --raw", complains="Error from server (NotFound): the server could not find the resource\n")
    said = refused(cortex, "cluster", "down", code=2)
    assert "this deletes Cortex in the namespace cortex and the stored projects" in said and "--yes" in said


@pytest.fixture
def forwarded(cortex: Cortex, kubectl: StandIn, server: Server) -> Cortex:
    """A command line whose default environment is the shared server, as if that were in a cluster."""
    kubectl.tell("port-forward .*cortex-operator", forward=server.status["operator_port"])
    kubectl.tell("port-forward .*cortex-gateway", forward=server.port)
    token = (server.home / "tokens" / "local.token").read_text().strip()
    place = {"context": "test", "namespace": "ml"}
    entry = {"name": "prod", "kubernetes": place, "token": token}
    cortex.home.mkdir(parents=True)
    (cortex.home / "cli.json").write_text(
        json.dumps({"version": 2, "default_environment": "prod", "environments": [entry]})
    )
    return cortex


def test_every_command_reaches_the_operator_through_the_cluster(
    forwarded: Cortex, server: Server, kubectl: StandIn, folder: Path
) -> None:
    source = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"
    project = write(folder / "project", {"predictor.py": source, "sample.json": "[1]"}, API("forwarded"))
    assert "forwarded is live" in forwarded.ok("deploy", "--wait", cwd=project)
    assert forwarded.json("get", "forwarded")[0]["spec"]["name"] == "forwarded"
    assert json.loads(forwarded.ok("predict", "forwarded", project / "sample.json")) == [1]
    words = kubectl.calls[-1]["words"]
    assert words.startswith("--context test --namespace ml port-forward --address 127.0.0.1"), words
    eventually(lambda: not is_alive(kubectl.forwarder), "the forwarder ends with the command")
    (listed,) = [each for each in forwarded.json("env", "list") if each["name"] == "prod"]
    assert listed["kubernetes"] == {"context": "test", "namespace": "ml"} and "operator_endpoint" not in listed
    forwarded.ok("delete", "forwarded")


def test_a_command_that_is_killed_leaves_no_forwarder(
    forwarded: Cortex, server: Server, kubectl: StandIn, folder: Path
) -> None:
    source = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"
    server.deploy(write(folder / "project", {"predictor.py": source}, API("followed")))
    command = [str(forwarded.binary), "logs", "followed", "--follow"]
    with subprocess.Popen(command, env=forwarded.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as logs:
        assert logs.stdout is not None and logs.stdout.readline(), "it follows"
        first = kubectl.forwarder
        assert is_alive(first)
        logs.send_signal(signal.SIGKILL)
    eventually(lambda: not is_alive(first), "the forwarder ends with the command")
    server.ok("delete", "followed")


def test_a_way_that_is_lost_is_opened_again(forwarded: Cortex, server: Server, kubectl: StandIn, folder: Path) -> None:
    gate = folder / "gate"
    source = f"""import os, time

class PythonPredictor:
    def __init__(self, config):
        while not os.path.exists({str(gate)!r}):
            time.sleep(0.02)

    def predict(self, payload):
        return payload
"""
    project = write(folder / "project", {"predictor.py": source}, API("lost"))
    command = [str(forwarded.binary), "deploy", "--wait"]
    with subprocess.Popen(
        command,
        cwd=project,
        env=forwarded.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as deploy:
        eventually(lambda: server.run("get", "lost").returncode == 0, "it is deployed")
        first = kubectl.forwarder
        os.kill(first, signal.SIGKILL)
        eventually(lambda: kubectl.forwarder != first and is_alive(kubectl.forwarder), "another forwarder")
        gate.touch()
        said, complained = deploy.communicate(timeout=120)
    assert deploy.returncode == 0 and "lost is live" in said, complained
    assert "the way to the cluster is lost" in complained
    server.ok("delete", "lost")


@pytest.mark.parametrize(
    ("complains", "expected"),
    [
        (
            'Error from server (NotFound): services "cortex-operator" not found\n',
            "there is no Cortex in the namespace ml",
        ),
        (REFUSED, "the API server of the cluster of the context test does not answer"),
        ("error: You must be logged in to the server (Unauthorized)\n", "does not know you"),
        ("error: unable to forward port because pod is not running. Current status=Pending\n", "pod is not running"),
    ],
)
def test_why_an_environment_cannot_be_reached(
    forwarded: Cortex, kubectl: StandIn, complains: str, expected: str
) -> None:
    kubectl.tell("port-forward", first=True, complains=complains)
    said = refused(forwarded, "get", "x")
    assert expected in said, said
