"""What a listing is made of, and which names are refused."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cortex_storage.faults import StorageFault, printable

if TYPE_CHECKING:
    from cortex_storage.place import Place

MOST_FLAWS = 1000
"""In one listing; the server has the same bound."""
_LONGEST = 255


@dataclass(frozen=True)
class StoredObject:
    """One object, by its path below the root that was listed."""

    path: str
    size: int
    modified: int
    """Unix milliseconds."""
    tag: str | None
    flaw: str | None = None
    """Why it can never be fetched, in a sentence; None for what can be."""

    def entry(self) -> dict[str, Any]:
        """The object as the frames carry it."""
        entry = {"path": self.path, "size": self.size, "modified": self.modified, "tag": self.tag}
        return {**entry, "flaw": self.flaw} if self.flaw else entry


def object_of(entry: dict[str, Any]) -> StoredObject:
    """The object that a frame of the server's names."""
    return StoredObject(str(entry["path"]), int(entry["size"]), int(entry["modified"]), entry.get("tag"))


def flaw(path: str) -> str | None:
    """Why no file below a folder can have this path; None where one can. The server checks the same."""
    if not path:
        return "its name is empty"
    if path.startswith("/"):
        return "its name begins with /"
    return next(filter(None, map(_part_flaw, path.split("/"))), None)


def _part_flaw(part: str) -> str | None:
    if not part:
        return "its name has an empty part"
    if any(_is_control(character) for character in part):
        return "its name has a control character in it"
    if part in (".", ".."):
        return "its name has . or .. as a part"
    if "/" in part:
        return "/ is in its name"
    if len(part.encode()) > _LONGEST:
        return f"a part of its name is longer than {_LONGEST} bytes"
    return None


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")


def _escaped(part: str) -> str:
    """A name that no file may have, written such that one may; no two are written alike."""
    if part in ("", ".", ".."):
        return "\\." * len(part) or "(empty)"
    text = "".join(
        f"\\u{{{ord(character):x}}}" if character == "/" or _is_control(character) else character
        for character in part.replace("\\", "\\\\")
    )
    if len(text.encode()) <= _LONGEST:
        return text
    return f"{text.encode()[:200].decode(errors='ignore')}…{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def check(path: str, shown: str) -> None:
    """Refuse an object whose path is not safe to write.

    Raises:
        StorageFault: with the object's name.
    """
    reason = flaw(path)
    if reason:
        raise StorageFault("unsupported", _sentence(shown, reason))


def _sentence(shown: str, reason: str) -> str:
    return f"{printable(shown)} cannot be a file: {reason}; rename or remove it"


class Flaws:
    """What is at a place and can be no object. It is listed, so that it harms what it lies in and nothing else."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._found: dict[str, StoredObject] = {}

    def takes(self, parts: list[str]) -> bool:
        """Whether one of these names, which lie in one another, can be no file's. All that is below it is one flaw."""
        for index, part in enumerate(parts):
            reason = _part_flaw(part)
            if reason:
                path = "/".join([*parts[:index], _escaped(part)])
                self.add(path, _sentence(self._place.shown("/".join(parts)), reason))
                return True
        return False

    def add(self, path: str, sentence: str) -> None:
        """Note what is wrong at a path.

        Raises:
            StorageFault: there is too much of it.
        """
        self._found.setdefault(path, StoredObject(path, 0, 0, None, sentence))
        if len(self._found) > MOST_FLAWS:
            root = self._place.shown("")
            raise StorageFault("tooMany", f"{root} holds more than {MOST_FLAWS:,} entries like this: {sentence}")

    def entries(self) -> list[StoredObject]:
        """All of them."""
        return list(self._found.values())
