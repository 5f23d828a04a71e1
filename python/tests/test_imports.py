"""What the scanner finds in a project, and what it passes over."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from cortex_imports import scan as scanning
from cortex_imports.project import Project
from cortex_imports.scan import Found, scan

SOURCES = Path(__file__).resolve().parents[1] / "src"


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def scanned(folder: Path, files: dict[str, str | bytes], python_path: str | None = None) -> Found:
    write(folder, files)
    return scan(Project(str(folder), python_path), "predictor.py")


def found_in(folder: Path, source: str) -> Found:
    return scanned(folder, {"predictor.py": source})


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("import numpy", {"numpy"}),
        ("import numpy as np, os.path", {"numpy", "os.path"}),
        ("from sklearn.svm import SVC", {"sklearn.svm", "sklearn.svm.SVC"}),
        ("from google.protobuf import *", {"google.protobuf"}),
        ("class P:\n  def predict(self):\n    import cv2", {"cv2"}),
        ("async def f():\n  with a:\n    for b in c:\n      import cv2", {"cv2"}),
        ("import importlib\nimportlib.import_module('yaml')", {"importlib", "yaml"}),
        ("from importlib import import_module as load, import_module\nimport_module('yaml')", {"yaml"}),
        ("f = lambda: __import__('scipy.stats')", {"scipy.stats"}),
        ("import_module('.near')", set()),
        ("from . import near\nfrom ..far import x", set()),
        ("if flag:\n  import a\nelse:\n  import b", {"a", "b"}),
        ("match x:\n  case 1:\n    import a", {"a"}),
        ("type X = int", set()),
    ],
)
def test_imports_of_every_form_are_found(tmp_path: Path, source: str, needed: set[str]) -> None:
    if source.startswith("match") and sys.version_info < (3, 10):
        needed = set()
    found = found_in(tmp_path, source)
    assert found.needed - {"importlib.import_module", "importlib"} == needed - {"importlib"}
    assert found.optional == set()


@pytest.mark.parametrize(
    "source",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  import torch",
        "import typing as t\nif t.TYPE_CHECKING:\n  import torch",
        "if __name__ == '__main__':\n  import torch",
        "if '__main__' == __name__:\n  import torch",
    ],
)
def test_what_never_runs_in_a_worker_is_left_out(tmp_path: Path, source: str) -> None:
    found = found_in(tmp_path, source)
    assert not any(module.startswith("torch") for module in found.needed | found.optional)


@pytest.mark.parametrize(
    "source",
    [
        "try:\n  import torch\nexcept ImportError:\n  torch = None",
        "try:\n  import torch\nexcept (AttributeError, ModuleNotFoundError):\n  pass",
        "try:\n  import torch\n  ok = True\nexcept Exception:\n  ok = False",
        "try:\n  import torch\nexcept:\n  pass",
        "try:\n  import os\nexcept ImportError:\n  pass\nelse:\n  import torch",
        "import contextlib\nwith contextlib.suppress(ImportError):\n  import torch",
        "from importlib.util import find_spec\nif find_spec('torch') is not None:\n  import torch",
        "try:\n  import own\nexcept ImportError:\n  own = None",
    ],
)
def test_an_import_that_the_code_can_do_without_is_optional(tmp_path: Path, source: str) -> None:
    found = scanned(tmp_path, {"predictor.py": source, "own.py": "import torch"})
    assert "torch" in found.optional
    assert "torch" not in found.needed


@pytest.mark.parametrize(
    "source",
    [
        "try:\n  import torch\nexcept ImportError as error:\n  print(error)\n  raise",
        "try:\n  import torch\nexcept ImportError:\n  raise RuntimeError('install torch')",
        "import sys\ntry:\n  import torch\nexcept ImportError:\n  sys.exit('install torch')",
        "try:\n  import torch\n  torch.load('x')\nexcept Exception:\n  pass",
        "try:\n  import torch\nexcept ValueError:\n  pass",
        "try:\n  import tflite\nexcept ImportError:\n  import torch",
        "try:\n  pass\nfinally:\n  import torch",
        "try:\n  import own\nexcept ImportError:\n  pass\nimport own",
    ],
)
def test_an_import_that_the_code_cannot_do_without_is_needed(tmp_path: Path, source: str) -> None:
    found = scanned(tmp_path, {"predictor.py": source, "own.py": "import torch"})
    assert "torch" in found.needed


def test_the_projects_own_modules_are_followed(tmp_path: Path) -> None:
    found = scanned(
        tmp_path,
        {
            "predictor.py": "import helpers.text\nfrom models import build\nimport lone\nfrom data.loader import rows",
            "helpers/__init__.py": "import six",
            "helpers/text.py": "from . import deep\nfrom .deep import inner as i\nimport requests",
            "helpers/deep/__init__.py": "from .. import numbers",
            "helpers/deep/inner.py": "from ..numbers import x\nimport_module('..late', __package__)",
            "helpers/numbers.py": "import numpy",
            "helpers/late.py": "import yaml",
            "helpers/unused.py": "import torch",
            "models/__init__.py": "from .build import build",
            "models/build.py": "import joblib\nimport models",
            "lone.py": "import lone, predictor, scipy",
            "data/loader.py": "import pandas",
        },
    )
    assert found.needed == {"six", "requests", "numpy", "yaml", "joblib", "scipy", "pandas"}


def test_the_python_path_comes_before_the_project(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "predictor.py": "import tool, other",
        "src/tool.py": "import numpy",
        "tool.py": "import torch",
        "other.py": "import six",
    }
    assert scanned(tmp_path, files, "src/").needed == {"numpy", "six"}


def test_a_project_that_is_a_package_has_its_sources_in_src(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"predictor.py": "import mine", "src/mine/__init__.py": "import numpy"}
    assert scanned(tmp_path, files).needed == {"mine"}
    assert scanned(tmp_path, {"pyproject.toml": ""}).needed == {"numpy"}


def test_a_folder_of_data_does_not_hide_a_package(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "predictor.py": "import xgboost, keras.mine",
        "xgboost/model.json": "{}",
        "keras/mine.py": "import six",
    }
    assert scanned(tmp_path, files).needed == {"xgboost", "six"}


def test_names_that_are_computed_are_looked_for_among_the_texts(tmp_path: Path) -> None:
    source = "for n in ['numpy', 'scipy.stats', 'not a name']:\n  __import__(n)\nimport_module('six')"
    found = found_in(tmp_path, source)
    assert found.needed == {"six"}
    assert found.mentioned >= {"numpy", "scipy.stats"}
    assert "not a name" not in found.mentioned
    assert found_in(tmp_path, "x = ['numpy']").mentioned == set()


@pytest.mark.parametrize(
    "content",
    [
        b"def broken(:",
        b"import numpy\n\xff\xfe\x00",
        b"import numpy\x00",
        ("x = " + "(" * 5000).encode(),
        ("x = " + "-" * 200_000 + "1").encode(),
    ],
)
def test_what_cannot_be_parsed_is_passed_over(tmp_path: Path, content: bytes) -> None:
    found = scanned(tmp_path, {"predictor.py": "import broken, numpy", "broken.py": content})
    assert found.needed == {"numpy"}


def test_other_encodings_are_read(tmp_path: Path) -> None:
    found = scanned(tmp_path, {"predictor.py": "# coding: latin-1\nimport numpy  # \xe9".encode("latin-1")})
    assert found.needed == {"numpy"}


def test_a_chain_of_operators_longer_than_the_stack_is_walked(tmp_path: Path) -> None:
    assert found_in(tmp_path, "import numpy\nx = " + "+".join(["1"] * 800)).needed == {"numpy"}


def test_huge_files_and_many_of_them_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "_LARGEST_FILE", 100)
    monkeypatch.setattr(scanning, "_MOST_FILES", 3)
    files: dict[str, str | bytes] = {
        "predictor.py": "import large, a, b, c, d, six",
        "large.py": "import torch" + " " * 100,
        **{f"{name}.py": f"import of_{name}" for name in "abcd"},
    }
    found = scanned(tmp_path, files)
    assert "torch" not in found.needed
    assert "six" in found.needed
    assert len([module for module in found.needed if module.startswith("of_")]) <= 2


def test_a_pickled_predictor_needs_dill_and_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "predictor.pickle").write_bytes(pickle.dumps({"PythonPredictor": json.JSONEncoder}, protocol=2))
    assert {"dill", "json.encoder"} <= scan(Project(str(tmp_path)), "predictor.pickle").needed
    (tmp_path / "predictor.pickle").write_bytes(pickle.dumps({"PythonPredictor": json.loads}, protocol=4))
    assert "json" in scan(Project(str(tmp_path)), "predictor.pickle").mentioned
    (tmp_path / "predictor.pickle").write_bytes(b"\x80\x04no pickle")
    assert scan(Project(str(tmp_path)), "predictor.pickle").needed == {"dill"}


def test_the_command_prints_the_lists(tmp_path: Path) -> None:
    source = "import sys\nsys.exit('it was run')\nimport numpy, \xe9t\xe9\nx = '\\d' is 1\n"
    guarded = "try:\n  import six\nexcept ImportError:\n  pass"
    write(tmp_path, {"predictor.py": source + guarded, "json.py": "raise SystemExit('the project came first')"})
    command = (
        f"import runpy, sys; sys.path.insert(0, {str(SOURCES)!r}); "
        "runpy.run_module('cortex_imports', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [sys.executable, "-E", "-s", "-S", "-c", command, str(tmp_path), "predictor.py"],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.stdout == "needed numpy\nneeded sys\noptional six\n"
    assert done.stderr == ""
