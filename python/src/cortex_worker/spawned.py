"""What a process begins with that `multiprocessing` starts for user code other than by a fork.

Such a process imports whatever it is to run, by the name of its module, and only the worker knows what file the
predictor's module is. This file is run there as the main module, by its path: it finds nothing else of the worker.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

#: What the module of the predictor's file is called.
MODULE_NAME = "cortex_predictor"
_VARIABLE = "CORTEX_PREDICTOR_PATH"


class _PredictorFinder:
    """Finds the predictor's module, for whoever asks for it; nobody has to."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """As the import system asks."""
        if name != MODULE_NAME or _VARIABLE not in os.environ:
            return None
        return importlib.util.spec_from_file_location(name, os.environ[_VARIABLE])


def announce(path: str) -> None:
    """In the worker: have the processes that user code will start run this file before all else."""
    os.environ[_VARIABLE] = path
    main: Any = sys.modules["__main__"]
    # Without a spec, `multiprocessing` goes by the file.
    main.__spec__ = None
    main.__file__ = os.path.abspath(__file__)


if __name__ == "__mp_main__":
    sys.meta_path.append(_PredictorFinder)
