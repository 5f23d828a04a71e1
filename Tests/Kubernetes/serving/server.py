"""Stands in for TensorFlow Serving in a container of its own: its command line, its services, and models that multiply.

A model is a folder whose `saved_model.pb` holds a number, by which the input `x` becomes the output `y`. What it serves
it has read itself, from where its configuration says. It listens once it has loaded what `--model_config_file` names,
and ends when it is asked to.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import text_format
from tensorflow_messages import messages

_FLOAT, _AVAILABLE, _END, _UNKNOWN = 1, 30, 50, 2

_made = messages()


class Server:
    """The services' methods."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._factors: dict[tuple[str, int], float] = {}
        self._errors: dict[tuple[str, int], str] = {}

    def adopt(self, configuration: Any) -> str:
        """Has the models of a configuration, and no other; what is wrong, if anything."""
        with self._lock:
            factors: dict[tuple[str, int], float] = {}
            self._errors = {}
            for model in configuration.model_config_list.config:
                for version in model.model_version_policy.specific.versions:
                    key, folder = (model.name, version), Path(model.base_path) / str(version)
                    try:
                        factors[key] = float((folder / "saved_model.pb").read_text())
                    except (OSError, ValueError) as error:
                        self._errors[key] = f"{folder}: {error}"
            self._factors = factors
            print(f"serves {len(factors)} versions", flush=True)
            return next(iter(self._errors.values()), "")

    def predict(self, request: Any, context: Any) -> Any:
        """`PredictionService.Predict`."""
        factor = self._factor(request.model_spec, context)
        given = request.inputs["x"]
        values = memoryview(given.tensor_content).cast("f").tolist() if given.tensor_content else list(given.float_val)
        reply = _made["PredictResponse"]()
        told = reply.outputs["y"]
        told.dtype = _FLOAT
        told.tensor_shape.dim.add(size=len(values))
        told.float_val.extend(factor * value for value in values)
        return reply

    def metadata(self, request: Any, context: Any) -> Any:
        """`PredictionService.GetModelMetadata`."""
        self._factor(request.model_spec, context)
        signatures = _made["SignatureDefMap"]()
        signature = signatures.signature_def["serving_default"]
        signature.method_name = "tensorflow/serving/predict"
        for name, info in (("x", signature.inputs["x"]), ("y", signature.outputs["y"])):
            info.name, info.dtype = f"{name}:0", _FLOAT
            info.tensor_shape.dim.add(size=-1)
        reply = _made["GetModelMetadataResponse"]()
        reply.metadata["signature_def"].type_url = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
        reply.metadata["signature_def"].value = signatures.SerializeToString()
        return reply

    def status(self, request: Any, context: Any) -> Any:
        """`ModelService.GetModelStatus`."""
        key = _key(request.model_spec)
        if key not in self._factors and key not in self._errors:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Could not find version {key[1]} of model {key[0]}")
        reply = _made["GetModelStatusResponse"]()
        told = reply.model_version_status.add(version=key[1], state=_AVAILABLE if key in self._factors else _END)
        told.status.error_message = self._errors.get(key, "")
        return reply

    def reload(self, request: Any, _: Any) -> Any:
        """`ModelService.HandleReloadConfigRequest`."""
        reply = _made["ReloadConfigResponse"]()
        reply.status.error_message = self.adopt(request.config)
        reply.status.error_code = _UNKNOWN if reply.status.error_message else 0
        return reply

    def _factor(self, spec: Any, context: Any) -> float:
        factor = self._factors.get(_key(spec))
        if factor is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Specific{_key(spec)}")
        return factor or 0.0


def _key(spec: Any) -> tuple[str, int]:
    return spec.name, spec.version.value


def _method(run: Callable[[Any, Any], Any], request: str) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        run, request_deserializer=_made[request].FromString, response_serializer=lambda reply: reply.SerializeToString()
    )


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model_config_file", type=Path, required=True)
    chosen = parser.parse_args()
    server = Server()
    configuration = text_format.Parse(chosen.model_config_file.read_text(), _made["ModelServerConfig"]())
    if problem := server.adopt(configuration):
        sys.exit(f"Failed to start server: {problem}")
    # The first process of a container ends by no signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
    listener = grpc.server(ThreadPoolExecutor(4))
    listener.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "tensorflow.serving.PredictionService",
                {
                    "Predict": _method(server.predict, "PredictRequest"),
                    "GetModelMetadata": _method(server.metadata, "GetModelMetadataRequest"),
                },
            ),
            grpc.method_handlers_generic_handler(
                "tensorflow.serving.ModelService",
                {
                    "GetModelStatus": _method(server.status, "GetModelStatusRequest"),
                    "HandleReloadConfigRequest": _method(server.reload, "ReloadConfigRequest"),
                },
            ),
        )
    )
    if not listener.add_insecure_port(f"0.0.0.0:{chosen.port}"):
        sys.exit(f"port {chosen.port} is taken")
    listener.start()
    listener.wait_for_termination()


if __name__ == "__main__":
    main()
