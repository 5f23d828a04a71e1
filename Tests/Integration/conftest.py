"""Fixtures: the built binary, running servers, and the five invariants of a fault."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

import pytest

from blackbox.models import run_script
from blackbox.pods import ProjectServer
from blackbox.s3 import S3
from blackbox.server import Cortex, Server
from blackbox.target import LocalTarget

pytest_plugins = ["blackbox.admission", "blackbox.again", "blackbox.limits", "blackbox.replicas", "blackbox.secure"]
"""Fixtures that several files share."""

pytest.register_assert_rewrite("contract", "target")

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary() -> Path:
    """The binary under test: `CORTEX_BINARY`, or what `make build` left."""
    path = Path(os.environ.get("CORTEX_BINARY", REPOSITORY / "bin" / "cortex")).absolute()
    if not path.exists():
        pytest.exit(f"{path} is not there: run `make build` first, or set CORTEX_BINARY", returncode=2)
    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short path, since the path of a Unix socket holds 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="cx-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(short_folder: Path) -> Iterator[Path]:
    """A fresh folder for one test."""
    path = Path(tempfile.mkdtemp(dir=short_folder))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def server(binary: Path, short_folder: Path) -> Iterator[Server]:
    """The server that tests share: each deploys APIs under names of its own."""
    with Server(binary, short_folder / "shared") as server:
        yield server


@pytest.fixture(scope="session")
def target(server: Server) -> LocalTarget:
    """One machine, for the contract."""
    return LocalTarget(server)


@pytest.fixture
def own_server(binary: Path, folder: Path) -> Iterator[Server]:
    """A server of one test, which may kill it."""
    with Server(binary, folder / "home") as server:
        yield server


@pytest.fixture
def new_server(binary: Path, folder: Path) -> Iterator[Callable[[str], Server]]:
    """Starts servers by the names of their homes; all are stopped in the end."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Server(binary, folder / name))


@pytest.fixture
def cortex(binary: Path, folder: Path) -> Iterator[Cortex]:
    """The command line, with a home where no server runs; one that a command starts is stopped."""
    cortex = Cortex(binary, folder / "home")
    yield cortex
    if cortex.run("server", "status").returncode == 0:
        cortex.run("server", "stop")


@pytest.fixture(scope="session")
def s3(short_folder: Path) -> Iterator[S3]:
    """An S3 server with the bucket that the documents name."""
    with S3(short_folder / "s3.output") as s3:
        s3.make("cortex-examples")
        yield s3


@pytest.fixture(scope="session")
def models_server(binary: Path, short_folder: Path, s3: S3) -> Iterator[Server]:
    """The server that tests of models share: it reads that S3 server, and looks for changes all the time."""
    settings = {"CORTEX_MODEL_POLL_INTERVAL": "500ms", **s3.environment}
    with Server(binary, short_folder / "models", None, **settings) as server:
        yield server


@pytest.fixture
def own_models_server(binary: Path, folder: Path, s3: S3) -> Iterator[Server]:
    """A server of one test that reads the S3 server, so that what is on its disk is this test's."""
    with Server(binary, folder / "home", None, CORTEX_MODEL_POLL_INTERVAL="500ms", **s3.environment) as server:
        yield server


@pytest.fixture(scope="session")
def saved_models(short_folder: Path) -> Path:
    """SavedModels for the tests: making them takes TensorFlow, which takes its time."""
    folder = short_folder / "saved-models"
    run_script(Path(__file__).parent / "predictors" / "saved_models.py", str(folder))
    return folder


@pytest.fixture(scope="session")
def pod_tools(short_folder: Path) -> Path:
    """Environments that the replicas of all tests share, as the pods of a node do."""
    return short_folder / "tools"


@pytest.fixture(scope="session")
def projects() -> Iterator[ProjectServer]:
    """What gives out projects, in place of an operator."""
    server = ProjectServer()
    yield server
    server.shutdown()
    server.server_close()
