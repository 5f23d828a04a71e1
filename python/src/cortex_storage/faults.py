"""Failures in words: what was asked for, why it failed, what to do.

obstore tells most of a failure only in its text, which ends in a dump of the Rust error. This is the one place that
reads it; no part of the dump is shown.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cortex_storage.place import Place

_STATUS = re.compile(r"status(?: code)?: (\d{3})")
_CODE = re.compile(r"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})")
_ORIGIN = re.compile(r"(https?://)(?:[^/\s@]*@)?([^/\s?,)]+)")
_BAD_PATH = re.compile(r'[Pp]ath "([^"]*)"')
# Answers that S3 gives with 400 and that are about who asks.
_IDENTITY_CODES = {
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthorizationHeaderMalformed",
}
_CAUSES = (
    ("dns error", "its name cannot be resolved"),
    ("connection refused", "the connection is refused"),
    ("certificate", "its certificate is not trusted"),
    ("corrupt message", "it does not speak TLS; is the endpoint an http:// one"),
    ("invalidmessage", "it does not speak TLS; is the endpoint an http:// one"),
    ("network is unreachable", "the network is unreachable"),
    ("no route to host", "there is no route to it"),
    ("timedout", "it does not answer in time"),
    ("kind: timeout", "it does not answer in time"),
    ("badscheme", "plain http is not allowed for it"),
    ("timed out", "it does not answer in time"),
)
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file may not grow",
}


class StorageFault(Exception):
    """Why a request failed. `kind` is a case of the server's `StorageError`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def printable(text: str) -> str:
    """The text with nothing in it that could act on a terminal."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def bad_name(text: str) -> str:
    """The key that obstore refuses to list."""
    found = _BAD_PATH.search(text)
    return found[1] if found else "of an object"


def of_store(error: Exception, place: Place, path: str | None = None) -> StorageFault:
    """What obstore raised, while an object was read or, without `path`, while the root was listed."""
    text = str(error)
    subject = place.shown(path or "")
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    detail = _detail(code, found[1] if (found := _MESSAGE.search(text)) else "")
    if "InvalidPath" in type(error).__name__:
        return StorageFault(
            "unsupported",
            f"{printable(place.origin + bad_name(text))} cannot be a file: its name has an empty part, '.' or '..' "
            "as a part, or a control character; rename or remove it",
        )
    if code in ("NoSuchBucket", "ContainerNotFound"):
        return StorageFault("notFound", f"{subject}: there is no {place.container} in {place.server}; check its name")
    if status in (401, 403) or code in _IDENTITY_CODES or type(error).__name__ in _DENIED:
        return StorageFault("denied", f"{subject}: access is denied{detail}; {place.denial}")
    if status == 404 or isinstance(error, FileNotFoundError):
        if path is None:
            return StorageFault("notFound", f"{subject} is not there{detail}; check the path")
        return StorageFault("changed", f"{subject} is no longer there")
    if status in (412, 416):
        return changed(subject)
    if status in (301, 302, 307, 308) or "redirect" in text:
        return StorageFault("unsupported", f"{subject}: the store points to another place{detail}; set AWS_REGION")
    if status == 429 or status >= 500:
        return StorageFault("unreachable", f"{subject}: {place.server} answers with status {status}{detail}")
    if status:
        return StorageFault("failed", f"{subject}: {place.server} answers with status {status}{detail}")
    return _of_connection(text, subject, place.server)


_DENIED = ("PermissionDeniedError", "UnauthenticatedError")


def _detail(code: str, message: str) -> str:
    words = ": ".join(part for part in (code, message.strip().rstrip(".")) if part)
    return f" ({words})" if words else ""


def _of_connection(text: str, subject: str, server: str) -> StorageFault:
    origin = "".join(found.groups()) if (found := _ORIGIN.search(text)) else server
    lowered = text.lower()
    for mark, cause in _CAUSES:
        if mark in lowered:
            return StorageFault("unreachable", f"{subject}: cannot reach {origin}: {cause}; check the endpoint")
    if "error sending request" in text:
        return StorageFault("unreachable", f"{subject}: {origin} closed the connection")
    sentence = re.sub(r"^Generic \w+ error: ", "", text.split("\n", 1)[0]).strip().rstrip(".")
    return StorageFault("failed", f"{subject}: {sentence[:300]}")


def of_writing(error: Exception, place: Place, path: str) -> StorageFault:
    """What obstore raised while an object was put there, or removed."""
    fault = of_store(error, place, path)
    if fault.kind == "changed":
        # Nothing was asked of an object that is there: what is missing is what it lies in.
        return StorageFault("notFound", f"{place.shown(path)}: there is no {place.container} in {place.server}")
    if fault.kind == "denied":
        return StorageFault(fault.kind, f"{fault.message}; writing there has to be allowed too")
    return fault


def changed(subject: str) -> StorageFault:
    """The store has something else by now under this name."""
    return StorageFault("changed", f"{subject} has changed since it was listed")


def of_disk(error: OSError, subject: str, folder: str) -> StorageFault:
    """What the file system of this machine raised while `subject` was written."""
    if error.errno in _FULL:
        return StorageFault(
            "diskFull",
            f"{subject}: {_FULL[error.errno]} ({folder}); make room, or set predictor.models.disk_cache_size",
        )
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return StorageFault("unsupported", f"{subject} is an object and a folder at once; rename or remove one of them")
    return StorageFault("failed", f"{subject}: cannot be written to {folder}: {error.strerror}")
