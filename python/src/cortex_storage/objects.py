"""What a listing is made of, and which names are refused."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from cortex_storage.faults import StorageFault, printable


@dataclass(frozen=True)
class StoredObject:
    """One object, by its path below the root that was listed."""

    path: str
    size: int
    modified: int
    """Unix milliseconds."""
    tag: str | None

    def entry(self) -> dict[str, Any]:
        """The object as the frames carry it."""
        return {"path": self.path, "size": self.size, "modified": self.modified, "tag": self.tag}


def object_of(entry: dict[str, Any]) -> StoredObject:
    """The object that a frame of the server's names."""
    return StoredObject(str(entry["path"]), int(entry["size"]), int(entry["modified"]), entry.get("tag"))


def flaw(path: str) -> str | None:
    """Why no file below a folder can have this path; None where one can. The server checks the same."""
    if not path:
        return "its name is empty"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return "its name has a control character in it"
    parts = path.split("/")
    if path.startswith("/"):
        return "its name begins with /"
    if "" in parts:
        return "its name has an empty part"
    if "." in parts or ".." in parts:
        return "its name has . or .. as a part"
    if any(len(part.encode()) > 255 for part in parts):
        return "a part of its name is longer than 255 bytes"
    return None


def check(path: str, shown: str) -> None:
    """Refuse an object whose path is not safe to write.

    Raises:
        StorageFault: with the object's name.
    """
    reason = flaw(path)
    if reason:
        raise StorageFault("unsupported", f"{printable(shown)} cannot be a file: {reason}; rename or remove it")
