"""Models behind an API: inference, the way to a model, many models in little memory, and large ones from afar."""

from __future__ import annotations

import tempfile
from pathlib import Path

from cortex_bench.machine import BENCHMARKS, package_versions, prepare_venv, say
from cortex_bench.models import arrival, inference, lookup, many, neighbour
from cortex_bench.servers import running_cortex
from cortex_bench.suite import Findings, Settings

PARTS = {
    "inference": inference.run,
    "lookup": lookup.run,
    "many": many.run,
    "arrival": arrival.run,
    "neighbour": neighbour.run,
}


def run(settings: Settings) -> Findings:
    """Measures and prints, all with one server; what is measured is the only API of that moment."""
    venv = prepare_venv("bench-models", BENCHMARKS / "requirements.txt", BENCHMARKS / "models-requirements.txt")
    used = package_versions(venv / "bin" / "python", "fastapi", "uvicorn", "onnxruntime", "numpy")
    print("\nModels")
    for name, value in used.items():
        print(f"  {name:11} {value}")
    findings = Findings(record={"models": {"versions": used}})
    with tempfile.TemporaryDirectory(prefix="cortex-bench-models-", dir="/tmp") as place:
        folder = Path(place)
        with running_cortex(settings.binary) as cortex:
            for name, part in PARTS.items():
                if settings.wants(name):
                    say(f"models: {name}")
                    findings.add(part(settings, cortex, venv, folder))
    return findings
