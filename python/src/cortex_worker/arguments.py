"""The request as `predict` and `post_predict` see it: by name, and only what they name."""

from __future__ import annotations

import json
from typing import Any

from cortex_worker.cancellation import Cancellations
from cortex_worker.context import Context
from cortex_worker.contract import Contract


class ArgumentBuilder:
    """Builds the keyword arguments of one request. Starlette is imported only where its types are named."""

    def __init__(self, contract: Contract, cancellations: Cancellations) -> None:
        named = {*contract.predict, *(contract.post_predict or ())}
        self._cancellations = cancellations
        self.payload_only = named == {"payload"}
        self._payload = "payload" in named
        self._query_params: Any = None
        self._headers: Any = None
        if "query_params" in named:
            from starlette.datastructures import QueryParams

            self._query_params = QueryParams
        if "headers" in named:
            from starlette.datastructures import Headers

            self._headers = Headers
        self._context = "context" in named
        self._batch_id = "batch_id" in named

    def build(self, payload: Any, meta: dict[str, Any], request_id: str, deadline: int, number: int) -> dict[str, Any]:
        """Everything that either method names."""
        arguments: dict[str, Any] = {}
        if self._payload:
            arguments["payload"] = payload
        if self._query_params is not None:
            arguments["query_params"] = self._query_params(meta.get("query", ""))
        if self._headers is not None:
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in meta.get("headers", ())]
            arguments["headers"] = self._headers(raw=raw)
        if self._context:
            arguments["context"] = Context(request_id, deadline, number, self._cancellations)
        if self._batch_id:
            arguments["batch_id"] = None
        return arguments


def parse_meta(text: memoryview) -> dict[str, Any]:
    """The JSON object that comes with a request; empty where nothing comes."""
    if not text:
        return {}
    meta: dict[str, Any] = json.loads(bytes(text))
    return meta


def select(arguments: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the arguments that one method names."""
    return {name: arguments[name] for name in names}
