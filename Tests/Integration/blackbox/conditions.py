"""Waiting for what can be observed."""

from __future__ import annotations

import selectors
import time
from typing import Callable, TypeVar

T = TypeVar("T")


def eventually(observe: Callable[[], T | None], what: str, within: float = 60) -> T:
    """The first truthy result of `observe`, which is asked until then.

    Only for what nothing announces, such as the end of another's process. An `AssertionError` of `observe` means "not
    yet", and is the failure's reason in the end.
    """
    end = time.monotonic() + within
    pause = 0.005
    while True:
        reason: AssertionError | None = None
        try:
            result = observe()
            if result:
                return result
        except AssertionError as error:
            reason = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what}") from reason
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def is_readable(descriptor: int, within: float) -> bool:
    """Whether there is something to read, or its end, in time. Not by `select`, which knows 1,024 descriptors."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(within))
