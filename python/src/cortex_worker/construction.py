"""Build the predictor, with its models at hand before its constructor runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex_worker.models.clients import Models


def construct(predictor_class: type[Any], arguments: dict[str, Any], models: Models | None) -> Any:
    """An instance of the user's class. What the constructor raises is raised.

    The client calls `load_model` of the instance, and the constructor may get models already: so the instance is made
    first, then its method is bound, then the constructor runs. That is what calling the class does too, unless its
    metaclass has a way of its own: then models can be had once that returns.
    """
    if models is None or type(predictor_class).__call__ is not type.__call__:
        predictor = predictor_class(**arguments)
        _bind(models, predictor)
        return predictor
    new: Any = predictor_class.__new__
    # The default takes no further arguments, one of the user's takes those of the constructor.
    predictor = new(predictor_class) if new is object.__new__ else new(predictor_class, **arguments)
    if isinstance(predictor, predictor_class):
        _bind(models, predictor)
        predictor.__init__(**arguments)
    return predictor


def _bind(models: Models | None, predictor: Any) -> None:
    if models is not None and hasattr(predictor, "load_model"):
        models.bind(predictor.load_model)
