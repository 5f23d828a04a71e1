"""What can go wrong before and around `predict`, one class per fact."""

from __future__ import annotations


class ContractError(Exception):
    """The predictor's class does not have the shape that its type asks for."""


class LoadError(Exception):
    """The predictor's file cannot be read or imported, for a reason that is not an exception of the user's."""


class MalformedPayload(Exception):
    """The body of a request cannot be read as its content type says. The text begins with the decoder's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnusableResult(Exception):
    """What `predict` returned cannot be sent."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ProtocolError(Exception):
    """The server sent what `docs/wire-protocol.md` does not allow."""


class ConnectionLost(Exception):
    """The slot's connection is gone: nobody will read what is written."""
