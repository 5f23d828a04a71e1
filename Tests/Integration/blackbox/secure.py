"""A server with HTTPS, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackbox import certificates
from blackbox.certificates import Certificate
from blackbox.http2 import HTTP2Connection
from blackbox.project import API, write
from blackbox.server import Server

PREDICTOR: dict[str, str | bytes] = {
    "predictor.py": """
    import hashlib
    import os
    import threading
    import time

    from starlette.responses import Response, StreamingResponse

    class PythonPredictor:
        def __init__(self, config):
            self.gate = threading.Event()

        def predict(self, payload, query_params, headers):
            if query_params.get("answer") == "headers":
                return dict(headers)
            if "size" in query_params:
                return b"\\xe9" * int(query_params["size"])
            if "hash" in query_params:
                return {"sha256": hashlib.sha256(payload).hexdigest(), "size": len(payload)}
            if "stream" in query_params:
                return StreamingResponse((b"%06d" % i for i in range(int(query_params["stream"]))))
            if "empty" in query_params:
                return Response(status_code=204, headers={"X-Own": " spaced ", "Connection": "close"})
            if "raise" in query_params:
                raise ValueError("on purpose")
            if "wait" in query_params:
                print("waiting for", query_params["wait"])
                self.gate.wait(60)
                self.gate.clear()
                return "waited"
            if "open" in query_params:
                self.gate.set()
            if "until" in query_params:
                print("waiting for a file")
                while not os.path.exists(query_params["until"]):
                    time.sleep(0.02)
                return "waited"
            return payload
    """
}


@pytest.fixture(scope="module")
def certificate(short_folder: Path) -> Certificate:
    """Of the shared server."""
    return certificates.make(short_folder / "tls")


@pytest.fixture(scope="module")
def secure(binary: Path, short_folder: Path, certificate: Certificate) -> Iterator[Server]:
    """A server with HTTPS and two APIs, one of which needs a key."""
    settings = {
        "CORTEX_TLS_CERTIFICATE": str(certificate.certificate),
        "CORTEX_TLS_KEY": str(certificate.key),
        "CORTEX_TLS_PORT": "0",
        "CORTEX_HEADER_TIMEOUT": "4s",
        "CORTEX_RATE_WINDOW": "5s",
        "SECRET_KEY_OF_API": "k-1",
    }
    with Server(binary, short_folder / "tls-home", None, **settings) as server:
        keys = {"networking": {"api_keys": [{"env": "SECRET_KEY_OF_API"}]}}
        threads = {"threads_per_process": 4}
        project = short_folder / "tls-project"
        server.deploy(write(project, PREDICTOR, API("echo", predictor=threads), API("locked", sections=keys)))
        yield server


@pytest.fixture
def connection(secure: Server, certificate: Certificate) -> Iterator[HTTP2Connection]:
    """One of HTTP/2, frame by frame; whatever is sent on it, others are answered afterwards."""
    with HTTP2Connection(port(secure), certificate.trust()) as connection:
        yield connection
    with HTTP2Connection(port(secure), certificate.trust()) as other:
        stream = other.request("/echo", end=False, more=[("content-type", "application/json")])
        other.send(stream, b"1")
        assert other.answer(stream)[0] == 200


def port(server: Server) -> int:
    """The port for HTTPS."""
    return int(server.status["tls_port"])


def url(server: Server, path: str) -> str:
    """An address on it."""
    return f"https://localhost:{port(server)}{path}"


def tls(certificate: Path, key: Path) -> dict[str, str]:
    """Variables of a server with HTTPS on a free port."""
    return {"CORTEX_TLS_CERTIFICATE": str(certificate), "CORTEX_TLS_KEY": str(key), "CORTEX_TLS_PORT": "0"}
