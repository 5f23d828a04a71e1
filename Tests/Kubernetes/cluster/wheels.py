"""Python packages for pods, which have no way out: a folder of wheels, served in the cluster's network."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from cluster.commands import run, tell
from cluster.daemon import Daemon
from cluster.folders import built, cache, locked
from cluster.sandbox import NODE_ADDRESS, Sandbox

WHEELS_PORT = 8099
WHEELS_URL = f"http://{NODE_ADDRESS}:{WHEELS_PORT}/"
"""For `UV_FIND_LINKS`, with `UV_NO_INDEX=1`."""

REQUIREMENTS = (
    "starlette",
    "python-multipart",
    "numpy>=2,<3",
    "scikit-learn>=1.3,<2",
    "obstore>=0.8",
    "boto3>=1.34",
    "requests",
    "grpcio>=1.60,<2",
    "protobuf>=5,<8",
)
"""What the worker and the storage agent need, and what the predictors of the tests do."""

PYTHON = "3.11"
"""The image's."""


def wheelhouse() -> Path:
    """A folder of wheels for the image's Python, fetched where the cache lacks them."""
    wanted = "\n".join((PYTHON, *REQUIREMENTS))
    folder = cache() / "wheels" / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    with locked(folder.parent):
        if not folder.exists():
            tell("fetching wheels for the pods")
            with built(folder) as place:
                run(
                    [
                        *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", place),
                        *("--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"),
                        *(f"--platform={platform}" for platform in _platforms()),
                        *REQUIREMENTS,
                    ]
                )
    return folder


def wheel_server(sandbox: Sandbox) -> Daemon:
    """Serves the state's folder `wheels`, as a page with links."""
    return Daemon(
        sandbox,
        "wheels",
        [
            *(sys.executable, "-m", "http.server", str(WHEELS_PORT), f"--bind={NODE_ADDRESS}"),
            *("--directory", sandbox.state / "wheels"),
        ],
    )


def offer(folder: Path, state: Path) -> None:
    """Adds the wheels of a folder to those that a cluster serves."""
    # Tests that run beside each other offer the same ones.
    with locked(state / "wheels"):
        for wheel in folder.glob("*.whl"):
            place = state / "wheels" / wheel.name
            if not place.exists():
                unfinished = place.with_suffix(".unfinished")
                shutil.copyfile(wheel, unfinished)
                unfinished.rename(place)


def _platforms() -> list[str]:
    machine = run(["uname", "-m"]).strip()
    return [f"{tag}_{machine}" for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
