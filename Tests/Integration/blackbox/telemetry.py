"""The API of which the tests of metrics and lines see what it does."""

from __future__ import annotations

from pathlib import Path

from blackbox.project import API, write

PREDICTOR = (Path(__file__).parents[1] / "predictors" / "telemetry.py").read_text()
NAME = "telemetry"


def project(folder: Path, name: str, release: int = 1) -> Path:
    """The project of an API with two workers."""
    predictor = {"config": {"release": release}, "processes_per_replica": 2}
    return write(folder, {"predictor.py": PREDICTOR}, API(name, predictor=predictor))
