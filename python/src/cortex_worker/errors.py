"""What can go wrong before and around `predict`, one class per fact."""

from __future__ import annotations

from typing import TypeVar

_Same = TypeVar("_Same", bound="ModelError")


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


class ModelError(Exception):
    """A model that a predictor asked for cannot be had.

    The text is for whoever wrote the predictor; `public` is what a client is told where nobody catches it. Neither
    holds a path of the disk.
    """

    def __init__(self, message: str, public: str | None = None, details: str | None = None) -> None:
        super().__init__(message)
        self.public = message if public is None else public
        #: For the log: the traceback of the user's or the library's exception behind this one. Text, since the
        #: exception itself would keep alive what its frames hold, half-loaded models included.
        self.details = details

    def again(self: _Same) -> _Same:
        """The same error, to be raised in another thread, or once more."""
        return type(self)(str(self), self.public, self.details)


class ModelNotFound(ModelError):
    """There is no such model, or no such version of it."""


class InvalidVersion(ModelError):
    """What was given as a version cannot be one."""


class ModelUnavailable(ModelError):
    """The model is known, but its files could not be brought to this machine; trying again later may help."""


class ModelLoadFailed(ModelError):
    """The model's files are there, but it could not be loaded."""


class InferenceFailed(Exception):
    """A model was there, but did not run on what it was given."""
