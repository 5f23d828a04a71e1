"""What a person sees: carets, colours, watching, questions, completion, first steps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from blackbox.project import API, write
from blackbox.server import Cortex, Server
from blackbox.terminal import Terminal

GOLDEN = Path(__file__).parent / "golden"
ECHO = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"


class TallTerminal(Terminal):
    """Has room for all the APIs that tests of other files have left on the server."""

    rows = 200


class LowTerminal(Terminal):
    """Has no room for any API."""

    rows = 4


@pytest.fixture(scope="module")
def echo(server: Server, short_folder: Path) -> str:
    """The name of a live API."""
    name = "term-echo"
    server.deploy(write(short_folder / name, {"predictor.py": ECHO}, API(name)))
    return name


def test_problems_with_carets(cortex: Cortex, folder: Path) -> None:
    files: dict[str, str | bytes] = {"predictor.py": ECHO, "cortex.yaml": (GOLDEN / "twelve.yaml").read_text()}
    project = write(folder / "project", files)
    with Terminal(cortex, "validate", cwd=project, NO_COLOR="1") as terminal:
        code, text = terminal.finish()
    assert (code, text) == (1, (GOLDEN / "twelve.terminal.txt").read_text())
    with Terminal(cortex, "validate", cwd=project) as terminal:
        code, coloured = terminal.finish()
    assert code == 1 and "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text


def test_watching_redraws_in_place_and_ends_with_ctrl_c(server: Server, echo: str) -> None:
    with TallTerminal(server, "get", "--watch") as terminal:
        terminal.read_until(echo)
        server.post(echo, json=1)
        text = terminal.read_until("\x1b[H$ cortex get ")
        assert "\x1b[2J" in text and text.count("\x1b[2J") == 1, "cleared once, then drawn over"
        terminal.type("\x03")
        code, text = terminal.finish()
    assert code == 0, text
    assert text.endswith("\x1b[?25h\n"), "the cursor is back"
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.split("\x1b[H")[-1]).splitlines()
    assert all(len(line) <= 80 for line in lines), lines
    header = next(line for line in lines if line.startswith("$ cortex get "))
    assert re.search(r" \d\d \w{3} \d\d \d\d:\d\d:\d\d \S+$", header), header


def test_watching_says_what_the_window_has_no_room_for(server: Server, echo: str) -> None:
    with LowTerminal(server, "get", "--watch") as terminal:
        terminal.read_until("more lines: this window has too few rows")
        terminal.type("\x03")
        code, text = terminal.finish()
    assert code == 0 and echo not in text, text


def test_ctrl_c_ends_the_waiting_only(server: Server, folder: Path) -> None:
    name, gate = "term-slow", folder / "gate"
    slow = f"""
import os, time

class PythonPredictor:
    def __init__(self, config):
        print("constructing")
        while not os.path.exists({str(gate)!r}):
            time.sleep(0.01)

    def predict(self, payload):
        return payload
"""
    project = write(folder / "project", {"predictor.py": slow}, API(name))
    with Terminal(server, "deploy", cwd=project) as terminal:
        terminal.read_until("starting the predictor")
        terminal.type("\x03")
        code, text = terminal.finish()
    assert code == 130 and text.endswith("not waiting any more; the server goes on: see `cortex get`\n"), text
    gate.touch()
    server.deploy(project)
    assert server.post(name, json=3).json() == 3


def test_watching_needs_a_terminal(server: Server) -> None:
    done = server.run("get", "-w")
    assert (done.returncode, done.stdout) == (2, "") and "--watch draws on a terminal" in done.stderr, done


@pytest.mark.parametrize("command", [["get"], ["get", "term-echo"], ["describe", "term-echo"]])
def test_pages_fit_80_columns(server: Server, echo: str, command: list[str]) -> None:
    with Terminal(server, *command) as terminal:
        code, text = terminal.finish()
    assert code == 0 and "\x1b[1m" in text, text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    # A line that is to be copied is never broken.
    lines = [line for line in plain.splitlines() if not line.startswith("example curl: ")]
    assert all(len(line) <= 80 for line in lines), lines


def test_describe_tells_all(server: Server, folder: Path) -> None:
    name = "term-describe"
    project = write(folder / "project", {"predictor.py": ECHO}, API(name))
    server.deploy(project)
    server.post(name, json=1)
    broken = "class PythonPredictor:\n    def __init__(self, config):\n        raise ValueError('no such model')\n"
    write(project, {"predictor.py": broken + "    def predict(self, payload):\n        return 1\n"})
    done = server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 1 and "no such model" in done.stderr, done
    page = server.ok("describe", name)
    for words in (
        rf"^{name} \(RealtimeAPI\)$",
        r"^status    error \(previous version serving\)$",
        r"^reason    .*no such model",
        rf"^logs      cortex logs {name}$",
        rf"^endpoint  http://localhost:{server.port}/{name}$",
        r"^version   1 serving, 2 wanted$",
        r"^replicas  0 of 1 up to date, 1 stale",
        r"^deployment   outcome   age",
        r"^2 +failed .*no such model",
        r"^1 +live ",
        r"^event +version   age   message$",
        rf"^  - name: {name}$",
    ):
        assert re.search(words, page, re.MULTILINE), (words, page)
    report = server.json("describe", name)
    assert sorted(report) == ["api", "deployments", "events"]
    assert [entry["version"] for entry in report["deployments"]] == [2, 1]
    assert any(event["kind"] == "live" and event["version"] == 1 for event in report["events"]), report["events"]
    server.ok("delete", name)


def test_refresh_gives_new_workers(server: Server, folder: Path) -> None:
    name = "term-refresh"
    source = "import os\nclass PythonPredictor:\n    def predict(self, payload):\n        return os.getpid()\n"
    server.deploy(write(folder / "project", {"predictor.py": source}, API(name)))
    first = server.post(name, json=0).json()
    assert server.ok("refresh", name) == f"updating {name}\n"
    server.ok("refresh", name, "--force")
    done = server.run("refresh", "term-refresk")
    assert done.returncode == 1 and "term-refresk is not deployed" in done.stderr, done
    server.await_end(first)
    assert server.post(name, json=0).json() != first
    server.ok("delete", name)


def test_questions_on_a_terminal(server: Server, cortex: Cortex, folder: Path) -> None:
    token = (server.home / "tokens" / "local.token").read_text().strip()
    with Terminal(cortex, "env", "configure", "asked") as terminal:
        terminal.read_until("operator endpoint: ")
        terminal.type(server.operator + "\n")
        terminal.read_until("token: ")
        terminal.type(token + "\n")
        code, text = terminal.finish()
    assert code == 0 and "configured the environment asked" in text, text
    assert token not in text, "a secret is not shown while it is typed"
    assert {entry["name"] for entry in cortex.json("env", "list")} == {"asked", "local"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_works_when_sourced(cortex: Cortex, folder: Path, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = folder / "completion"
    script.write_text(cortex.ok("completion", shell))
    assert "alias cx" not in script.read_text()
    asks = {
        "bash": f"source '{script}'; COMP_WORDS=(cortex desc); COMP_CWORD=1; COMP_LINE='cortex desc'; COMP_POINT=11; "
        "_cortex; printf '%s\\n' \"${COMPREPLY[@]}\"",
        "zsh": f"autoload -Uz compinit && compinit -u -d '{folder}/dump'; source '{script}'; "
        "print $_comps[cortex]; functions _cortex | grep describe",
        "fish": f"source '{script}'; complete -C 'cortex desc'",
    }
    environment = {**cortex.environment, "PATH": f"{cortex.binary.parent}:{cortex.environment['PATH']}"}
    done = subprocess.run(
        [program, "-c", asks[shell]], env=environment, capture_output=True, text=True, timeout=60, cwd=folder
    )
    assert done.returncode == 0 and "describe" in done.stdout, done


@pytest.mark.parametrize("template", ["hello", "iris", "image"])
def test_first_steps(cortex: Cortex, folder: Path, template: str) -> None:
    said = cortex.ok("init", template, cwd=folder)
    project = folder / template
    for file in project.iterdir():
        assert file.name in said
    assert f"cd {template}\n  cortex deploy\n  cortex predict {template} sample." in said, said
    assert cortex.ok("validate", cwd=project) == f"cortex.yaml is valid: {template} (RealtimeAPI)\n"
    before = (project / "predictor.py").read_text()
    again = cortex.run("init", template, cwd=folder)
    assert again.returncode == 1 and "predictor.py" in again.stderr and "nothing was written" in again.stderr, again
    assert (project / "predictor.py").read_text() == before


def test_the_first_template_answers(server: Server, folder: Path) -> None:
    server.ok("init", "hello", "term-hello", cwd=folder)
    server.ok("deploy", "--wait", cwd=folder / "term-hello")
    answer = server.ok("predict", "term-hello", folder / "term-hello" / "sample.json")
    assert json.loads(answer) == {"text": "Hello, iris!"}
    server.ok("delete", "term-hello")
