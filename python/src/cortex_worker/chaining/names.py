"""Names of APIs resolve to the server; all other names as ever."""

from __future__ import annotations

import socket
from functools import wraps
from typing import TYPE_CHECKING, Any, Callable

from cortex_worker.chaining.place import PORT, is_api, is_name

if TYPE_CHECKING:
    from cortex_worker.chaining.place import Place


def install(place: Place) -> None:
    """Put the hooks in the place of the functions of `socket`, which all others in the standard library go through."""
    modules: Any = socket
    modules.getaddrinfo = _getaddrinfo(modules.getaddrinfo, place)
    if place.port == PORT:
        # They tell no port, so a name is all that can be put right.
        modules.gethostbyname = _by_name(modules.gethostbyname, lambda _: place.host)
        modules.gethostbyname_ex = _by_name(modules.gethostbyname_ex, lambda name: (name, [], [place.host]))


def _getaddrinfo(original: Callable[..., Any], place: Place) -> Callable[..., Any]:
    @wraps(original)
    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        try:
            if is_api(host, port):
                host, port = place.host, place.port
        except Exception:  # Whatever was given, it is for the original to judge.
            pass
        return original(host, port, *arguments, **options)

    return getaddrinfo


def _by_name(original: Callable[[Any], Any], answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @wraps(original)
    def resolve(name: Any, /) -> Any:
        try:
            # First as ever: with another port, a name like an API's may be that of a machine.
            return original(name)
        except OSError:
            if is_name(name):
                return answer(name)
            raise

    return resolve
