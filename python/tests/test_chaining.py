"""Calls to other APIs: names that lead to the server, and what the calls tell. The peer here is no gateway."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]

CALLER = """
import concurrent.futures
import json
import threading
import urllib.request

def call(headers=None, host="api-other:8888"):
    request = urllib.request.Request(f"http://{host}/predict", data=b"{}", headers=headers or {})
    return json.load(urllib.request.urlopen(request, timeout=10))

class PythonPredictor:
    def predict(self, payload):
        if payload == "thread":
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                return pool.submit(call).result()
        return call(**payload)
"""


class _Gateway(BaseHTTPRequestHandler):
    """Answers with the headers that came."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[str]:
    """An address, as the server gives it to its workers; not at port 8888, as where that cannot be had."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Gateway)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_call_tells_of_the_request_that_it_is_made_for(serve: Serve, gateway: str) -> None:
    _, peer = serve(CALLER, environment={"CORTEX_CHAINING_ADDRESS": gateway})
    peer.request(b"{}", request_id="r-7", deadline=time.monotonic_ns() + 5_000_000_000, hops=3)
    seen = json.loads(peer.answer().body)
    assert (seen["host"], seen["x-request-id"], seen["x-cortex-hops"]) == ("api-other:8888", "r-7", "4")
    assert 0 < float(seen["x-request-timeout"]) < 5

    # The one before is over.
    peer.request(b"{}", request_id="r-8")
    seen = json.loads(peer.answer().body)
    assert (seen["x-request-id"], seen["x-cortex-hops"], seen.get("x-request-timeout")) == ("r-8", "1", None)


def test_what_the_user_sets_is_left_alone(serve: Serve, gateway: str) -> None:
    _, peer = serve(CALLER, environment={"CORTEX_CHAINING_ADDRESS": gateway})
    own = {"X-request-ID": "mine", "x-cortex-hops": "9", "X-Request-Timeout": "90"}
    peer.request(json.dumps({"headers": own}).encode(), deadline=time.monotonic_ns() + 5_000_000_000)
    seen = json.loads(peer.answer().body)
    assert {name: seen[name.lower()] for name in own} == own


TRACE = [["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"], ["tracestate", "a=1,b=2"]]


def test_a_trace_goes_on(serve: Serve, gateway: str) -> None:
    _, peer = serve(CALLER, environment={"CORTEX_CHAINING_ADDRESS": gateway})
    peer.request(b"{}", trace=TRACE)
    seen = json.loads(peer.answer().body)
    assert [[name, seen[name]] for name, _ in TRACE] == TRACE
    # The one before is over.
    peer.request(b"{}")
    assert not {"traceparent", "tracestate"} & set(json.loads(peer.answer().body))


def test_a_predictor_with_spans_of_its_own_has_them_told(serve: Serve, gateway: str) -> None:
    _, peer = serve(CALLER, environment={"CORTEX_CHAINING_ADDRESS": gateway})
    own = TRACE[0][1].replace("00f067aa0ba902b7", "b7ad6b7169203331")
    peer.request(json.dumps({"headers": {"Traceparent": own}}).encode(), trace=TRACE)
    seen = json.loads(peer.answer().body)
    # Half of one trace and half of another would be none.
    assert (seen["traceparent"], seen.get("tracestate")) == (own, None)


def test_a_thread_of_the_users_own_tells_of_hops_alone(serve: Serve, gateway: str) -> None:
    _, peer = serve(CALLER, environment={"CORTEX_CHAINING_ADDRESS": gateway})
    for hops, told in ((0, "1"), (5, "6"), (0, "1")):
        peer.request(b'"thread"', hops=hops, deadline=time.monotonic_ns() + 5_000_000_000, trace=TRACE)
        seen = json.loads(peer.answer().body)
        assert seen["x-cortex-hops"] == told
        assert not {"x-request-id", "x-request-timeout", "traceparent"} & set(seen)


def test_the_address_itself_is_the_server_too_and_others_are_not(serve: Serve, gateway: str) -> None:
    _, peer = serve(CALLER, environment={"CORTEX_CHAINING_ADDRESS": gateway})
    peer.request(json.dumps({"host": gateway}).encode())
    assert json.loads(peer.answer().body)["x-cortex-hops"] == "1"
    peer.request(json.dumps({"host": gateway.replace("127.0.0.1", "127.0.0.2")}).encode())
    other = peer.answer()
    assert other.kind == "failure" or "x-cortex-hops" not in json.loads(other.body)


def test_no_proxy_comes_between(serve: Serve, gateway: str) -> None:
    proxy = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "", "no_proxy": "", "NO_PROXY": ""}
    _, peer = serve(CALLER, environment={"CORTEX_CHAINING_ADDRESS": gateway, **proxy})
    peer.request(b"{}")
    assert json.loads(peer.answer().body)["host"] == "api-other:8888"


def test_after_the_answer_there_is_no_deadline(serve: Serve, gateway: str) -> None:
    source = CALLER + "\n    def post_predict(self):\n        print('later', json.dumps(call()))\n"
    worker, peer = serve(source, environment={"CORTEX_CHAINING_ADDRESS": gateway})
    peer.request(b"{}", request_id="r-9", deadline=time.monotonic_ns() + 5_000_000_000)
    assert "x-request-timeout" in json.loads(peer.answer().body)
    seen = json.loads(worker.log("later")["message"].partition(" ")[2])
    assert seen["x-request-id"] == "r-9"
    assert "x-request-timeout" not in seen


RESOLVER = """
import socket

class PythonPredictor:
    def predict(self, payload):
        function, *arguments = payload
        try:
            return [getattr(socket, function)(*arguments)]
        except (OSError, TypeError, ValueError) as error:
            return [type(error).__name__]
"""


def test_only_names_of_apis_are_resolved_anew(serve: Serve) -> None:
    cases: list[tuple[list[Any], Any]] = [
        (["api-a", 8888], ("127.88.9.9", 8888)),
        (["API-a-1", "8888"], ("127.88.9.9", 8888)),
        (["api-a", 80], "gaierror"),
        (["api-a", None], "gaierror"),
        (["api-", 8888], "gaierror"),
        (["api-a.invalid", 8888], "gaierror"),
        (["xapi-a", 8888], "gaierror"),
        (["localhost", 8888], ("127.0.0.1", 8888)),
        (["127.0.0.1", 8888], ("127.0.0.1", 8888)),
        ([None, 8888], ("127.0.0.1", 8888)),
    ]
    _, peer = serve(RESOLVER, environment={"CORTEX_CHAINING_ADDRESS": "127.88.9.9:8888"})
    for arguments, result in cases:
        peer.request(json.dumps(["getaddrinfo", *arguments, 2, 1]).encode())
        (found,) = json.loads(peer.answer().body)
        assert (found if isinstance(found, str) else tuple(found[0][4])) == result, arguments


def test_a_name_without_a_port_is_resolved_where_it_can_mean_one_thing(serve: Serve) -> None:
    for address, result in (("127.88.9.9:8888", "127.88.9.9"), ("127.0.0.1:9000", "gaierror")):
        _, peer = serve(RESOLVER, environment={"CORTEX_CHAINING_ADDRESS": address})
        peer.request(b'["gethostbyname", "api-a"]')
        assert json.loads(peer.answer().body) == [result]
    peer.request(b'["gethostbyname", "127.0.0.1"]')
    assert json.loads(peer.answer().body) == ["127.0.0.1"]


def test_without_an_address_nothing_is_hooked(serve: Serve) -> None:
    source = """
    import socket, sys, http.client

    class PythonPredictor:
        def predict(self):
            hooked = [hasattr(f, "__wrapped__") for f in (socket.getaddrinfo, http.client.HTTPConnection.endheaders)]
            return [hooked, [type(finder).__name__ for finder in sys.meta_path]]
    """
    for address, expected in (("", False), ("127.0.0.1:1", True)):
        environment = {"CORTEX_CHAINING_ADDRESS": address} if address else {}
        _, peer = serve(source, environment=environment)
        peer.request(b"", kind=0)
        hooked, finders = json.loads(peer.answer().body)
        assert hooked == [expected, expected]
        assert ("ImportWatch" in finders) is expected


def test_what_is_not_as_expected_is_left_alone(serve: Serve, gateway: str) -> None:
    """A module by the name of a client that has nothing of what the hook looks for."""
    source = """
    import inspect
    import http.client
    import httpx

    class PythonPredictor:
        def predict(self):
            return [httpx.fine, type(httpx.__loader__).__name__, "def putrequest" in inspect.getsource(http.client)]
    """
    environment = {"CORTEX_CHAINING_ADDRESS": gateway}
    _, peer = serve(source, files={"httpx.py": b"fine = 1\n"}, environment=environment)
    peer.request(b"", kind=0)
    assert json.loads(peer.answer().body) == [1, "SourceFileLoader", True]
