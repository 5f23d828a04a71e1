"""Answers with what it was given."""

import json
import os

from starlette.datastructures import FormData, UploadFile


def show(value):
    if isinstance(value, UploadFile):
        content = value.file.read()
        return {"filename": value.filename, "content_type": value.content_type, "content": content.decode("latin-1")}
    return value


class PythonPredictor:
    def predict(self, payload, query_params, headers):
        if query_params.get("answer") == "str":
            return payload["text"]
        if query_params.get("answer") == "pid":
            return os.getpid()
        if query_params.get("answer") == "headers":
            return [list(pair) for pair in headers.items()]
        if isinstance(payload, FormData):
            return {"type": "FormData", "items": [[key, show(value)] for key, value in payload.multi_items()]}
        if isinstance(payload, bytes):
            return {"type": "bytes", "length": len(payload), "hex": payload[:64].hex()}
        depth = 0
        inner = payload
        while isinstance(inner, list) and inner:
            depth, inner = depth + 1, inner[0]
        if depth > 8:
            return {"type": "list", "depth": depth}
        if isinstance(payload, str) and len(payload) > 1_000_000:
            return {"type": "str", "length": len(payload)}
        return {"type": type(payload).__name__, "value": payload, "text": json.dumps(payload)}
