"""Traffic splitters: shares that are exact, weights that change under load, shadows that nobody feels."""

from __future__ import annotations

import collections
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.load import Load
from blackbox.project import API, Splitter, write
from blackbox.server import Cortex, Server

PREDICTOR = (Path(__file__).parent / "predictors" / "split.py").read_text()


def api(name: str, sections: dict[str, Any] | None = None, **config: Any) -> API:
    """An API that answers with its name."""
    return API(name, predictor={"config": {"name": name, **config}}, sections=sections or {})


def project(folder: Path, *resources: API | Splitter) -> Path:
    """A project of these."""
    return write(folder / "project", {"predictor.py": PREDICTOR}, *resources)


def split(folder: Path, server: Cortex, splitter: Splitter) -> None:
    """Deploys a splitter alone, and returns when it is live."""
    server.ok("deploy", "--wait", cwd=project(folder, splitter))


def shown(server: Cortex, name: str) -> dict[str, Any]:
    """What `cortex get` says."""
    found: dict[str, Any] = server.json("get", name)[0]
    return found


def counts(server: Cortex, name: str) -> dict[str, int]:
    """What `cortex get` has counted of each API of a splitter, as 2XX."""
    return {target["name"]: target["network_stats"]["code_2xx"] for target in shown(server, name)["targets"]}


def answers(server: Server, path: str, count: int, **options: Any) -> collections.Counter[str]:
    """Who answered so many requests, sent from several connections at once."""
    with ThreadPoolExecutor(4) as clients:
        found = list(clients.map(lambda _: server.post(path, json={}, **options), range(count)))
    assert {answer.status_code for answer in found} == {200}, [answer.text for answer in found][:3]
    return collections.Counter(answer.text for answer in found)


@pytest.fixture(scope="module")
def apis(server: Server, short_folder: Path) -> Iterator[None]:
    """Three that are live for all tests here: `split-a`, `split-b`, and `split-dark` with room for two requests."""
    narrow = {"autoscaling": {"max_replica_concurrency": 2}}
    server.deploy(project(short_folder / "apis", api("split-a"), api("split-b"), api("split-dark", narrow)))
    yield
    for name in ("split-a", "split-b", "split-dark"):
        server.ok("delete", name)


pytestmark = pytest.mark.usefixtures("apis")


@pytest.fixture
def ab(server: Server, folder: Path) -> Iterator[str]:
    """A splitter of 90 and 10 percent."""
    split(folder, server, Splitter("split-ab", {"split-a": 90, "split-b": 10}))
    yield "split-ab"
    server.run("delete", "split-ab")


# Shares


def test_shares_are_exact_under_load(server: Server, ab: str) -> None:
    before = {name: server.metrics("cortex_requests_total", api=name, code="200") for name in ("split-a", "split-b")}
    assert answers(server, ab, 200) == {"split-a": 180, "split-b": 20}
    assert answers(server, f"{ab}/predict", 100) == {"split-a": 90, "split-b": 10}
    assert answers(server, "predict", 100, headers={"Host": f"api-{ab}:8888"}) == {"split-a": 90, "split-b": 10}
    for name, count in (("split-a", 360), ("split-b", 40)):
        assert server.metrics("cortex_splitter_requests_total", api=ab, target=name, code="200") == count
        assert server.metrics("cortex_splitter_request_duration_seconds_count", api=ab, target=name) == count
        # Each is a request to its API, and counts there too.
        assert server.metrics("cortex_requests_total", api=name, code="200") == before[name] + count
    assert server.metrics("cortex_requests_total", api=ab) == 0
    assert counts(server, ab) == {"split-a": 360, "split-b": 40}
    # What comes to the API itself is none of the splitter's.
    assert server.post("split-b", json={}).text == "split-b"
    assert counts(server, ab) == {"split-a": 360, "split-b": 40}


def test_a_request_is_recorded_with_the_api_that_had_it(server: Server, ab: str) -> None:
    answer = server.post(ab, json={})
    line = eventually(lambda: server.access_lines(answer.headers["X-Request-ID"]), "it is recorded")[0]
    assert (line["api"], line["splitter"], line["path"]) == (answer.text, ab, f"/{ab}")
    assert line["worker"].startswith(answer.text)


def test_weights_change_under_load(server: Server, ab: str, folder: Path) -> None:
    first = shown(server, ab)["deployment"]["version"]
    starts = {name: server.logs(name).count("starting version") for name in ("split-a", "split-b")}
    with Load(server.url(ab), clients=3, json={}) as load:
        for weights in ({"split-a": 50, "split-b": 50}, {"split-a": 0, "split-b": 100}, {"split-a": 100}):
            split(folder, server, Splitter(ab, weights))
            last = len(load.answers)
            eventually(lambda last=last: len(load.answers) >= last + 50, "the load goes on")  # type: ignore[misc]
            # What had been read before may still come; after that no turn is another's.
            share = collections.Counter(body for _, body, _ in load.answers[last + 10 : last + 50])
            assert all(abs(share[name] - 0.4 * weight) <= 6 * (0 < weight < 100) for name, weight in weights.items())
    assert load.failures() == []
    assert {name: server.logs(name).count("starting version") for name in starts} == starts, "nothing is started anew"
    # As with any API: the versions before, and the way back.
    assert [one["version"] for one in server.json("describe", ab)["deployments"]] == [first + n for n in (3, 2, 1, 0)]
    server.ok("rollback", ab, str(first))
    eventually(lambda: shown(server, ab)["status"]["serving_version"] == first + 4, "it has gone back")
    assert answers(server, ab, 100) == {"split-a": 90, "split-b": 10}
    done = server.ok("deploy", "--wait", cwd=project(folder, Splitter(ab, {"split-a": 90, "split-b": 10})))
    assert "split-ab (TrafficSplitter) is up to date" in done


def test_what_is_in_flight_stays_where_it_is(server: Server, ab: str, folder: Path) -> None:
    split(folder, server, Splitter(ab, {"split-a": 100}))
    gate = folder / "open"
    with ThreadPoolExecutor(1) as client:
        waiting = client.submit(server.post, f"{ab}?mark=stays&split-a-waits={gate}", json={})
        server.await_log("split-a", "got stays")
        split(folder, server, Splitter(ab, {"split-b": 100}))
        assert server.post(ab, json={}).text == "split-b"
        gate.touch()
        assert waiting.result().text == "split-a"


def test_a_client_that_leaves_is_told_to_the_api_that_has_its_request(server: Server, ab: str, folder: Path) -> None:
    split(folder, server, Splitter(ab, {"split-b": 100}))
    head = "HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    for query, last in (("until-cancelled=1&mark=leaver", "cancelled"), ("stream=1&mark=reader", "stream ends")):
        with RawConnection(server.port) as connection:
            connection.send(f"POST /{ab}?{query} {head}".encode())
            server.await_log("split-b", f"got {query.rpartition('=')[2]}")
            if "stream" in query:
                assert connection.socket.recv(12) == b"HTTP/1.1 200"
        server.await_log("split-b", last)
    eventually(lambda: server.metrics("cortex_in_flight_requests", api="split-b") == 0, "nothing is left")


# Limits


def test_the_limits_and_keys_of_the_api_hold(server: Server, folder: Path) -> None:
    key = folder / "key"
    key.write_text("secret\n")
    narrow = {"networking": {"max_body_size": 100, "timeout": "3s", "api_keys": [{"file": str(key)}]}}
    server.deploy(project(folder, api("split-narrow", narrow), Splitter("split-n", {"split-narrow": 100})))
    known = {"X-API-Key": "secret"}
    assert server.post("split-n", json={}).status_code == 401
    assert server.post("split-n", json={}, headers=known).text == "split-narrow"
    assert server.post("split-n", data=b"x" * 101, headers=known).status_code == 413
    late = server.post(f"split-n?split-narrow-waits={folder}/never", json={}, headers=known)
    assert (late.status_code, "networking.timeout of split-narrow" in late.text) == (504, True)
    stats = shown(server, "split-n")["targets"][0]["network_stats"]
    assert (stats["code_2xx"], stats["code_4xx"], stats["code_5xx"]) == (1, 2, 1)
    # Keys of the splitter's own hold beside those: whom it refuses takes nobody's turn.
    own = folder / "own"
    own.write_text("other")
    sections = {"networking": {"api_keys": [{"file": str(own)}], "cors": {"allow_origins": ["https://a.example"]}}}
    split(folder, server, Splitter("split-n", {"split-a": 100}, sections=sections))
    assert server.post("split-n", json={}, headers=known).status_code == 401
    answer = server.post("split-n", json={}, headers={"X-API-Key": "other", "Origin": "https://a.example"})
    assert (answer.text, answer.headers["Access-Control-Allow-Origin"]) == ("split-a", "https://a.example")
    assert counts(server, "split-n") == {"split-a": 1}
    server.ok("delete", "split-n")
    server.ok("delete", "split-narrow")


# Shadows


@pytest.fixture
def shadowed(server: Server, folder: Path) -> Iterator[str]:
    """A splitter all requests of which are copied."""
    name = "split-shadowed"
    split(folder, server, Splitter(name, {"split-a": 100}, shadow=("split-dark", 100)))
    yield name
    server.ok("delete", name)


def copies(server: Server, splitter: str, **labels: str) -> float:
    """Copies that a splitter has sent to its shadow and that were answered."""
    return server.metrics("cortex_splitter_copies_total", api=splitter, target="split-dark", **labels)


def await_copies(server: Server, splitter: str, count: int) -> None:
    """Waits until so many copies are answered."""
    eventually(lambda: copies(server, splitter) == count, f"{count} copies are answered")


@pytest.mark.parametrize("size", [10, 300_000, 3 << 20], ids=["small", "pieces", "spooled"])
def test_a_shadow_gets_what_the_api_gets(server: Server, shadowed: str, size: int) -> None:
    body = b"b" * size
    answer = server.post(f"{shadowed}?mark=copy-{size}", data=body)
    assert (answer.status_code, answer.text) == (200, "split-a")
    line = f"got copy-{size} {hashlib.sha256(repr(body).encode()).hexdigest()}"
    for name in ("split-a", "split-dark"):
        assert answer.headers["X-Request-ID"] in server.await_log(name, line)
    eventually(lambda: copies(server, shadowed, code="200") == 1, "the copy is counted")
    assert counts(server, shadowed) == {"split-a": 1, "split-dark": 1}
    eventually(lambda: not list((server.home / "spool").iterdir()), "no file is left")
    assert len(server.access_lines(answer.headers["X-Request-ID"])) == 1


def test_a_shadow_gets_its_share(server: Server, shadowed: str, folder: Path) -> None:
    split(folder, server, Splitter(shadowed, {"split-a": 70, "split-b": 30}, shadow=("split-dark", 20)))
    found: collections.Counter[str] = collections.Counter()
    for turn in range(1, 101):
        found[server.post(shadowed, json={}).text] += 1
        # One after another, so that none finds the shadow full.
        await_copies(server, shadowed, sum(1 for n in range(turn) if n % 5 == 2))
    assert found == {"split-a": 70, "split-b": 30}
    assert copies(server, shadowed, code="200") == 20


def test_a_shadow_that_crashes_is_felt_by_nobody(server: Server, shadowed: str) -> None:
    got = [server.post(f"{shadowed}?split-dark-exits=1", json={}) for _ in range(2)]
    assert {(answer.status_code, answer.text) for answer in got} == {(200, "split-a")}
    eventually(lambda: copies(server, shadowed) == 2, "all copies have ended")
    assert copies(server, shadowed, code="502") >= 1
    assert copies(server, shadowed, code="200") == 0
    assert shown(server, shadowed)["status"]["status_code"] == "status_live"
    assert server.get(f"/{shadowed}/readyz").status_code == 200
    eventually(lambda: server.post("split-dark", json={}).status_code == 200, "it is back")


def test_a_shadow_that_is_slow_or_full_is_felt_by_nobody(server: Server, shadowed: str, folder: Path) -> None:
    gate = folder / "open"
    body = b"x" * (2 << 20)
    for _ in range(10):
        answer = server.post(f"{shadowed}?split-dark-waits={gate}", data=body)
        assert (answer.status_code, answer.text) == (200, "split-a")
    # Two have room there; the rest is not even tried, and leaves no file behind.
    dropped = {"api": shadowed, "target": "split-dark", "reason": "queue_full"}
    eventually(lambda: server.metrics("cortex_splitter_dropped_copies_total", **dropped) == 8, "the rest is dropped")
    assert copies(server, shadowed, code="503") == 8
    gate.touch()
    eventually(lambda: copies(server, shadowed, code="200") == 2, "what was taken is answered")
    eventually(lambda: not list((server.home / "spool").iterdir()), "no file is left")


# Coming up


def test_it_is_not_live_before_its_apis(server: Server, folder: Path) -> None:
    gate = folder / "open"
    own, other = api("split-slow", gate=str(gate)), Splitter("split-early", {"split-slow": 40, "split-a": 60})
    # The splitter stands first in the file, and is deployed last all the same.
    printed = server.ok("deploy", "--no-wait", cwd=project(folder, other, own))
    assert printed.splitlines()[:2] == ["creating split-slow (RealtimeAPI)", "created split-early (TrafficSplitter)"]
    now = shown(server, "split-early")
    assert now["status"]["status_code"] == "status_updating"
    assert now["status"]["reason"].startswith("waiting: split-slow is updating")
    refused = server.post("split-early", json={})
    assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
    assert "split-slow" in refused.text and refused.headers["Retry-After"]
    assert server.get("/split-early/readyz").status_code == 503
    gate.touch()
    eventually(lambda: shown(server, "split-early")["status"]["status_code"] == "status_live", "both are live")
    assert answers(server, "split-early", 10) == {"split-slow": 4, "split-a": 6}
    assert server.get("/split-early/readyz").status_code == 200
    server.ok("delete", "split-early")
    server.ok("delete", "split-slow")


def test_what_served_goes_on_until_the_new_weights_can_hold(server: Server, ab: str, folder: Path) -> None:
    broken = folder / "broken"
    broken.touch()
    first = shown(server, ab)["deployment"]["version"]
    both: list[API | Splitter] = [
        api("split-weak", broken=str(broken)),
        Splitter(ab, {"split-weak": 50, "split-a": 50}),
    ]
    with Load(server.url(ab), json={}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, *both))
        assert done.returncode == 1 and "split-ab failed: split-weak is error" in done.stderr, done
        now = shown(server, ab)["status"]
        assert (now["status_code"], now["serving_version"]) == ("status_rollout_failed", first)
        # Its API is tried again, and with it the splitter.
        broken.unlink()
        eventually(lambda: shown(server, ab)["status"]["status_code"] == "status_live", "it has come up")
        load.await_body("split-weak")
    assert load.failures() == []
    split(folder, server, Splitter(ab, {"split-a": 100}))
    server.ok("delete", "split-weak")


def test_a_restart_brings_it_back(own_server: Server, folder: Path) -> None:
    server = own_server
    server.deploy(project(folder, api("a"), api("b"), Splitter("ab", {"a": 75, "b": 25})))
    split(folder, server, Splitter("ab", {"a": 25, "b": 75}))
    server.kill()
    server.start()
    eventually(lambda: server.get("/ab/readyz").status_code == 200, "its APIs are up")
    assert answers(server, "ab", 20) == {"a": 5, "b": 15}
    eventually(lambda: shown(server, "ab")["status"]["status_code"] == "status_live", "it is live")
    assert [target["weight"] for target in shown(server, "ab")["targets"]] == [25, 75]


# Refusals


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ([Splitter("sp", {"split-a": 50, "split-b": 40})], "sp: apis: the weights add up to 90; they must add up to"),
        ([Splitter("sp", {"split-a": 101, "split-b": -1})], "apis[1].weight: is -1; it must be a whole number from 0"),
        ([Splitter("sp", {"split-x": 100})], "sp: apis[0].name: split-x is neither deployed nor in this file"),
        ([Splitter("sp", {"sp": 100})], "sp: apis[0].name: sp is this splitter; it must be the name of a RealtimeAPI"),
        ([Splitter("sp", {"split-a": 100}, shadow=("split-a", 5))], "apis[1].name: split-a is named at "),
        ([Splitter("split-a", {"split-b": 100})], "split-a is deployed as a RealtimeAPI and cannot become a Traffic"),
    ],
    ids=["sum", "negative", "unknown", "cycle", "twice", "kind"],
)
def test_what_cannot_be_split_is_refused(
    server: Server, folder: Path, resources: list[API | Splitter], told: str
) -> None:
    done = server.run("deploy", "--wait", cwd=project(folder, *resources))
    assert done.returncode == 1 and told in done.stderr, done
    assert server.run("get", "sp").returncode == 1


def test_an_api_in_use_is_not_deleted(server: Server, ab: str) -> None:
    refused = server.run("delete", "split-a")
    assert refused.returncode == 1
    assert "split-a gets requests from the traffic splitter split-ab" in refused.stderr
    assert "cortex delete split-ab" in refused.stderr
    assert server.post(ab, json={}).status_code == 200
    for command, told in (("logs", "no log of its own"), ("refresh", "no workers")):
        done = server.run(command, ab)
        assert done.returncode == 1 and told in done.stderr and f"cortex {command} split-a" in done.stderr, done
    token = (server.home / "tokens" / "local.token").read_text().strip()
    head = {"Authorization": f"Bearer {token}"}
    answer = requests.delete(f"{server.operator}/v1/apis/split-a", headers=head, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (409, "IN_USE")
    server.ok("delete", ab)
    assert server.post(ab, json={}).status_code == 404
    assert server.post("split-a", json={}).text == "split-a"


def test_it_is_shown_as_a_table(server: Server, ab: str) -> None:
    assert answers(server, ab, 10) == {"split-a": 9, "split-b": 1}
    rows = [line.split() for line in server.ok("get", ab).splitlines()[:3]]
    header = ["apis", "weights", "status", "requested", "last", "update", "avg", "request", "2XX", "5XX"]
    assert rows[0] == header
    assert [(row[0], row[1], row[2], row[3], row[-2], row[-1]) for row in rows[1:]] == [
        ("split-a", "90", "live", "1", "9", "-"),
        ("split-b", "10", "live", "1", "1", "-"),
    ]
    listed = server.ok("get").splitlines()
    assert any(line.split() == ["traffic", "splitter", "apis", "last", "update"] for line in listed), listed
    assert any(line.startswith("split-ab") and "split-a:90 split-b:10" in line for line in listed), listed
    assert json.loads(server.ok("describe", ab, "-o", "json"))["api"]["spec"]["kind"] == "TrafficSplitter"
    assert server.ok("predict", ab, write_sample(server)).strip() in ("split-a", "split-b")


def write_sample(server: Server) -> Path:
    """A payload in a file."""
    file = server.home.parent / "sample.json"
    file.write_text("{}")
    return file
