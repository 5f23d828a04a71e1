"""Hooks that are put into a module when, and only if, user code imports it."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

Hook = Callable[[Any], None]


def install(hooks: dict[str, Hook]) -> None:
    """Have each hook called with its module: now where that is imported, else right after it has been."""
    sys.meta_path.insert(0, ImportWatch(hooks))
    for name, hook in hooks.items():
        module = sys.modules.get(name)
        if module is not None:
            _apply(hook, module)


def _apply(hook: Hook, module: Any) -> None:
    # A module that is not as it was when the hook was written does without it.
    with contextlib.suppress(Exception):
        hook(module)


class ImportWatch:
    """A finder that finds nothing by itself, but has the modules that others find tell of their end."""

    def __init__(self, hooks: dict[str, Hook]) -> None:
        self._hooks = hooks

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        hook = self._hooks.get(name)
        if hook is None:
            return None
        spec = self._find(name, path, target)
        if spec is not None:
            with contextlib.suppress(Exception):
                _watch(spec.loader, name, hook)
        return spec

    def _find(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


def _watch(loader: Any, name: str, hook: Hook) -> None:
    """Have the loader call the hook when it has run the module: the loader stays what it is, for whoever asks it."""
    if loader is None or isinstance(loader, type):
        return
    run = loader.exec_module

    def exec_module(module: Any) -> None:
        run(module)
        # Some loaders load more than one module.
        if module.__name__ == name:
            _apply(hook, module)

    loader.exec_module = exec_module
