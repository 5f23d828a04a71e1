"""What Cortex keeps on disk goes when nobody needs it, and never before."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.project import API, write
from blackbox.server import Cortex, Server
from blackbox.terminal import Terminal

PREDICTOR = """
    class PythonPredictor:
        def __init__(self, config):
            pass

        def predict(self, payload):
            return payload
"""


def project(folder: Path, name: str, requirement: str, predictor: str = PREDICTOR) -> Path:
    """A project whose environment is that of its requirement."""
    return write(folder / name, {"predictor.py": predictor, "requirements.txt": requirement + "\n"}, API(name))


def environments(server: Server) -> set[str]:
    """The keys of the environments that are there."""
    return {path.name for path in (server.home / "environments").iterdir() if re.fullmatch("[0-9a-f]{64}", path.name)}


def deploy(server: Server, project: Path) -> str:
    """Deploys, and tells the key of the environment that this made."""
    before = environments(server)
    server.deploy(project)
    (key,) = environments(server) - before
    return key


def items(report: dict[str, Any]) -> dict[str, int]:
    """How many of each kind went, or would."""
    return {item["kind"]: item["count"] for item in report["items"]}


def await_free(server: Server, count: int = 1, *flags: str) -> dict[str, Any]:
    """Waits for the workers of a deleted API, or an earlier version, to end; tells what a prune would free then."""

    def told() -> dict[str, Any] | None:
        report: dict[str, Any] = server.json("prune", "--dry-run", *flags)
        return report if items(report).get("environments") == count else None

    return eventually(told, "as many environments are free")


def make_old(path: Path, age: float = 5000) -> None:
    """As if last used so many seconds ago."""
    then = time.time() - age
    os.utime(path, (then, then))


def test_what_a_deleted_api_needed_goes_beside_one_that_serves(own_server: Server, folder: Path) -> None:
    server = own_server
    live = deploy(server, project(folder, "live", "iniconfig"))
    gone = deploy(server, project(folder, "gone", "six"))
    assert server.json("prune")["items"] == [], "both are in use"
    server.ok("delete", "gone")
    with Load(server.url("live"), clients=1, json=1) as load:
        told = await_free(server)
        assert told["dry_run"] and items(told) == {"environments": 1, "projects": 1, "build_logs": 1}
        assert environments(server) == {live, gone}, "a dry run frees nothing"
        assert len(list((server.home / "projects").glob("*.tar"))) == 2

        report = server.json("prune")
        assert {**report, "dry_run": True} == told
        assert environments(server) == {live}
        assert not (server.home / "logs" / "environments" / f"{gone}.log").exists()
        assert (server.home / "logs" / "environments" / f"{live}.log").exists()
        assert len(list((server.home / "projects").glob("*.tar"))) == 1
        assert server.ok("prune") == "nothing to free\n"
    assert load.failures() == []
    # What went is made again when it is needed.
    assert deploy(server, folder / "gone") == gone
    assert server.post("gone", json=[2]).json() == [2]


def test_files_in_the_cache_of_uv_are_told_apart(own_server: Server, folder: Path) -> None:
    server = own_server
    key = deploy(server, project(folder, "api", "six"))
    files = [path for path in (server.home / "environments" / key).rglob("*") if path.is_file()]
    linked = sum(path.lstat().st_blocks * 512 for path in files if path.lstat().st_nlink > 1)
    alone = sum(path.lstat().st_blocks * 512 for path in files if path.lstat().st_nlink == 1)
    server.ok("delete", "api")
    report = await_free(server)
    (item,) = (item for item in report["items"] if item["kind"] == "environments")
    assert item["cached_bytes"] == linked
    assert item["bytes"] >= alone
    text = server.ok("prune")
    assert re.match(r"what +count +freed\nenvironments +1 +\S+ (KiB|MiB)\n", text), text
    if linked:
        assert re.search(r"\n\n\S+ [KM]iB stay in uv's cache; on the server's machine, \S*uv cache clean", text), text


def test_earlier_deployments_keep_theirs_unless_all_is_to_go(own_server: Server, folder: Path) -> None:
    server = own_server
    old = deploy(server, project(folder, "api", "six"))
    new = deploy(server, project(folder, "api", "iniconfig"))
    await_free(server, 1, "--all")
    assert server.json("prune")["items"] == []
    assert environments(server) == {old, new}
    assert items(server.json("prune", "--all")) == {"environments": 1, "build_logs": 1}
    assert environments(server) == {new}
    assert server.post("api", json=3).json() == 3
    assert len(list((server.home / "projects").glob("*.tar"))) == 2, "projects of the history stay"


def test_an_api_keeps_its_environment_while_nothing_runs_in_it(own_server: Server, folder: Path) -> None:
    server = own_server
    broken = project(folder, "api", "six", "raise RuntimeError('no')\n")
    assert server.run("deploy", "--wait", cwd=broken).returncode == 1
    (key,) = environments(server)
    server.stop()
    server.start()
    # The restored version fails once more.
    eventually(lambda: server.json("get", "api")[0]["status"]["status_code"] == "status_error", "it has failed")
    eventually(lambda: not list((server.home / "versions" / "api").iterdir()), "it has let go of its environment")
    assert "environments" not in items(server.json("prune", "--all"))
    assert environments(server) == {key}
    server.ok("delete", "api")
    await_free(server)
    assert items(server.json("prune")) == {"environments": 1, "projects": 1, "build_logs": 1}


def test_the_budget_takes_what_was_unused_longest(binary: Path, folder: Path) -> None:
    with Server(binary, folder / "home", None, CORTEX_ENVIRONMENT_BUDGET="100Mi") as server:
        keys = []
        for name, requirement in [("first", "six"), ("second", "iniconfig"), ("third", "pluggy")]:
            keys.append(deploy(server, project(folder, name, requirement)))
            (server.home / "environments" / keys[-1] / "ballast").write_bytes(os.urandom(40 << 20))
        for name in ["first", "second"]:
            server.ok("delete", name)
        # Both have let go of their environments: their last use is then.
        await_free(server, 2)
        make_old(server.home / "environments" / keys[1], 9000)
        make_old(server.home / "environments" / keys[0], 5000)
        make_old(server.home / "environments" / keys[2], 20_000)
        with Load(server.url("third"), clients=1, json=1) as load:
            # With 120 MiB there, each build is over the budget; without the first that goes, none is.
            fourth = deploy(server, project(folder, "fourth", "packaging"))
            eventually(lambda: keys[1] not in environments(server), "the one that was unused longest has gone")
        assert load.failures() == []
        assert environments(server) == {keys[0], keys[2], fourth}
        assert server.post("third", json=1).status_code == 200


def test_a_development_server_spares_what_a_stopped_one_needs(own_server: Server, folder: Path) -> None:
    server = own_server
    kept = deploy(server, project(folder, "kept", "six"))
    gone = deploy(server, project(folder, "gone", "iniconfig"))
    server.ok("delete", "gone")
    server.stop()
    # A budget that nothing fits into, with the environments of the user's own home.
    development = subprocess.Popen(
        [server.binary, "dev", "--port", "0"],
        cwd=project(folder, "trial", "pluggy"),
        env={**server.environment, "CORTEX_ENVIRONMENT_BUDGET": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: gone not in environments(server), "its build frees what nobody needs")
        assert kept in environments(server) and len(environments(server)) == 2
    finally:
        development.terminate()
        development.wait(30)
    server.start()
    eventually(lambda: server.post("kept", json=1).status_code == 200, "the API serves again")


def test_a_budget_that_cannot_be_read_ends_the_start(binary: Path, folder: Path) -> None:
    done = Cortex(binary, folder / "home", None, CORTEX_ENVIRONMENT_BUDGET="a lot").run("server", "run")
    assert done.returncode == 2
    assert 'CORTEX_ENVIRONMENT_BUDGET is "a lot"; allowed is a number of bytes above 0' in done.stderr


def test_a_prune_that_is_killed_leaves_nothing_half_made(own_server: Server, folder: Path) -> None:
    server = own_server
    live = deploy(server, project(folder, "live", "iniconfig"))
    gone = deploy(server, project(folder, "gone", "six"))
    # So many files that their removal takes a while.
    for outer in range(60):
        inner = server.home / "environments" / gone / "ballast" / str(outer)
        inner.mkdir(parents=True)
        for number in range(500):
            (inner / str(number)).touch()
    server.ok("delete", "gone")
    await_free(server)

    def removing() -> list[Path]:
        return list((server.home / "environments").glob(".removing-*"))

    command = subprocess.Popen(
        [server.binary, "prune"], env=server.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    eventually(removing, "the removal has begun")
    server.kill()
    _, errors = command.communicate(timeout=120)
    assert command.returncode == 1 and errors.startswith("error: "), errors
    assert environments(server) == {live}
    assert removing(), "the server was killed in the middle"

    server.start()
    eventually(lambda: not removing(), "the next server finishes it")
    eventually(lambda: server.post("live", json=1).status_code == 200, "the other API serves")
    assert deploy(server, folder / "gone") == gone
    assert server.post("gone", json=4).json() == 4


def test_two_at_once_free_everything_once(own_server: Server, folder: Path) -> None:
    server = own_server
    for name, requirement in [("one", "six"), ("two", "iniconfig"), ("three", "pluggy")]:
        server.deploy(project(folder, name, requirement))
    for name in ["one", "two", "three"]:
        server.ok("delete", name)
    await_free(server, 3)
    both = [
        subprocess.Popen([server.binary, "prune", "-o", "json"], env=server.environment, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [command.wait(60) for command in both] == [0, 0]
    assert environments(server) == set()
    assert server.json("prune")["items"] == []


def test_what_was_left_over_goes(own_server: Server, folder: Path) -> None:
    server = own_server
    live = deploy(server, project(folder, "live", "iniconfig"))
    (version,) = (server.home / "versions" / "live").iterdir()
    (worker,) = (server.home / "tools").glob("worker-*")
    old = [
        server.home / "tools" / "worker-0123456789abcdef",
        server.home / "tools" / "uv-0.1.2",
        server.home / "versions" / "live" / "0123",
        server.home / "versions" / "check-0123",
    ]
    (server.home / "tools" / "uv-0.1.3").mkdir()
    for path in old:
        (path / "inner").mkdir(parents=True)
        (path / "inner" / "file").write_text("x")
        (path / "inner").chmod(0o500)
        make_old(path)
    make_old(version)
    make_old(worker)
    assert items(server.json("prune")) == {"tools": 2, "versions": 2}
    assert not any(path.exists() for path in old)
    assert version.exists() and worker.exists() and environments(server) == {live}
    # Its workers are started anew from what is left.
    server.ok("refresh", "live")
    eventually(lambda: server.json("get", "live")[0]["status"]["status_code"] == "status_live", "it is live again")
    assert server.post("live", json=5).json() == 5


def test_a_person_is_asked(own_server: Server, folder: Path) -> None:
    server = own_server
    key = deploy(server, project(folder, "api", "six"))
    server.ok("delete", "api")
    await_free(server)
    with Terminal(server, "prune", NO_COLOR="1") as terminal:
        text = terminal.read_until("remove it? [y/N]: ")
        assert re.search(r"^environments +1 ", text, re.MULTILINE) and "would be freed" in text, text
        terminal.type("\n")
        code, text = terminal.finish()
    assert code == 0 and text.endswith("nothing was removed\n"), text
    assert environments(server) == {key}
    with Terminal(server, "prune", NO_COLOR="1") as terminal:
        terminal.read_until("remove it? [y/N]: ")
        terminal.type("y\n")
        code, text = terminal.finish()
    assert code == 0 and re.search(r"^what +count +freed$", text, re.MULTILINE), text
    assert environments(server) == set()
    with Terminal(server, "prune", NO_COLOR="1") as terminal:
        code, text = terminal.finish()
    assert (code, text) == (0, "nothing to free\n"), "there is nothing to ask about"


def test_yes_answers_the_question(own_server: Server, folder: Path) -> None:
    server = own_server
    deploy(server, project(folder, "api", "six"))
    server.ok("delete", "api")
    await_free(server)
    with Terminal(server, "prune", "--yes", NO_COLOR="1") as terminal:
        code, text = terminal.finish()
    assert code == 0 and "[y/N]" not in text, text
    assert environments(server) == set()


@pytest.mark.parametrize(("arguments", "code"), [([], 1), (["--nonsense"], 2)])
def test_exit_codes(cortex: Cortex, arguments: list[str], code: int) -> None:
    done = cortex.run("prune", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("error: "), done.stderr
