"""The conversation itself: requests at once, cancelled, in pieces; the end of the server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cortex_storage.transfer import ALL_AT_ONCE
from storage import web as faulty
from storage.peer import ABORT, FETCH, MORE_FOLLOWS, PROGRESS, Fault, files
from storage.peer import request as fetch_body

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.peer import Agent
    from storage.web import WebServer


def open_files(agent: Agent) -> set[str]:
    folder = f"/proc/{agent.process.pid}/fd"
    links = set()
    for name in os.listdir(folder):
        try:
            links.add(os.readlink(f"{folder}/{name}"))
        except FileNotFoundError:
            continue
    return {link for link in links if "folder-" in link}


def test_a_cancelled_request_ends_and_leaves_nothing_open(web: WebServer, start: Callable[..., Agent]) -> None:
    web.objects["/bucket/m/a"] = bytes(5 << 20)
    web.faults["/bucket/m/a"] = [faulty.Fault(stall_after=3 << 20)]
    agent = start(AWS_ENDPOINT_URL=web.url)
    folder = agent.new_folder()
    number = agent.begin(FETCH, fetch_body("s3://bucket/m/", [web.entry("/bucket/m/a", "a")], folder))
    # Something has come, so that a file is open.
    assert agent.read()[:2] == (PROGRESS, number)
    assert open_files(agent)
    agent.send(ABORT, number)
    with pytest.raises(Fault, match="cancelled"):
        agent.end(number)
    assert open_files(agent) == set()
    # It serves on.
    assert files(agent.fetch("s3://bucket/m/", [web.entry("/bucket/m/a", "a")])) == {"a": bytes(5 << 20)}


def test_a_stuck_request_does_not_hold_up_another(web: WebServer, start: Callable[..., Agent]) -> None:
    web.objects |= {"/bucket/m/stuck": b"1234", "/bucket/m/free": b"5678"}
    web.faults["/bucket/m/stuck"] = [faulty.Fault(stall_after=2)]
    agent = start(AWS_ENDPOINT_URL=web.url)
    entries = {name: web.entry(f"/bucket/m/{name}", name) for name in ("stuck", "free")}
    first = agent.begin(FETCH, fetch_body("s3://bucket/m/", [entries["stuck"]], agent.new_folder()))
    second = agent.begin(FETCH, fetch_body("s3://bucket/m/", [entries["free"]], agent.new_folder()))
    agent.end(second)
    agent.send(ABORT, first)
    with pytest.raises(Fault, match="cancelled"):
        agent.end(first)


def test_aborting_what_has_ended_is_nothing(start: Callable[..., Agent]) -> None:
    agent = start()
    agent.send(ABORT, 99)
    with pytest.raises(Fault, match="unsupported"):
        agent.listing("ftp://x/")


def test_a_request_may_come_in_several_frames(web: WebServer, start: Callable[..., Agent]) -> None:
    web.objects |= {f"/bucket/m/{n}": str(n).encode() for n in range(6)}
    agent = start(AWS_ENDPOINT_URL=web.url)
    folder = agent.new_folder()
    entries = [web.entry(f"/bucket/m/{n}", str(n)) for n in range(6)]
    agent.send(FETCH, 7, fetch_body("s3://bucket/m/", entries[:3], folder), flags=MORE_FOLLOWS)
    agent.send(FETCH, 7, fetch_body("s3://bucket/m/", entries[3:], folder))
    assert agent.end(7) == []
    assert files(folder) == {str(n): str(n).encode() for n in range(6)}


def test_one_place_is_asked_over_kept_connections(web: WebServer, start: Callable[..., Agent]) -> None:
    web.objects["/bucket/m/a"] = b"1"
    agent = start(AWS_ENDPOINT_URL=web.url)
    for _ in range(3):
        agent.fetch("s3://bucket/m/", [web.entry("/bucket/m/a", "a")])
    assert len(web.gets("/bucket/m/a")) == 3


def test_it_ends_with_the_server(web: WebServer, tmp_path: Path, start: Callable[..., Agent]) -> None:
    web.objects["/bucket/m/a"] = b"1234"
    web.faults["/bucket/m/a"] = [faulty.Fault(stall_after=2)]
    agent = start(AWS_ENDPOINT_URL=web.url)
    agent.begin(FETCH, fetch_body("s3://bucket/m/", [web.entry("/bucket/m/a", "a")], agent.new_folder()))
    # Something is under way: nobody waits for it.
    assert agent.close() == 0


def test_it_steps_back_behind_the_workers(start: Callable[..., Agent]) -> None:
    agent = start()
    assert os.getpriority(os.PRIO_PROCESS, agent.process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10


def test_stores_that_stand_still_do_not_hold_up_another(
    web: WebServer, start: Callable[..., Agent], request: pytest.FixtureRequest
) -> None:
    still = faulty.WebServer()
    request.addfinalizer(still.close)
    still.objects["/m/big"] = b"1234"
    still.faults["/m/big"] = [faulty.Fault(stall_after=2) for _ in range(20)]
    web.objects["/bucket/m/free"] = b"5678"
    agent = start(AWS_ENDPOINT_URL=web.url)
    entries = [{**still.entry("/m/big", "big"), "path": "big"}]
    stuck = [agent.begin(FETCH, fetch_body(f"{still.url}/m/", entries, agent.new_folder())) for _ in range(12)]
    agent.end(
        agent.begin(FETCH, fetch_body("s3://bucket/m/", [web.entry("/bucket/m/free", "free")], agent.new_folder()))
    )
    for number in stuck:
        agent.send(ABORT, number)
    ended = {agent.read()[1] for _ in stuck}
    assert ended == set(stuck)


def test_cancelled_transfers_whose_server_stands_still_do_not_hold_up_another(
    web: WebServer, start: Callable[..., Agent]
) -> None:
    web.objects |= {"/bucket/m/big": bytes(1 << 20), "/bucket/m/free": b"5678"}
    web.faults["/bucket/m/big"] = [faulty.Fault(stall_after=900_000) for _ in range(ALL_AT_ONCE + 8)]
    agent = start(AWS_ENDPOINT_URL=web.url)
    entry = web.entry("/bucket/m/big", "big")
    for _ in range(ALL_AT_ONCE + 8):
        stuck = agent.begin(FETCH, fetch_body("s3://bucket/m/", [entry], agent.new_folder()))
        # Its thread has begun to wait for what does not come.
        assert agent.read()[:2] == (PROGRESS, stuck)
        agent.send(ABORT, stuck)
        with pytest.raises(Fault, match="cancelled"):
            agent.end(stuck)
    assert open_files(agent) == set()
    assert files(agent.fetch("s3://bucket/m/", [web.entry("/bucket/m/free", "free")])) == {"free": b"5678"}
