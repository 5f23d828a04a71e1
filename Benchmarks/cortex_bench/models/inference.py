"""A small ONNX model behind Cortex, and behind FastAPI with the same onnxruntime."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cortex_bench.machine import BENCHMARKS
from cortex_bench.measuring import Target, await_answer, print_rounds, record_rounds, take_turns
from cortex_bench.servers import Cortex, running_fastapi
from cortex_bench.suite import Findings, Goal, Settings

CONNECTIONS = 32
GATE = 5.0
"""Least ratio to FastAPI's `def` handler."""
BODY = json.dumps({"sepal_length": 5.2, "sepal_width": 3.6, "petal_length": 1.4, "petal_width": 0.3})
EXPECTED = "setosa"
PEERS = {"FastAPI, def": "/def", "FastAPI, async def": "/async"}


def run(settings: Settings, cortex: Cortex, venv: Path, folder: Path) -> Findings:
    """One process with one thread, against one process."""
    model = folder / "iris" / "1" / "iris.onnx"
    model.parent.mkdir(parents=True)
    subprocess.run([venv / "bin" / "python", BENCHMARKS / "export_models.py", "iris", model], check=True)
    url = cortex.deploy("iris", {"type": "onnx", "path": "iris.py", "model_path": str(folder / "iris")})
    ours = Target("Cortex", url, BODY, EXPECTED)
    await_answer(ours)
    _check_versions(venv, cortex)
    variables = {"IRIS_MODEL": str(model)}
    with running_fastapi(venv, "fastapi_iris:app", PEERS, BODY, EXPECTED, **variables) as peers:
        results = take_turns(settings.wrk, [ours, *peers], [CONNECTIONS], settings.rounds, settings.seconds)
    cortex.delete("iris")
    print("\nONNX classifier (iris)")
    ratios = print_rounds(results, "Cortex")
    goal = Goal("ONNX classifier", ratios[str(CONNECTIONS)]["FastAPI, def"], GATE, "times", at_least=True)
    return Findings([goal], {"inference": {"rounds": record_rounds(results), "ratios": ratios}})


def _check_versions(venv: Path, cortex: Cortex) -> None:
    """Both sides must run the same onnxruntime: the figure is about what is around it."""
    pattern = "lib/python*/site-packages/onnxruntime-*.dist-info"
    theirs = {found.name for found in venv.glob(pattern)}
    ours = {found.name for found in (cortex.folder / "home").glob(f"**/{pattern}")}
    if ours != theirs:
        sys.exit(f"error: Cortex runs {sorted(ours)}, FastAPI {sorted(theirs)}: remove .tools/venv/bench-models")
