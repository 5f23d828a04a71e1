"""How a server ends, and that nothing of it stays: rows G01, G03, G04, G07, G10 and G11 of the fault list."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Callable

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.load import Load
from blackbox.processes import MEASURABLE, Footprint, is_alive
from blackbox.project import API, write
from blackbox.server import Cortex, Server

TROUBLED = (Path(__file__).parent / "predictors" / "troubled.py").read_text()


def deploy(server: Server, folder: Path, **predictor: Any) -> str:
    """Deploys an API that does what it is told."""
    server.deploy(write(folder / "project", {"predictor.py": TROUBLED}, API("troubled", predictor=predictor)))
    return "troubled"


@contextmanager
def held(server: Server, folder: Path, name: str = "gate") -> Iterator[tuple[Path, list[requests.Response | None]]]:
    """A request that runs until something is written to the gate."""
    gate = folder / name
    os.mkfifo(gate)
    answers: list[requests.Response | None] = []

    def send() -> None:
        try:
            answers.append(server.post("troubled?trouble=wait", json=str(gate)))
        except requests.ConnectionError:
            answers.append(None)

    sender = threading.Thread(target=send)
    sender.start()
    eventually(lambda: server.metrics("cortex_in_flight_requests", api="troubled") == 1, "it runs")
    try:
        yield gate, answers
    finally:
        sender.join()


def assert_cut_off(server: Server, answers: list[requests.Response | None], count: int = 1) -> None:
    """Each was told that the server ends, and has its line."""
    assert len(answers) == count
    for answer in answers:
        assert answer is not None
        assert (answer.status_code, answer.json()["code"]) == (503, "DRAINING"), answer.text
        assert answer.headers["connection"] == "close"
        (line,) = server.access_lines(answer.headers["x-request-id"])
        assert (line["status"], line["error_code"]) == (503, "DRAINING")


def ended(server: Server, within: float = 60) -> int:
    """The exit status."""
    assert server.process is not None
    return server.process.wait(timeout=within)


@pytest.fixture
def slow_to_end(binary: Path, folder: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with times of its own for the end."""
    servers: list[Server] = []

    def start(**settings: str) -> Server:
        server = Server(binary, folder / "home", None, **settings)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        if server.process is not None and server.process.poll() is None:
            server.kill()


def test_G01_requests_are_still_taken_for_a_moment_and_told_to_go(
    slow_to_end: Callable[..., Server], folder: Path
) -> None:
    # No test is to wait so long: only as long as this takes on a machine that is busy.
    server = slow_to_end(CORTEX_DRAIN_DELAY="1m")
    api = deploy(server, folder)
    with requests.Session() as session:
        before = session.post(server.url(api), json={}, timeout=60)
        assert before.headers.get("connection") != "close"
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: server.get("/readyz").status_code == 503, "it is not ready")
        assert server.get(f"{api}/readyz").status_code == 503
        told = requests.get(f"{server.operator}/readyz", headers={"X-Request-ID": "asked-by-a-monitor"}, timeout=60)
        assert (told.status_code, told.json()["request_id"]) == (503, "asked-by-a-monitor")
        assert server.get("/livez").status_code == 200
        late = session.post(server.url(api), json={}, timeout=60)
    assert (late.status_code, late.headers["connection"]) == (200, "close")
    os.kill(server.pid, signal.SIGTERM)
    assert ended(server) == 128 + signal.SIGTERM


def test_G01_G03_a_server_of_several_replicas_ends_and_loses_nothing(
    slow_to_end: Callable[..., Server], folder: Path
) -> None:
    """Clients that follow `/readyz`, as whoever shares out requests does."""
    server = slow_to_end(CORTEX_DRAIN_DELAY="10s")
    name = "troubled"
    sections = {"autoscaling": {"min_replicas": 3, "max_replicas": 3}}
    server.deploy(write(folder / "project", {"predictor.py": TROUBLED}, API(name, sections=sections)))
    with Load(server.url(name), clients=6, json={}) as load:
        eventually(lambda: len({body for _, body, _ in load.answers}) == 3, "each replica has answered")
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: server.get("/readyz").status_code == 503, "it is not ready")
        late = len(load.answers)
        eventually(lambda: len(load.answers) > late + 20, "what comes late is answered too")
    assert load.failures() == []
    pids = {json.loads(body)["pid"] for _, body, _ in load.answers}
    assert ended(server) == 0
    for pid in pids:
        server.await_end(pid)


def test_G01_a_second_signal_ends_it_now(slow_to_end: Callable[..., Server], folder: Path) -> None:
    server = slow_to_end()
    api = deploy(server, folder)
    worker = server.post(api, json={}).json()["pid"]
    with held(server, folder) as (_, answers):
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: "shutting down" in server.output.read_text(), "it drains")
        os.kill(server.pid, signal.SIGHUP)
        assert is_alive(server.pid), "a terminal that closes is no second request"
        os.kill(server.pid, signal.SIGINT)
        assert ended(server) == 128 + signal.SIGINT
    assert_cut_off(server, answers)
    server.await_end(worker)
    assert server.run("server", "status").returncode == 1
    server.start()
    eventually(lambda: server.post(api, json={}).status_code == 200, "what was deployed is back")


def test_G01_what_is_left_after_the_grace_is_cut_off_and_told(slow_to_end: Callable[..., Server], folder: Path) -> None:
    server = slow_to_end(CORTEX_DRAIN_DELAY="0s", CORTEX_DRAIN_GRACE="1s")
    api = deploy(server, folder)
    worker = server.post(api, json={}).json()["pid"]
    with held(server, folder) as (_, answers):
        os.kill(server.pid, signal.SIGTERM)
        assert ended(server) == 1
    assert_cut_off(server, answers)
    assert "1 request unanswered after 1s" in server.output.read_text()
    server.await_end(worker)


def test_stop_says_what_it_waits_for(slow_to_end: Callable[..., Server], folder: Path) -> None:
    server = slow_to_end()
    deploy(server, folder)
    with held(server, folder) as (gate, answers):
        stopping = subprocess.Popen(
            [server.binary, "server", "stop"], env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert stopping.stderr is not None
        line = stopping.stderr.readline().decode()
        assert "1 request of troubled" in line, line
        open_gate(gate)
        assert stopping.wait(timeout=60) == 0
        stopping.communicate()
    assert answers[0] is not None
    assert answers[0].status_code == 200
    assert ended(server) == 0


def test_a_server_that_ends_takes_no_orders_and_the_next_one_waits_for_it(
    slow_to_end: Callable[..., Server], folder: Path
) -> None:
    server = slow_to_end(CORTEX_DRAIN_DELAY="0s", CORTEX_DRAIN_GRACE="10m")
    api = deploy(server, folder)
    with held(server, folder) as (gate, answers):
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: server.json("server", "status")["shutting_down"], "it shuts down")
        assert "shutting down, waits for 1 request of troubled" in server.ok("server", "status")
        again = ["deploy", str(folder / "project" / "cortex.yaml"), "--wait"]
        for command in (again, ["refresh", api], ["delete", api]):
            done = server.run(*command)
            assert done.returncode == 1, (command, done)
            assert "is shutting down" in done.stderr, (command, done)
        listed = server.run("get")
        assert listed.returncode == 0 and "is shutting down" in listed.stderr
        late = server.run("server", "start", "--timeout", "300ms")
        assert late.returncode == 1, late
        assert "is still shutting down after" in late.stderr and late.stdout == "", late
        starting = subprocess.Popen(
            [server.binary, "server", "start"], env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert starting.stderr is not None
        assert f"waiting for the end of the server (pid {server.pid})" in starting.stderr.readline().decode()
        open_gate(gate)
        output, errors = starting.communicate(timeout=120)
    try:
        assert starting.returncode == 0, errors
        assert "server started" in output.decode()
        assert answers[0] is not None and answers[0].status_code == 200
        assert server.json("server", "status")["pid"] != server.pid
    finally:
        server.ok("server", "stop", "--now")


def test_stop_now_waits_for_nobody(slow_to_end: Callable[..., Server], folder: Path) -> None:
    server = slow_to_end()
    deploy(server, folder)
    with held(server, folder) as (_, answers):
        # Behind the one that runs.
        waiting = [threading.Thread(target=lambda: answers.append(server.post("troubled", json={}))) for _ in range(7)]
        for sender in waiting:
            sender.start()
        eventually(lambda: server.metrics("cortex_in_flight_requests", api="troubled") == 8, "all are there")
        assert "stopped" in server.ok("server", "stop", "--now")
        assert ended(server) > 128
        for sender in waiting:
            sender.join()
    assert_cut_off(server, answers, count=8)
    assert "no cortex server runs" in server.ok("server", "stop", "--now")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that cannot run")
@pytest.mark.parametrize("trouble", ["hold", "stopped"])
def test_G01_no_worker_outlives_a_server_that_is_killed(
    slow_to_end: Callable[..., Server], folder: Path, trouble: str
) -> None:
    server = slow_to_end()
    api = deploy(server, folder)
    worker = server.post(api, json={}).json()["pid"]
    if trouble == "hold":
        sender = threading.Thread(target=lambda: is_cut_off(server, f"{api}?trouble=hold"))
        sender.start()
        eventually(lambda: server.metrics("cortex_in_flight_requests", api=api) == 1, "it runs")
    else:
        os.kill(worker, signal.SIGSTOP)
    server.kill()
    server.await_end(worker)


def is_cut_off(server: Server, path: str) -> bool:
    """Sends what is not answered."""
    try:
        server.post(path, json={})
    except requests.ConnectionError:
        return True
    return False


def test_a_process_that_left_its_worker_keeps_nothing_up(slow_to_end: Callable[..., Server], folder: Path) -> None:
    server = slow_to_end()
    api = deploy(server, folder)
    gate = folder / "gate"
    os.mkfifo(gate)
    worker = server.post(f"{api}?trouble=daemon", json=str(gate)).json()["pid"]
    # It has the worker's standard output, which thus does not end with the worker.
    os.kill(worker, signal.SIGKILL)

    def successor() -> int:
        answer = server.post(api, json={})
        return int(answer.json()["pid"]) if answer.status_code == 200 else 0

    assert eventually(successor, "there is a successor") != worker
    server.ok("server", "stop")
    assert ended(server) == 0
    # Nobody may be left to read the gate.
    descriptor = os.open(gate, os.O_RDWR | os.O_NONBLOCK)
    os.write(descriptor, b"end")
    os.close(descriptor)


def test_a_bad_setting_is_a_usage_error_however_it_is_started(cortex: Cortex) -> None:
    wrong = {"CORTEX_DRAIN_GRACE": "soon", "CORTEX_DRAIN_DELAY": "-1s", "CORTEX_BODY_TIMEOUT": "x"}
    for variable, value in wrong.items():
        cortex.environment[variable] = value
        for command in ("run", "start"):
            done = cortex.run("server", command)
            assert done.returncode == 2, (command, variable, done)
            assert f'{variable} is "{value}"' in done.stderr
        del cortex.environment[variable]
    for command in ("run", "start"):
        for flags in (["--drain-grace", "2h"], ["--drain-grace", "-1s"], ["--drain-delay", "99h"]):
            done = cortex.run("server", command, *flags)
            assert done.returncode == 2, done
            assert "0s to 1h" in done.stderr, done


def test_G04_start_waits_until_its_apis_are_back(slow_to_end: Callable[..., Server], folder: Path) -> None:
    server = slow_to_end()
    api = deploy(server, folder)
    server.stop()
    started = server.ok("server", "start", "--wait")
    try:
        assert "1 API is live" in started
        port = server.json("server", "status")["port"]
        assert requests.post(f"http://127.0.0.1:{port}/{api}", json={}, timeout=60).status_code == 200
    finally:
        server.ok("server", "stop", "--now")


@pytest.mark.skipif(not MEASURABLE, reason="limits of another process are set on Linux only")
def test_G07_a_server_without_descriptors_waits_for_some(slow_to_end: Callable[..., Server], folder: Path) -> None:
    own = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = slow_to_end()
    server.stop()
    # Not this process's own limit, which may have more descriptors than that by now.
    narrow = folder / "narrow"
    narrow.write_text(f'#!/bin/sh\nulimit -S -n 256\nexec "{server.binary}" "$@"\n')
    narrow.chmod(0o755)
    server.binary = narrow
    server.start()
    api = deploy(server, folder)
    worker = server.post(api, json={}).json()["pid"]
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    assert limits[0] == min(own[1], 65536), "it takes what it may have"
    count = Footprint.of(server.pid).descriptors
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (count + 8, limits[1]))
    clients = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(40)]
    # All that is left is the reserve of workers: who comes now is told so, or dropped; nobody is left hanging.
    spent = cpu_seconds(server.pid)
    for client in clients:
        with suppress(OSError):
            client.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
            answer = client.recv(100)
            assert not answer or answer.startswith(b"HTTP/1.1 503"), answer
    assert cpu_seconds(server.pid) - spent < 0.75, "it does not spin"
    for client in clients:
        client.close()
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    assert server.post(api, json={}).json()["pid"] == worker


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_G10_a_second_server_of_a_home_names_the_first(own_server: Server) -> None:
    done = own_server.run("server", "run")
    assert done.returncode == 1, done
    assert str(own_server.pid) in done.stderr, done.stderr
    assert own_server.get("/livez").status_code == 200


def test_G11_settings_for_proxies_do_not_touch_what_is_local(slow_to_end: Callable[..., Server], folder: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    server = slow_to_end()
    api = deploy(server, folder)
    server.stop()
    server.environment.update(dict.fromkeys(names, nowhere))
    server.start()
    eventually(lambda: server.get(f"{api}/readyz").status_code == 200, "its API is back")
    with requests.Session() as session:
        session.trust_env = False
        assert session.post(server.url(api), json={}, timeout=60).status_code == 200
    assert server.json("get", api)[0]["status"]["status_code"] == "status_live"
