"""Commands without a server, with one of another version, and into a pipe: row F15 of the faults."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackbox.project import API, write
from blackbox.server import Cortex, Server


@pytest.fixture(scope="module")
def echo(server: Server, short_folder: Path) -> str:
    """The name of a live API."""
    name = "bad-input-echo"
    source = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"
    server.deploy(write(short_folder / name, {"predictor.py": source}, API(name)))
    return name


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
    project = write(folder / "project", {"predictor.py": "class PythonPredictor: pass\n"}, API("a"))
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
