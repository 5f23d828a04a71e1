"""TensorFlow Serving as the place where models run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from cortex_worker.errors import InferenceFailed, ModelLoadFailed
from cortex_worker.models.naming import SINGLE_MODEL
from cortex_worker.models.serving_server import LOAD_TIMEOUT, ServingServer, checked_address
from cortex_worker.models.tensorflow_errors import SignatureError, titled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cortex_worker.models.serving_claims import ServingClaims
    from cortex_worker.models.tensorflow_model import TensorFlowModel
    from cortex_worker.models.tensorflow_signature import Signature

#: "true": the server is the API's own, and its configuration is what the API's workers have loaded.
MANAGED_VARIABLE = "TENSORFLOW_SERVING_MANAGED"
#: Where the links to models lie that such a server is told of, and its configuration; a place that both can read.
FOLDER_VARIABLE = "TENSORFLOW_SERVING_FOLDER"
#: What the server calls the only model of an API; else the API's name.
NAME_VARIABLE = "TENSORFLOW_SERVING_MODEL_NAME"

_POLL_INTERVAL = 0.05


class ServingLoader:
    """Makes models of a server available.

    A server that is not the API's own keeps its configuration, since a change replaces the whole: a model is loaded
    once the server says that it is available.
    """

    def __init__(self, address: str, environ: Mapping[str, str], api_name: str) -> None:
        self._address = checked_address(address)
        managed = environ.get(MANAGED_VARIABLE, "").strip().lower()
        if managed not in ("", "true", "false", "1", "0", "yes", "no"):
            raise ValueError(f"{MANAGED_VARIABLE} is {managed!r}; allowed: true, false")
        self._is_managed = managed in ("true", "1", "yes")
        self._folder = environ.get(FOLDER_VARIABLE, "").strip() or None
        self._single_name = environ.get(NAME_VARIABLE, "").strip() or api_name
        self._lock = threading.Lock()
        self._server: ServingServer | None = None
        self._claims: ServingClaims | None = None

    def prepare(self) -> None:
        """Import grpcio and protobuf. The server need not run yet."""
        self._connected()

    def load(self, name: str, version: str, path: str, signature_key: str | None) -> TensorFlowModel:
        """Wait until the server has the version, and read its signature."""
        from cortex_worker.models.tensorflow_model import TensorFlowModel
        from cortex_worker.models.tensorflow_signature import served_signature

        server = self._connected()
        served = self._single_name if name == SINGLE_MODEL else name
        number = int(version)
        title = titled(name, version)
        claims = self._claims
        if claims is not None:
            served = claims.claim(served, number, path)
        try:
            self._await_available(server, served, number, title)
            try:
                signature = served_signature(server.signatures(served, number), signature_key)
            except SignatureError as error:
                raise ModelLoadFailed(f"{title}: {error}") from None
        except BaseException:
            if claims is not None:
                claims.release(served, number)
            raise
        runner = _Runner(server, served, number, signature)
        closed = None if claims is None else lambda: claims.release(served, number)
        return TensorFlowModel(title, signature, runner.run, closed)

    def _connected(self) -> ServingServer:
        with self._lock:
            if self._server is None:
                try:
                    import numpy  # noqa: F401 # what the modules of tensors begin with
                except ImportError as error:
                    raise ModelLoadFailed(
                        "numpy is not installed in the environment of this API: add it to its requirements.txt"
                    ) from error
                server = ServingServer(self._address)
                if self._is_managed:
                    from cortex_worker.models.serving_claims import ServingClaims

                    self._claims = ServingClaims(server, self._folder)
                self._server = server
            return self._server

    def _await_available(self, server: ServingServer, served: str, number: int, title: str) -> None:
        end = time.monotonic() + LOAD_TIMEOUT
        while True:
            state = server.state(served, number)
            if state is not None and state.is_available:
                return
            text = "does not have it" if state is None else f"has it in state {state.text}"
            may_come = self._is_managed if state is None else not state.has_ended
            if not may_come or time.monotonic() > end:
                hint = "" if self._is_managed else f"; its configuration must name model {served!r} with this version"
                raise ModelLoadFailed(
                    f"{title} is not available at TensorFlow Serving ({server.address}), which {text}{hint}",
                    f"{title} is not available on its server",
                )
            time.sleep(_POLL_INTERVAL)


class _Runner:
    """Predictions with one version."""

    def __init__(self, server: ServingServer, served: str, number: int, signature: Signature) -> None:
        from cortex_worker.models.serving_tensors import encode_all, flat_list

        self._server = server
        self._empty = server.predict_request(served, number, signature.key)
        self._inputs = signature.inputs
        self._outputs = list(signature.outputs)
        self._encode_all = encode_all
        self._flat_list = flat_list

    def run(self, arrays: dict[str, Any]) -> dict[str, list[Any]]:
        request = type(self._empty)()
        request.CopyFrom(self._empty)
        self._encode_all(request.inputs, self._inputs, arrays)
        outputs = self._server.predict(request)
        try:
            return {name: self._flat_list(outputs[name]) for name in self._outputs if name in outputs}
        except ValueError as error:
            raise InferenceFailed(f"TensorFlow Serving answered {error}") from error
