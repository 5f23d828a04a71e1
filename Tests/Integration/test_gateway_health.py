"""Health is true: what is said of workers that are wedged, stopped, crashed or not there yet (C07, C10 to C13, C19)."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.processes import MEASURABLE, is_alive
from blackbox.project import API, write
from blackbox.server import Cortex, Server

TROUBLED = (Path(__file__).parent / "predictors" / "troubled.py").read_text()


def deploy(server: Server, folder: Path, name: str, timeout: str = "2s", **predictor: Any) -> str:
    """Deploys an API whose requests have little time."""
    api = API(name, predictor=predictor, sections={"networking": {"timeout": timeout}})
    server.deploy(write(folder / name, {"predictor.py": TROUBLED}, api))
    return name


def pid_of(server: Server, api: str) -> int:
    """The process that answers."""
    answer = server.post(api, json={})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["pid"])


def is_ready(server: Server, api: str) -> bool:
    """Whether the API says so; what it says where it is not, has the shape of an error."""
    answer = server.get(f"{api}/readyz")
    if answer.status_code == 200:
        return True
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "NOT_READY"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    return False


def why(server: Server, api: str) -> str:
    """Why the API is not ready; empty where it is."""
    answer = server.get(f"{api}/readyz")
    return "" if answer.status_code == 200 else str(answer.json()["error"])


def status(server: Server, api: str) -> dict[str, Any]:
    """The status as `cortex get` has it."""
    found: dict[str, Any] = server.json("get", api)[0]["status"]
    return found


@contextmanager
def sending(server: Server, path: str, **options: Any) -> Iterator[list[requests.Response]]:
    """Sends while the body runs; the answer is there at its end."""
    answers: list[requests.Response] = []
    sender = threading.Thread(target=lambda: answers.append(server.post(path, **options)))
    sender.start()
    try:
        yield answers
    finally:
        sender.join()


def test_C12_a_wedged_worker_is_not_ready_and_is_replaced(server: Server, folder: Path) -> None:
    api = deploy(server, folder, "wedged")
    before = pid_of(server, api)
    assert is_ready(server, api)
    answer = server.post(f"{api}?trouble=hold", json={})
    assert (answer.status_code, answer.json()["code"]) == (504, "DEADLINE_EXCEEDED")
    # Its request is answered; the process is not back, and nobody knows whether it will be.
    assert "past the deadline" in why(server, api)
    assert status(server, api)["status_code"] == "status_error"
    assert server.get("/livez").status_code == 200
    assert server.get(api).status_code == 200, "the summary is the gateway's own"
    eventually(lambda: is_ready(server, api), "another worker is ready")
    assert pid_of(server, api) != before
    assert not is_alive(before)
    assert server.metrics("cortex_worker_restarts_total", api=api, reason="overdue") == 1
    assert f"did not answer request {answer.json()['request_id']} in time" in server.logs(api)
    assert status(server, api)["status_code"] == "status_live"


@pytest.mark.skipif(not MEASURABLE, reason="only /proc tells that a process is stopped")
def test_C13_a_stopped_worker_is_not_ready_and_its_late_answer_is_dropped(server: Server, folder: Path) -> None:
    api = deploy(server, folder, "stopped")
    before = pid_of(server, api)
    os.kill(before, signal.SIGSTOP)
    try:
        eventually(lambda: "stopped" in why(server, api), "it is known without a request")
        assert status(server, api)["status_code"] == "status_error"
        assert server.post(api, json={}).status_code == 504
    finally:
        os.kill(before, signal.SIGCONT)
    eventually(lambda: is_ready(server, api), "it is back")
    for _ in range(5):
        assert pid_of(server, api) == before, "answers are each to their own request, and the worker stays"


def test_C13_others_serve_while_one_worker_is_stopped(server: Server, folder: Path) -> None:
    api = deploy(server, folder, "others", processes_per_replica=2)
    # The one that answered last is the first to be asked again.
    stopped = pid_of(server, api)
    os.kill(stopped, signal.SIGSTOP)
    try:
        answers = [server.post(api, json={}) for _ in range(6)]
        assert is_ready(server, api)
    finally:
        os.kill(stopped, signal.SIGCONT)
    # What had been given to it has run out of time; it gets nothing more, and the other answers.
    assert [answer.status_code for answer in answers].count(504) <= 1
    others = {answer.json()["pid"] for answer in answers if answer.status_code == 200}
    # On a slow machine it may have been replaced by then.
    assert others
    assert stopped not in others


def test_C12_a_thread_that_hangs_does_not_take_the_others_requests_with_it(server: Server, folder: Path) -> None:
    api = deploy(server, folder, "hangs", timeout="3s", threads_per_process=2)
    before = pid_of(server, api)
    never, gate = folder / "never", folder / "gate"
    os.mkfifo(never)
    os.mkfifo(gate)
    with sending(server, f"{api}?trouble=wait", json=str(never)) as late:
        eventually(lambda: server.metrics("cortex_in_flight_requests", api=api) == 1, "one thread hangs")
        # The next request is to have more time, in the same process: this changes nothing else.
        deploy(server, folder, "hangs", timeout="1m", threads_per_process=2)
        with sending(server, f"{api}?trouble=wait", json=str(gate)) as answers:
            eventually(lambda: late, "the first has run out of time")
            assert "past the deadline" in why(server, api)
            open_gate(gate)
    assert (late[0].status_code, answers[0].status_code) == (504, 200), "what the other thread ran, it has finished"
    eventually(lambda: not is_alive(before), "the process is replaced")
    assert eventually(lambda: is_ready(server, api) and pid_of(server, api), "another answers") != before


def test_C10_a_crash_loop_is_slowed_down_and_shown(server: Server, folder: Path) -> None:
    api = deploy(server, folder, "loops")
    seen: set[int] = set()

    def loops() -> bool:
        answer = server.post(f"{api}?trouble=exit", json={})
        assert answer.status_code in (502, 503), answer.text
        seen.add(answer.status_code)
        assert answer.json()["code"] in ("WORKER_CRASHED", "NOT_READY")
        return bool(status(server, api)["status_code"] == "status_crash_loop")

    eventually(loops, "the loop is shown", within=60)
    assert seen == {502, 503}, "between two starts it is not ready"
    shown = status(server, api)
    assert "times in a row" in shown["reason"] and "exited with status 3" in shown["reason"], shown
    assert "error (crash loop)" in server.ok("get", api)
    assert "crash_loop" in [event["kind"] for event in server.json("describe", api)["events"]]

    def ends_counted() -> float:
        return server.metrics("cortex_worker_restarts_total", api=api, reason="exit")

    # The end that makes it a loop is counted a moment after it is shown.
    eventually(lambda: ends_counted() >= 5, "each end is counted")
    ends = ends_counted()
    # It lives on where nothing kills it, and is well again soon.
    eventually(lambda: status(server, api)["status_code"] == "status_live", "it has stayed")
    assert is_ready(server, api)
    assert server.metrics("cortex_worker_restarts_total", api=api, reason="exit") <= ends + 1


def test_C07_what_has_never_been_up_says_why(server: Server, folder: Path) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    api = API("unborn", predictor={"config": {"gate": str(gate), "exit": 3}})
    project = write(folder / "unborn", {"predictor.py": TROUBLED}, api)
    server.ok("deploy", "cortex.yaml", "--no-wait", cwd=project)
    eventually(lambda: "starting" in why(server, "unborn"), "its constructor runs")
    assert status(server, "unborn")["status_code"] == "status_updating"
    open_gate(gate)
    eventually(lambda: "could not be started" in why(server, "unborn"), "its constructor has failed")
    assert status(server, "unborn")["status_code"] == "status_error"
    answer = server.post("unborn", json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
    server.ok("delete", "unborn")


def test_a_full_queue_is_ready(server: Server, folder: Path) -> None:
    api = API(
        "brimful",
        sections={"autoscaling": {"max_replica_concurrency": 1}, "networking": {"timeout": "1m"}},
    )
    server.deploy(write(folder / "brimful", {"predictor.py": TROUBLED}, api))
    gate = folder / "gate"
    os.mkfifo(gate)
    with sending(server, "brimful?trouble=wait", json=str(gate)) as answers:
        eventually(lambda: server.metrics("cortex_in_flight_requests", api="brimful") == 1, "it runs")
        assert server.post("brimful", json={}).json()["code"] == "QUEUE_FULL"
        assert is_ready(server, "brimful")
        open_gate(gate)
    assert answers[0].status_code == 200


def test_C19_a_device_that_is_lost_costs_three_requests(server: Server, folder: Path) -> None:
    api = deploy(server, folder, "lost-device")
    before = pid_of(server, api)
    for number in range(3):
        assert server.post(f"{api}?trouble=device", json={}).status_code == 500, number
    eventually(lambda: pid_of(server, api) != before, "another process answers")
    assert server.metrics("cortex_worker_restarts_total", api=api, reason="device") == 1
    assert "device" in server.logs(api)


def test_the_server_is_ready_while_some_api_is(new_server: Any, folder: Path) -> None:
    server = new_server("home")
    assert server.get("/readyz").status_code == 200, "nothing is deployed"
    deploy(server, folder, "only")
    assert server.get("/readyz").status_code == 200
    server.post("only?trouble=hold", json={})
    answer = server.get("/readyz?verbose")
    assert answer.status_code == 503
    assert "past the deadline" in answer.json()["apis"]["only"]
    deploy(server, folder, "another")
    assert server.get("/readyz").status_code == 200


@pytest.mark.skipif(not MEASURABLE, reason="only /proc tells that a process is stopped")
def test_C13_a_stopped_worker_gets_nothing_while_another_is_idle(server: Server, folder: Path) -> None:
    api = deploy(server, folder, "sibling", processes_per_replica=2)
    stopped = pid_of(server, api)
    os.kill(stopped, signal.SIGSTOP)
    try:
        server.await_log(api, r"is stopped \(SIGSTOP\)")
        assert server.metrics("cortex_workers", api=api, state="stopped") == 1
        assert server.metrics("cortex_workers", api=api, state="ready") == 1
        assert is_ready(server, api)
        answers = [server.post(api, json={}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 6
        assert stopped not in {answer.json()["pid"] for answer in answers}
    finally:
        os.kill(stopped, signal.SIGCONT)
    server.await_log(api, "goes on")
    assert server.metrics("cortex_workers", api=api, state="ready") == 2


@pytest.mark.skipif(not MEASURABLE, reason="the limit of another process is set through Linux")
def test_C10_connections_leave_descriptors_for_workers(own_server: Server, folder: Path) -> None:
    server = own_server
    api = deploy(server, folder, "short", timeout="30s")
    before = len(os.listdir(f"/proc/{server.pid}/fd"))
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (before + 100, before + 100))
    clients: list[socket.socket] = []
    try:
        refusal = b"HTTP/1.1 200"
        while refusal.startswith(b"HTTP/1.1 200") and len(clients) < before + 200:
            clients.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            with suppress(OSError):
                clients[-1].sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            refusal = clients[-1].recv(4096)
        assert refusal.startswith(b"HTTP/1.1 503") and b"TOO_MANY_CONNECTIONS" in refusal, refusal
        assert b"ulimit -n" in refusal
        eventually(lambda: "connections are refused" in server.output.read_text(), "it is told")
        # The place that the refused one took is free; all that are admitted stay.
        clients.pop().close()
        with requests.Session() as session:
            session.headers["connection"] = "close"
            clients.pop().close()
            for _ in range(3):
                eventually(lambda: is_ready(server, api), "its worker is there")
                worker = pid_of(server, api)
                os.kill(worker, signal.SIGKILL)
                server.await_end(worker)
        eventually(lambda: is_ready(server, api), "another worker is there")
        assert server.process is not None and server.process.poll() is None
    finally:
        for client in clients:
            client.close()


@pytest.mark.skipif(not MEASURABLE, reason="the limit of another process is set through Linux")
def test_C10_a_start_without_descriptors_is_tried_again(own_server: Server, folder: Path) -> None:
    server = own_server
    api = deploy(server, folder, "none", timeout="30s")
    worker = pid_of(server, api)
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir(f"/proc/{server.pid}/fd"))
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (highest + 2, hard))
    os.kill(worker, signal.SIGKILL)
    told = server.await_log(api, "could not be started")
    assert "only" in told and "ulimit -n" in told and "it the worker" not in told, told
    assert server.process is not None and server.process.poll() is None
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (hard, hard))
    eventually(lambda: is_ready(server, api), "it is started once there is room")
    assert pid_of(server, api) != worker


@pytest.mark.parametrize("limit", [64, 100])
def test_C10_a_server_does_not_start_where_its_limit_cannot_hold_it(cortex: Cortex, limit: int) -> None:
    command = f'ulimit -n {limit}; exec "$0" server run'
    done = subprocess.run(
        ["bash", "-c", command, cortex.binary],
        env=cortex.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done
    assert f"allows the server {limit} open files" in done.stderr and "ulimit -n" in done.stderr, done.stderr


def test_C19_a_constructor_that_dies_tells_when_it_is_tried_again(server: Server, folder: Path) -> None:
    api = "dying"
    settings = API(api, predictor={"config": {"exit": 3}})
    server.ok("deploy", "cortex.yaml", cwd=write(folder / api, {"predictor.py": TROUBLED}, settings))

    def is_told() -> bool:
        answers = [server.post(api, json={}), server.get(f"{api}/readyz")]
        assert [answer.status_code for answer in answers] == [503, 503]
        delays = [int(answer.headers["retry-after"]) for answer in answers]
        reasons = [answer.json()["error"] for answer in answers]
        # At the seam between a start and the next delay the two may differ.
        return min(delays) > 2 and max(delays) - min(delays) <= 1 and all("tried" in reason for reason in reasons)

    eventually(is_told, "both say the growing delay")
    reason = server.json("get", api)[0]["status"]["reason"]
    assert "times, the next start is in" in reason, reason
    server.ok("delete", api)
