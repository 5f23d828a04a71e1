"""From the predictor's file to all files of the project that it imports, and to what these need besides."""

from __future__ import annotations

import ast
import os
import pickletools
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cortex_imports.project import Source
from cortex_imports.statements import Import, imports_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cortex_imports.project import Project

# What is beyond these is found out when it runs.
_MOST_FILES = 5_000
_LARGEST_FILE = 4 << 20
_MOST_BYTES = 16 << 20
_LARGEST_PICKLE = 64 << 20


@dataclass
class Found:
    """Modules that are not the project's own, by their whole names."""

    needed: set[str] = field(default_factory=set)
    #: The code goes on without these.
    optional: set[str] = field(default_factory=set)
    #: Texts that may be names of modules; where they are, they may be imported.
    mentioned: set[str] = field(default_factory=set)


def scan(project: Project, predictor: str) -> Found:
    """What the predictor's file imports, and every module of the project that is reached from it.

    What cannot be read or parsed is passed over: the worker will say more of it.
    """
    found = Found()
    path = os.path.join(project.folder, predictor)
    if predictor.endswith(".pickle"):
        _scan_pickle(path, found)
        return found
    # What only optional imports lead to comes last: nothing in it is needed, unless it was reached before.
    waiting, later = deque([Source(path, "")]), deque[Source]()
    seen = {path}
    left = _MOST_BYTES
    while (waiting or later) and left > 0:
        is_needed = bool(waiting)
        source = (waiting or later).popleft()
        if not is_needed and source.path in seen:
            continue
        seen.add(source.path)
        tree, size = _parse(source.path)
        left -= size
        if tree is None:
            continue
        imports = imports_of(tree)
        found.mentioned |= imports.mentioned
        for group, needed in ((imports.needed, is_needed), (imports.optional, False)):
            foreign, queue = (found.needed, waiting) if needed else (found.optional, later)
            for module in _names(group, source.package):
                files = project.files_of(module)
                if files is None:
                    foreign.add(module)
                    continue
                for file in files:
                    if file.path not in seen and len(seen) < _MOST_FILES:
                        if needed:
                            seen.add(file.path)
                        queue.append(file)
    return found


def _names(imports: set[Import], package: str) -> Iterator[str]:
    """The whole names of all that may be modules."""
    for module, names, level in imports:
        base = module
        if level:
            parents = package.split(".") if package else []
            if level > len(parents):
                # Python refuses it too.
                continue
            base = ".".join(parents[: len(parents) - level + 1] + ([module] if module else []))
        if base:
            yield base
            yield from (f"{base}.{name}" for name in names)


def _parse(path: str) -> tuple[ast.Module | None, int]:
    """The file's tree, and how many bytes were read for it."""
    try:
        if os.path.getsize(path) > _LARGEST_FILE:
            return None, 0
        with open(path, "rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError:
        return None, 0
    try:
        return ast.parse(content), len(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, len(content)


def _scan_pickle(path: str, found: Found) -> None:
    """What a predictor that was saved by dill names, read off the pickle's instructions."""
    found.needed.add("dill")
    try:
        if os.path.getsize(path) > _LARGEST_PICKLE:
            return
        with open(path, "rb") as file:
            for instruction, argument, _ in pickletools.genops(file):
                if not isinstance(argument, str):
                    continue
                if instruction.name == "GLOBAL":
                    found.needed.add(argument.split(" ")[0])
                elif argument.isidentifier():
                    found.mentioned.add(argument)
    except (OSError, ValueError):
        return
