"""The operator with a thousand APIs, against a real API server that nobody else is on.

It takes minutes, and is run by hand: `CORTEX_TEST_SCALE=1 dev/integration-kubernetes -s test_scale.py`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.pods import archive
from blackbox.project import API, write
from blackbox.server import Cortex
from cluster.cluster import Cluster
from cluster.store import Store, running_store

COUNT = 1000
PROMISED = 60
"""Seconds in which the operator has all of them as they have to be, on a machine that has nothing else to do."""
PATIENCE = 6 * PROMISED
"""Seconds that it gets here."""
NAMESPACE = "cortex"
APIS = f"/apis/cortex.dev/v1/namespaces/{NAMESPACE}/realtimeapis"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
BUDGETS = f"/apis/policy/v1beta1/namespaces/{NAMESPACE}/poddisruptionbudgets"
OWN = "labelSelector=cortex.dev/api"
MERGE = "application/merge-patch+json"
PREDICTOR = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"


@pytest.fixture
def store(cluster: Cluster, cortex: Cortex) -> Iterator[Store]:
    """An API server on which Cortex is set up, as far as objects go."""
    with running_store(cluster) as store:
        options = ["--namespace", NAMESPACE, "--kubernetes-version", "1.20", "--image", "localhost/cortex:1"]
        manifest = cortex.ok("cluster", "up", *options, "--dry-run", "-o", "yaml")
        applied = subprocess.run(
            [*cluster.kubectl(f"--server={store.url}", "apply", "--validate=false", "--filename=-")],
            input=manifest,
            capture_output=True,
            text=True,
        )
        assert applied.returncode == 0, applied.stderr
        yield store


class Operator:
    """`cortex operator`, as a process of this machine, with the rights of its service account."""

    def __init__(self, cortex: Cortex, store: Store, folder: Path) -> None:
        token = store.ask(
            "POST",
            f"{CORE}/serviceaccounts/cortex-operator/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 86400}},
        )["status"]["token"]
        (folder / "token").write_text(token)
        self.projects = folder / "operator" / "projects"
        self.projects.mkdir(parents=True)
        self._command = [str(cortex.binary), "operator", "--port", "0", "--image", "localhost/cortex:1"]
        self._variables = {
            **cortex.environment,
            "CORTEX_HOME": str(folder / "operator"),
            "CORTEX_KUBERNETES_URL": store.url,
            "CORTEX_KUBERNETES_TOKEN_FILE": str(folder / "token"),
            "CORTEX_KUBERNETES_CA_FILE": str(store.authority),
            "CORTEX_NAMESPACE": NAMESPACE,
        }
        self._log = folder / "operator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def start(self) -> None:
        """Returns once it leads and has read the cluster."""
        self._starts += 1
        self._log.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            variables = {**self._variables, "CORTEX_POD": f"operator-{self._starts}"}
            self._process = subprocess.Popen(self._command, env=variables, stdout=log, stderr=log)

        def is_ready() -> bool:
            assert self._process is not None and self._process.poll() is None, self._log.read_text()[-3000:]
            bound = [json.loads(line) for line in self._log.read_text().splitlines() if '"listening"' in line]
            return bool(bound) and requests.get(f"http://127.0.0.1:{_port(bound[0])}/readyz", timeout=10).ok

        eventually(is_ready, "the operator is ready", PATIENCE)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends it; a lease that it has not given back is waited for by the next one."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=120)
            self._process = None

    @property
    def memory(self) -> float:
        """Resident, in MB."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    @property
    def work(self) -> float:
        """Processor time since it was started, in seconds."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Operator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGKILL)


def _port(line: dict[str, Any]) -> int:
    return int(line["port"])


def wish(name: str, project: str) -> dict[str, Any]:
    """An API that sleeps while nobody asks it."""
    config = API(name, sections={"autoscaling": {"min_replicas": 0}}).entry()
    spec = {"config": config, "project": {"hash": project}}
    return {"apiVersion": "cortex.dev/v1", "kind": "RealtimeAPI", "metadata": {"name": name}, "spec": spec}


def await_all(store: Store, observe: Callable[[dict[str, Any]], bool], what: str) -> None:
    """Returns when this can be said of all APIs.

    One is asked for before the others are: to list a thousand again and again keeps the server from what is measured.
    """
    last = f"{APIS}/api-{COUNT - 1}"
    eventually(lambda: observe(store.ask("GET", last)) and all(map(observe, store.all(APIS))), what, PATIENCE)


def is_answered(api: dict[str, Any]) -> bool:
    """Whether an API is told of as it is asked for."""
    return bool(api.get("status", {}).get("observedGeneration") == api["metadata"]["generation"])


def is_asleep(api: dict[str, Any]) -> bool:
    """Whether requests for an API would be held."""
    return bool(api["status"]["route"]["isAsleep"])


def versions(store: Store) -> dict[str, str]:
    """The version of each object that belongs to an API."""
    return {
        f"{path}/{one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for path in (f"{APPS}/deployments", f"{CORE}/services", f"{CORE}/secrets", BUDGETS)
        for one in store.all(f"{path}?{OWN}")
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.environ.get("CORTEX_TEST_SCALE"), reason="takes minutes: set CORTEX_TEST_SCALE")
def test_a_thousand_apis_that_sleep(store: Store, cortex: Cortex, folder: Path) -> None:
    project, content = archive(write(folder / "project", {"predictor.py": PREDICTOR}))
    names = [f"api-{number}" for number in range(COUNT)]
    with Operator(cortex, store, folder) as operator:
        (operator.projects / f"{project}.tar").write_bytes(content)
        store.ask_all(("POST", APIS, wish(name, project)) for name in names)

        # All of them are new.
        began = time.monotonic()
        operator.start()
        await_all(store, is_answered, "all APIs are deployed")
        took = {"new": (time.monotonic() - began, operator.work)}
        made = versions(store)
        assert len(made) == 5 * COUNT, "each has a secret, two services, a deployment and a budget"
        assert len(store.all(f"{APPS}/controllerrevisions")) == COUNT

        # What is only touched changes nothing, and nothing piles up.
        memory = [operator.memory]
        for turn in range(4):
            touch = {"metadata": {"annotations": {"example.com/touched": f"{turn}"}}}
            store.ask_all((("PATCH", f"{APIS}/{name}", touch) for name in names), media=MERGE)
            # The operator has seen what came before what it answers.
            wanted = {"spec": {"config": {"networking": {"timeout": f"{turn + 1}m"}}}}
            store.ask("PATCH", f"{APIS}/{names[-1]}", wanted, media=MERGE)
            await_all(store, is_answered, "the last is deployed")
            memory.append(operator.memory)
        assert memory[-1] < 1.2 * memory[1] + 10, memory
        operator.stop()

        # They have been live, and sleep: what there is of them is brought to that.
        live = {"metadata": {"annotations": {"cortex.dev/outcome": "live"}}}
        revisions = [one["metadata"]["name"] for one in store.all(f"{APPS}/controllerrevisions")]
        store.ask_all((("PATCH", f"{APPS}/controllerrevisions/{name}", live) for name in revisions), media=MERGE)
        asleep = {"status": {"replicas": {"requested": 0}}}
        store.ask_all((("PATCH", f"{APIS}/{name}/status", asleep) for name in names), media=MERGE)
        began = time.monotonic()
        operator.start()

        await_all(store, is_asleep, "all of them sleep")

        def scaled() -> bool:
            return not any(one["spec"]["replicas"] for one in store.all(f"{APPS}/deployments?{OWN}"))

        eventually(scaled, "none is to have pods", PATIENCE)
        took["asleep"] = (time.monotonic() - began, operator.work)
        operator.stop()

        # Another operator finds everything as it has to be, and writes nothing.
        before = versions(store)
        began = time.monotonic()
        operator.start()
        wanted = {"spec": {"config": {"networking": {"timeout": "9m"}}}}
        store.ask("PATCH", f"{APIS}/{names[0]}", wanted, media=MERGE)
        eventually(lambda: is_answered(store.ask("GET", f"{APIS}/{names[0]}")), "it is seen", PATIENCE)
        await_all(store, is_answered, "the one that has changed is deployed")
        took["restart"] = (time.monotonic() - began, operator.work)
        after = versions(store)
        changed = {name for name in before if after[name] != before[name]}
        # Its secret tells a replica of the deadline, and it has to show once that it comes up.
        own = (f"{CORE}/secrets/api-{names[0]}-", f"{APPS}/deployments/api-{names[0]}")
        assert changed and all(name.startswith(own) for name in changed), changed
        memory.append(operator.memory)
    told = ", ".join(f"{what} {seconds:.0f} s (its own work: {work:.1f} s)" for what, (seconds, work) in took.items())
    print(f"{COUNT} APIs: {told}; memory {', '.join(f'{size:.0f}' for size in memory)} MB")
    assert max(seconds for seconds, _ in took.values()) < PATIENCE
