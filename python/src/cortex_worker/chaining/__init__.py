"""Calls from one API to another: `http://api-NAME:8888/predict` from inside a predictor.

What resolves names through Python's `socket` finds the server under the names of its APIs (`names.py`), and calls to it
tell what is known of the request that they are made for (`call.py`, and the hooks of the clients). Hooks are put into
clients when user code imports them (`imports.py`): the worker imports none.

No call fails for the sake of this: what goes wrong in a hook is passed over, and the call made as it would have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cortex_worker.chaining import imports, names
from cortex_worker.chaining.call import Calls
from cortex_worker.chaining.clients import hooks
from cortex_worker.chaining.place import Place

if TYPE_CHECKING:
    from cortex_worker.current import CurrentRequest


def install(address: str, current: CurrentRequest, resolves: bool = True) -> None:
    """Have `api-*` lead to the server at `address` (`127.88.0.1:8888`, `[::1]:9000`); to be called once.

    Without `resolves` the names are left to the system's resolver, which knows them (in a cluster).
    """
    place = Place.parse(address)
    if resolves:
        names.install(place)
    imports.install(hooks(Calls(place, current)))
