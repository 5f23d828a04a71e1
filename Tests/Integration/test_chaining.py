"""Calls from one API to another by name, from inside predictors (`faults.md` G13, G14)."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.documents import seed
from blackbox.project import API, write
from blackbox.server import Server

CHAIN = (Path(__file__).parent / "predictors" / "chain.py").read_text()
TARGET = """
class PythonPredictor:
    def __init__(self, config):
        pass

    def predict(self, payload):
        print("generating from", payload)
        return payload["text"] + " fun"
"""

only_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127/8 on loopback")


def api(name: str, threads: int = 1, **config: str) -> API:
    """An entry for the predictor that calls others."""
    return API(name, path="chain.py", predictor={"threads_per_process": threads, "config": config})


@pytest.fixture(scope="module")
def chain(server: Server, short_folder: Path) -> Server:
    """The shared server, with APIs that call others."""
    files = {
        "chain.py": CHAIN,
        "caller.py": seed("chaining.py"),
        "generator.py": TARGET,
        "requirements.txt": "requests\nhttpx\naiohttp\naiodns\n",
    }
    apis = [
        API("chain-caller", path="caller.py"),
        API("text-generator", path="generator.py"),
        api("chain-outer", threads=2),
        api("chain-inner"),
        # Two of them need more slots than a chain is long: with fewer it would wait for itself.
        api("chain-a", threads=10, next="chain-b"),
        api("chain-b", threads=10, next="chain-a"),
    ]
    server.deploy(write(short_folder / "chain", files, *apis))
    return server


def lines_of(server: Server, request_id: str, count: int) -> list[dict[str, Any]]:
    """The access lines of one request, once all have been written."""
    return eventually(
        lambda: lines if len(lines := server.access_lines(request_id)) >= count else None, f"{count} access lines"
    )


def test_the_documents_snippet(chain: Server) -> None:
    answer = chain.post("/chain-caller", json={}, headers={"X-Request-ID": "chain-snippet"})
    assert (answer.status_code, answer.text) == (200, "null")
    chain.await_log("text-generator", "generating from .*machine learning is")
    lines = lines_of(chain, "chain-snippet", 2)
    assert sorted((line["api"], line["status"]) for line in lines) == [("chain-caller", 200), ("text-generator", 200)]


@pytest.mark.parametrize("client", ["urllib", "requests", "httpx", "httpx_async", "aiohttp"])
def test_each_client_tells_of_its_request(chain: Server, client: str) -> None:
    request_id = f"chain-{client}"
    body = {"to": "chain-inner", "client": client, "body": {"hello": client}}
    trace = f"4bf92f3577b34da6a3ce929d0e0e47{len(client):02x}"
    headers = {
        "X-Request-ID": request_id,
        "X-Request-Timeout": "20",
        "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
        "tracestate": "a=1,b=2",
    }
    answer = chain.post("/chain-outer", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    inner = answer.json()
    seen = inner["headers"]
    assert inner["payload"] == {"hello": client}
    assert (seen["host"], seen["x-request-id"], seen["x-cortex-hops"]) == ("api-chain-inner:8888", request_id, "1")
    # What remains: some of the twenty seconds have passed.
    assert 0 < inner["left"] <= float(seen["x-request-timeout"]) < 20
    assert (seen["traceparent"], seen["tracestate"]) == (headers["traceparent"], "a=1,b=2")
    lines = lines_of(chain, request_id, 2)
    assert {(line["api"], line["trace_id"]) for line in lines} == {("chain-outer", trace), ("chain-inner", trace)}


def test_a_loop_is_cut(chain: Server) -> None:
    answer = chain.post("/chain-a", json={}, headers={"X-Request-ID": "chain-loop"})
    assert answer.status_code == 508
    error = answer.json()
    assert (error["code"], error["request_id"]) == ("CHAIN_LOOP", "chain-loop")
    assert "chain-b" in error["error"]
    assert "16" in error["error"]
    lines = lines_of(chain, "chain-loop", 18)
    assert len(lines) == 18
    assert {line["status"] for line in lines} == {508}
    assert [line["api"] for line in lines].count("chain-a") == 9


def test_an_api_that_waits_for_itself_ends_at_its_deadline(chain: Server) -> None:
    headers = {"X-Request-ID": "chain-self", "X-Request-Timeout": "1.5"}
    answer = chain.post("/chain-inner", json={"to": "chain-inner"}, headers=headers)
    assert answer.status_code == 504, answer.text
    # And its slot is free again.
    assert chain.post("/chain-inner", json={}).json()["payload"] == {}


def test_a_call_counts_as_in_flight_in_both(chain: Server, folder: Path) -> None:
    gate = folder / "gate"
    with ThreadPoolExecutor(1) as pool:
        body = {"to": "chain-inner", "body": {"until": str(gate)}}
        waiting = pool.submit(chain.post, "/chain-outer", json=body)
        chain.await_log("chain-inner", "waiting for a file")
        for name in ("chain-outer", "chain-inner"):
            assert chain.metrics("cortex_in_flight_requests", api=name) == 1
        gate.touch()
        assert waiting.result().status_code == 200


def test_an_api_that_is_not_there(chain: Server) -> None:
    answer = chain.post("/chain-outer", json={"to": "nowhere-1"})
    assert answer.status_code == 404
    assert (answer.json()["code"], answer.json()["error"]) == ("NO_SUCH_API", "no API is named nowhere-1")


def test_G13_an_api_that_is_slow_gives_up_with_its_caller(chain: Server, folder: Path) -> None:
    """The caller's time is up first, and what it has called ends with it, long before its own deadline."""
    headers = {"X-Request-ID": "chain-slow", "X-Request-Timeout": "4"}
    body = {"to": "chain-inner", "body": {"until": str(folder / "never"), "at_most": 6}}
    answer = chain.post("/chain-outer", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (504, "DEADLINE_EXCEEDED")
    lines = lines_of(chain, "chain-slow", 2)
    assert sorted((line["api"], line["status"]) for line in lines) == [("chain-inner", 504), ("chain-outer", 504)]
    # Both are as good as before.
    answer = chain.post("/chain-outer", json={"to": "chain-inner", "body": {"again": True}})
    assert answer.json()["payload"] == {"again": True}


def test_G13_an_api_that_is_down_is_told_by_its_caller(chain: Server, folder: Path) -> None:
    source = "class PythonPredictor:\n    def __init__(self, config):\n        raise ValueError('no weights')\n"
    source += "    def predict(self, payload):\n        return 1\n"
    down = write(folder / "down", {"predictor.py": source}, API("chain-down"))
    assert chain.run("deploy", "cortex.yaml", "--wait", cwd=down).returncode == 1
    answer = chain.post("/chain-outer", json={"to": "chain-down"}, headers={"X-Request-ID": "chain-down"})
    # The predictor passes on what it hears.
    assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
    assert "chain-down" in answer.json()["error"] or "could not be started" in answer.json()["error"], answer.text
    lines = lines_of(chain, "chain-down", 2)
    assert sorted((line["api"], line["status"]) for line in lines) == [("chain-down", 503), ("chain-outer", 503)]
    chain.ok("delete", "chain-down")


def test_G13_a_worker_that_ends_takes_its_calls_with_it(chain: Server, folder: Path) -> None:
    """What it has called hears that nobody waits any more."""
    with ThreadPoolExecutor(1) as pool:
        body = {"to": "chain-inner", "body": {"until": str(folder / "never"), "cancelled": True}, "pid": True}
        waiting = pool.submit(chain.post, "/chain-outer", json=body)
        chain.await_log("chain-inner", "waiting for a file or the end")
        os.kill(int(re.findall(r"called by (\d+)", chain.logs("chain-outer"))[-1]), signal.SIGKILL)
        assert waiting.result().status_code == 502
    chain.await_log("chain-inner", "nobody waits any more")
    assert chain.post("/chain-inner", json={}).status_code == 200


@pytest.mark.parametrize(("hops", "status"), [("0", 200), ("16", 200), ("17", 508), ("999999999", 508), ("x", 400)])
def test_hops_from_outside(chain: Server, hops: str, status: int) -> None:
    answer = chain.post("/chain-inner", json={}, headers={"X-Cortex-Hops": hops})
    assert answer.status_code == status
    assert chain.get("/chain-inner", headers={"Host": "api-chain-inner:8888"}).status_code == 200


def deploy_pair(server: Server, folder: Path) -> None:
    """Deploys `outer`, which calls, and `inner`, which tells what it was called with."""
    files = {"chain.py": CHAIN}
    server.deploy(
        write(folder / f"{server.home.name}-pair", files, api("outer", next="inner"), api("inner", threads=2))
    )


@only_on_linux
def test_two_servers_beside_another_process(new_server: Callable[[str], Server], folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        holder = stack.enter_context(socket.socket())
        # Where it is taken already, all the better.
        with contextlib.suppress(OSError):
            holder.bind(("127.0.0.1", 8888))
            holder.listen()
        servers = [new_server("one"), new_server("two")]
        addresses = [server.status["chaining_address"] for server in servers]
        assert len(set(addresses)) == 2
        for server, address in zip(servers, addresses):
            assert address.startswith("127.88.0.")
            assert address.endswith(":8888")
            assert f"({address})" in server.ok("server", "status")
            deploy_pair(server, folder)
        for server in servers:
            request_id = f"chain-of-{server.home.name}"
            answer = server.post("/outer", json={}, headers={"X-Request-ID": request_id})
            assert answer.json()["headers"]["x-cortex-hops"] == "1"
            assert len(lines_of(server, request_id, 2)) == 2


def hold_addresses(stack: contextlib.ExitStack, held: set[str]) -> None:
    """Takes port 8888 of all addresses where a server looks for one, but for those that others have now."""
    for address in (f"127.88.0.{number}" for number in range(1, 255)):
        if address in held:
            continue
        holder = socket.socket()
        # Connections to there that have just ended are no hindrance.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((address, 8888))
            holder.listen()
        except OSError:
            holder.close()
        else:
            stack.enter_context(holder)
            held.add(address)


@only_on_linux
def test_where_no_port_8888_is_free_the_port_is_put_right(new_server: Callable[[str], Server], folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        held: set[str] = set()
        for number in range(50):
            hold_addresses(stack, held)
            server = new_server(f"late-{number}")
            if not server.status["chaining_address"].startswith("127.88."):
                break
            # The server of a test beside this one has let an address go meanwhile.
            server.stop()
    assert server.status["chaining_address"] == f"127.0.0.1:{server.port}"
    assert "CORTEX_GATEWAY_URL stands for http://api-NAME:8888" in server.output.read_text()
    deploy_pair(server, folder)
    assert server.post("/outer", json={}).json()["headers"]["host"] == "api-inner:8888"


@pytest.fixture
def without(binary: Path, folder: Path) -> Iterator[Server]:
    """A server whose predictors find no names."""
    with Server(binary, folder / "without", CORTEX_CHAINING="0") as server:
        yield server


def test_switched_off(without: Server, folder: Path) -> None:
    assert "chaining_address" not in without.status
    assert "chaining      off" in without.ok("server", "status")
    deploy_pair(without, folder)
    assert without.post("/outer", json={}).status_code == 500
    without.await_log("outer", "URLError")
    source = "import os\nclass PythonPredictor:\n    def predict(self): return os.environ['CORTEX_GATEWAY_URL']\n"
    without.deploy(write(folder / "url", {"predictor.py": source}, API("url")))
    assert without.post("/url").text == f"http://127.0.0.1:{without.port}"


def test_what_is_in_flight_calls_others_to_the_end(new_server: Callable[[str], Server], folder: Path) -> None:
    server = new_server("ending")
    deploy_pair(server, folder)
    gate = folder / "gate"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.post, "/outer", json={"until": str(gate), "body": {"late": True}})
        server.await_log("outer", "waiting for a file")
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)

        def is_closed() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", server.port)) != 0

        eventually(is_closed, "the data port is closed")
        gate.touch()
        answer = waiting.result()
    assert answer.status_code == 200, answer.text
    assert answer.json()["payload"] == {"late": True}
    assert server.process.wait(30) == 0
