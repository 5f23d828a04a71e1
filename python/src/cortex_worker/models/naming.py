"""Names and versions as predictors give them, and what they are told of those that do not exist."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

from cortex_worker.errors import InvalidVersion, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The name of the model of `predictor.model_path`.
SINGLE_MODEL = "_cortex_default"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_NUMBER_LIMIT = 1 << 63
_SHOWN_CHARACTERS = 100
_SHOWN_CHOICES = 20


def parse_version(choice: Any) -> int | None:
    """The number that `choice` names, or None for the latest."""
    if choice is None or (isinstance(choice, str) and choice == "latest"):
        return None
    text = choice
    if not isinstance(choice, (str, bool)):
        try:
            text = str(operator.index(choice))
        except (TypeError, ValueError):  # ValueError: an integer of thousands of digits
            text = None
    if isinstance(text, str) and _NUMBER.fullmatch(text) and int(text) < _NUMBER_LIMIT:
        return int(text)
    raise InvalidVersion(
        f"{_shown(choice)} is not a model version: a version is a whole number below 2^63 without leading zeros, "
        'or "latest" (as is None)'
    )


def title(name: str, number: int | None = None) -> str:
    """A model, or a version of it, in a sentence."""
    model = "the model" if name == SINGLE_MODEL else f"model {_shown(name)}"
    return model if number is None else f"version {number} of {model}"


def missing_model(name: Any, available: Iterable[str]) -> ModelNotFound:
    """What is said of a name that no model has, or that was left out."""
    choices = _choices(sorted(available))
    if name is None:
        return ModelNotFound(f"model_name was not specified; {choices}")
    return ModelNotFound(f"model {_shown(name)} wasn't found in the list of available models; {choices}")


def missing_version(name: str, number: int, available: Iterable[int]) -> ModelNotFound:
    """What is said of a number that no version of the model has."""
    choices = _choices([str(each) for each in sorted(available, reverse=True)])
    return ModelNotFound(f"{title(name, number)} wasn't found; {choices}")


def without_versions(name: str) -> ModelNotFound:
    """What is said of a model that has no version at all."""
    return ModelNotFound(f"all versions of {title(name)} have been removed; add at least one")


def _choices(names: list[str]) -> str:
    if not names:
        return "there is none at the moment"
    more = len(names) - _SHOWN_CHOICES
    return f"available: {', '.join(names[:_SHOWN_CHOICES])}" + (f", and {more} more" if more > 0 else "")


def _shown(value: Any) -> str:
    # A value of a request may be of any size.
    try:
        text = repr(value[: _SHOWN_CHARACTERS + 1] if isinstance(value, str) else value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN_CHARACTERS + 2 else text[:_SHOWN_CHARACTERS] + "…'"
