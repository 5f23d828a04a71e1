"""Environments and tokens: the command line and a server elsewhere."""

from __future__ import annotations

import http.server
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from blackbox.project import API, write
from blackbox.server import Cortex, Server

ECHO = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"


@pytest.fixture
def away(server: Server, binary: Path, folder: Path) -> Cortex:
    """A command line with a home of its own, and an environment `prod` that is the shared server."""
    cortex = Cortex(binary, folder / "home")
    token = folder / "token"
    shutil.copy(server.home / "tokens" / "local.token", token)
    endpoint = server.operator.replace("http://", "")
    said = cortex.ok("env", "configure", "prod", "--operator-endpoint", endpoint, "--token-file", token)
    assert said == "configured the environment prod\n"
    return cortex


def test_a_server_elsewhere(away: Cortex, server: Server, folder: Path) -> None:
    name = "env-away"
    project = write(folder / "project", {"predictor.py": ECHO, "sample.json": "[1]"}, API(name))
    done = away.run("deploy", "--wait", "--env", "prod", cwd=project)
    assert done.returncode == 0 and f"cortex logs {name} --env prod" in done.stdout, done
    assert server.post(name, json=[2]).json() == [2]
    assert json.loads(away.ok("predict", name, project / "sample.json", "-e", "prod")) == [1]
    assert away.json("get", name, "-e", "prod")[0]["spec"]["name"] == name
    assert away.run("get", name).returncode == 1, "local is the default"
    away.ok("env", "default", "prod")
    assert away.ok("env", "default") == "prod\n"
    assert away.json("describe", name)["api"]["spec"]["name"] == name
    assert away.ok("delete", name) == f"deleting {name}\n"
    assert not (away.home / "run").exists(), "no server was started here"


def test_get_shows_every_environment(away: Cortex, server: Server, folder: Path) -> None:
    name = "env-all"
    server.deploy(write(folder / "project", {"predictor.py": ECHO}, API(name)))
    shown = away.ok("get")
    head, *rows = shown.splitlines()
    assert head.split()[0] == "env" and any(row.split()[:2] == ["prod", name] for row in rows), shown
    assert "cannot list the apis of the environment local: no cortex server runs" in shown
    local, prod = away.json("get")
    assert (local["env_name"], local["apis"]) == ("local", []) and "no cortex server" in local["error"]
    assert (prod["env_name"], prod["error"]) == ("prod", "")
    assert name in [api["spec"]["name"] for api in prod["apis"]]
    assert name in [api["spec"]["name"] for api in away.json("get", "--env", "prod")], "one environment: a list of APIs"
    server.ok("delete", name)


def test_environments_are_kept_privately(away: Cortex, server: Server) -> None:
    file = away.home / "cli.json"
    assert file.stat().st_mode & 0o777 == 0o600
    stored = json.loads(file.read_text())
    token = (server.home / "tokens" / "local.token").read_text().strip()
    assert stored["version"] == 1 and stored["environments"][0]["token"] == token
    listed = away.ok("env", "list") + away.ok("env", "list", "-o", "json")
    assert token not in listed and token[-4:] in listed and server.operator in listed, listed
    assert [entry["name"] for entry in away.json("env", "list")] == ["local", "prod"]
    away.ok("env", "default", "prod")
    assert "default environment is local" in away.ok("env", "delete", "prod")
    assert [entry["name"] for entry in away.json("env", "list")] == ["local"]


WRONG: list[tuple[list[str], list[str]]] = [
    (["get", "-e", "staging"], ["no environment staging", "local, prod", "env configure staging"]),
    (["env", "default", "staging"], ["no environment staging"]),
    (["env", "delete", "staging"], ["no environment staging"]),
    (["env", "delete", "local"], ["local", "cannot be deleted"]),
    (["env", "configure", "local"], ["local is the server of this machine"]),
    (["env", "configure", "a/b", "--token", "-"], ['"a/b" is no name of an environment', "1 to 63"]),
    (["env", "configure", "new"], ["no terminal to ask on", "--operator-endpoint"]),
    (["env", "configure", "new", "--operator-endpoint", "localhost:1"], ["no terminal to ask on", "--token-file"]),
    (
        ["env", "configure", "new", "--operator-endpoint", "http://example.com", "--token", "-"],
        ["unencrypted", "https"],
    ),
    (["env", "configure", "new", "--operator-endpoint", "localhost:1", "--token", "-"], ["holds no token"]),
    (["env", "configure", "new", "--token", "secret"], ["--token takes only -"]),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=[" ".join(row[0]) for row in WRONG])
def test_wrong_use_of_environments(away: Cortex, arguments: list[str], words: list[str]) -> None:
    before = (away.home / "cli.json").read_text()
    done = away.run(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    for word in words:
        assert word in done.stderr, done.stderr
    assert (away.home / "cli.json").read_text() == before


def configure(cortex: Cortex, endpoint: str, token: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Configures an environment with a token from standard input."""
    return subprocess.run(
        [cortex.binary, "env", "configure", "other", "--operator-endpoint", endpoint, "--token", "-", *flags],
        input=token,
        env=cortex.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_operator_that_does_not_answer_is_not_kept(cortex: Cortex, folder: Path) -> None:
    done = configure(cortex, "localhost:1", "cortex_x")
    assert done.returncode == 1 and "http://localhost:1 (environment other): connection refused" in done.stderr, done
    assert not (cortex.home / "cli.json").exists()
    done = configure(cortex, "localhost:1", "cortex_x", "--no-check")
    assert done.returncode == 0, done
    done = cortex.run("get", "-e", "other")
    assert (done.returncode, done.stdout) == (1, "") and "connection refused" in done.stderr, done


def test_a_wrong_token_is_told(cortex: Cortex, server: Server, folder: Path) -> None:
    done = configure(cortex, server.operator, "cortex_wrong")
    assert done.returncode == 1 and "does not know the token of the environment other" in done.stderr, done
    assert "cortex_wrong" not in done.stderr
    done = configure(cortex, server.url(), "cortex_wrong")
    assert done.returncode == 1 and server.url().rstrip("/") in done.stderr, done


class Hello(http.server.BaseHTTPRequestHandler):
    """A web server that is no operator, and notes whether it was sent a token."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answers and notes."""
        self.asked.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def stranger(folder: Path) -> Iterator[str]:
    """An https server whose certificate nobody signed."""
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificate with openssl")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as other:
        other.socket = context.wrap_socket(other.socket, server_side=True)
        other.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield f"https://localhost:{other.server_address[1]}"
        other.shutdown()
        thread.join()


def test_certificates_are_verified(cortex: Cortex, stranger: str, folder: Path) -> None:
    done = configure(cortex, stranger, "cortex_secret")
    assert done.returncode == 1 and f"cannot reach the operator at {stranger}" in done.stderr, done
    assert "certificate" in done.stderr.lower(), done.stderr
    assert Hello.asked == [], "no token went out"


def test_tokens_come_and_go(server: Server, binary: Path, folder: Path) -> None:
    token = server.ok("token", "create", "ci").strip()
    assert server.run("token", "create", "ci").returncode == 1, "the name is in force"
    cortex = Cortex(binary, folder / "home")
    done = configure(cortex, server.operator, token + "\n")
    assert done.returncode == 0, done
    name = "env-by-ci"
    project = write(folder / "project", {"predictor.py": ECHO}, API(name))
    cortex.ok("deploy", "--wait", "-e", "other", cwd=project)
    assert server.json("get", name)[0]["deployment"]["deployed_by"] == "ci"
    assert token not in server.ok("token", "list") + server.ok("token", "list", "-o", "json")
    assert {"ci", "local"} <= {entry["name"] for entry in server.json("token", "list")}
    assert server.ok("token", "revoke", "ci") == "revoked the token ci\n"
    done = cortex.run("get", "-e", "other")
    assert done.returncode == 1 and "does not know the token" in done.stderr, done
    assert server.run("token", "revoke", "ci").returncode == 1
    assert any(entry["name"] == "ci" and entry.get("revoked_at") for entry in server.json("token", "list"))
    server.ok("delete", name)
