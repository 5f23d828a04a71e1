"""The imports in one file's syntax tree."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import NamedTuple

_IMPORTERS = frozenset({"import_module", "__import__"})
_EXITS = frozenset({"exit", "_exit", "quit", "abort"})
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError"})
_BROAD_ERRORS = frozenset({"Exception", "BaseException"})
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_LONGEST_NAME = 100


class Import(NamedTuple):
    """One import: `module` counted from `level` packages up, and the names taken from it, which may be modules."""

    module: str
    names: tuple[str, ...] = ()
    level: int = 0


@dataclass
class Imports:
    """What a file imports."""

    needed: set[Import] = field(default_factory=set)
    #: The code goes on without these.
    optional: set[Import] = field(default_factory=set)
    #: Texts that may be names of modules, in a file that imports by names which it computes.
    mentioned: set[str] = field(default_factory=set)


def imports_of(tree: ast.Module) -> Imports:
    """All imports of the file, in functions too; those that only a type checker or a script would run are left out."""
    found = Imports()
    texts: set[str] = set()
    computes = False
    # A stack instead of recursion: generated code may be nested deeper than Python's stack is.
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, optional = waiting.pop()
        imports = found.optional if optional else found.needed
        if isinstance(node, ast.Import):
            imports.update(Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names if alias.name != "*")
            imports.add(Import(node.module or "", names, node.level))
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and len(node.value) <= _LONGEST_NAME and _DOTTED.fullmatch(node.value):
                texts.add(node.value)
        else:
            if isinstance(node, ast.Call) and _last_name(node.func) in _IMPORTERS and node.args:
                called = _literal_import(node.args[0])
                if called is None:
                    computes = True
                else:
                    imports.add(called)
            waiting.extend(_parts(node, optional))
    if computes:
        found.mentioned = texts
    return found


def _parts(node: ast.AST, optional: bool) -> list[tuple[ast.AST, bool]]:
    """The node's children, and for each whether the code goes on where an import in it fails."""
    # `except*` of Python 3.11 has a class of its own.
    if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
        return _try_parts(node, optional)
    if isinstance(node, ast.If):
        return _if_parts(node, optional)
    if isinstance(node, (ast.With, ast.AsyncWith)) and any(map(_suppresses, node.items)):
        return [*((item, optional) for item in node.items), *((part, True) for part in node.body)]
    return [(child, optional) for child in ast.iter_child_nodes(node)]


def _try_parts(node: ast.AST, optional: bool) -> list[tuple[ast.AST, bool]]:
    body: list[ast.stmt] = getattr(node, "body", [])
    handlers: list[ast.ExceptHandler] = getattr(node, "handlers", [])
    only_imports = all(isinstance(part, (ast.Import, ast.ImportFrom, ast.Assign)) for part in body)
    goes_on = any(_takes_import_errors(each, only_imports) and not _ends(each.body) for each in handlers)
    guarded = [*body, *getattr(node, "orelse", [])]
    others = [*handlers, *getattr(node, "finalbody", [])]
    return [*((part, optional or goes_on) for part in guarded), *((part, optional) for part in others)]


def _takes_import_errors(handler: ast.ExceptHandler, only_imports: bool) -> bool:
    """Whether the handler is there for imports; one for every exception is, where nothing else can raise."""
    if handler.type is None:
        return only_imports
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {_last_name(kind) for kind in kinds}
    return bool(names & _IMPORT_ERRORS) or (only_imports and bool(names & _BROAD_ERRORS))


def _ends(body: list[ast.stmt]) -> bool:
    """Whether the code does not go on after these statements."""
    last = body[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return _last_name(last.value.func) in _EXITS
    return isinstance(last, ast.Raise)


def _if_parts(node: ast.If, optional: bool) -> list[tuple[ast.AST, bool]]:
    test = node.test
    rest: list[tuple[ast.AST, bool]] = [(part, optional) for part in [test, *node.orelse]]
    if _last_name(test) == "TYPE_CHECKING" or _is_main(test):
        return rest
    looks = any(isinstance(each, ast.Call) and _last_name(each.func) == "find_spec" for each in ast.walk(test))
    return [*rest, *((part, optional or looks) for part in node.body)]


def _is_main(test: ast.expr) -> bool:
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else []
    return any(_last_name(side) == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    if not isinstance(call, ast.Call) or _last_name(call.func) != "suppress":
        return False
    return bool({_last_name(each) for each in call.args} & (_IMPORT_ERRORS | _BROAD_ERRORS))


def _last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`, or of a plain `c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _literal_import(argument: ast.expr) -> Import | None:
    if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
        return None
    module = argument.value.lstrip(".")
    return Import(module, (), len(argument.value) - len(module))
