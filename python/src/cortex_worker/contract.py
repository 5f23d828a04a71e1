"""Check the predictor's class against the contract of its type, before anything of it is called."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Callable

from cortex_worker.errors import ContractError

#: What `predict` and `post_predict` may name of a request, in the order in which it is told to the server.
REQUEST_ARGUMENTS = ("payload", "query_params", "headers", "context")

#: The argument of the constructor that gets the client, by the type of the predictor.
CLIENT_ARGUMENTS = {"python": "python_client", "tensorflow": "tensorflow_client", "onnx": "onnx_client"}

_PREDICT = (*REQUEST_ARGUMENTS, "batch_id")
_POST_PREDICT = ("response", *REQUEST_ARGUMENTS)


@dataclass(frozen=True)
class Contract:
    """Which arguments each method gets: the names that it declares."""

    constructor: tuple[str, ...]
    predict: tuple[str, ...]
    post_predict: tuple[str, ...] | None

    @property
    def request_arguments(self) -> list[str]:
        """What of a request the server has to send."""
        named = {*self.predict, *(self.post_predict or ())}
        return [name for name in REQUEST_ARGUMENTS if name in named]

    def signature(self, name: str) -> list[str]:
        """The class and its methods with what they get, for people."""
        shown = [f"{name}({', '.join(self.constructor)})", f"predict({', '.join(self.predict)})"]
        if self.post_predict is not None:
            shown.append(f"post_predict({', '.join(self.post_predict)})")
        return shown


def check(predictor: type[Any], predictor_type: str = "python", models: bool = False) -> Contract:
    """The contract that `predictor` keeps. Raises `ContractError` with what is wrong and what is allowed.

    `models` says whether the API configures any; without them there is no client.
    """
    post_predict = _check_method(predictor, "post_predict", _POST_PREDICT) if _has(predictor, "post_predict") else None
    if _has(predictor, "on_job_complete"):
        _check_method(predictor, "on_job_complete", ())
    if predictor_type == "python":
        _check_load_model(predictor, models)
    constructor = _check_constructor(predictor, predictor_type, models)
    if not _has(predictor, "predict"):
        raise ContractError(f'class {predictor.__name__}: required method "predict" is not defined')
    return Contract(constructor, _check_method(predictor, "predict", _PREDICT), post_predict)


def _check_load_model(predictor: type[Any], models: bool) -> None:
    if _has(predictor, "load_model"):
        _check_method(predictor, "load_model", ("model_path",), required=("model_path",))
    elif models:
        raise ContractError(
            f'class {predictor.__name__}: required method "load_model" is not defined; '
            "it is called with the path of a model, since predictor.models (or predictor.model_path) is set"
        )


def _check_constructor(predictor: type[Any], predictor_type: str, models: bool) -> tuple[str, ...]:
    client = CLIENT_ARGUMENTS[predictor_type]
    where = f"class {predictor.__name__}: __init__"
    if predictor_type != "python" and not models:
        raise ContractError(
            f"class {predictor.__name__}: no models are configured; set predictor.models (or predictor.model_path)"
        )
    if predictor.__init__ is object.__init__:
        if models:
            raise ContractError(f'{where} is not defined, but must take "{client}": models are configured')
        return ()
    required = ("config", client) if models else ("config",)
    parameters = _parameters(predictor, "__init__", ("config", client, "metrics_client", "job_spec"), required)
    names = []
    for parameter in parameters:
        if parameter.name == client and not models:
            if parameter.default is Parameter.empty:
                raise ContractError(
                    f'{where}: "{client}" is named, but no models are configured; '
                    "set predictor.models (or predictor.model_path) in cortex.yaml, or leave the argument out"
                )
        else:
            names.append(parameter.name)
    return tuple(names)


def _check_method(
    predictor: type[Any], name: str, allowed: tuple[str, ...], required: tuple[str, ...] = ()
) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in _parameters(predictor, name, allowed, required))


def _has(predictor: type[Any], name: str) -> bool:
    return bool(getattr(predictor, name, None))


def _parameters(
    predictor: type[Any], name: str, allowed: tuple[str, ...], required: tuple[str, ...]
) -> list[Parameter]:
    """The parameters to inject: all but `self`, and but `*args` and `**kwargs`, which get nothing."""
    method: Callable[..., Any] = getattr(predictor, name)
    if not callable(method):
        raise ContractError(f'class {predictor.__name__}: "{name}" is defined, but is not a method')
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (ValueError, TypeError) as error:
        raise ContractError(f'class {predictor.__name__}: the signature of "{name}" cannot be read: {error}') from None
    shown = f"{name}({', '.join(str(parameter.replace(annotation=Parameter.empty)) for parameter in parameters)})"
    where = f'class {predictor.__name__}: invalid signature for method "{shown}"'

    named = [p for p in parameters if p.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    if not named or named[0].name != "self" or named[0].kind is Parameter.KEYWORD_ONLY:
        raise ContractError(f'{where}: "self" must be the first argument')
    named = named[1:]
    for parameter in named:
        if parameter.name not in allowed:
            choice = f"supported: {', '.join(allowed)}" if allowed else "it takes none besides self"
            raise ContractError(f'{where}: "{parameter.name}" is not a supported argument; {choice}')
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            raise ContractError(f'{where}: "{parameter.name}" is positional-only; arguments are passed by name')
    for missing in required:
        if missing not in {parameter.name for parameter in named}:
            hint = "; it is needed since models are configured" if missing == "python_client" else ""
            raise ContractError(f'{where}: "{missing}" is a required argument, but was not provided{hint}')
    return named
