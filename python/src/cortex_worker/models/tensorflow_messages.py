"""The protocol buffer messages of TensorFlow and TensorFlow Serving that are used here, made at run time.

Only the fields that are read or written are declared: protobuf keeps or skips the others. The descriptors are in a pool
of their own, so that they cannot clash with those of `tensorflow` or `tensorflow-serving-api` in the same process.
The numbers are those of tensorflow/core/{framework,protobuf}/*.proto and tensorflow_serving/apis/*.proto.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

#: Message -> fields as "[repeated |map ]TYPE NAME = NUMBER". A map's keys are strings; an enum is read as its number.
_MESSAGES = {
    "Dim": ["int64 size = 1"],
    "TensorShapeProto": ["repeated Dim dim = 2", "bool unknown_rank = 3"],
    "TensorProto": [
        "int32 dtype = 1",
        "TensorShapeProto tensor_shape = 2",
        "bytes tensor_content = 4",
        "repeated float float_val = 5",
        "repeated double double_val = 6",
        "repeated int32 int_val = 7",
        "repeated bytes string_val = 8",
        "repeated float scomplex_val = 9",
        "repeated int64 int64_val = 10",
        "repeated bool bool_val = 11",
        "repeated double dcomplex_val = 12",
        "repeated int32 half_val = 13",
        "repeated uint32 uint32_val = 16",
        "repeated uint64 uint64_val = 17",
    ],
    "TensorInfo": ["string name = 1", "int32 dtype = 2", "TensorShapeProto tensor_shape = 3"],
    "SignatureDef": ["map TensorInfo inputs = 1", "map TensorInfo outputs = 2", "string method_name = 3"],
    "MetaInfoDef": ["repeated string tags = 4"],
    "MetaGraphDef": ["MetaInfoDef meta_info_def = 1", "map SignatureDef signature_def = 5"],
    "SavedModel": ["repeated MetaGraphDef meta_graphs = 2"],
    "Int64Value": ["int64 value = 1"],
    "Any": ["string type_url = 1", "bytes value = 2"],
    "ModelSpec": ["string name = 1", "Int64Value version = 2", "string signature_name = 3"],
    "PredictRequest": ["ModelSpec model_spec = 1", "map TensorProto inputs = 2"],
    "PredictResponse": ["map TensorProto outputs = 1"],
    "SignatureDefMap": ["map SignatureDef signature_def = 1"],
    "GetModelMetadataRequest": ["ModelSpec model_spec = 1", "repeated string metadata_field = 2"],
    "GetModelMetadataResponse": ["map Any metadata = 2"],
    "GetModelStatusRequest": ["ModelSpec model_spec = 1"],
    "StatusProto": ["int32 error_code = 1", "string error_message = 2"],
    "ModelVersionStatus": ["int64 version = 1", "int32 state = 2", "StatusProto status = 3"],
    "GetModelStatusResponse": ["repeated ModelVersionStatus model_version_status = 1"],
    "Specific": ["repeated int64 versions = 1"],
    "ServableVersionPolicy": ["Specific specific = 102"],
    "ModelConfig": [
        "string name = 1",
        "string base_path = 2",
        "string model_platform = 4",
        "ServableVersionPolicy model_version_policy = 7",
    ],
    "ModelConfigList": ["repeated ModelConfig config = 1"],
    "ModelServerConfig": ["ModelConfigList model_config_list = 1"],
    "ReloadConfigRequest": ["ModelServerConfig config = 1"],
    "ReloadConfigResponse": ["StatusProto status = 1"],
}

_PACKAGE = "cortex.tensorflow"


@cache
def messages() -> dict[str, Any]:
    """The classes by their names. Made once."""
    file: Any = descriptor_pb2.FileDescriptorProto(name="cortex/tensorflow.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _declare(message, f".{_PACKAGE}.{name}", field)
    pool: Any = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {name: _class_of(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES}


def _declare(message: Any, path: str, declaration: str) -> None:
    left, number = declaration.split(" = ")
    *modifier, kind, name = left.split(" ")
    field = message.field.add(name=name, number=int(number), label=3 if modifier else 1)
    if modifier == ["map"]:
        # What `map<string, X>` stands for in a descriptor.
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _declare(entry, "", "string key = 1")
        _declare(entry, "", f"{kind} value = 2")
        field.type_name = f"{path}.{entry.name}"
    elif kind in _MESSAGES:
        field.type_name = f".{_PACKAGE}.{kind}"
    else:
        field.type = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
        return
    field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE


def _class_of(descriptor: Any) -> Any:
    # The name since protobuf 4.22, and the one before.
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    factory: Any = message_factory.MessageFactory()
    return factory.GetPrototype(descriptor)
