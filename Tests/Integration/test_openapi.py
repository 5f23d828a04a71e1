"""The operator against the OpenAPI document, and configs against the JSON Schema, that it serves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox import project
from blackbox.project import API
from blackbox.server import Server

# Imported by name, since the environment of the checks has no types of them.
jsonschema: Any = import_module("jsonschema")
yaml: Any = import_module("yaml")

PREDICTOR = """
    class PythonPredictor:
        def __init__(self, config):
            pass

        def predict(self, payload):
            return payload
"""


def schemathesis(server: Server, config: Path, *arguments: str) -> str:
    """Runs schemathesis against the operator and returns what it prints; fails where it found something."""
    token = (server.home / "tokens" / "local.token").read_text().strip()
    program = Path(sys.executable).with_name("schemathesis")
    # Few examples, and the same ones every time: what fails must fail in the next run too.
    bounds = ["--max-examples", "15", "--generation-deterministic", "--request-timeout", "60"]
    done = subprocess.run(
        [
            *[str(program), "--config-file", str(config), "run", f"{server.operator}/v1/openapi.json", "--no-color"],
            *["--header", f"Authorization: Bearer {token}", *bounds, *arguments],
        ],
        # It leaves a folder of its own where it runs.
        cwd=config.parent,
        # Below the width of a terminal it breaks its lines.
        env={**os.environ, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr}\n{server.tail()}"
    return done.stdout


def operations_in(output: str) -> int:
    """How many operations were tested."""
    found = re.search(r"Tested: (\d+)", output)
    assert found, output
    return int(found[1])


def test_no_answer_is_undocumented(own_server: Server, folder: Path) -> None:
    """Whatever is sent to any operation, no answer is a 500, and each has a documented status, type and body."""
    config = folder / "schemathesis.toml"
    # Which bytes are the archive of a project with a certain hash is not for a schema to say.
    config.write_text(
        """
        [[operations]]
        include-operation-id = "putProject"
        checks.positive_data_acceptance.expected-statuses = ["2xx", 422]
        """
    )
    output = schemathesis(own_server, config, "--phases", "examples,coverage,fuzzing")
    document = requests.get(f"{own_server.operator}/v1/openapi.json", timeout=60).json()
    # schemathesis leaves out the operation that it has the document from.
    assert operations_in(output) == sum(len(methods) for methods in document["paths"].values()) - 1


def test_no_answer_about_an_api_is_undocumented(own_server: Server, folder: Path) -> None:
    """The same for an API that is deployed: made-up names would all be answered with 404."""
    own_server.deploy(project.write(folder / "probe", {"predictor.py": PREDICTOR}, API("probe")))
    config = folder / "schemathesis.toml"
    # A log that is followed has no end.
    config.write_text('[parameters]\n"path.name" = "probe"\n"query.follow" = "false"\n')
    # Made-up deployments to go back to would all be answered with 404.
    left = ["--exclude-operation-id", "deleteAPI", "--exclude-operation-id", "rollBackAPI"]
    chosen = ["--include-path-regex", r"^/v1/apis/\{name\}", *left]
    output = schemathesis(own_server, config, "--phases", "fuzzing", *chosen)
    assert operations_in(output) == 5
    assert "404" not in output


@pytest.fixture(scope="session")
def schema(server: Server) -> dict[str, Any]:
    """The schema of `cortex.yaml`, which needs no token."""
    answer = requests.get(f"{server.operator}/v1/schema.json", timeout=60)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def problems(schema: dict[str, Any], config: object) -> list[str]:
    """What a validator finds wrong, as an editor would show it."""
    return [
        f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(config)
    ]


def test_the_schema_accepts_the_examples(schema: dict[str, Any], repository: Path) -> None:
    """Each config of the repository that is deployed somewhere is right by the schema as well."""
    configs = [*repository.glob("examples/*/cortex.yaml")]
    assert len(configs) >= 3
    for path in configs:
        assert problems(schema, yaml.safe_load(path.read_text())) == [], path


def api(**sections: Any) -> dict[str, Any]:
    """An API with further sections; those of `predictor` are added to what it needs."""
    predictor = {"type": "python", "path": "predictor.py", **sections.pop("predictor", {})}
    return {"name": "iris", "kind": "RealtimeAPI", "predictor": predictor, **sections}


GOOD: list[object] = [
    api(),
    [api()],
    [api(), {"name": "split", "kind": "TrafficSplitter", "apis": [{"name": "a", "weight": 100}]}],
    api(predictor={"env": {"PORT": 80, "ON": True}, "config": {"anything": [1, None, {"x": 2.5}]}}),
    api(predictor={"env": None, "config": None, "threads_per_process": 10_000}),
    api(predictor={"models": {"paths": [{"name": "a", "path": "s3://b/a"}, {"name": "b", "model_path": "s3://b/b"}]}}),
    api(predictor={"type": "tensorflow", "server_side_batching": {"max_batch_size": 2, "batch_interval": "20ms"}}),
    api(networking={"endpoint": "/a/b", "timeout": "1m30s", "max_body_size": "1.5Gi"}),
    api(networking={"cors": {"allow_origins": ["*"]}, "api_keys": [{"env": "KEY"}, {"file": "/run/key"}]}),
    api(compute={"cpu": "200m", "mem": 2147483648, "gpu": 0}),
    api(compute={"cpu": 0.5, "mem": None}),
    api(autoscaling={"min_replicas": 0, "window": "60s", "upscale_stabilization_period": 0, "max_upscale_factor": 2}),
    api(autoscaling=None, update_strategy={"max_surge": "25%", "max_unavailable": 1}),
    api(monitoring={"model_type": "regression", "key": "k"}, readiness={"sample": "sample.json"}),
]

BAD: list[tuple[object, str]] = [
    ([], "$"),
    ("text", "$"),
    (api(predictor={"typ": "python"}), "$.predictor"),
    (api(kindd="RealtimeAPI"), "$"),
    ({**api(), "kind": "BatchAPI"}, "$.kind"),
    ({**api(), "name": "Iris"}, "$.name"),
    ({"name": "iris", "kind": "RealtimeAPI"}, "$"),
    (api(predictor={"processes_per_replica": 101}), "$.predictor.processes_per_replica"),
    (api(predictor={"env": {"CORTEX_HOME": "x"}}), "$.predictor.env"),
    (api(predictor={"path": ""}), "$.predictor.path"),
    (api(predictor={"models": {"paths": [{"name": "a", "path": "x", "model_path": "y"}]}}), "$.predictor.models"),
    (api(networking={"timeout": 30}), "$.networking.timeout"),
    (api(networking={"cors": {"origins": []}}), "$.networking.cors"),
    (api(compute={"mem": "1gb"}), "$.compute.mem"),
    (api(autoscaling={"max_upscale_factor": 1}), "$.autoscaling"),
    (api(autoscaling={"min_replica": 1}), "$.autoscaling"),
    (api(update_strategy={"max_surge": "a lot"}), "$.update_strategy"),
    ({"name": "split", "kind": "TrafficSplitter", "apis": [{"name": "a", "weight": 101}]}, "$.apis[0].weight"),
    ({"name": "split", "kind": "TrafficSplitter", "apis": [], "predictor": {}}, "$"),
]


@pytest.mark.parametrize("config", GOOD)
def test_the_schema_accepts_what_is_right(schema: dict[str, Any], config: object) -> None:
    """Every form that the reader takes."""
    assert problems(schema, config) == []


@pytest.mark.parametrize(("config", "place"), BAD)
def test_the_schema_refuses_what_is_wrong(schema: dict[str, Any], config: object, place: str) -> None:
    """Unknown keys, forms and bounds are told where they stand."""
    found = problems(schema, config)
    assert found
    assert any(problem.startswith(place) for problem in found), found
