"""Projects written by a test."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class API:
    """One entry of a `cortex.yaml`."""

    name: str
    path: str = "predictor.py"
    predictor: dict[str, Any] = field(default_factory=dict)
    """Further keys of the `predictor` section."""
    sections: dict[str, Any] = field(default_factory=dict)
    """Further sections, such as `networking`."""

    def entry(self) -> dict[str, Any]:
        """The entry as `cortex.yaml` has it."""
        predictor = {"type": "python", "path": self.path, **self.predictor}
        return {"name": self.name, "kind": "RealtimeAPI", "predictor": predictor, **self.sections}


@dataclass(frozen=True)
class Splitter:
    """A traffic splitter in a `cortex.yaml`."""

    name: str
    weights: Mapping[str, int]
    """Of APIs, by their names; they add up to 100."""
    shadow: tuple[str, int] | None = None
    """The name and weight of the API that gets copies."""
    sections: dict[str, Any] = field(default_factory=dict)
    """Further sections, such as `networking`."""

    def entry(self) -> dict[str, Any]:
        """The entry as `cortex.yaml` has it."""
        apis: list[dict[str, Any]] = [{"name": name, "weight": weight} for name, weight in self.weights.items()]
        if self.shadow:
            apis.append({"name": self.shadow[0], "weight": self.shadow[1], "shadow": True})
        return {"name": self.name, "kind": "TrafficSplitter", "apis": apis, **self.sections}


def write(folder: Path, files: Mapping[str, str | bytes], *apis: API | Splitter) -> Path:
    """Puts a project into `folder`, made if need be; files that are there and not named stay.

    Sources may be indented like the test that holds them. JSON is YAML, so `cortex.yaml` is written as JSON.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(textwrap.dedent(content))
    if apis:
        (folder / "cortex.yaml").write_text(json.dumps([api.entry() for api in apis], indent=2))
    return folder
