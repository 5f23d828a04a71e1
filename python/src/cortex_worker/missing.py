"""Which module an exception is about that could not be found."""

from __future__ import annotations

import os
import sys

# Exceptions may be chained in a circle.
_LONGEST_CHAIN = 16
_LONGEST_NAME = 200


def missing_module(error: BaseException) -> str | None:
    """The module that was not found, where that made `error`; None for one of the user's own, and for other errors.

    What is raised `from` a failed import counts as one, and so does an `ImportError` that a failed import was told as.
    An error that just happened while another was handled does not: the code had gone on without the module.
    """
    link: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if link is None:
            break
        if isinstance(link, ModuleNotFoundError):
            name = link.name
            return name if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and not _is_own(name) else None
        if link.__cause__ is not None:
            link = link.__cause__
        elif isinstance(link, ImportError) and not link.__suppress_context__:
            link = link.__context__
        else:
            break
    return None


def _is_own(name: str) -> bool:
    """Whether the module would be in a package of the user's: one that is there, and not installed."""
    import importlib.util

    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except Exception:
        # One that is half imported, or has a finder of its own that raises.
        return False
    if spec is None:
        return False
    places = [spec.origin] if spec.has_location and spec.origin else list(spec.submodule_search_locations or ())
    installed = tuple(os.path.join(os.path.realpath(prefix), "") for prefix in (sys.prefix, sys.base_prefix))
    return any(not os.path.realpath(place).startswith(installed) for place in places)
