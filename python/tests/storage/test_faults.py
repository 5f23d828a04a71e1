"""Fetching from a server that misbehaves: what is tried again, what is not, and what the failure says."""

from __future__ import annotations

import asyncio
import os
import resource
from typing import TYPE_CHECKING

import pytest

from cortex_storage import place as place_module
from cortex_storage.faults import StorageFault
from cortex_storage.objects import object_of
from cortex_storage.place import place
from cortex_storage.transfer import AT_ONCE, PART, Transfer
from storage import web as faulty
from storage.peer import Fault, files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.peer import Agent
    from storage.web import WebServer

ROOT = "s3://bucket/m/"
SMALL = os.urandom(300_000)
LARGE = os.urandom(1 << 20) * 40


@pytest.fixture
def agent(web: WebServer, start: Callable[..., Agent]) -> Agent:
    """An agent that takes the web server for S3."""
    web.objects["/bucket/m/a"] = SMALL
    return start(AWS_ENDPOINT_URL=web.url)


def test_a_cut_connection_is_taken_up_where_it_broke(web: WebServer, agent: Agent) -> None:
    web.faults["/bucket/m/a"] = [faulty.Fault(cut_after=100_000), faulty.Fault(cut_after=50_000)]
    assert files(agent.fetch(ROOT, [web.entry("/bucket/m/a", "a")])) == {"a": SMALL}
    ranges = [headers.get("range") for headers in web.gets("/bucket/m/a")]
    assert ranges[0] is None
    assert len(ranges) >= 3
    starts = [int(text.removeprefix("bytes=").split("-")[0]) for text in ranges[1:] if text]
    assert starts == sorted(starts)
    assert starts[0] > 0
    tag = web.entry("/bucket/m/a", "a")["tag"]
    assert {headers["if-match"] for headers in web.gets("/bucket/m/a")} == {tag}


def test_a_server_that_fails_for_a_moment_is_asked_again(web: WebServer, agent: Agent) -> None:
    web.faults["/bucket/m/a"] = [faulty.Fault(status=500), faulty.Fault(status=503)]
    assert files(agent.fetch(ROOT, [web.entry("/bucket/m/a", "a")])) == {"a": SMALL}
    assert len(web.gets("/bucket/m/a")) == 3


def test_a_connection_that_never_holds_is_given_up(web: WebServer, agent: Agent) -> None:
    web.faults["/bucket/m/a"] = [faulty.Fault(cut_after=0) for _ in range(200)]
    with pytest.raises(Fault) as caught:
        agent.fetch(ROOT, [web.entry("/bucket/m/a", "a")])
    assert caught.value.kind in ("truncated", "unreachable", "failed")
    assert caught.value.message.startswith("s3://bucket/m/a: ")
    assert caught.value.message.endswith("(tried 5 times)")


def test_a_busy_store_is_named_with_what_it_says(web: WebServer, agent: Agent) -> None:
    body = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
    web.faults["/bucket/m/a"] = [faulty.Fault(status=503, body=body) for _ in range(200)]
    with pytest.raises(Fault) as caught:
        agent.fetch(ROOT, [web.entry("/bucket/m/a", "a")])
    assert caught.value.kind == "unreachable"
    assert caught.value.message == (
        f"s3://bucket/m/a: {web.url} answers with status 503 (SlowDown: Reduce your request rate) (tried 5 times)"
    )


def test_a_refusal_is_not_asked_again_and_says_what_to_do(web: WebServer, agent: Agent) -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    web.faults["/bucket/m/a"] = [faulty.Fault(status=403, body=body)]
    with pytest.raises(Fault) as caught:
        agent.fetch(ROOT, [web.entry("/bucket/m/a", "a")])
    assert caught.value.kind == "denied"
    assert caught.value.message == (
        "s3://bucket/m/a: access is denied (AccessDenied: Access Denied); no credentials were found, so the requests "
        "were not signed; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    )
    assert len(web.gets("/bucket/m/a")) == 1


def test_a_bucket_in_another_region_is_told(web: WebServer, agent: Agent) -> None:
    body = b"<Error><Code>PermanentRedirect</Code><Message>Use eu-west-1</Message></Error>"
    web.faults["/bucket/m/a"] = [faulty.Fault(status=301, body=body)]
    with pytest.raises(Fault, match=r"unsupported: s3://bucket/m/a: .*set AWS_REGION"):
        agent.fetch(ROOT, [web.entry("/bucket/m/a", "a")])


def test_a_large_object_is_asked_for_in_ranges_of_one_version(web: WebServer, agent: Agent) -> None:
    web.objects["/bucket/m/big"] = LARGE
    entry = web.entry("/bucket/m/big", "big")
    web.faults["/bucket/m/big"] = [faulty.Fault(cut_after=1 << 20), faulty.Fault(status=500)]
    assert files(agent.fetch(ROOT, [entry])) == {"big": LARGE}
    asked = web.gets("/bucket/m/big")
    assert {headers["if-match"] for headers in asked} == {entry["tag"]}
    starts = {int(headers["range"].removeprefix("bytes=").split("-")[0]) for headers in asked}
    assert {0, PART, 2 * PART} <= starts


def test_an_object_that_changes_midway_is_found(web: WebServer, agent: Agent) -> None:
    entry = web.entry("/bucket/m/a", "a")
    web.objects["/bucket/m/a"] = bytes(len(SMALL))
    with pytest.raises(Fault, match=r"changed: s3://bucket/m/a has changed since it was listed"):
        agent.fetch(ROOT, [entry])


def test_a_store_without_tags_is_judged_by_size_and_time(web: WebServer, agent: Agent) -> None:
    web.has_tags = False
    entry = web.entry("/bucket/m/a", "a")
    assert files(agent.fetch(ROOT, [entry])) == {"a": SMALL}
    for other in ({"size": 7}, {"modified": entry["modified"] - 60_000}):
        with pytest.raises(Fault, match="changed: "):
            agent.fetch(ROOT, [{**entry, **other}])


def test_the_secrets_of_an_address_are_not_shown(web: WebServer, start: Callable[..., Agent]) -> None:
    agent = start(AWS_ACCESS_KEY_ID="AKIAKEY", AWS_SECRET_ACCESS_KEY="topsecret", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    with pytest.raises(Fault) as caught:
        agent.listing(ROOT)
    assert "topsecret" not in caught.value.message
    assert "AKIAKEY" not in caught.value.message


def test_a_disk_that_is_too_small_is_found_before_anything_comes(web: WebServer, agent: Agent) -> None:
    entry = {**web.entry("/bucket/m/a", "a"), "size": 1 << 60}
    with pytest.raises(Fault, match=r"diskFull: s3://bucket/m/ needs [\d,]+ MB, and [\d,]+ MB are free in /"):
        agent.fetch(ROOT, [entry])
    assert web.gets("/bucket/m/a") == []


def test_a_disk_that_fills_up_is_told(web: WebServer, agent: Agent) -> None:
    # The kernel refuses to let a file grow, as it does on a full disk.
    resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
    with pytest.raises(Fault, match=r"diskFull: s3://bucket/m/a: a file may not grow \(/.*make room") as caught:
        agent.fetch(ROOT, [web.entry("/bucket/m/a", "a")])
    assert "tried" not in caught.value.message


def test_a_folder_that_may_not_be_written_is_told(web: WebServer, agent: Agent) -> None:
    blocked = agent.new_folder()
    (blocked / "a").mkdir()
    with pytest.raises(Fault, match=r"unsupported: s3://bucket/m/a is an object and a folder at once"):
        agent.end(agent.begin(0x41, faulty_request(blocked, web)))


def faulty_request(folder: Path, web: WebServer) -> dict[str, object]:
    entry = web.entry("/bucket/m/a", "a")
    return {"url": ROOT, "options": {}, "folder": str(folder), "prefix": "", "objects": [entry]}


def test_a_server_that_falls_silent_is_asked_again(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_module, "_PATIENT", {"timeout": "300ms"})
    monkeypatch.setattr(place_module, "_IMPATIENT", {"timeout": "300ms"})
    web.objects["/bucket/m/a"] = SMALL
    entry = object_of(web.entry("/bucket/m/a", "a"))
    came: list[int] = []

    async def fetch(folder: Path) -> None:
        folder.mkdir()
        root = await place(ROOT, {"AWS_ENDPOINT_URL": web.url})
        await Transfer(root, [entry], "", str(folder), asyncio.Semaphore(AT_ONCE), came.append).run()

    web.faults["/bucket/m/a"] = [faulty.Fault(stall_after=1000)]
    asyncio.run(fetch(tmp_path / "one"))
    assert files(tmp_path / "one") == {"a": SMALL}
    assert came[-1] == len(SMALL)
    web.faults["/bucket/m/a"] = [faulty.Fault(stall_after=0) for _ in range(20)]
    with pytest.raises(
        StorageFault,
        match=r"s3://bucket/m/a: cannot reach http://127.0.0.1:\d+: it does not answer in time; .*\(tried 5 times\)",
    ):
        asyncio.run(fetch(tmp_path / "two"))
