"""TensorFlow Serving: what is served there, what is not, and a server that is the API's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import pytest

from cortex_worker.errors import InferenceFailed, ModelLoadFailed, ModelUnavailable
from cortex_worker.models import serving_server
from cortex_worker.models.serving_claims import fingerprint
from cortex_worker.models.tensorflow_client import tensorflow_loader
from tensorflow_models.process import ServingProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cortex_worker.models.tensorflow_model import TensorFlowModel

    Load = Callable[..., TensorFlowModel]

pytestmark = [pytest.mark.timeout(240), pytest.mark.filterwarnings("default")]


@pytest.fixture
def loads(models: str) -> Callable[..., Load]:
    """Makes loaders as a worker's environment names them."""

    def make(address: str, **environ: str) -> Load:
        loader = tensorflow_loader({"TENSORFLOW_SERVING_ADDRESS": address, **environ}, "classifier")

        def load(name: str, version: str = "1", path: str | None = None) -> TensorFlowModel:
            folder = path or os.path.join(models, "predict" if name.startswith("_") else name, version)
            return cast("TensorFlowModel", loader.load(name, version, folder, None))

        return load

    return make


@pytest.fixture
def own(
    serve: Callable[..., ServingProcess],
    loads: Callable[..., Load],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[ServingProcess, Callable[[], Load]]:
    """A server of the API's own, and what makes loaders of it: each is as a process of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = serve()
    return server, lambda: loads(server.address, TENSORFLOW_SERVING_MANAGED="true")


def test_the_only_model_has_the_name_of_the_api(
    serve: Callable[..., ServingProcess], loads: Callable[..., Load]
) -> None:
    server = serve(classifier=("predict", [1]))
    assert loads(server.address)("_cortex_default").predict({"x": 2}) == {"y": [4.0]}


def test_the_environment_may_name_the_only_model(
    serve: Callable[..., ServingProcess], loads: Callable[..., Load]
) -> None:
    server = serve(doubler=("predict", [1]))
    load = loads(server.address, TENSORFLOW_SERVING_MODEL_NAME="doubler")
    assert load("_cortex_default").predict({"x": 2}) == {"y": [4.0]}


def test_what_is_not_served_there_is_told(
    serve: Callable[..., ServingProcess], loads: Callable[..., Load], models: str
) -> None:
    server = serve(flowers=("iris", [2]))
    load = loads(server.address)
    flowers = load("flowers", "2", os.path.join(models, "iris", "2"))
    assert flowers.predict({"sepal_length": 1, "sepal_width": 1, "petal_length": 1, "petal_width": 1})
    with pytest.raises(ModelLoadFailed) as raised:
        load("flowers", "1")
    assert str(raised.value) == (
        f"model flowers of version 1 is not available at TensorFlow Serving ({server.address}), which does not have "
        "it; its configuration must name model 'flowers' with this version"
    )
    assert raised.value.public == "model flowers of version 1 is not available on its server"
    with pytest.raises(ModelLoadFailed, match="which does not have it"):
        load("trees")


def test_what_the_server_could_not_load_is_told(
    serve: Callable[..., ServingProcess], loads: Callable[..., Load]
) -> None:
    server = serve(damaged=("damaged", [1]))
    with pytest.raises(ModelLoadFailed, match=r"which has it in state END: .*SavedModel"):
        loads(server.address)("damaged")


def test_a_server_that_is_not_there_is_told(loads: Callable[..., Load], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_server, "LOAD_TIMEOUT", 0.3)
    address = f"127.0.0.1:{_free_port()}"
    with pytest.raises(ModelUnavailable) as raised:
        loads(address)("iris")
    assert f"TensorFlow Serving at {address} does not answer" in str(raised.value)
    assert address not in raised.value.public


def test_a_server_that_starts_late_is_awaited_and_missed(
    loads: Callable[..., Load], models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server of the tests imports TensorFlow first, which may take long.
    monkeypatch.setattr(serving_server, "LOAD_TIMEOUT", 200)
    port = _free_port()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(loads(f"127.0.0.1:{port}"), "pair")
        server = ServingProcess({"pair": {"base_path": os.path.join(models, "pair"), "versions": "all"}}, port)
        try:
            pair = loading.result(timeout=200)
            assert pair.predict({"rows": [[1, 2]], "weights": 2}) == {"sums": [6.0]}
        finally:
            server.close()
    with pytest.raises(ModelUnavailable, match="does not answer"):
        pair.predict({"rows": [[1, 2]], "weights": 2})


def test_a_model_that_the_server_dropped_is_told(
    serve: Callable[..., ServingProcess], loads: Callable[..., Load]
) -> None:
    model = loads(serve(predict=("predict", [1])).address)("predict")
    serve()
    with pytest.raises(InferenceFailed, match="Servable not found"):
        model.predict({"x": 1})


def test_an_own_server_has_what_is_loaded(own: tuple[ServingProcess, Callable[[], Load]]) -> None:
    server, loader = own
    load = loader()
    pair, doubled = load("pair"), load("predict")
    assert pair.predict({"rows": [[1, 2]], "weights": 2}) == {"sums": [6.0]}
    assert doubled.predict({"x": 2}) == {"y": [4.0]}
    assert [len(server.configured()) for _ in range(2)] == [1, 2]
    pair.close()
    [[name, version]] = server.configured()
    assert (name.startswith("predict-"), version) == (True, 1)
    assert doubled.predict({"x": 3}) == {"y": [6.0]}
    doubled.close()
    assert server.configured() == []
    assert _links() == []


def test_an_own_server_that_starts_again_has_what_was_loaded(
    serve: Callable[..., ServingProcess], loads: Callable[..., Load], tmp_path: Path
) -> None:
    server = serve()
    folder = tmp_path / "serving"
    load = loads(server.address, TENSORFLOW_SERVING_MANAGED="true", TENSORFLOW_SERVING_FOLDER=str(folder))
    model = load("predict")
    had = server.configured()
    again = ServingProcess({}, file=str(folder / "models.config"))
    try:
        assert again.ready().first == had
        assert loads(again.address)(had[0][0]).predict({"x": 2}) == {"y": [4.0]}
    finally:
        again.close()
    model.close()
    assert server.configured() == []
    assert had[0][0] not in (folder / "models.config").read_text()


def test_both_versions_of_a_model_are_served(own: tuple[ServingProcess, Callable[[], Load]]) -> None:
    _, loader = own
    load = loader()
    flower = {"sepal_length": 1, "sepal_width": 1, "petal_length": 1, "petal_width": 1}
    first, second = load("iris", "1"), load("iris", "2")
    assert second.predict(flower)["logits"][0] == pytest.approx(first.predict(flower)["logits"][0] + 0.5, abs=1e-5)
    first.close()
    assert second.predict(flower)


def test_files_that_changed_are_loaded_beside_the_old_ones(
    own: tuple[ServingProcess, Callable[[], Load]], models: str, tmp_path: Path
) -> None:
    _, loader = own
    load = loader()
    folder = tmp_path / "changing"
    shutil.copytree(os.path.join(models, "predict", "1"), folder)
    old = load("changing", path=str(folder))
    shutil.rmtree(folder)
    shutil.copytree(os.path.join(models, "graph", "1"), folder)
    new = load("changing", path=str(folder))
    assert old.predict({"x": 1}) == {"y": [2.0]}
    assert new.predict({"x": 1}) == {"y": [3.0]}
    old.close()
    assert new.predict({"x": 1}) == {"y": [3.0]}


def test_processes_share_a_server(own: tuple[ServingProcess, Callable[[], Load]]) -> None:
    server, loader = own
    one, other = loader(), loader()
    models = [one("predict"), other("predict"), other("pair")]
    # The same files are loaded once.
    assert [len(server.configured()) for _ in range(3)] == [1, 1, 2]
    models[1].close()
    models[2].close()
    assert [len(server.configured()) for _ in range(2)] == [2, 1]
    assert models[0].predict({"x": 1}) == {"y": [2.0]}


def test_what_a_dead_process_had_is_unloaded(own: tuple[ServingProcess, Callable[[], Load]], models: str) -> None:
    server, loader = own
    code = (
        "import os, sys\n"
        "from cortex_worker.models.serving_claims import ServingClaims\n"
        "from cortex_worker.models.serving_server import ServingServer\n"
        "ServingClaims(ServingServer(sys.argv[1])).claim('predict', 1, sys.argv[2])\n"
        "os._exit(1)"
    )
    environ = {**os.environ, "TMPDIR": tempfile.gettempdir(), "PYTHONPATH": os.pathsep.join(sys.path)}
    path = os.path.join(models, "predict", "1")
    assert subprocess.run([sys.executable, "-c", code, server.address, path], env=environ, check=False).returncode == 1
    assert server.configured() == [[f"predict-{fingerprint(path)}", 1]]
    model = loader()("pair")
    assert [name for name, _ in server.configured()] == [f"pair-{fingerprint(os.path.join(models, 'pair', '1'))}"]
    assert model.predict({"rows": [[1, 2]], "weights": 2}) == {"sums": [6.0]}


def test_a_bad_model_harms_no_other_on_an_own_server(own: tuple[ServingProcess, Callable[[], Load]]) -> None:
    server, loader = own
    load = loader()
    good = load("predict")
    with pytest.raises(ModelLoadFailed, match="which has it in state END"):
        load("damaged")
    assert good.predict({"x": 1}) == {"y": [2.0]}
    assert [len(server.configured()) for _ in range(3)] == [1, 1, 1]


def test_threads_load_into_an_own_server_at_once(own: tuple[ServingProcess, Callable[[], Load]]) -> None:
    server, loader = own
    load = loader()
    names = ["predict", "pair", "shout", "graph", "scalar"]
    with ThreadPoolExecutor(5) as pool:
        loaded = list(pool.map(load, names))
    assert len([server.configured() for _ in names][-1]) == 5
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda model: model.close(), loaded))
    assert [server.configured() for _ in names][-1] == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _links() -> list[str]:
    [folder] = [entry for entry in os.listdir(tempfile.gettempdir()) if entry.startswith("cortex-serving-")]
    return os.listdir(os.path.join(tempfile.gettempdir(), folder, "models"))
