"""Reloads a model of a real library a hundred times, and prints the memory after each ten: `reloads.py LIBRARY FOLDER`.

A process of its own: what other tests leave in memory would move the figures more than a leak does.
"""

from __future__ import annotations

import gc
import json
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalogs import model, single
from cortex_worker.models.catalog import CatalogModel, ModelSettings
from cortex_worker.models.holder import ModelHolder
from cortex_worker.models.memory import give_back, resident_bytes
from cortex_worker.models.onnx import ONNXClient, ONNXLoader
from cortex_worker.models.python import PythonClient, PythonLoader
from holding import Stage
from onnx_models import save_scaler

if TYPE_CHECKING:
    from collections.abc import Callable

RELOADS = 100


class Reloads(Stage):
    """Real models from one folder per generation parity; each generation is new to the holder."""

    def __init__(self, loader: Any, root: Path) -> None:
        super().__init__()
        settings = ModelSettings.parse(single((1, "0"), dynamic=False))
        ensure = lambda name, version, generation: str(root / str(int(generation) % 2))  # noqa: E731
        self.holder = ModelHolder(settings, loader, ensure, self._report, self._log)

    def run(self, predict: Callable[[], Any], expected: Callable[[int], Any]) -> list[int]:
        """The memory after each tenth reload. Each time it is the other model that answers."""
        assert self.holder.start() == []
        sizes = []
        for number in range(1, RELOADS + 1):
            self.holder.update({"_cortex_default": CatalogModel.parse(model((1, str(number))))}, [])
            self.expect("unloaded", f"_cortex_default1{number - 1}")
            assert predict() == expected(number % 2)
            if number % 10 == 0:
                gc.collect()
                give_back()
                sizes.append(resident_bytes())
        assert self.logs == []
        return sizes


def onnxruntime(root: Path) -> list[int]:
    """Models of 4 MiB."""
    for parity in (0, 1):
        save_scaler(root / str(parity), 1.0 + parity, size=1 << 20)
    reloads = Reloads(ONNXLoader(), root)
    client = ONNXClient(reloads.holder)
    return reloads.run(lambda: client.predict([1, 1, 1, 1])[0][0][0], lambda parity: 1.0 + parity)


def scikit_learn(root: Path) -> list[int]:
    """Forests of some MiB."""
    from sklearn.ensemble import RandomForestClassifier

    rows = np.random.default_rng(0).normal(size=(3000, 4))
    for parity in (0, 1):
        forest = RandomForestClassifier(20, random_state=0).fit(rows, (rows[:, 0] > 0) == bool(parity))
        (root / str(parity)).mkdir()
        (root / str(parity) / "forest.pickle").write_bytes(pickle.dumps(forest))
    loader = PythonLoader()
    loader.load_model = lambda path: pickle.loads(Path(path, "forest.pickle").read_bytes())
    reloads = Reloads(loader, root)
    client = PythonClient(reloads.holder)
    return reloads.run(lambda: bool(client.get_model().predict([[5, 0, 0, 0]])[0]), bool)


if __name__ == "__main__":
    library = {"onnxruntime": onnxruntime, "scikit_learn": scikit_learn}[sys.argv[1]]
    print(json.dumps(library(Path(sys.argv[2]))))
