"""What a server would say of an API's models, and the folders that it would bring them to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def model(*versions: int | tuple[int, str], signature_key: str | None = None) -> dict[str, Any]:
    """One model of a catalog; a version's generation is "a" unless it is given."""
    pairs = [(each, "a") if isinstance(each, int) else each for each in versions]
    known = {str(number): {"generation": name, "modified": 1000 + number, "size": 10} for number, name in pairs}
    return {"signature_key": signature_key, "versions": known}


def settings(**options: Any) -> dict[str, Any]:
    """The `models` of a `WELCOME`; keyword arguments without a meaning of their own are models."""
    own = {"single": False, "dynamic": False, "strict": True, "cache_size": None, "cache_memory": None}
    chosen = {name: options.pop(name, default) for name, default in own.items()}
    return {**chosen, "catalog": options}


def single(*versions: int | tuple[int, str], **options: Any) -> dict[str, Any]:
    """The `models` of an API with a `model_path`."""
    return settings(single=True, _cortex_default=model(*versions), **options)


class Disk:
    """Folders of versions, made when they are asked for: each holds a file `name` with what it is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.errors: dict[str, dict[str, Any]] = {}

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        name = "{model}-{version}-{generation}".format(**message)
        if name in self.errors:
            return self.errors[name]
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(name)
        return {"path": str(folder)}
