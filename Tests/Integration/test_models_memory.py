"""E18: a hundred reloads leave memory as it was: of onnxruntime, of scikit-learn, and of TensorFlow."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable

import pytest

from blackbox.conditions import eventually
from blackbox.models import onnx_value, run_script
from blackbox.processes import MEASURABLE, Footprint
from blackbox.project import API, write
from blackbox.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not MEASURABLE, reason="needs /proc")]

SOURCE = (Path(__file__).parent / "predictors" / "reloads.py").read_text()


def reloads(
    server: Server,
    folder: Path,
    kind: str,
    change: Callable[[Path, int], None],
    models: int,
    rounds: int,
    within: float,
    requirements: str = "",
) -> None:
    """Changes all models `rounds` times; the worker's memory is then `within` what it was.

    All at once, since it takes two polls until a change is believed.
    """
    name, names = f"memory-{kind}", [f"m{number}" for number in range(models)]
    keys = {"type": kind, "models": {"dir": "models"}, "config": {"names": names}}
    files: dict[str, str | bytes] = {"predictor.py": SOURCE, ".cortexignore": "models/\n"}
    if requirements:
        files["requirements.txt"] = requirements
    project = write(folder / "project", files, API(name, predictor=keys))

    def change_all(value: int) -> None:
        for model in names:
            version = project / "models" / model / "1"
            version.mkdir(parents=True, exist_ok=True)
            change(version, value)

    def pid_once_all_are(value: int) -> int:
        answer = server.post(name, json={})
        assert answer.status_code == 200, answer.text
        assert set(answer.json()["values"]) == {value}, answer.text
        return int(answer.json()["pid"])

    def reload(value: int) -> int:
        change_all(value)
        return eventually(lambda: pid_once_all_are(value), f"all models are {value}")

    change_all(1)
    server.deploy(project)
    # The first rounds fill caches and pools.
    for value in (1, 2, 1):
        pid = reload(value)
    before = Footprint.of(pid)
    for turn in range(rounds):
        value = turn % 2 + 2
        assert reload(value) == pid, "the same worker"

    def is_flat() -> bool:
        now = Footprint.of(pid)
        assert now.resident <= before.resident * (1 + within), (before, now)
        assert now.descriptors <= before.descriptors + 2, (before, now)
        return True

    eventually(is_flat, "memory is as before")
    server.ok("delete", name)


def put(file: Path, content: bytes) -> None:
    """Replaces a file at once."""
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(content)
    os.replace(new, file)


def test_onnx(models_server: Server, folder: Path) -> None:
    """Models of 2 MB: a hundred that stay would be 200."""

    def change(version: Path, value: int) -> None:
        put(version / "model.onnx", onnx_value(value, padding=500_000))

    reloads(models_server, folder, "onnx", change, models=25, rounds=4, within=0.05)


def test_scikit_learn(models_server: Server, folder: Path) -> None:
    run_script(Path(__file__).parent / "predictors" / "forest.py", str(folder / "forest.pkl"))

    def change(version: Path, value: int) -> None:
        if not (version / "model.pkl").exists():
            shutil.copyfile(folder / "forest.pkl", version / "model.pkl")
        put(version / "value", str(value).encode())

    requirements = "scikit-learn>=1.6,<2\n"
    reloads(models_server, folder, "python", change, models=25, rounds=4, within=0.05, requirements=requirements)


def test_tensorflow(models_server: Server, saved_models: Path, folder: Path) -> None:
    """Ten models: each takes TensorFlow a tenth of a second, and there are as many in memory as the others have."""

    def change(version: Path, value: int) -> None:
        shutil.copytree(saved_models / f"value-{value}", version, dirs_exist_ok=True)

    reloads(models_server, folder, "tensorflow", change, models=10, rounds=10, within=0.10)
