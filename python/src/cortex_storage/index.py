"""Folders of web servers: WebDAV where it is spoken, else the pages that list a folder (Apache, nginx, Python)."""

from __future__ import annotations

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urldefrag, urljoin

import obstore
from obstore.exceptions import BaseError

from cortex_storage.faults import StorageFault, of_store
from cortex_storage.pages import ask
from cortex_storage.together import each

if TYPE_CHECKING:
    from cortex_storage.objects import Flaws, StoredObject
    from cortex_storage.pages import Page
    from cortex_storage.place import Place

_DEEPEST = 32
_PAGES_AT_ONCE = 4
_HEADS_AT_ONCE = 8
_OF_ONE = ("denied", "notFound", "unsupported")
"""Kinds of faults that say something about one name only."""
_ASKERS = ThreadPoolExecutor(32, "ask")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


async def speaks_dav(place: Place) -> bool:
    """Whether the server lists folders by WebDAV."""
    page = await _ask(place, "", "OPTIONS")
    return page.status < 400 and "dav" in page.headers


async def walk(place: Place, limit: int, flaws: Flaws) -> list[StoredObject]:
    """All files that the pages below the root lead to, a level at a time."""
    from cortex_storage.listing import too_many

    files: set[str] = set()
    seen = {""}
    level = [""]
    for _ in range(_DEEPEST):
        below: set[str] = set()

        async def visit(folder: str, below: set[str] = below, count: int = len(seen)) -> None:
            try:
                page = await _page(place, folder)
            except StorageFault as fault:
                # Another folder is none the worse for it; a server that is away is away for all.
                if not folder or fault.kind not in _OF_ONE:
                    raise
                flaws.add(folder.rstrip("/"), fault.message)
                return
            for path in _entries(place, folder, page, flaws):
                (below if path.endswith("/") else files).add(path)
                if len(files) + count + len(below) > limit:
                    raise too_many(place, limit)

        await each(level, visit, _PAGES_AT_ONCE)
        level = sorted(below - seen)
        seen |= below
        if not level:
            break
    for folder in level:
        flaws.add(folder.rstrip("/"), f"{place.shown(folder)} is deeper than {_DEEPEST} folders")
    return await _described(place, sorted(files), flaws)


async def _page(place: Place, folder: str) -> Page:
    page = await _ask(place, folder, "GET")
    subject = place.shown(folder)
    if page.status == 404:
        raise StorageFault("notFound", f"{subject} is not there; check the path")
    if page.status in (401, 403):
        raise StorageFault("denied", f"{subject}: access is denied (status {page.status}); {place.denial}")
    if page.status >= 400:
        kind = "unreachable" if page.status >= 500 or page.status == 429 else "failed"
        raise StorageFault(kind, f"{subject}: {place.server} answers with status {page.status}")
    if "html" not in page.headers.get("content-type", ""):
        raise StorageFault("unsupported", f"{subject} is no folder: the server gives no page that lists its files")
    return page


async def _ask(place: Place, folder: str, method: str) -> Page:
    try:
        return await asyncio.get_running_loop().run_in_executor(_ASKERS, ask, f"{place.web}{quote(folder)}", method)
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        reason = (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
        raise StorageFault("unreachable", f"{place.shown(folder)}: cannot reach {place.server}: {reason}") from error


def _entries(place: Place, folder: str, page: Page, flaws: Flaws) -> list[str]:
    """The files and folders (these end in `/`) that a page links to, relative to the root; others are ignored."""
    links = _Links()
    links.feed(page.text)
    known = {tuple(_parts(url)[:-1]) for url in (f"{place.web}{quote(folder)}", page.url)}
    found = []
    for link in links.found:
        target = urldefrag(urljoin(page.url, link.strip())).url
        parts = _parts(target)
        names = next((parts[len(start) :] for start in known if tuple(parts[: len(start)]) == start), [])
        is_folder = names[-1:] == [""]
        names = names[:-1] if is_folder else names
        # Links that sort the page have a query; the page itself has no name of its own.
        if not names or "?" in target:
            continue
        if not flaws.takes([*folder.split("/")[:-1], *names]):
            found.append(folder + "/".join(names) + ("/" if is_folder else ""))
    return found


def _parts(url: str) -> list[str]:
    """What is between the slashes of a URL: a name may hold one that is encoded."""
    return [unquote(part) for part in url.split("/")]


async def _described(place: Place, paths: list[str], flaws: Flaws) -> list[StoredObject]:
    """The files with what a server tells of each."""
    from cortex_storage.listing import from_meta

    found: list[StoredObject] = []

    async def describe(path: str) -> None:
        try:
            meta = await obstore.head_async(place.store, path)
        except FileNotFoundError:
            flaws.add(path, f"{place.shown(path)} is linked to, and is not there")
        except (BaseError, OSError) as error:
            fault = of_store(error, place, path)
            if fault.kind not in _OF_ONE:
                raise fault from error
            flaws.add(path, fault.message)
        else:
            found.append(from_meta(path, meta))

    await each(paths, describe, _HEADS_AT_ONCE)
    return found
