"""What a call to another API tells of the request that it is made for."""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Callable

    from cortex_worker.chaining.place import Place
    from cortex_worker.current import CurrentRequest, Trace

REQUEST_ID, TIMEOUT, HOPS = "X-Request-ID", "X-Request-Timeout", "X-Cortex-Hops"
# A deadline that has just passed: 0 would be no time at all, which is refused as such.
_SHORTEST_NS = 1_000_000


class Calls:
    """Calls to the server of this process, as hooks see them."""

    def __init__(self, place: Place, current: CurrentRequest) -> None:
        self.place = place
        self._current = current

    def headers(self, host: object, port: object, given: Callable[[], Container[str]]) -> list[tuple[str, str]]:
        """The headers to add to a call: none for other hosts, and none that the user has given.

        `given` tells the latter; it is called only where it counts, and asked for names in lower case.
        """
        if not self.place.is_reached_by(host, port):
            return []
        headers = [(HOPS, str(self._current.hops + 1))]
        trace: Trace = ()
        request = self._current.request
        if request is not None:
            request_id, deadline, _, trace = request
            headers.append((REQUEST_ID, request_id))
            if deadline:
                left = max(deadline - monotonic_ns(), _SHORTEST_NS)
                headers.append((TIMEOUT, f"{left / 1e9:.3f}"))
        own = given()
        # The two make one context: a predictor that writes its own spans has put its own there.
        if trace and not any(name in own for name, _ in trace):
            headers += [(name, value) for name, value in trace]
        return [header for header in headers if header[0].lower() not in own]
