"""A server that cannot start as it is told to: rows F10 and F11 of the faults, by exit code and message."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.server import Cortex, Server


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
