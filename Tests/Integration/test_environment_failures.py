"""What is said where an environment cannot be built."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blackbox.modules import PLAIN, Files, predictor
from blackbox.project import API, write
from blackbox.server import Server
from blackbox.wheels import sources, wheel


@dataclass(frozen=True)
class Failure:
    """Files that cannot become an environment, and what is said of them."""

    files: Files
    words: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


FAILURES = {
    "misspelt": Failure(
        {"requirements.txt": "six\n\ncortex-test-nunpy\n"},
        ("requirements.txt:3: cortex-test-nunpy: not found in the package index; is it misspelt?",),
    ),
    "no-such-release": Failure(
        {"requirements.txt": "# ours\nsix==99.1\n"},
        ("requirements.txt:2: six==99.1: there is no such release in the package index",),
    ),
    "included-syntax": Failure(
        {"requirements.txt": "-r more/base.txt\n", "more/base.txt": "six\nsix=>1\n"},
        ("more/base.txt:2: six=>1: is no requirement: no such comparison operator",),
    ),
    "included-missing": Failure(
        {"requirements.txt": "six\n-r base.txt\n"},
        ("requirements.txt:2: -r base.txt: failed to read from file `base.txt`: No such file or directory",),
    ),
    "against-the-worker": Failure(
        {"requirements.txt": "six\nstarlette<0.10\n"},
        (
            "requirements.txt:2: starlette<0.10: cannot be installed beside starlette>=",
            "which Cortex's worker needs",
        ),
    ),
    "against-each-other": Failure(
        {"requirements.txt": "six<1.16\nsix>1.16\n"},
        ("requirements.txt:1: six<1.16: cannot be installed beside six>1.16 (requirements.txt:2)",),
    ),
    "requires-python": Failure(
        {"requirements.txt": "--find-links wheels\nneedy\n"},
        ("requirements.txt:2: needy: needs Python >=3.99, and its environment has Python 3.", ".python-version"),
    ),
    "pyproject": Failure(
        {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = [\n  "cortex-test-nunpy>1",\n]\n'},
        ("pyproject.toml:5: cortex-test-nunpy>1: not found in the package index",),
    ),
    "pyproject-python": Failure(
        {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.99"\n'},
        ('pyproject.toml:4: Python requires-python = ">=3.99" is not on this machine; there are 3.',),
    ),
    "python-version": Failure(
        {".python-version": "# ours\n3.99\n"},
        (".python-version:2: Python 3.99 is not on this machine; there are 3.", "uv python install"),
    ),
    "not-cpython": Failure(
        {".python-version": "pypy-3.9\n"}, (".python-version:1: pypy-3.9 is no version of CPython; write one such as",)
    ),
    "compiler": Failure(
        {"requirements.txt": "--find-links wheels\nsix\nnative\n"},
        (
            "requirements.txt:3: native: there is no ready-made build of it for Python 3.",
            "making one needs a C compiler",
            "build-essential",
        ),
        {"CC": "/nowhere/gcc"},
    ),
    "offline": Failure(
        {"requirements.txt": "six\n"},
        ("is not in the folder of wheels or in uv's cache, and no index may be asked (UV_OFFLINE is set)",),
        {"UV_OFFLINE": "1", "UV_CACHE_DIR": "{folder}/cache"},
    ),
    "unreachable": Failure(
        {"requirements.txt": "six\n"},
        ("127.0.0.1:9 cannot be reached (", "it is tried again in 10s"),
        {
            "UV_DEFAULT_INDEX": "http://user:hunter2@127.0.0.1:9/simple",
            "UV_HTTP_RETRIES": "0",
            "UV_CACHE_DIR": "{folder}/c",
        },
    ),
    "proxy": Failure(
        {"requirements.txt": "six\n"},
        ("cannot be reached through the proxy 127.0.0.1:9 (HTTPS_PROXY): ", "it is tried again in 10s"),
        {
            "HTTPS_PROXY": "http://user:hunter2@127.0.0.1:9",
            "NO_PROXY": "localhost",
            "UV_DEFAULT_INDEX": "https://nosuch.invalid/simple",
            "UV_HTTP_RETRIES": "0",
            "UV_CACHE_DIR": "{folder}/c",
        },
    ),
    "address": Failure(
        {"requirements.txt": "six\nours @ http://user:hunter2@127.0.0.1:9/ours-1-py3-none-any.whl\n"},
        ("requirements.txt:2: ours @ http://***@127.0.0.1:9/ours-1-py3-none-any.whl: 127.0.0.1:9 cannot be reached (",),
        {"UV_HTTP_RETRIES": "0"},
    ),
    "worker-wheels": Failure(
        {"requirements.txt": ""},
        (", which Cortex's worker needs: is not in the folder of wheels", "no index may be asked (UV_NO_INDEX is set)"),
        {"UV_NO_INDEX": "1", "UV_FIND_LINKS": "wheels", "UV_CACHE_DIR": "{folder}/c"},
    ),
    "outdated": Failure(
        {"requirements.txt": "--find-links wheels\nsix\noutdated\n"},
        ("requirements.txt:3: outdated: ", "its sources are too old for the setuptools of Python 3."),
    ),
    "pyproject-version": Failure(
        {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["six"]\n'},
        ("pyproject.toml:1: [project] has no version, which it must have",),
    ),
    "git": Failure(
        {"requirements.txt": "six\nours @ git+https://hunter2@nosuch.invalid/ours.git\n"},
        ("requirements.txt:2: ours @ git+https://***@nosuch.invalid/ours.git: git cannot fetch it: unable to access ",),
    ),
    "script": Failure(
        {"dependencies.sh": "echo one\n\nls /nowhere\necho two\n"},
        ("dependencies.sh:3: ls /nowhere: ended with status ", "one"),
    ),
    "conda": Failure({"conda-packages.txt": "rdkit\n"}, ("conda-packages.txt: there is no conda on this machine",)),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_installed_is_told_while_the_old_version_serves(server: Server, folder: Path, name: str) -> None:
    """The message names the line, is in `deploy`, in `get` and in the log; the API answers all along."""
    if name == "conda" and any(shutil.which(tool) for tool in ("micromamba", "mamba", "conda")):
        pytest.skip("this machine has a conda")
    case = FAILURES[name]
    api = f"build-{name}"
    env = {key: value.format(folder=folder) for key, value in case.env.items()}
    project = write(folder / "project", {"predictor.py": PLAIN}, API(api))
    server.deploy(project)
    wheel(project / "wheels", "needy", requires_python=">=3.99")
    setup = (
        "from setuptools import Extension, setup\nsetup(name='native', ext_modules=[Extension('n', ['native.c'])])\n"
    )
    sources(project / "wheels", "native", "1", setup)
    sources(
        project / "wheels", "outdated", "1", "from setuptools import setup\nsetup(name='outdated', use_2to3=True)\n"
    )
    write(project, {"predictor.py": predictor('"new"'), **case.files}, API(api, predictor={"env": env}))

    done = server.run("deploy", "cortex.yaml", "--wait", cwd=project)
    assert done.returncode == 1, (done.stdout, done.stderr)
    text = re.sub(r"\s+", " ", done.stderr)
    for words in case.words:
        assert words in text, done.stderr
    seen = server.json("get", api)[0]["status"]
    assert seen["status_code"] == "status_rollout_failed"
    assert seen["serving_version"] == 1
    assert "version 1 still serves" in text
    assert server.post(api, json={}).text == "old"
    reason = seen["reason"]
    for words in case.words:
        assert words in re.sub(r"\s+", " ", reason)
    log = re.search(r"all of its output: (\S+)", reason)
    assert log is None or Path(log[1]).read_text()
    # What was to be secret is nowhere.
    for said in (done.stderr, reason, server.logs(api), Path(log[1]).read_text() if log else ""):
        assert "hunter2" not in said

    write(project, {"predictor.py": predictor('"new"')}, API(api))
    for file in case.files:
        (project / file).unlink()
    server.deploy(project)
    assert server.post(api, json={}).text == "new"
    server.ok("delete", api)


def test_a_first_deploy_that_fails_is_an_error(server: Server, folder: Path) -> None:
    """Nothing serves, and requests are told so."""
    project = write(folder, {"predictor.py": PLAIN, "requirements.txt": "cortex-test-nunpy\n"}, API("build-first"))
    done = server.run("deploy", "cortex.yaml", "--wait", cwd=project)
    assert done.returncode == 1
    assert server.json("get", "build-first")[0]["status"]["status_code"] == "status_error"
    answer = server.post("build-first", json={})
    assert answer.status_code == 503
    server.ok("delete", "build-first")
