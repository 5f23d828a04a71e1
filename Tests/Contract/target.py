"""Where a project is deployed to: one machine, or a cluster."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Protocol

import requests


class Target(Protocol):
    """What a user has in either place: the command line, and the address of the APIs."""

    def cli(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command of `cortex` to its end, however that is."""

    def url(self, path: str) -> str:
        """The address of a path on the data port: `/NAME` of an API."""


def ok(target: Target, *arguments: str | Path, cwd: Path | None = None) -> str:
    """What a command prints; it must succeed."""
    done = target.cli(*arguments, cwd=cwd)
    assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def deploy(target: Target, project: Path) -> None:
    """Deploys a project's folder, and returns when all of it is live."""
    ok(target, "deploy", "cortex.yaml", "--wait", cwd=project)


def status(target: Target, api: str) -> dict[str, Any]:
    """What `cortex get` says of an API's state."""
    found: dict[str, Any] = json.loads(ok(target, "get", api, "-o", "json"))[0]["status"]
    return found


def post(target: Target, path: str, **options: Any) -> requests.Response:
    """POST on the data port."""
    return requests.post(target.url(path), timeout=options.pop("timeout", 60), **options)
