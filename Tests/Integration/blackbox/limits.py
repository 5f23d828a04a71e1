"""Servers with narrow limits, and what their tests send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackbox.project import API, write
from blackbox.server import Server

LENGTH = """
    class PythonPredictor:
        def predict(self, payload, headers, query_params):
            if query_params.get("answer") == "headers":
                return dict(headers)
            if isinstance(payload, bytes):
                return {"length": len(payload), "sum": sum(payload[:1000])}
            return payload
"""

STREAM = """
    from starlette.responses import Response, StreamingResponse

    class PythonPredictor:
        def predict(self, query_params):
            count = int(query_params["pieces"])
            if "whole" in query_params:
                return Response(bytes(count * 65536), media_type="application/octet-stream")
            return StreamingResponse(iter(bytes(65536) for _ in range(count)), media_type="application/octet-stream")
"""

OWN = 3000
"""Bytes: `networking.max_body_size` of one API."""


def request(target: str, *headers: str, body: bytes = b"", method: str = "POST", version: str = "1.1") -> bytes:
    """A request as bytes."""
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunks(body: bytes, size: int = 1000) -> bytes:
    """A chunked body."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def project(folder: Path, prefix: str) -> Path:
    """APIs that measure what they get, with the standard limits and with narrow ones, and one that streams."""
    narrow = {"networking": {"max_body_size": OWN}}
    return write(
        folder,
        {"length.py": LENGTH, "stream.py": STREAM},
        API(f"{prefix}length", path="length.py"),
        API(f"{prefix}narrow", path="length.py", sections=narrow),
        API(f"{prefix}stream", path="stream.py"),
    )


@pytest.fixture(scope="module")
def limits(binary: Path, short_folder: Path) -> Iterator[Server]:
    """A server with narrow limits."""
    with Server(
        binary,
        short_folder / "limits",
        CORTEX_MAX_BODY_SIZE="4Mi",
        CORTEX_INLINE_LIMIT="64Ki",
        CORTEX_MAX_URL_LENGTH="100Ki",
        CORTEX_MAX_HEADER_SIZE="8Ki",
        CORTEX_MAX_HEADERS="50",
        CORTEX_MAX_FORM_PARTS="3",
        CORTEX_MAX_JSON_DEPTH="10",
        CORTEX_BODY_TIMEOUT="4s",
        CORTEX_RATE_WINDOW="2s",
        CORTEX_IDLE_TIMEOUT="3s",
    ) as server:
        server.deploy(project(short_folder / "limits-project", ""))
        yield server


@pytest.fixture(scope="module")
def patient(binary: Path, short_folder: Path) -> Iterator[Server]:
    """A server that gives readers the standard time, and has little room for what they have not read."""
    with Server(binary, short_folder / "patient", CORTEX_SPOOL_BUDGET="24Mi", CORTEX_ANSWER_MEMORY="2Mi") as server:
        server.deploy(project(short_folder / "patient-project", ""))
        yield server


def spooled(server: Server) -> list[Path]:
    """Files of bodies."""
    return [path for path in server.home.rglob("*.body") if path.is_file()]


def connections(server: Server) -> int:
    """Open connections on the data port, as the kernel has them."""
    wanted = f":{server.port:04X}"
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        count += fields[1].endswith(wanted) and fields[3] == "01"
    return count
