"""The user's requirements.txt wins: old releases of starlette and python-multipart work too."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server import Peer, Worker

PREDICTOR = """
from starlette.background import BackgroundTask
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, StreamingResponse

async def asynchronous():
    yield b"a"

class PythonPredictor:
    def predict(self, payload, query_params, headers):
        if isinstance(payload, FormData):
            upload = payload["f"]
            assert isinstance(upload, UploadFile)
            return [upload.filename, upload.content_type, upload.file.read().decode(), payload["t"]]
        if payload == "json":
            return JSONResponse([query_params["q"], headers["h"]], 201, background=BackgroundTask(print, "background"))
        if payload == "stream":
            return StreamingResponse(iter([b"x", "y"]))
        if payload == "async":
            return StreamingResponse(asynchronous())
        raise HTTPException(418, "tea")
"""

FORM = (
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nfile\r\n'
    b'--B\r\nContent-Disposition: form-data; name="t"\r\n\r\ntext\r\n--B--\r\n'
)


@pytest.mark.integration
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "requirements",
    [
        ["starlette==0.13.6", "python-multipart==0.0.5"],
        ["starlette==0.22.0", "python-multipart==0.0.6"],
        ["starlette==0.36.3", "python-multipart==0.0.9"],
    ],
)
def test_old_releases(serve: Callable[..., tuple[Worker, Peer]], tmp_path: Path, requirements: list[str]) -> None:
    uv = shutil.which("uv")
    assert uv is not None, "this test makes environments with uv"
    python = str(tmp_path / "env" / "bin" / "python")
    subprocess.run([uv, "venv", "-q", "--python", "3", str(tmp_path / "env")], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *requirements], check=True)
    worker, peer = serve(PREDICTOR, python=python)
    meta: dict[str, Any] = {"query": "q=1", "headers": [["h", "2"]]}
    peer.request(b'"json"', **meta)
    answer = peer.answer()
    assert (answer.status, answer.body, answer.idle) == (201, b'["1","2"]', True)
    worker.log("background")
    for case, body in ((b'"stream"', b"xy"), (b'"async"', b"a")):
        peer.request(case, **meta)
        assert peer.answer().body == body
    peer.request(b'"error"', **meta)
    answer = peer.answer()
    assert (answer.status, answer.report["detail"]) == (418, "tea")
    peer.request(FORM, kind=3, content_type="multipart/form-data; boundary=B", **meta)
    assert json.loads(peer.answer().body) == ["a.txt", "text/plain", "file", "text"]
    peer.request(FORM[:50], kind=3, content_type="multipart/form-data; boundary=B", **meta)
    assert peer.answer().report["code"] == "MALFORMED_FORM"
