"""Each example does what its README says: the commands there are run, and the answers compared."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from blackbox.documents import Block, steps
from blackbox.server import Server

EXAMPLES = sorted(path.parent for path in (Path(__file__).resolve().parents[2] / "examples").glob("*/cortex.yaml"))
SLOW = {"iris-classifier-tensorflow", "mpg-estimator", "multi-model-classifier-tensorflow"}
"""Importing or training takes these a while."""


def case(example: Path) -> Any:
    """A parameter of the test."""
    return pytest.param(example, id=example.name, marks=[pytest.mark.slow] if example.name in SLOW else [])


@pytest.mark.parametrize("example", [case(example) for example in EXAMPLES])
def test_an_example_answers_as_its_readme_says(server: Server, example: Path) -> None:
    found = steps(example / "README.md")
    before = [step for step in found if "train.py" in step[0].text]
    asked = [step for step in found if "curl " in step[0].text]
    assert bool(before) == (example / "train.py").exists() and asked, "the README shows what to type"
    for block, shown in before:
        run(server, example, block, shown)
    server.deploy(example)
    for block, shown in asked:
        run(server, example, block, shown)
    for api in re.findall(r"^- name: (\S+)", (example / "cortex.yaml").read_text(), re.MULTILINE):
        server.ok("delete", api)


def run(server: Server, example: Path, block: Block, shown: str | None) -> None:
    """Types one block of the README."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text.replace("localhost:8888", f"127.0.0.1:{server.port}")],
        cwd=example,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (block.text, done)
    assert shown is not None, f"README.md:{block.line}: no answer is shown"
    if done.stdout.strip() != shown.strip():
        # Which library adds up the numbers may change the last digits.
        assert comparable(done.stdout) == comparable(shown), f"README.md:{block.line}"


def comparable(text: str) -> Any:
    """JSON with its numbers rounded; any other text as it is."""
    try:
        return json.loads(text, parse_float=lambda number: float(f"{float(number):.9g}"))
    except ValueError:
        return text.strip()


def test_every_example_is_complete() -> None:
    assert len(EXAMPLES) >= 9
    for example in EXAMPLES:
        assert (example / "README.md").exists() and (example / "predictor.py").exists(), example
        assert list(example.glob("sample*.*")), example
