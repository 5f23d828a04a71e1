"""What the environment says of where TensorFlow runs, and what is said where something is missing."""

from __future__ import annotations

import os
import sys

import pytest

from cortex_worker.errors import ModelLoadFailed
from cortex_worker.models.serving_loader import ServingLoader
from cortex_worker.models.tensorflow_client import tensorflow_loader
from cortex_worker.models.tensorflow_embedded import EmbeddedLoader


def test_tensorflow_runs_in_the_worker_unless_a_server_is_named() -> None:
    assert isinstance(tensorflow_loader({}, "api"), EmbeddedLoader)
    assert isinstance(tensorflow_loader({"TENSORFLOW_SERVING_ADDRESS": " "}, "api"), EmbeddedLoader)
    assert isinstance(tensorflow_loader({"TENSORFLOW_SERVING_ADDRESS": "tf:8500"}, "api"), ServingLoader)


@pytest.mark.parametrize(
    ("module", "environ", "text"),
    [
        ("tensorflow", {}, "tensorflow is not installed in the environment of this API"),
        ("grpc", {"TENSORFLOW_SERVING_ADDRESS": "tf:8500"}, "grpcio is not installed in the environment of this API"),
        ("numpy", {"TENSORFLOW_SERVING_ADDRESS": "tf:8500"}, "numpy is not installed in the environment of this API"),
    ],
)
def test_what_is_missing_is_named(
    module: str, environ: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelLoadFailed) as raised:
        tensorflow_loader(environ, "api").prepare()
    assert text in str(raised.value)
    assert "requirements.txt" in str(raised.value)


@pytest.mark.parametrize("address", ["localhost", "http://localhost:8500", "localhost:", "localhost:70000", "a b:1"])
def test_addresses_that_cannot_be_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match="it must be host:port"):
        tensorflow_loader({"TENSORFLOW_SERVING_ADDRESS": address}, "api")


@pytest.mark.parametrize("address", ["localhost:8500", "10.0.0.1:1", "[::1]:8500", "serving.models.svc:65535"])
def test_addresses_are_host_and_port(address: str) -> None:
    assert isinstance(tensorflow_loader({"TENSORFLOW_SERVING_ADDRESS": address}, "api"), ServingLoader)


def test_managed_is_true_or_false() -> None:
    with pytest.raises(ValueError, match="allowed: true, false"):
        tensorflow_loader({"TENSORFLOW_SERVING_ADDRESS": "tf:1", "TENSORFLOW_SERVING_MANAGED": "maybe"}, "api")


def test_tensorflow_is_quiet_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setitem(os.environ, "TF_CPP_MIN_LOG_LEVEL", "0")
    EmbeddedLoader(os.environ)
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
    monkeypatch.delitem(os.environ, "TF_CPP_MIN_LOG_LEVEL")
    EmbeddedLoader(os.environ)
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
    monkeypatch.delitem(os.environ, "TF_CPP_MIN_LOG_LEVEL")
