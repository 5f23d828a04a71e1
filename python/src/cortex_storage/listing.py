"""What is below a root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import obstore
from obstore.exceptions import BaseError

from cortex_storage import index
from cortex_storage.faults import StorageFault, of_store
from cortex_storage.objects import StoredObject, check
from cortex_storage.together import each

if TYPE_CHECKING:
    from cortex_storage.place import Place

_PAGE = 1000
_CHECKS_AT_ONCE = 8


async def listing(place: Place, limit: int) -> list[StoredObject]:
    """All objects below the root, by the bytes of their paths; markers of folders are left out.

    Raises:
        StorageFault: also where there are more than `limit`, or one whose name is refused.
    """
    if place.web is not None and not await index.speaks_dav(place):
        found = await index.walk(place, limit)
    else:
        found = await _without_markers(place, await _listed(place, limit))
    for entry in found:
        check(entry.path, place.shown(entry.path))
    return sorted(found, key=lambda entry: entry.path.encode())


def from_meta(path: str, meta: Any) -> StoredObject:
    """obstore's description of an object as ours."""
    return StoredObject(path, int(meta["size"]), int(meta["last_modified"].timestamp() * 1000), meta.get("e_tag"))


def too_many(place: Place, limit: int) -> StorageFault:
    """The root has more objects than were asked for."""
    return StorageFault(
        "tooMany", f"{place.shown('')} holds more than {limit:,} objects; name a folder that holds only models"
    )


async def _listed(place: Place, limit: int) -> list[StoredObject]:
    # By WebDAV paths come from the root of the server, whatever the store's own root is.
    base = unquote(place.prefix) if place.web is not None else ""
    found: list[StoredObject] = []
    pages: Any = obstore.list(place.store, chunk_size=_PAGE).__aiter__()
    try:
        while True:
            try:
                page = await pages.__anext__()
            except StopAsyncIteration:
                return found
            found += [from_meta(meta["path"].removeprefix(base), meta) for meta in page]
            if len(found) > limit:
                raise too_many(place, limit)
    except (BaseError, OSError) as error:
        raise of_store(error, place) from error


async def _without_markers(place: Place, found: list[StoredObject]) -> list[StoredObject]:
    """Consoles mark a folder with an empty object whose key ends in `/`; obstore lists it without that `/`.

    So an empty object with others below it is a marker, and any other is one if nothing can be read at its name.
    """
    folders = {""}
    for entry in found:
        parent = entry.path.rpartition("/")[0]
        while parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    kept = [entry for entry in found if entry.size or entry.path not in folders]
    markers: set[str] = set()

    async def judge(entry: StoredObject) -> None:
        try:
            await obstore.head_async(place.store, entry.path)
        except FileNotFoundError:
            markers.add(entry.path)
        except (BaseError, OSError) as error:
            raise of_store(error, place, entry.path) from error

    if place.web is None:
        await each([entry for entry in kept if entry.size == 0], judge, _CHECKS_AT_ONCE)
    return [entry for entry in kept if entry.path not in markers]
