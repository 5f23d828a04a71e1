"""Bad input to the command line: rows F01 to F15 and H14 of the faults, by exit code and message."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.project import API, write
from blackbox.server import Cortex, Server

GOLDEN = Path(__file__).parent / "golden"
GOOD = "- name: a\n  kind: RealtimeAPI\n  predictor:\n    type: python\n    path: predictor.py\n"
FILES: dict[str, str | bytes] = {"predictor.py": "class PythonPredictor: pass\n", "sub/m.py": "", "notes.txt": ""}


def config(key: str, value: str) -> str:
    """The good file with one more key of the predictor."""
    return f"{GOOD}    {key}: {value}\n"


def section(name: str, key: str, value: str) -> str:
    """The good file with one more section."""
    return f"{GOOD}  {name}:\n    {key}: {value}\n"


def bomb(levels: int) -> str:
    """Aliases of aliases: nine times as many values with every level."""
    lines = ["      l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"      l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, levels)]
    return GOOD + "    config:\n" + "\n".join(lines) + "\n"


BAD_FILES: list[tuple[str, str, list[str]]] = [
    ("F01 duplicate top key", GOOD + "  name: b\n", ['cortex.yaml:6:3: b: name: the key "name"', "first at 1:3"]),
    ("F01 duplicate nested key", config("path", "predictor.py"), ["6:5: a: predictor.path: ", "twice, first at 5:5"]),
    ("F01 tab", "- name: a\n\tkind: x\n", ["cortex.yaml:2:1: not valid YAML: a tab", "indent with spaces"]),
    ("F01 bomb", bomb(10), ["cortex.yaml:7:25: the file holds more than 50000 values"]),
    ("F01 empty", "", ["cortex.yaml:1:1: the file is empty; it must be a list of APIs"]),
    ("F01 comments only", "# nothing\n", ["cortex.yaml:1:1: the file is empty"]),
    ("F01 text", "hello\n", ["cortex.yaml:1:1: the file is the text", "it must be a list of APIs"]),
    ("F01 two documents", GOOD + "---\n" + GOOD, ["cortex.yaml:7:1: a second YAML document begins here"]),
    (
        "F02",
        config("procesess_per_replica", "2"),
        ["6:5: a: predictor: unknown key", "did you mean processes_per_replica"],
    ),
    ("F03 text", config("processes_per_replica", '"2"'), ["6:28:", 'is the text "2"', "1 to 100", "remove the quotes"]),
    ("F03 float", config("processes_per_replica", "2.0"), ["6:28:", "is the number 2.0", "whole number from 1 to 100"]),
    ("F03 boolean", config("processes_per_replica", "true"), ["6:28:", "is the boolean true", "from 1 to 100"]),
    ("F03 null", config("processes_per_replica", "null"), ["6:5:", "is empty", "or remove the key"]),
    ("F03 range", config("processes_per_replica", "101"), ["6:28:", "is 101", "from 1 to 100"]),
    ("F03 duration", section("networking", "timeout", "1 min"), ["7:14:", '"1 min"', "500ms, 30s or 1m30s"]),
    ("F03 cpu", section("compute", "cpu", "200x"), ["7:10: a: compute.cpu: ", '"200x"', "200m, 0.5 or 2"]),
    ("F03 mem", section("compute", "mem", "1gb"), ["7:10: a: compute.mem: ", '"1gb"', "512Mi, 2Gi", "did you mean 1G"]),
    ("F04 name", GOOD + GOOD, ["cortex.yaml:6:9: a: name: the name is taken by the API at 1:9"]),
    (
        "F04 endpoint",
        GOOD + GOOD.replace("name: a", "name: b") + "  networking:\n    endpoint: /a\n",
        ["cortex.yaml:12:15: b: networking.endpoint: the endpoint /a is taken by a at 1:9"],
    ),
    ("F04 root", section("networking", "endpoint", "/"), ["7:15: a: networking.endpoint: ", "the root", "/iris"]),
    ("F04 metrics", section("networking", "endpoint", "/metrics"), ["begins with /metrics", "keeps for itself"]),
    ("F04 v2", section("networking", "endpoint", "/v2/x"), ["begins with /v2", "keeps for itself"]),
    ("F06 upper case", GOOD.replace("name: a", "name: A"), ["1:9:", "lower-case letters, digits and -", "mean a?"]),
    ("F06 long", GOOD.replace("name: a", "name: " + "a" * 64), ["1:9:", "at most 42 characters"]),
    ("F06 dash", GOOD.replace("name: a", "name: -a"), ["1:9:", "a letter first"]),
    ("F06 unicode", GOOD.replace("name: a", "name: é"), ["1:9:", "lower-case letters"]),
    ("F07 missing", GOOD.replace("predictor.py", "nope.py"), ["5:11: a: predictor.path: there is no file", "nope.py"]),
    ("F07 outside", GOOD.replace("predictor.py", "../x.py"), ["5:11:", "is outside the project"]),
    ("F07 folder", GOOD.replace("predictor.py", "sub"), ["5:11:", '"sub" is a folder']),
    ("F07 not Python", GOOD.replace("predictor.py", "notes.txt"), ["5:11:", "must end in .py"]),
    ("F07 absolute", GOOD.replace("predictor.py", "/etc/passwd"), ["5:11:", "is an absolute path"]),
    ("F14 pod", "- name: a\n  kind: RealtimeAPI\n  pod:\n    port: 8080\n", ["3:3:", '"pod" is of another version']),
    (
        "F14 handler",
        "- name: a\n  kind: RealtimeAPI\n  handler:\n    type: python\n",
        ["3:3:", '"handler" is of another version of Cortex', "rename the section to predictor"],
    ),
    ("F14 models", GOOD + "    models:\n      path: s3://b/m\n", ["7:7:", "another version", "predictor.model_path"]),
    ("F14 kind", GOOD.replace("RealtimeAPI", "AsyncAPI"), ["2:9:", "AsyncAPI is not deployed here", "RealtimeAPI"]),
]


@pytest.mark.parametrize(("text", "words"), [row[1:] for row in BAD_FILES], ids=[row[0] for row in BAD_FILES])
def test_a_bad_file(cortex: Cortex, folder: Path, text: str, words: list[str]) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": text})
    done = cortex.run("validate", cwd=project)
    assert (done.returncode, done.stdout) == (1, ""), done
    first, *lines = done.stderr.splitlines()
    assert first.startswith("error: cortex.yaml has "), done.stderr
    assert all(line.startswith("cortex.yaml:") for line in lines), "each problem is one line"
    for word in words:
        assert word in done.stderr, done.stderr
    assert not cortex.home.exists(), "checking leaves nothing behind"


GOOD_FILES = [
    ("byte order mark", "\ufeff" + GOOD),
    ("CRLF", GOOD.replace("\n", "\r\n")),
    ("one mapping instead of a list", GOOD.replace("- name", "  name", 1)),
    ("anchors", GOOD + "    config: {x: &x [1, 2], y: *x}\n"),
    ("YAML's typing", GOOD.replace("predictor.py", "./predictor.py") + "    env: {PORT: 80}\n"),
]


@pytest.mark.parametrize("text", [row[1] for row in GOOD_FILES], ids=[row[0] for row in GOOD_FILES])
def test_an_unusual_file_that_is_right(cortex: Cortex, folder: Path, text: str) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": text.encode()})
    assert cortex.ok("validate", cwd=project) == "cortex.yaml is valid: a (RealtimeAPI)\n"


def test_all_problems_at_once(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": (GOLDEN / "twelve.yaml").read_text()})
    done = cortex.run("validate", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", (GOLDEN / "twelve.txt").read_text())
    report = json.loads(cortex.run("validate", "-o", "json", cwd=project).stdout)
    assert not report["valid"] and len(report["problems"]) == 12, report
    told = [line.split(" ")[0] for line in done.stderr.splitlines()[1:]]
    assert [f"{p['file']}:{p['line']}:{p['column']}:" for p in report["problems"]] == told
    # A deploy tells the same, and starts nothing for it.
    assert cortex.run("deploy", cwd=project).stderr == done.stderr
    assert not cortex.home.exists()


DOT_ENV: list[tuple[str, str | None]] = [
    ("A", '.env:1:1: there is no = after "A"'),
    ("=b", ".env:1:1: there is no name before ="),
    ("GOOD=1\r\nB", '.env:2:1: there is no = after "B"'),
    ("A='x", ".env:1:3: the quote is not closed"),
    ('A="x" y', ".env:1:7: there is text after the closing quote"),
    ("1A=2", '.env:1:1: "1A" is not the name of a variable'),
    ("A=b=c", None),
    ("export A=1", None),
    ("A=1\r\nB='two words'\r\n", None),
]


@pytest.mark.parametrize(("text", "problem"), DOT_ENV, ids=[repr(row[0]) for row in DOT_ENV])
def test_variables_of_a_project(cortex: Cortex, folder: Path, text: str, problem: str | None) -> None:
    project = write(folder / "project", {**FILES, ".env": text.encode(), "cortex.yaml": GOOD})
    done = cortex.run("validate", cwd=project)
    assert (done.returncode == 0) == (problem is None), done
    assert problem is None or problem in done.stderr, done.stderr


def test_a_folder_that_cannot_be_packed(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": config("x", "1")})
    (project / "away").symlink_to("/etc/passwd")
    (project / "nowhere").symlink_to("nothing")
    os.mkfifo(project / "pipe")
    done = cortex.run("validate", cwd=project)
    assert done.returncode == 1, done
    assert 'cortex.yaml:6:5: a: predictor: unknown key "x"' in done.stderr, "the file is checked all the same"
    assert "away: the link leads out of the project, to /etc/passwd" in done.stderr, done.stderr
    assert "there is no file" not in done.stderr, done.stderr
    write(project, {".cortexignore": "away\nnowhere\npipe\n", "cortex.yaml": GOOD})
    cortex.ok("validate", cwd=project)
    (project / ".cortexignore").write_bytes(b"\xff")
    done = cortex.run("validate", cwd=project)
    assert done.returncode == 1 and ".cortexignore: cannot be read" in done.stderr, done


@contextmanager
def taken_port() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(("flag", "variable"), [("--port", "CORTEX_PORT"), ("--operator-port", "CORTEX_OPERATOR_PORT")])
def test_f10_a_taken_port(cortex: Cortex, folder: Path, flag: str, variable: str) -> None:
    with taken_port() as port:
        for verb in ("run", "start"):
            done = cortex.run("server", verb, flag, str(port))
            assert done.returncode == 1, done
            assert f"error: port {port} is used by " in done.stderr and f"(pid {os.getpid()})" in done.stderr, done
            assert f"{flag} or {variable}" in done.stderr, done.stderr
        assert cortex.run("server", "status").returncode == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "256.1.1.1", "no such host"])
def test_f10_an_address_of_another_machine(cortex: Cortex, folder: Path, host: str) -> None:
    done = cortex.run("server", "run", "--host", host)
    assert done.returncode == 1 and f"error: {host} is not an address of this machine" in done.stderr, done
    assert "--host 127.0.0.1" in done.stderr, done.stderr


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_f10_ipv6_only(binary: Path, folder: Path) -> None:
    with Server(binary, folder / "home", CORTEX_HOST="127.0.0.1") as server:
        server.stop()
    process = subprocess.Popen(
        [binary, "server", "run", "--host", "::1"], env=server.environment, stderr=subprocess.PIPE, text=True
    )
    try:

        def answers() -> bool:
            done = server.run("server", "status", "-o", "json")
            if done.returncode != 0:
                return False
            port = json.loads(done.stdout)["port"]
            return requests.get(f"http://[::1]:{port}/livez", timeout=60).status_code == 200

        eventually(answers, "the server answers on ::1")
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["--port=65536"], {}, ["--port is 65536", "0 to 65535"]),
        (["--port=-1"], {}, ["--port is -1", "0 to 65535"]),
        (["--operator-port=x"], {}, ["--operator-port"]),
        (["--host="], {}, ["--host"]),
        ([], {"CORTEX_PORT": "-1"}, ['CORTEX_PORT is "-1"', "0 to 65535"]),
        ([], {"CORTEX_LOG_FORMAT": "xml"}, ['CORTEX_LOG_FORMAT is "xml"', "auto, text and json"]),
        (["--port=9000", "--operator-port=9000"], {}, ["both 9000", "--port or --operator-port"]),
    ],
)
def test_f11_limits_that_make_no_sense(
    binary: Path, folder: Path, arguments: list[str], settings: dict[str, str], words: list[str]
) -> None:
    done = Cortex(binary, folder / "home", None, **settings).run("server", "run", *arguments)
    assert done.returncode == 2, done
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture(scope="module")
def echo(server: Server, short_folder: Path) -> str:
    """The name of a live API."""
    name = "bad-input-echo"
    source = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"
    server.deploy(write(short_folder / name, {"predictor.py": source}, API(name)))
    return name


def slow(folder: Path, name: str, version: int, gate: Path) -> Path:
    """A project whose constructor waits for a file."""
    source = f"""
        import os, time
        class PythonPredictor:
            def __init__(self, config):
                while not os.path.exists({str(gate)!r}):
                    time.sleep(0.02)
            def predict(self, payload):
                return {version}
    """
    return write(folder / name, {"predictor.py": source}, API(name))


def test_f12_a_deploy_while_another_is_in_progress(server: Server, echo: str, folder: Path) -> None:
    gate = folder / "gate"
    project = slow(folder, "f12-busy", 1, gate)
    server.ok("deploy", "--no-wait", cwd=project)
    again = server.run("deploy", "--no-wait", cwd=project)
    assert again.returncode == 0 and "f12-busy (RealtimeAPI) is already updating" in again.stdout, again
    slow(folder, "f12-busy", 2, gate)
    refused = server.run("deploy", "--no-wait", cwd=project)
    assert refused.returncode == 1 and "f12-busy is updating" in refused.stderr, refused
    assert "--force" in refused.stderr, refused.stderr
    forced = server.run("deploy", "--no-wait", "--force", cwd=project)
    assert forced.returncode == 0 and "updating f12-busy (RealtimeAPI)" in forced.stdout, forced
    late = server.run("deploy", "--wait", "--timeout", "1s", cwd=project)
    assert late.returncode == 3 and "is not live after 1s" in late.stderr, late
    gate.touch()
    server.ok("deploy", "--wait", cwd=project)
    assert server.post("f12-busy", json=0).json() == 2
    server.ok("delete", "f12-busy")


def test_f12_a_deploy_forced_while_the_environment_is_built(own_server: Server, folder: Path) -> None:
    gate = folder / "gate"
    gate.touch()
    own_server.ok("deploy", "--no-wait", cwd=slow(folder, "f12-new", 1, gate))
    own_server.ok("deploy", "--wait", "--force", cwd=slow(folder, "f12-new", 2, gate))
    assert own_server.post("f12-new", json=0).json() == 2


def test_f12_two_deploys_at_once(server: Server, folder: Path) -> None:
    gate = folder / "gate"
    gate.touch()
    projects = [slow(folder / str(n), "f12-race", n, gate) for n in (1, 2)]
    processes = [
        subprocess.Popen(
            [server.binary, "deploy", "--wait", "-o", "json"],
            cwd=project,
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for project in projects
    ]
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert sorted(code for _, code in ends) in ([0, 0], [0, 1]), ends
    (api,) = server.json("get", "f12-race")
    answer = server.post("f12-race", json=0).json()
    accepted = [json.loads(out)[0] for (out, _), _ in ends]
    taken = [n + 1 for n, result in enumerate(accepted) if result["error"] == ""]
    assert answer in taken, (answer, accepted)
    assert api["status"]["status_code"] == "status_live" and api["deployment"]["version"] == len(taken), api
    server.ok("delete", "f12-race")


def test_f15_without_a_server(cortex: Cortex, folder: Path) -> None:
    commands = [
        "get",
        "get -o json",
        "describe a",
        "logs a",
        "refresh a",
        "delete a",
        "token list",
        "predict a /dev/null",
    ]
    for command in commands:
        done = cortex.run(*command.split())
        assert (done.returncode, done.stdout) == (1, ""), (command, done)
        assert done.stderr == (
            f"error: no cortex server runs in {cortex.home}\n"
            "  start one with `cortex server start`, or deploy something: `cortex deploy` starts one itself\n"
        ), command


class FakeOperator(http.server.BaseHTTPRequestHandler):
    """Answers `/v1/info` as a server of another version would."""

    version = "9.9.9"
    home = ""

    def do_GET(self) -> None:
        """Every path gets the same answer."""
        body = json.dumps(
            {
                "pid": os.getpid(),
                "version": self.version,
                "home": self.home,
                "host": "127.0.0.1",
                "port": 1,
                "operator_port": 1,
                "started_at": "2024-01-01T00:00:00Z",
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


@pytest.fixture
def fake_operator() -> Iterator[http.server.HTTPServer]:
    """A running operator of another version."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeOperator) as fake:
        thread = threading.Thread(target=fake.serve_forever)
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()


def test_f15_a_server_of_another_version(cortex: Cortex, fake_operator: http.server.HTTPServer, folder: Path) -> None:
    port = fake_operator.server_address[1]
    (cortex.home / "run").mkdir(parents=True)
    (cortex.home / "tokens").mkdir()
    (cortex.home / "tokens" / "local.token").write_text("cortex_x")
    record = {"pid": os.getpid(), "version": "9.9.9", "home": str(cortex.home), "host": "127.0.0.1", "port": 1}
    record.update(operator_port=port, started_at="2024-01-01T00:00:00Z")
    (cortex.home / "run" / "server.json").write_text(json.dumps(record))
    mine = json.loads(cortex.ok("version", "-o", "json"))
    assert mine["server"] == "9.9.9"
    project = write(folder / "project", FILES, API("a"))
    for command in ("get", "deploy", "delete a", "token list"):
        done = cortex.run(*command.split(), cwd=project)
        assert (done.returncode, done.stdout) == (1, ""), (command, done)
        assert f"is cortex 9.9.9, and this is cortex {mine['cli']}" in done.stderr, done.stderr
        assert "cortex server stop && cortex server start" in done.stderr, done.stderr
    # The record must not be mistaken for one that the end of this test can stop.
    shutil.rmtree(cortex.home)


@pytest.mark.parametrize("command", ["get", "describe bad-input-echo", "logs bad-input-echo", "completion bash"])
def test_f15_a_reader_that_leaves(server: Server, echo: str, command: str) -> None:
    script = f"set -o pipefail; '{server.binary}' {command} | head -n 1 >/dev/null; '{server.binary}' {command} | true"
    done = subprocess.run(["bash", "-c", script], env=server.environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done


@pytest.mark.parametrize("command", ["get", "get bad-input-echo", "describe bad-input-echo", "token list", "env list"])
def test_f15_json_is_all_there_is_on_standard_output(server: Server, echo: str, command: str) -> None:
    done = server.run(*command.split(), "-o", "json")
    assert done.returncode == 0 and done.stderr == "", done
    json.loads(done.stdout)
    plain = server.run(*command.split())
    assert plain.returncode == 0 and "\x1b" not in plain.stdout + plain.stderr, plain


def test_h14_the_operator_is_for_this_machine_only(server: Server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only finds the address that one would use
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = probe.getsockname()[0]
    with socket.socket() as connection:
        connection.settimeout(5)
        assert connection.connect_ex((address, int(server.status["operator_port"]))) != 0


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8889"])
def test_h14_dns_rebinding_is_refused(server: Server, host: str) -> None:
    token = (server.home / "tokens" / "local.token").read_text().strip()
    headers = {"Host": host, "Authorization": f"Bearer {token}"}
    for method, path in (("GET", "/v1/apis"), ("POST", "/v1/deploy"), ("DELETE", "/v1/apis/a")):
        answer = requests.request(method, server.operator + path, headers=headers, timeout=60)
        assert answer.status_code == 421 and answer.json()["code"] == "FOREIGN_HOST", answer.text


def test_h14_a_page_of_another_site_can_do_nothing(server: Server) -> None:
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    body = '{"config": "", "project": ""}'
    for path in ("/v1/deploy", "/v1/tokens"):
        answer = requests.post(server.operator + path, data=body, headers=headers, timeout=60)
        assert answer.status_code == 401, answer.text
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], answer.headers
    # A page may not even ask whether it could.
    asked = requests.options(server.operator + "/v1/deploy", headers=headers, timeout=60)
    assert asked.status_code >= 400 and "Access-Control-Allow-Origin" not in asked.headers, asked.headers
