"""Keeps files of the server's in a store: each is there whole, under its name, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError

from cortex_storage.faults import StorageFault, of_store, of_writing
from cortex_storage.listing import from_meta
from cortex_storage.objects import check
from cortex_storage.together import each

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cortex_storage.objects import StoredObject
    from cortex_storage.place import Place

_PART = 8 << 20
"""Bytes of a file that are sent at once: one is through, on a slow line, before a silent answer is given up."""
_PARTS_AT_ONCE = 4
_REMOVALS_AT_ONCE = 8


async def put(place: Place, path: str, file: str) -> None:
    """Put a file of this machine there; it appears when all of it has come, in place of one with this name.

    Raises:
        StorageFault: it is not there then, or as it was.
    """
    check(path, place.shown(path))
    _refuse_web(place)
    source = Path(file)
    try:
        size = source.stat().st_size
    except OSError as error:
        raise StorageFault("failed", f"{file} cannot be read: {error.strerror}") from error
    try:
        await obstore.put_async(
            place.store,
            path,
            source,
            use_multipart=size > _PART,
            chunk_size=_PART,
            max_concurrency=_PARTS_AT_ONCE,
        )
    except (BaseError, OSError) as error:
        raise of_writing(error, place, path) from error


async def find(place: Place, path: str) -> StoredObject | None:
    """Look for one object, by its exact name.

    Raises:
        StorageFault: nobody knows whether it is there.
    """
    check(path, place.shown(path))
    try:
        return from_meta(path, await obstore.head_async(place.store, path))
    except FileNotFoundError:
        return None
    except (BaseError, OSError) as error:
        raise of_store(error, place, path) from error


async def remove(place: Place, paths: Iterable[str]) -> None:
    """Remove objects; what is not there is no failure.

    Raises:
        StorageFault: some of them may be there still.
    """
    _refuse_web(place)

    async def one(path: str) -> None:
        check(path, place.shown(path))
        try:
            await obstore.delete_async(place.store, path)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise of_writing(error, place, path) from error

    await each(paths, one, _REMOVALS_AT_ONCE)


def _refuse_web(place: Place) -> None:
    if place.web is not None:
        raise StorageFault(
            "unsupported", f"{place.shown('')} is a web server's; files are kept in s3://, gs:// or az://"
        )
