"""A TensorFlow Serving server, as its gRPC services show it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cortex_worker.errors import InferenceFailed, ModelLoadFailed, ModelUnavailable

#: Deadline of a prediction, in seconds: that of the original.
PREDICTION_TIMEOUT = 300.0
#: Deadline of all else, the wait for a server that is about to start included.
LOAD_TIMEOUT = 30.0

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/:]+):([0-9]{1,5})")
_PREDICTION = "/tensorflow.serving.PredictionService/"
_MODELS = "/tensorflow.serving.ModelService/"
_OPTIONS = [
    # A reply may be as large as the model makes it.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # The server is a neighbour; a proxy for the world's HTTP does not lead to it.
    ("grpc.enable_http_proxy", 0),
]


class VersionState(NamedTuple):
    """How far a server is with a version."""

    is_available: bool
    #: The state's name, and the error if there is one.
    text: str
    has_ended: bool


_STATES = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}


class ServingServer:
    """The calls that are needed of `PredictionService` and `ModelService`. Used by any thread."""

    def __init__(self, address: str) -> None:
        self.address = address
        try:
            import grpc

            from cortex_worker.models.tensorflow_messages import messages

            self._messages = messages()
        except ImportError as error:
            raise ModelLoadFailed(_missing(error)) from error
        self._grpc: Any = grpc
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._predict = self._call(_PREDICTION + "Predict", "PredictResponse")
        self._metadata = self._call(_PREDICTION + "GetModelMetadata", "GetModelMetadataResponse")
        self._status = self._call(_MODELS + "GetModelStatus", "GetModelStatusResponse")
        self._reload = self._call(_MODELS + "HandleReloadConfigRequest", "ReloadConfigResponse")

    def predict_request(self, model: str, version: int, signature: str) -> Any:
        """An empty request; its `inputs` are to be filled."""
        request = self._messages["PredictRequest"]()
        self._specify(request, model, version)
        request.model_spec.signature_name = signature
        return request

    def predict(self, request: Any) -> Any:
        """The outputs: a map of `TensorProto`. `ModelUnavailable` if nobody answers, else `InferenceFailed`."""
        try:
            return self._predict(request, timeout=PREDICTION_TIMEOUT).outputs
        except self._grpc.RpcError as error:
            if error.code() == self._grpc.StatusCode.UNAVAILABLE:
                raise self._unavailable(error) from error
            raise InferenceFailed(f"TensorFlow Serving at {self.address}: {_text(error)}") from error

    def signatures(self, model: str, version: int) -> Any:
        """The signatures of a version that is available: a map of `SignatureDef`."""
        request = self._messages["GetModelMetadataRequest"](metadata_field=["signature_def"])
        self._specify(request, model, version)
        reply = self._checked(self._metadata, request)
        return self._messages["SignatureDefMap"].FromString(reply.metadata["signature_def"].value).signature_def

    def state(self, model: str, version: int) -> VersionState | None:
        """The state of a version; None if the server does not have it."""
        request = self._messages["GetModelStatusRequest"]()
        self._specify(request, model, version)
        try:
            reply = self._status(request, timeout=LOAD_TIMEOUT, wait_for_ready=True)
        except self._grpc.RpcError as error:
            if error.code() == self._grpc.StatusCode.NOT_FOUND:
                return None
            raise self._failure(error) from error
        for status in reply.model_version_status:
            if status.version == version:
                text = _STATES.get(status.state, "UNKNOWN")
                if status.status.error_message:
                    text = f"{text}: {status.status.error_message}"
                return VersionState(status.state == 30, text, status.state == 50)
        return None

    def configure(self, folders: dict[tuple[str, str], list[int]]) -> str | None:
        """Replace the server's whole configuration by these versions, by a model's name and folder.

        Returns when the server has loaded them, and what it says if it could not.
        """
        request = self._messages["ReloadConfigRequest"](config=self._configuration(folders))
        try:
            status = self._reload(request, timeout=LOAD_TIMEOUT, wait_for_ready=True).status
        except self._grpc.RpcError as error:
            if error.code() in (self._grpc.StatusCode.UNAVAILABLE, self._grpc.StatusCode.UNIMPLEMENTED):
                raise self._failure(error) from error
            return _text(error)
        return str(status.error_message) or f"error {status.error_code}" if status.error_code else None

    def configuration_text(self, folders: dict[tuple[str, str], list[int]]) -> str:
        """The same configuration as the file that the server may read at its start."""
        from google.protobuf import text_format

        return str(text_format.MessageToString(self._configuration(folders)))

    def _configuration(self, folders: dict[tuple[str, str], list[int]]) -> Any:
        configuration = self._messages["ModelServerConfig"]()
        # So that it is there if it is empty.
        configuration.model_config_list.SetInParent()
        for (name, folder), versions in sorted(folders.items()):
            config = configuration.model_config_list.config.add(
                name=name, base_path=folder, model_platform="tensorflow"
            )
            config.model_version_policy.specific.versions.extend(versions)
        return configuration

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def _call(self, method: str, reply: str) -> Any:
        return self._channel.unary_unary(
            method,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=self._messages[reply].FromString,
        )

    def _specify(self, request: Any, model: str, version: int) -> None:
        request.model_spec.name = model
        request.model_spec.version.value = version

    def _checked(self, call: Any, request: Any) -> Any:
        try:
            return call(request, timeout=LOAD_TIMEOUT, wait_for_ready=True)
        except self._grpc.RpcError as error:
            raise self._failure(error) from error

    def _failure(self, error: Any) -> Exception:
        codes = self._grpc.StatusCode
        if error.code() in (codes.UNAVAILABLE, codes.DEADLINE_EXCEEDED):
            return self._unavailable(error)
        return ModelLoadFailed(f"TensorFlow Serving at {self.address}: {_text(error)}", "the model could not be loaded")

    def _unavailable(self, error: Any) -> ModelUnavailable:
        return ModelUnavailable(
            f"TensorFlow Serving at {self.address} does not answer ({_text(error)}); "
            "see that it runs, and that TENSORFLOW_SERVING_ADDRESS names its gRPC port",
            "the server that runs the model does not answer",
        )


def checked_address(address: str) -> str:
    """The address, if it is `host:port`; else `ValueError`."""
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError(f"TENSORFLOW_SERVING_ADDRESS is {address!r}; it must be host:port, without a scheme or a path")
    return address


def _text(error: Any) -> str:
    return str(error.details() or error.code().name)


def _missing(error: ImportError) -> str:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing in ("grpc", "google", "google.protobuf"):
        package = "grpcio" if missing == "grpc" else "protobuf"
        return (
            f"{package} is not installed in the environment of this API: "
            "models on TensorFlow Serving need grpcio, protobuf and numpy in its requirements.txt"
        )
    return f"grpcio or protobuf cannot be imported: {error}"
