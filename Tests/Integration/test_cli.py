"""The command line as scripts see it: exit codes, JSON, messages."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.project import API, write
from blackbox.server import Cortex, Server

ECHO = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"


@pytest.fixture(scope="module")
def echo(server: Server, short_folder: Path) -> str:
    """The name of a live API."""
    name = "cli-echo"
    server.deploy(write(short_folder / name, {"predictor.py": ECHO}, API(name)))
    return name


@pytest.mark.parametrize(
    "arguments",
    [["no-such-verb"], ["deploy", "--no-such-flag"], ["predict"], ["get", "a", "b", "c"], ["get", "-o", "xml"]],
)
def test_wrong_usage_is_exit_code_2(cortex: Cortex, arguments: list[str]) -> None:
    done = cortex.run(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert "usage" in done.stderr.lower()


@pytest.mark.parametrize("arguments", [["--help"], ["deploy", "--help"], ["server", "run", "--help"]])
def test_help_is_exit_code_0(cortex: Cortex, arguments: list[str]) -> None:
    done = cortex.run(*arguments)
    assert done.returncode == 0 and "usage" in done.stdout.lower(), done


@pytest.mark.parametrize("arguments", [["get"], ["logs", "a"], ["predict", "a", __file__], ["delete", "a"]])
def test_without_a_server_commands_say_how_to_start_one(cortex: Cortex, arguments: list[str]) -> None:
    done = cortex.run(*arguments)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.startswith("error: ") and "cortex server start" in done.stderr, done.stderr


def test_version_tells_its_own(cortex: Cortex) -> None:
    assert re.search(r"\d+\.\d+\.\d+", cortex.ok("version"))


def test_deploy_starts_a_server_where_none_runs(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ECHO, "sample.json": '{"a": [1, 2]}'}, API("auto"))
    cortex.ok("deploy", "--wait", cwd=project)
    status = cortex.json("server", "status")
    assert requests.post(f"http://127.0.0.1:{status['port']}/auto", json=[1], timeout=60).json() == [1]
    assert json.loads(cortex.ok("predict", "auto", project / "sample.json")) == {"a": [1, 2]}
    cortex.ok("server", "stop")
    assert cortex.run("server", "status").returncode == 1
    cortex.ok("server", "start")
    assert cortex.json("server", "status")["pid"] != status["pid"]
    assert [api["spec"]["name"] for api in cortex.json("get")] == ["auto"]


def test_start_twice_and_stop_twice(cortex: Cortex) -> None:
    cortex.ok("server", "start")
    first = cortex.json("server", "status")["pid"]
    again = cortex.run("server", "start")
    assert str(first) in again.stdout + again.stderr
    assert cortex.json("server", "status")["pid"] == first
    cortex.ok("server", "stop")
    again = cortex.run("server", "stop")
    assert again.returncode in (0, 1) and again.stdout + again.stderr


def test_deploy_in_json(server: Server, folder: Path) -> None:
    project = write(folder, {"predictor.py": ECHO}, API("cli-json-one"), API("cli-json-two"))
    done = server.run("deploy", "--wait", "-o", "json", cwd=project)
    assert done.returncode == 0, done
    results = json.loads(done.stdout)
    assert [result["api"]["spec"]["name"] for result in results] == ["cli-json-one", "cli-json-two"]
    assert all(result["error"] == "" and result["message"] for result in results), results
    for name in ("cli-json-one", "cli-json-two"):
        server.ok("delete", name)


def test_get_in_json(server: Server, echo: str) -> None:
    (api,) = server.json("get", echo)
    assert api["spec"]["name"] == echo
    assert api["spec"]["kind"] == "RealtimeAPI"
    assert api["spec"]["predictor"]["threads_per_process"] == 1
    assert api["status"]["status_code"] == "status_live"
    assert api["endpoint"].endswith(f":{server.port}/{echo}")


def test_get_as_a_table(server: Server, echo: str) -> None:
    head, *rows = [line for line in server.ok("get").splitlines() if line]
    assert "realtime api" in head and "status" in head
    assert any(row.split()[0] == echo and "live" in row for row in rows), rows
    assert "\x1b[" not in head, "no colour without a terminal"
    detail = server.ok("get", echo)
    assert f":{server.port}/{echo}" in detail and "curl" in detail


def test_an_unknown_api_is_an_error(server: Server, echo: str) -> None:
    for arguments in (["get", "cli-ecko"], ["logs", "cli-ecko"], ["delete", "cli-ecko"]):
        done = server.run(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert "cli-ecko" in done.stderr


def test_predict_prints_the_answer(server: Server, echo: str, folder: Path) -> None:
    (folder / "sample.json").write_text('{"b": 1.50, "a": "é"}')
    assert json.loads(server.ok("predict", echo, folder / "sample.json")) == {"b": 1.5, "a": "é"}
    (folder / "bad.json").write_text("{")
    done = server.run("predict", echo, folder / "bad.json")
    assert done.returncode == 1 and "Expecting property name" in done.stderr, done
    done = server.run("predict", echo, folder / "missing.json")
    assert done.returncode == 1 and "missing.json" in done.stderr, done


GOOD = "- name: a\n  kind: RealtimeAPI\n  predictor:\n    type: python\n    path: predictor.py\n"

INVALID: list[tuple[str, str, list[str]]] = [
    ("not a list", "name: a\n", ["cortex.yaml:1"]),
    ("empty", "", ["cortex.yaml"]),
    ("syntax", "- name: [\n", ["cortex.yaml:"]),
    (
        "unknown key",
        GOOD + "    proceses_per_replica: 2\n",
        ['cortex.yaml:6:5: a: predictor: unknown key "proceses_per_replica"', "did you mean processes_per_replica?"],
    ),
    (
        "several at once",
        GOOD.replace("a\n", "A_b\n", 1).replace("API", "Api").replace("type: python", "type: ruby")
        + "    threads_per_process: 0\n",
        ["cortex.yaml:1:9:", "cortex.yaml:2:9:", "cortex.yaml:4:11:", "cortex.yaml:6:26:", "RealtimeAPI", "python"],
    ),
    (
        "no such file",
        "- name: a\n  kind: RealtimeAPI\n  predictor:\n    type: python\n    path: missing.py\n",
        ["cortex.yaml:5:11: a: predictor.path: ", "missing.py"],
    ),
    (
        "a later release",
        GOOD.replace("type: python", "type: tensorflow") + "    server_side_batching: {max_batch_size: 2}\n",
        ["cortex.yaml:6:", "a: predictor.server_side_batching: ", "not supported yet"],
    ),
]


@pytest.mark.parametrize(("yaml", "words"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID])
def test_a_file_with_mistakes_says_where_and_what(server: Server, folder: Path, yaml: str, words: list[str]) -> None:
    project = write(folder, {"predictor.py": ECHO, "cortex.yaml": yaml})
    before = server.json("get")
    done = server.run("deploy", "--wait", cwd=project)
    assert (done.returncode, done.stdout) == (1, ""), done
    for word in words:
        assert word in done.stderr, done.stderr
    assert server.json("get") == before or len(server.json("get")) == len(before)


def test_without_a_cortex_yaml_it_says_so(server: Server, folder: Path) -> None:
    done = server.run("deploy", cwd=folder)
    assert done.returncode == 1 and "cortex.yaml" in done.stderr, done


def test_output_that_nobody_reads_to_the_end_is_no_failure(server: Server, echo: str) -> None:
    script = f"set -o pipefail; '{server.binary}' get | true; '{server.binary}' logs {echo} | head -n 0"
    done = subprocess.run(
        ["bash", "-c", script],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.stderr == "", done


def operator(server: Server, method: str, path: str, **options: Any) -> requests.Response:
    """Asks the operator."""
    return requests.request(method, f"{server.operator}{path}", timeout=60, **options)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}])
def test_the_operator_wants_a_token(server: Server, echo: str, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/v1/apis"), ("DELETE", f"/v1/apis/{echo}"), ("POST", "/v1/deploy")):
        answer = operator(server, method, path, headers=headers)
        assert answer.status_code == 401, (path, answer.text)
        assert answer.json()["error"] and answer.json()["code"]
    assert server.post(echo, json=1).json() == 1


def test_the_operator_takes_its_own_token_and_no_other_host(server: Server) -> None:
    token = (server.home / "tokens" / "local.token").read_text().strip()
    assert (server.home / "tokens" / "local.token").stat().st_mode & 0o777 == 0o600
    headers = {"Authorization": f"Bearer {token}"}
    assert operator(server, "GET", "/v1/apis", headers=headers).status_code == 200
    rebound = operator(server, "GET", "/v1/apis", headers={**headers, "Host": "evil.example"})
    assert rebound.status_code in (400, 403, 421), rebound.text


def test_health_and_metrics_are_open(server: Server) -> None:
    for path in ("/livez", "/healthz", "/metrics"):
        assert operator(server, "GET", path).status_code == 200, path
    assert "cortex_build_info" in operator(server, "GET", "/metrics").text


def test_the_configuration_that_get_shows_can_be_deployed(server: Server, folder: Path) -> None:
    (folder / "key").write_text("k" * 20)
    cors = {"allow_origins": ["https://a.example", "https://b.example"]}
    sections = {"networking": {"cors": cors, "api_keys": [{"file": str(folder / "key")}]}}
    api = API("shown", predictor={"config": {"rate": 0.5}}, sections=sections)
    project = write(folder / "a", {"predictor.py": ECHO}, api)
    server.deploy(project)
    shown = server.ok("get", "shown").split("\nconfiguration\n", 1)[1]
    write(folder / "b", {"predictor.py": ECHO, "cortex.yaml": shown})
    done = server.run("validate", cwd=folder / "b")
    assert done.returncode == 0, (shown, done)
    server.ok("delete", "shown")
