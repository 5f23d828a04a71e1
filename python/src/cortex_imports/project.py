"""Where a project's own modules are, as Python would find them."""

from __future__ import annotations

import os
from typing import NamedTuple


class Source(NamedTuple):
    """A file of the project's own, and the package that its relative imports start from."""

    path: str
    package: str


class Project:
    """A project folder and the folders in it that modules are looked for in."""

    def __init__(self, folder: str, python_path: str | None = None) -> None:
        self.folder = folder
        # In this order `python_path` and the project come on the worker's module path; a `src` folder takes part where
        # the project is installed as a package, which is then not found at the root.
        places = [os.path.join(folder, python_path)] if python_path else []
        places.append(folder)
        if any(os.path.isfile(os.path.join(folder, name)) for name in ("pyproject.toml", "setup.py")):
            places.append(os.path.join(folder, "src"))
        self._roots = list(dict.fromkeys(os.path.normpath(place) for place in places))

    def files_of(self, module: str) -> list[Source] | None:
        """The files that importing `module` runs, its packages first; None where it is not the project's own.

        A name beyond the last file is taken for an attribute. A folder without `__init__.py` counts only if the name
        leads to a file in it: else an installed package of that name would be preferred to it.
        """
        parts = module.split(".")
        for root in self._roots:
            place = os.path.join(root, parts[0])
            if os.path.isfile(os.path.join(place, "__init__.py")) or os.path.isfile(place + ".py"):
                return _walk(root, parts)
        for root in self._roots:
            if os.path.isdir(os.path.join(root, parts[0])) and (found := _walk(root, parts)):
                return found
        return None


def _walk(root: str, parts: list[str]) -> list[Source]:
    files: list[Source] = []
    place = root
    names: list[str] = []
    for part in parts:
        package = ".".join(names)
        place = os.path.join(place, part)
        names.append(part)
        initialiser = os.path.join(place, "__init__.py")
        if os.path.isfile(initialiser):
            files.append(Source(initialiser, ".".join(names)))
        elif os.path.isfile(place + ".py"):
            files.append(Source(place + ".py", package))
            break
        elif not os.path.isdir(place):
            break
    return files
