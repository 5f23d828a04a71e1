"""What is below a root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import obstore
from obstore.exceptions import BaseError, InvalidPathError

from cortex_storage import index, s3
from cortex_storage.faults import StorageFault, of_store
from cortex_storage.objects import Flaws, StoredObject
from cortex_storage.together import each

if TYPE_CHECKING:
    from cortex_storage.place import Place

_PAGE = 1000
_CHECKS_AT_ONCE = 8
_FOLDERS_AT_ONCE = 4


async def listing(place: Place, limit: int) -> list[StoredObject]:
    """All objects below the root, by the bytes of their paths, and what can be none; markers of folders are left out.

    Raises:
        StorageFault: also where there are more than `limit`.
    """
    flaws = Flaws(place)
    if place.web is not None and not await index.speaks_dav(place):
        found = await index.walk(place, limit, flaws)
    else:
        listed = await _listed(place, limit, flaws)
        found = await _without_markers(place, [entry for entry in listed if not _is_flawed(entry, flaws)])
    found += flaws.entries()
    return sorted(found, key=lambda entry: entry.path.encode())


def _is_flawed(entry: StoredObject, flaws: Flaws) -> bool:
    # An empty object at the root itself is its marker.
    return bool(entry.path or entry.size) and flaws.takes(entry.path.split("/"))


def from_meta(path: str, meta: Any) -> StoredObject:
    """obstore's description of an object as ours."""
    return StoredObject(path, int(meta["size"]), int(meta["last_modified"].timestamp() * 1000), meta.get("e_tag"))


def too_many(place: Place, limit: int) -> StorageFault:
    """The root has more objects than were asked for."""
    return StorageFault(
        "tooMany", f"{place.shown('')} holds more than {limit:,} objects; name a folder that holds only models"
    )


async def _listed(place: Place, limit: int, flaws: Flaws) -> list[StoredObject]:
    try:
        return await _below(place, "", limit)
    except InvalidPathError as error:
        # obstore lists nothing where one key is none of its own paths.
        fault = of_store(error, place)
        if place.web is not None:
            raise fault from error
        if place.keys is None:
            return await _by_folders(place, limit, flaws)
        found: list[StoredObject] = []
        try:
            async for page in place.keys():
                found += page
                if len(found) > limit:
                    raise too_many(place, limit)
        except s3.ERRORS:
            raise fault from error
        return found
    except (BaseError, OSError) as error:
        raise of_store(error, place) from error


async def _below(place: Place, folder: str, limit: int) -> list[StoredObject]:
    # By WebDAV paths come from the root of the server, whatever the store's own root is.
    base = unquote(place.prefix) if place.web is not None else ""
    found: list[StoredObject] = []
    async for page in obstore.list(place.store, folder or None, chunk_size=_PAGE):
        found += [from_meta(meta["path"].removeprefix(base), meta) for meta in page]
        if len(found) > limit:
            raise too_many(place, limit)
    return found


async def _by_folders(place: Place, limit: int, flaws: Flaws) -> list[StoredObject]:
    """The objects of every folder that can be listed, and as a flaw every one that cannot."""
    found: list[StoredObject] = []

    async def visit(folder: str) -> None:
        try:
            found.extend(await _below(place, folder, limit))
        except InvalidPathError:
            await visit_level(folder)
        if len(found) > limit:
            raise too_many(place, limit)

    async def visit_level(folder: str) -> None:
        try:
            level = await obstore.list_with_delimiter_async(place.store, folder or None)
        except InvalidPathError as error:
            if not folder:
                raise
            flaws.add(folder, of_store(error, place).message)
            return
        found.extend(from_meta(meta["path"], meta) for meta in level["objects"])
        if len(found) > limit:
            raise too_many(place, limit)
        await each(level["common_prefixes"], visit, _FOLDERS_AT_ONCE)

    try:
        await visit_level("")
    except (BaseError, OSError) as error:
        raise of_store(error, place) from error
    return found


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
