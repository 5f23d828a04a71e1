"""What the tests of TensorFlow models share. The first use of each fixture takes seconds."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Callable

import pytest

from tensorflow_models.process import ServingProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

if importlib.util.find_spec("tensorflow") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of all models of `exports.py`."""
    from tensorflow_models.exports import export_all

    root = str(tmp_path_factory.mktemp("models"))
    export_all(root)
    return root


@pytest.fixture(scope="session")
def oracle() -> Iterator[ServingProcess]:
    """The server that the tests share."""
    server = ServingProcess({}).ready()
    yield server
    server.close()


@pytest.fixture(scope="session")
def serve(oracle: ServingProcess, models: str) -> Callable[..., ServingProcess]:
    """Has the shared server serve these and nothing else: name on the server = (model of the tests, versions)."""
    from cortex_worker.models.serving_server import ServingServer

    operator = ServingServer(oracle.address)

    def serve(**served: tuple[str, list[int]]) -> ServingProcess:
        operator.configure({})
        while oracle.configured():
            pass
        if served:
            folders = {(name, os.path.join(models, model)): versions for name, (model, versions) in served.items()}
            operator.configure(folders)
            oracle.configured()
        return oracle

    return serve
