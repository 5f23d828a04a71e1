"""Memory comes back, with the real libraries."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from catalogs import model
from holding import Stage

# Of the memory after the first ten reloads: what grows, grows by more than this in ninety more.
TOLERANCE = 1.05


@pytest.mark.parametrize("library", ["onnxruntime", "scikit_learn"])
def test_a_hundred_reloads_leave_memory_as_it_was(library: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("reloads.py")
    done = subprocess.run(
        [sys.executable, script, library, tmp_path], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    sizes = json.loads(done.stdout)
    assert len(sizes) == 10
    assert sizes[-1] <= sizes[0] * TOLERANCE, sizes


def test_models_that_refer_to_themselves_go_too() -> None:
    stage = Stage(iris=model(1))
    gc.disable()
    try:
        stage.holder.start()
        loaded = stage.holder.get("iris").loaded
        loaded.model.itself = loaded.model
        del loaded
        stage.update(removed=("iris",))
        stage.expect("unloaded", "iris1a")
        stage.until_gone()
    finally:
        gc.enable()
