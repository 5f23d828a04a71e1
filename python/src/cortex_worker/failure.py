"""What a client is told of an exception, and what the log is."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from cortex_worker.errors import (
    InvalidVersion,
    MalformedPayload,
    ModelError,
    ModelLoadFailed,
    ModelNotFound,
    ModelUnavailable,
    UnusableResult,
)

if TYPE_CHECKING:
    from types import TracebackType

_MODEL_ANSWERS: dict[type[ModelError], tuple[int, str]] = {
    ModelNotFound: (404, "MODEL_NOT_FOUND"),
    InvalidVersion: (400, "INVALID_VERSION"),
    ModelUnavailable: (503, "MODEL_UNAVAILABLE"),
    ModelLoadFailed: (500, "MODEL_LOAD_FAILED"),
}
_RETRY_SECONDS = "1"

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Failure(NamedTuple):
    """An answer that is an error. `logged` is None where the log has nothing to add."""

    status: int
    report: dict[str, Any]
    logged: str | None
    out_of_memory: bool = False


def failure_of(error: BaseException) -> Failure:
    """How `error`, raised on the way from a request to its answer, is answered."""
    if isinstance(error, MalformedPayload):
        return Failure(400, {"code": error.code, "error": str(error)}, None)
    if isinstance(error, UnusableResult):
        report = {"code": "UNSERIALIZABLE_RESULT", "error": str(error)}
        if error.hint is not None:
            report["hint"] = error.hint
        return Failure(500, report, f"{error}; {error.hint}" if error.hint else str(error))
    if isinstance(error, MemoryError):
        report = {"code": "OUT_OF_MEMORY", "error": "the predictor ran out of memory"}
        return Failure(507, report, user_traceback(error), out_of_memory=True)
    if isinstance(error, ModelError):
        return _model_failure(error)
    if _is_http_exception(error):
        return _http_failure(error)
    report = {
        "code": "PREDICTOR_FAILED",
        "error": "the predictor raised an exception",
        "hint": "the traceback is in the logs of the API, under this request's id",
    }
    return Failure(500, report, user_traceback(error))


def _model_failure(error: ModelError) -> Failure:
    kind = next((each for each in _MODEL_ANSWERS if isinstance(error, each)), ModelLoadFailed)
    status, code = _MODEL_ANSWERS[kind]
    report: dict[str, Any] = {"code": code, "error": error.public}
    if status < 500:
        # The client's mistake, as the answer says.
        return Failure(status, report, None)
    if kind is ModelUnavailable:
        report["headers"] = [["retry-after", _RETRY_SECONDS]]
    else:
        report["hint"] = "the traceback is in the logs of the API"
    return Failure(status, report, f"{error.details}\n{error}" if error.details else str(error))


def _is_http_exception(error: BaseException) -> bool:
    # Not imported here: who raised one has imported it. FastAPI's is a subclass.
    exceptions: Any = sys.modules.get("starlette.exceptions")
    return exceptions is not None and isinstance(error, exceptions.HTTPException)


def _http_failure(error: Any) -> Failure:
    try:
        status = int(error.status_code)
        detail = error.detail
        try:
            json.dumps(detail, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            detail = str(detail)
        report = {"code": "HTTP_EXCEPTION", "error": str(detail) or f"status {status}", "detail": detail}
        # Old releases of starlette have no headers here.
        headers = getattr(error, "headers", None)
        if headers:
            report["headers"] = [[str(name).lower(), str(value)] for name, value in dict(headers).items()]
    except Exception as broken:
        return Failure(500, {"code": "PREDICTOR_FAILED", "error": "unusable HTTPException"}, user_traceback(broken))
    if not 200 <= status <= 599:
        logged = f"{user_traceback(error)}\nstatus {status} is no final HTTP status; allowed: 200 to 599"
        return Failure(500, {"code": "PREDICTOR_FAILED", "error": "the predictor raised an exception"}, logged)
    return Failure(status, report, None)


def describe(error: BaseException) -> str:
    """The exception's type and text, in one line if its text is one."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{name}: {text}" if text else name


def user_traceback(error: BaseException) -> str:
    """The traceback from the user's first frame on: the worker's own frames and the import system's are left out."""
    first: TracebackType | None = error.__traceback__
    while first is not None and _is_ours(first.tb_frame.f_code.co_filename):
        first = first.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, first)).rstrip("\n")
    except Exception:
        # An exception whose own text cannot be had.
        return f"{type(error).__qualname__} (its traceback cannot be printed)"


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OURS, "<frozen importlib"))
