"""From a project to an environment: what is installed, in which order, and what is said where that fails."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.modules import PLAIN, Files, predictor
from blackbox.processes import is_alive
from blackbox.project import API, write
from blackbox.server import Cortex, Server
from blackbox.wheels import Index, wheel


@pytest.fixture(scope="session")
def wheelhouse(short_folder: Path) -> Path:
    """A folder with all that a worker needs, and six."""
    folder = short_folder / "wheelhouse"
    command = [shutil.which("python3") or sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:"]
    packages = ["starlette", "python-multipart", "six"]
    done = subprocess.run([*command, "--dest", folder, *packages], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no pip that can download: {done.stderr}")
    return folder


def test_everything_sees_the_variables_in_the_documented_order(server: Server, folder: Path, wheelhouse: Path) -> None:
    """`dependencies.sh` first, which finds a `pip` of its own; then the requirements, from where `.env` says."""
    houses = folder / "houses"
    shutil.copytree(wheelhouse, houses)
    wheel(houses, "ours")
    files: Files = {
        ".env": f"PIP_FIND_LINKS={houses}\nPIP_NO_INDEX=1\nUV_CACHE_DIR={folder}/cache\nWHOSE=ours\n",
        "dependencies.sh": """
            pip install --quiet six
            python -c 'import six, sys; assert sys.prefix != sys.base_prefix'
            echo "made for $WHOSE" > made.txt
            printf '%s\\n' "$WHOSE" > requirements.txt
        """,
        "predictor.py": predictor("import ours, six", "[ours.version, six.__name__, open('made.txt').read()]"),
    }
    project = write(folder / "project", files, API("build-order"))
    server.deploy(project)
    assert server.post("build-order", json={}).json() == ["1", "six", "made for ours\n"]
    # The second time nothing is run, and what the script made is there again.
    write(project, {"predictor.py": predictor("import ours, six", "open('made.txt').read()")})
    server.deploy(project)
    assert server.post("build-order", json={}).text == "made for ours\n"
    assert server.logs("build-order").count("running dependencies.sh") == 1
    server.ok("delete", "build-order")


def test_a_package_of_the_project_outlives_the_version_that_brought_it(server: Server, folder: Path) -> None:
    """`-e .` leads to a copy that stays with the environment."""
    files: Files = {
        "requirements.txt": "-e .\n",
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "ours"\nversion = "1"\n[tool.setuptools]\npackages = ["ours"]\npackage-dir = {"" = "src"}\n',
        "src/ours/__init__.py": "value = 41\n",
        "predictor.py": predictor("import ours", "ours.value"),
    }
    project = write(folder, files, API("build-editable"))
    server.deploy(project)
    assert server.post("build-editable", json={}).json() == 41
    # Same project, other workers: the first version's folder is gone.
    server.ok("refresh", "build-editable")
    server.await_log("build-editable", "version 2 is live")
    assert server.post("build-editable", json={}).json() == 41
    server.ok("delete", "build-editable")


def test_what_a_request_misses_is_looked_for_again(own_server: Server, folder: Path, wheelhouse: Path) -> None:
    """Where the index cannot be reached when a request misses a package, it comes once it can."""
    index = Index(wheelhouse)
    env = {"UV_DEFAULT_INDEX": index.url, "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": f"{folder}/cache"}
    files: Files = {"predictor.py": predictor("__import__(payload).__name__")}
    with index:
        own_server.deploy(write(folder / "project", files, API("misses", predictor={"env": env})))
    assert own_server.post("misses", json="six").status_code == 500
    own_server.await_log("misses", "it is tried again in 10s")
    assert own_server.post("misses", json="json").text == "json"
    with index:
        eventually(lambda: own_server.post("misses", json="six").text == "six", "six is there")
    assert own_server.json("get", "misses")[0]["status"]["status_code"] == "status_live"


def test_the_index_is_tried_again_by_itself(own_server: Server, folder: Path, wheelhouse: Path) -> None:
    """Once it can be reached the API comes up, without another deploy."""
    index = Index(wheelhouse)
    env = {"UV_DEFAULT_INDEX": index.url, "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": f"{folder}/cache"}
    files: Files = {"predictor.py": predictor("import six", "six.__name__"), "requirements.txt": "six\n"}
    project = write(folder / "project", files, API("later", predictor={"env": env}))
    done = own_server.run("deploy", "cortex.yaml", "--wait", cwd=project)
    assert done.returncode == 1
    assert "it is tried again in 10s" in done.stderr
    with index:

        def is_live() -> bool:
            answer = own_server.post("later", json={})
            assert answer.status_code == 200, own_server.logs("later")
            return True

        eventually(is_live, "the API is live")
    assert own_server.json("get", "later")[0]["status"]["status_code"] == "status_live"
    output = own_server.output.read_text() + own_server.logs("later")
    assert "hunter2" not in output


@pytest.fixture
def gate(folder: Path) -> Path:
    """A pipe that a script waits at."""
    path = folder / "gate"
    os.mkfifo(path)
    return path


def waiting_script(folder: Path, gate: Path) -> str:
    """Writes down its process and that it ran, then waits at the gate."""
    return f"echo $$ >> {folder}/pids\necho waiting\nread x < {gate}\n"


def pids(folder: Path) -> list[int]:
    """The processes of scripts that have been started."""
    file = folder / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_a_script_that_never_ends_is_ended(binary: Path, folder: Path, gate: Path) -> None:
    """After the limit, with a message that names it."""
    with Server(binary, folder / "home", CORTEX_DEPENDENCIES_TIMEOUT="3s") as server:
        files: Files = {"predictor.py": PLAIN, "dependencies.sh": waiting_script(folder, gate)}
        project = write(folder / "project", files, API("endless"))
        done = server.run("deploy", "cortex.yaml", "--wait", cwd=project)
        assert done.returncode == 1
        assert "dependencies.sh: it did not end within 3s (CORTEX_DEPENDENCIES_TIMEOUT) and was ended" in done.stderr
        server.await_end(pids(folder)[0])


def test_a_deploy_shows_what_is_being_done(own_server: Server, folder: Path, gate: Path) -> None:
    """In `get` while it lasts, and as events afterwards; a newer deploy ends a build that nobody wants any more."""
    files: Files = {"predictor.py": PLAIN, "dependencies.sh": waiting_script(folder, gate)}
    project = write(folder / "project", files, API("shown"))
    own_server.ok("deploy", "cortex.yaml", cwd=project)

    def progress() -> Any:
        return own_server.json("get", "shown")[0]["status"].get("progress")

    eventually(lambda: progress() == "running dependencies.sh", "the script is shown")
    pid = eventually(lambda: pids(folder), "the script runs")[0]
    (project / "dependencies.sh").unlink()
    own_server.ok("deploy", "cortex.yaml", "--force", "--wait", cwd=project)
    own_server.await_end(pid)
    assert progress() is None
    log = own_server.logs("shown")
    for step in ("creating an environment with Python 3.", "running dependencies.sh", "resolving ", "installing "):
        assert step in log
    assert "2 wanted" not in own_server.ok("describe", "shown")


def test_a_build_ends_with_the_api_that_wants_it(own_server: Server, folder: Path, gate: Path) -> None:
    """Nobody waits for it any more once the API is deleted, or deployed anew without its script."""
    files: Files = {"predictor.py": PLAIN, "dependencies.sh": waiting_script(folder, gate)}
    project = write(folder / "project", files, API("unwanted"))
    own_server.ok("deploy", "cortex.yaml", "--no-wait", cwd=project)
    first = eventually(lambda: pids(folder), "the script runs")[0]
    own_server.ok("delete", "unwanted")
    own_server.await_end(first)

    own_server.ok("deploy", "cortex.yaml", "--no-wait", cwd=project)
    second = eventually(lambda: pids(folder)[1:], "the script runs again")[0]
    other = write(folder / "other", {"predictor.py": predictor('"other"')}, API("unwanted"))
    own_server.ok("deploy", "cortex.yaml", "--force", "--wait", cwd=other)
    own_server.await_end(second)
    assert own_server.post("unwanted", json={}).text == "other"
    eventually(lambda: len(environments(own_server)) == 1, "what was begun is gone")


@pytest.mark.parametrize("name", ["/nowhere/python", "nopython"])
def test_a_server_whose_python_is_none_does_not_start(own_server: Server, folder: Path, name: str) -> None:
    """And harms nothing: the next one finds all environments as they were."""
    own_server.deploy(write(folder / "project", {"predictor.py": PLAIN}, API("kept")))
    whole = environments(own_server)
    own_server.stop()
    done = Cortex(own_server.binary, own_server.home, CORTEX_PYTHON=name).run("server", "run")
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert f"CORTEX_PYTHON is {name}, which is no executable" in done.stderr
    assert "; there are 3." in done.stderr
    own_server.start()
    eventually(lambda: own_server.post("kept", json={}).text == "old", "the API is live again")
    assert environments(own_server) == whole
    assert own_server.logs("kept").count("creating an environment") == 1


def environments(server: Server) -> list[str]:
    """What is in the folder of environments by key."""
    return [path.name for path in (server.home / "environments").iterdir() if re.fullmatch("[0-9a-f]{64}", path.name)]


def test_a_server_that_is_killed_in_the_middle_leaves_nothing_half_made(
    own_server: Server, folder: Path, gate: Path
) -> None:
    """The next one ends what still runs, removes what was begun, and builds."""
    write(folder / "plain", {"predictor.py": PLAIN}, API("plain"))
    own_server.deploy(folder / "plain")
    whole = environments(own_server)
    files: Files = {"predictor.py": predictor("'built'"), "dependencies.sh": waiting_script(folder, gate)}
    project = write(folder / "project", files, API("killed"))
    own_server.ok("deploy", "cortex.yaml", cwd=project)
    first = eventually(lambda: pids(folder), "the script runs")[0]
    own_server.kill()
    assert is_alive(first)
    own_server.start()
    own_server.await_end(first)
    eventually(lambda: len(pids(folder)) == 2, "the script runs again")
    begun = set(environments(own_server)) - set(whole)
    assert len(begun) == 1
    builds = [
        path for path in (own_server.home / "environments" / begun.pop()).iterdir() if path.name.startswith("build")
    ]
    assert len(builds) == 1
    gate.write_text("go\n")
    eventually(lambda: own_server.post("killed", json={}).text == "built", "the API is live")


def test_two_deploys_of_the_same_build_once(own_server: Server, folder: Path, gate: Path) -> None:
    """The second waits for the first one's environment, and both get it."""
    files: Files = {"predictor.py": PLAIN, "dependencies.sh": waiting_script(folder, gate)}
    project = write(folder / "project", files, API("one"), API("two"))
    own_server.ok("deploy", "cortex.yaml", cwd=project)
    eventually(lambda: pids(folder), "the script runs")
    # Both wait for the one build: each has been told of its step.
    for api in ("one", "two"):
        own_server.await_log(api, "running dependencies.sh")
    gate.write_text("go\n")

    def are_live() -> bool:
        return all(own_server.post(api, json={}).status_code == 200 for api in ("one", "two"))

    eventually(are_live, "both are live")
    assert len(pids(folder)) == 1
    assert len(environments(own_server)) == 1


def pythons() -> list[str]:
    """Releases of CPython that this machine has, from 3.9 on."""
    found = set()
    for minor in range(9, 20):
        command = shutil.which(f"python3.{minor}")
        if command and subprocess.run([command, "-c", ""], capture_output=True, check=False).returncode == 0:
            found.add(minor)
    for python in (Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3"):
        match = re.fullmatch(r"3\.(\d+)\.\d+", python.parent.parent.name)
        if match and int(match[1]) >= 9:
            found.add(int(match[1]))
    return [f"3.{minor}" for minor in sorted(found)]


def test_an_api_runs_on_each_python_that_is_here(server: Server, folder: Path) -> None:
    """`.python-version` chooses, and a worker answers on each."""
    assert pythons(), "the tests themselves need one"
    for version in pythons():
        api = f"build-on-{version.replace('.', '-')}"
        files: Files = {
            ".python-version": f"{version}\n",
            "predictor.py": predictor("import sys", "list(sys.version_info[:2])"),
        }
        server.deploy(write(folder / version, files, API(api)))
        assert server.post(api, json={}).json() == [int(part) for part in version.split(".")]
        server.ok("delete", api)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    path = folder / "small"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", path], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may make a small file system")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_is_told_and_the_old_version_serves(binary: Path, folder: Path, small_disk: Path) -> None:
    """numpy alone is larger than the disk."""
    with Server(binary, small_disk / "home", UV_CACHE_DIR=str(small_disk / "cache"), UV_LINK_MODE="copy") as server:
        project = write(folder / "project", {"predictor.py": PLAIN}, API("full"))
        server.deploy(project)
        write(project, {"requirements.txt": "numpy\n"})
        done = server.run("deploy", "cortex.yaml", "--wait", cwd=project)
        assert done.returncode == 1
        assert "the disk is full" in done.stderr
        assert server.post("full", json={}).text == "old"


def test_what_a_full_disk_refuses_says_so(binary: Path, folder: Path, small_disk: Path) -> None:
    with Server(binary, small_disk / "home", UV_CACHE_DIR=str(small_disk / "cache"), UV_LINK_MODE="copy") as server:
        server.deploy(write(folder / "project", {"predictor.py": PLAIN}, API("full")))
        with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(1 << 16)):
                pass
        # SQLite may have room left within its own files for some changes.
        for _ in range(50):
            done = server.run("token", "create", f"t{time.monotonic_ns()}")
            if done.returncode != 0:
                break
        assert done.returncode == 1 and "the disk is full" in done.stderr, done.stderr
        assert server.post("full", json={}).status_code == 200
        write(folder / "project", {"data.bin": os.urandom(1 << 20)})
        done = server.run("deploy", "cortex.yaml", cwd=folder / "project")
        assert done.returncode == 1 and "the disk is full" in done.stderr and "cortex prune" in done.stderr, done.stderr
        (small_disk / "filler").unlink()
        server.ok("token", "create", "after")


@pytest.fixture
def conda(folder: Path) -> Callable[[], list[str]]:
    """A stand-in for micromamba in `bin`; returns what it was asked."""
    python = shutil.which("python3")
    write(
        folder / "bin",
        {
            "micromamba": f"""\
                #!/bin/sh
                echo "$*" >> {folder}/calls
                while [ $# -gt 0 ]; do
                    [ "$1" = --prefix ] && prefix=$2
                    shift
                done
                exec {python} -m venv --without-pip "$prefix"
            """
        },
    )
    (folder / "bin" / "micromamba").chmod(0o755)
    return lambda: (folder / "calls").read_text().splitlines()


def test_conda_packages_come_before_requirements(binary: Path, folder: Path, conda: Callable[[], list[str]]) -> None:
    """By whichever conda is on `PATH`."""
    with Server(binary, folder / "home", PATH=f"{folder}/bin:{os.environ['PATH']}") as server:
        files: Files = {
            "conda-packages.txt": "conda-forge::rdkit=2024.3\n",
            "requirements.txt": "six\n",
            "predictor.py": predictor("import six", "six.__name__"),
        }
        server.deploy(write(folder / "project", files, API("conda")))
        assert server.post("conda", json={}).text == "six"
        assert len(conda()) == 1
        assert conda()[0].startswith("create --yes --prefix ")
