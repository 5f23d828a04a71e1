"""Import the user's file and find the predictor's class in it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

from cortex_worker.errors import ContractError, LoadError
from cortex_worker.spawned import MODULE_NAME, announce

CLASS_NAMES = {"python": "PythonPredictor", "tensorflow": "TensorFlowPredictor", "onnx": "ONNXPredictor"}


def extend_path(project_directory: str, python_path: str | None) -> None:
    """Put the user's folders first on `sys.path`: `python_path` where there is one, then the project."""
    wanted = [project_directory]
    if python_path:
        wanted.insert(0, os.path.normpath(os.path.join(project_directory, python_path)))
    sys.path[:] = wanted + [entry for entry in sys.path if entry not in wanted]


def load_module(project_directory: str, predictor_path: str) -> ModuleType:
    """The user's module, imported from its file under a name of ours. Whatever it raises is raised."""
    path = os.path.join(project_directory, predictor_path)
    if not os.path.isfile(path):
        raise LoadError("no such file in the project")
    announce(path)
    if predictor_path.endswith(".pickle"):
        return _load_pickle(path)
    spec = importlib.util.spec_from_file_location(MODULE_NAME, path)
    if spec is None or spec.loader is None:
        raise LoadError("not a Python file: its name must end with .py or .pickle")
    module = importlib.util.module_from_spec(spec)
    # As `import` does, so that pickles and dataclasses of the user's find their module.
    sys.modules[MODULE_NAME] = module
    spec.loader.exec_module(module)
    return module


def _load_pickle(path: str) -> ModuleType:
    try:
        dill: Any = importlib.import_module("dill")
    except ImportError:
        raise LoadError("a .pickle predictor needs the package dill: add it to requirements.txt") from None
    module = ModuleType(MODULE_NAME)
    module.__file__ = path
    sys.modules[MODULE_NAME] = module
    with open(path, "rb") as file:
        attributes = dill.load(file)
    if not isinstance(attributes, dict):
        raise LoadError(f"holds a {type(attributes).__name__}; a dictionary of the module's attributes is expected")
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


def find_class(module: ModuleType, predictor_type: str) -> type[Any]:
    """The predictor's class: the module's attribute of the name that the type asks for, wherever it was defined."""
    name = CLASS_NAMES.get(predictor_type)
    if name is None:
        raise ContractError(f"predictor type {predictor_type!r} is not known; allowed: {', '.join(CLASS_NAMES)}")
    found = getattr(module, name, None)
    if found is None:
        other = next((c for c in CLASS_NAMES.values() if hasattr(module, c)), None)
        hint = f"; there is a {other}: set predictor.type accordingly" if other else ""
        raise ContractError(f"{name} class is not defined{hint}")
    if not isinstance(found, type):
        raise ContractError(f"{name} is defined, but is a {type(found).__name__}, not a class")
    return found
