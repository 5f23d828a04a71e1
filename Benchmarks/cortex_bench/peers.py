"""Servers of the same kind as Cortex, each in an environment of its own and with the settings its documents advise."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from cortex_bench.machine import BENCHMARKS, library_folder, package_versions, prepare_venv, say
from cortex_bench.measuring import Target, await_answer
from cortex_bench.servers import free_port, running


@dataclass(frozen=True)
class Peer:
    """One of them, with one process of one thread that runs the predictor."""

    name: str
    package: str
    command: Callable[[Path, int], list[str]]
    """What starts it, from its environment and its port."""
    path: str
    body: str
    expected: Any
    gate: float
    """Least ratio of Cortex's requests to its own at 32 connections."""


def _app(name: str) -> Callable[[Path, int], list[str]]:
    return lambda venv, port: [str(venv / "bin" / "python"), str(BENCHMARKS / "peers" / name), str(port)]


def _bentoml(venv: Path, port: int) -> list[str]:
    app = ["bentoml_app:Noop", "--working-dir", str(BENCHMARKS / "peers")]
    return [str(venv / "bin" / "bentoml"), "serve", *app, "--host", "127.0.0.1", "--port", str(port)]


def _tensor(number: int) -> dict[str, Any]:
    return {"name": "n", "datatype": "INT64", "shape": [1, 1], "data": [number]}


PEERS = [
    Peer("LitServe", "litserve", _app("litserve_app.py"), "/predict", '{"n": 41}', {"n": 42}, 25),
    Peer("BentoML", "bentoml", _bentoml, "/predict", '{"n": 41}', {"n": 42}, 45),
    Peer(
        "PyTriton",
        "nvidia-pytriton",
        _app("pytriton_app.py"),
        "/v2/models/noop/infer",
        json.dumps({"inputs": [_tensor(41)]}),
        {"model_name": "noop", "model_version": "1", "outputs": [_tensor(42)]},
        8,
    ),
]


@contextmanager
def running_peer(peer: Peer) -> Iterator[tuple[Target, str]]:
    """The peer, ready to be asked, and its version."""
    short = peer.package.rpartition("-")[2]
    venv = prepare_venv(f"bench-{short}", BENCHMARKS / "peers" / f"{short}-requirements.txt")
    version = package_versions(venv / "bin" / "python", peer.package)[peer.package]
    port = free_port()
    # Triton's own process loads the libpython that the system finds, which must be of the release of `venv`.
    variables = {"BENTOML_DO_NOT_TRACK": "True", "LD_LIBRARY_PATH": library_folder(venv)}
    with tempfile.TemporaryDirectory(prefix="cortex-bench-peer-", dir="/tmp") as folder:
        log = Path(folder) / "log"
        with running(peer.command(venv, port), variables, log) as process:
            target = Target(peer.name, f"http://127.0.0.1:{port}{peer.path}", peer.body, peer.expected)
            try:
                await_answer(target, process)
            except SystemExit:
                say(log.read_text(errors="replace")[-2000:])
                raise
            yield target, version
