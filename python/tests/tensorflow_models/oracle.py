"""A server that behaves as TensorFlow Serving does, on the real messages of `tensorflow-serving-api`.

Models run in TensorFlow sessions, as there. Run as a process of its own: `python oracle.py CONFIGURATION`, which
is JSON: {"models": {name: {"base_path": …, "versions": [1, 2] | "latest" | "all"}}, "port": 0}, or with "file" in place
of "models", as `--model_config_file` has it. It prints two ports, and then a line for each configuration that it took.
The first port answers with tensors in typed fields, the second with their contents as bytes. It ends when its standard
input does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import grpc
import tensorflow as tf
from google.protobuf import any_pb2, text_format
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

old = tf.compat.v1
State = get_model_status_pb2.ModelVersionStatus

#: Which field of a `TensorProto` has the values of a type, and how they are made of numpy's.
FIELDS: dict[str, tuple[str, Any]] = {
    "float32": ("float_val", lambda array: array.tolist()),
    "float64": ("double_val", lambda array: array.tolist()),
    "complex64": ("scomplex_val", lambda array: array.view("float32").tolist()),
    "complex128": ("dcomplex_val", lambda array: array.view("float64").tolist()),
    "int64": ("int64_val", lambda array: array.tolist()),
    "uint32": ("uint32_val", lambda array: array.tolist()),
    "uint64": ("uint64_val", lambda array: array.tolist()),
    "bool": ("bool_val", lambda array: array.tolist()),
    "float16": ("half_val", lambda array: array.view("uint16").tolist()),
    "bfloat16": ("half_val", lambda array: array.view("uint16").tolist()),
    "string": ("string_val", lambda array: [bytes(value) for value in array]),
}


class Servable:
    """A version of a model: a session."""

    def __init__(self, path: str) -> None:
        graph = old.Graph()
        self.session = old.Session(graph=graph)
        with graph.as_default():
            definition = old.saved_model.load(self.session, ["serve"], path)
        self.signatures = definition.signature_def

    def run(self, request: Any) -> dict[str, tuple[str, Any]]:
        """The outputs by name, with their types. `KeyError` and `ValueError` for what is wrong with the request."""
        name = request.model_spec.signature_name or "serving_default"
        if name not in self.signatures:
            raise KeyError(f'Serving signature key "{name}" not found.')
        signature = self.signatures[name]
        if set(request.inputs) != set(signature.inputs):
            raise ValueError("input size does not match signature")
        feeds = {}
        for key, tensor in request.inputs.items():
            if tensor.dtype != signature.inputs[key].dtype:
                raise ValueError(f"input {key} has another type than the signature")
            feeds[signature.inputs[key].name] = tf.make_ndarray(tensor)
        fetches = {key: info.name for key, info in signature.outputs.items()}
        results = self.session.run(fetches, feeds)
        return {key: (tf.as_dtype(info.dtype).name, results[key]) for key, info in signature.outputs.items()}


class Server(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """Both services."""

    lock = threading.Lock()
    servables: ClassVar[dict[tuple[str, int], Servable]] = {}
    states: ClassVar[dict[tuple[str, int], Any]] = {}

    def __init__(self, is_content: bool) -> None:
        self.is_content = is_content

    def adopt(self, models: dict[str, tuple[str, Any]]) -> str:
        """Load what is new, unload what is gone. Returns the first error."""
        problem = ""
        with self.lock:
            wanted = {}
            for name, (base, policy) in models.items():
                there = sorted(int(entry) for entry in os.listdir(base) if entry.isdecimal())
                chosen = there if policy == "all" else there[-1:] if policy == "latest" else policy
                wanted.update({(name, version): os.path.join(base, str(version)) for version in chosen})
            for key, path in wanted.items():
                if key in self.servables:
                    continue
                try:
                    self.servables[key] = Servable(path)
                    self.states[key] = (State.AVAILABLE, "")
                except Exception as error:
                    self.states[key] = (State.END, str(error))
                    problem = problem or str(error)
            for key in [key for key in self.servables if key not in wanted]:
                self.servables.pop(key).session.close()
                self.states[key] = (State.END, "")
            print(json.dumps(sorted([name, version] for name, version in self.servables)), flush=True)
        return problem

    def servable(self, spec: Any, context: Any) -> Any:
        versions = [version for name, version in self.servables if name == spec.name]
        version = spec.version.value if spec.HasField("version") else max(versions, default=0)
        found = self.servables.get((spec.name, version))
        if found is None:
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Specific({spec.name}, {version})"
            )
        return found

    def Predict(self, request: Any, context: Any) -> Any:
        servable = self.servable(request.model_spec, context)
        try:
            results = servable.run(request)
        except (KeyError, ValueError, tf.errors.InvalidArgumentError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, getattr(error, "message", str(error)))
        reply = predict_pb2.PredictResponse()
        for name, (kind, value) in results.items():
            self.fill(reply.outputs[name], kind, value)
        return reply

    def fill(self, tensor: Any, kind: str, value: Any) -> None:
        """As `Tensor::AsProtoField`, or `AsProtoTensorContent`."""
        array: Any = tf.constant(value, tf.as_dtype(kind)).numpy()
        tensor.dtype = tf.as_dtype(kind).as_datatype_enum
        shape = getattr(array, "shape", ())
        for size in shape:
            tensor.tensor_shape.dim.add(size=size)
        flat: Any = [array] if isinstance(array, bytes) else array.reshape(-1)
        if self.is_content and kind != "string":
            tensor.tensor_content = flat.tobytes()
            return
        field, values = FIELDS.get(kind, ("int_val", lambda array: array.tolist()))
        getattr(tensor, field).extend(values(flat))

    def GetModelMetadata(self, request: Any, context: Any) -> Any:
        if list(request.metadata_field) != ["signature_def"]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Metadata field is not supported")
        servable = self.servable(request.model_spec, context)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for key, definition in servable.signatures.items():
            signatures.signature_def[key].CopyFrom(definition)
        packed = any_pb2.Any()
        packed.Pack(signatures)
        reply = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        reply.metadata["signature_def"].CopyFrom(packed)
        return reply

    def GetModelStatus(self, request: Any, context: Any) -> Any:
        spec = request.model_spec
        known = {version: state for (name, version), state in self.states.items() if name == spec.name}
        if spec.HasField("version"):
            known = {version: state for version, state in known.items() if version == spec.version.value}
        if not known:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Could not find version {spec.version.value} of {spec.name}")
        reply = get_model_status_pb2.GetModelStatusResponse()
        for version, (state, error) in known.items():
            status = reply.model_version_status.add(version=version, state=state)
            if error:
                status.status.error_code = error_codes_pb2.UNKNOWN
                status.status.error_message = error
        return reply

    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        reply = model_management_pb2.ReloadConfigResponse()
        try:
            models = configured(request.config)
        except ValueError as error:
            reply.status.error_code = error_codes_pb2.INVALID_ARGUMENT
            reply.status.error_message = str(error)
            return reply
        problem = self.adopt(models)
        if problem:
            reply.status.error_code = error_codes_pb2.UNKNOWN
            reply.status.error_message = problem
        return reply


def configured(server: Any) -> dict[str, tuple[str, Any]]:
    """The models of a `ModelServerConfig`: folder and versions by name. `ValueError` for one that is refused."""
    if server.WhichOneof("config") != "model_config_list":
        raise ValueError("Config is not a model_config_list")
    models: dict[str, tuple[str, Any]] = {}
    for config in server.model_config_list.config:
        if config.model_platform != "tensorflow" or not os.path.isabs(config.base_path) or config.name in models:
            raise ValueError(f"Illegal setting of {config.name}")
        policy = config.model_version_policy
        choice = policy.WhichOneof("policy_choice") or "latest"
        models[config.name] = (config.base_path, list(policy.specific.versions) if choice == "specific" else choice)
    return models


def first_models(configuration: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Those of the server's start."""
    if "file" in configuration:
        with open(configuration["file"], encoding="utf-8") as file:
            return configured(text_format.Parse(file.read(), model_server_config_pb2.ModelServerConfig()))
    return {name: (model["base_path"], model["versions"]) for name, model in configuration["models"].items()}


def main() -> None:
    configuration = json.loads(sys.argv[1])
    servers = [listening(Server(False), configuration.get("port", 0)), listening(Server(True), 0)]
    print(json.dumps([port for _, port in servers]), flush=True)
    Server(False).adopt(first_models(configuration))
    for server, _ in servers:
        server.start()
    sys.stdin.read()
    for server, _ in servers:
        server.stop(None).wait()


def listening(servicer: Server, port: int) -> tuple[Any, int]:
    server = grpc.server(
        ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(servicer, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(servicer, server)
    return server, server.add_insecure_port(f"127.0.0.1:{port}")


if __name__ == "__main__":
    main()
