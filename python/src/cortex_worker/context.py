"""What `predict` and `post_predict` may know of their request."""

from __future__ import annotations

from cortex_worker.cancellation import Cancellations


class Context:
    """The request that is being answered, for predictors that name `context`."""

    __slots__ = ("_cancellations", "_number", "deadline", "request_id")

    def __init__(self, request_id: str, deadline: int, number: int, cancellations: Cancellations) -> None:
        self.request_id = request_id
        #: When the client's time is up, on the clock of `time.monotonic()`, in seconds; None: never.
        self.deadline: float | None = deadline / 1e9 if deadline else None
        self._number = number
        self._cancellations = cancellations

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more: the client has left, or its deadline has passed."""
        return self._number in self._cancellations

    def __repr__(self) -> str:
        return f"Context(request_id={self.request_id!r}, deadline={self.deadline}, cancelled={self.cancelled})"
