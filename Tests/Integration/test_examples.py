"""Each example does what its README says: the commands there are run, and the answers compared."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from blackbox.documents import steps
from blackbox.server import Server

EXAMPLES = sorted(path.parent for path in (Path(__file__).resolve().parents[2] / "examples").glob("*/cortex.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_answers_as_its_readme_says(server: Server, example: Path) -> None:
    server.deploy(example)
    found = [(block, shown) for block, shown in steps(example / "README.md") if "curl " in block.text]
    assert found, "the README shows no request"
    for block, shown in found:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text.replace("localhost:8888", f"127.0.0.1:{server.port}")],
            cwd=example,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, (block.text, done)
        assert shown is not None, f"README.md:{block.line}: no answer is shown"
        assert done.stdout.strip() == shown.strip(), f"README.md:{block.line}"
    server.ok("delete", example.name)


def test_every_example_is_complete() -> None:
    assert len(EXAMPLES) >= 3
    for example in EXAMPLES:
        assert (example / "README.md").exists() and (example / "predictor.py").exists(), example
        assert list(example.glob("sample.*")), example
