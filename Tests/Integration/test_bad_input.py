"""Bad input to the command line: rows F01 to F08 and F14 of the faults, by exit code and message."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from blackbox.project import write
from blackbox.server import Cortex

GOLDEN = Path(__file__).parent / "golden"
GOOD = "- name: a\n  kind: RealtimeAPI\n  predictor:\n    type: python\n    path: predictor.py\n"
FILES: dict[str, str | bytes] = {"predictor.py": "class PythonPredictor: pass\n", "sub/m.py": "", "notes.txt": ""}


def config(key: str, value: str) -> str:
    """The good file with one more key of the predictor."""
    return f"{GOOD}    {key}: {value}\n"


def section(name: str, key: str, value: str) -> str:
    """The good file with one more section."""
    return f"{GOOD}  {name}:\n    {key}: {value}\n"


def bomb(levels: int) -> str:
    """Aliases of aliases: nine times as many values with every level."""
    lines = ["      l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"      l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, levels)]
    return GOOD + "    config:\n" + "\n".join(lines) + "\n"


BAD_FILES: list[tuple[str, str, list[str]]] = [
    ("F01 duplicate top key", GOOD + "  name: b\n", ['cortex.yaml:6:3: b: name: the key "name"', "first at 1:3"]),
    ("F01 duplicate nested key", config("path", "predictor.py"), ["6:5: a: predictor.path: ", "twice, first at 5:5"]),
    ("F01 tab", "- name: a\n\tkind: x\n", ["cortex.yaml:2:1: not valid YAML: a tab", "indent with spaces"]),
    ("F01 bomb", bomb(10), ["cortex.yaml:7:25: the file holds more than 50000 values"]),
    ("F01 empty", "", ["cortex.yaml:1:1: the file is empty; it must be a list of APIs"]),
    ("F01 comments only", "# nothing\n", ["cortex.yaml:1:1: the file is empty"]),
    ("F01 text", "hello\n", ["cortex.yaml:1:1: the file is the text", "it must be a list of APIs"]),
    ("F01 two documents", GOOD + "---\n" + GOOD, ["cortex.yaml:7:1: a second YAML document begins here"]),
    (
        "F02",
        config("procesess_per_replica", "2"),
        ["6:5: a: predictor: unknown key", "did you mean processes_per_replica"],
    ),
    ("F03 text", config("processes_per_replica", '"2"'), ["6:28:", 'is the text "2"', "1 to 100", "remove the quotes"]),
    ("F03 float", config("processes_per_replica", "2.0"), ["6:28:", "is the number 2.0", "whole number from 1 to 100"]),
    ("F03 boolean", config("processes_per_replica", "true"), ["6:28:", "is the boolean true", "from 1 to 100"]),
    ("F03 null", config("processes_per_replica", "null"), ["6:5:", "is empty", "or remove the key"]),
    ("F03 range", config("processes_per_replica", "101"), ["6:28:", "is 101", "from 1 to 100"]),
    ("F03 duration", section("networking", "timeout", "1 min"), ["7:14:", '"1 min"', "500ms, 30s or 1m30s"]),
    ("F03 cpu", section("compute", "cpu", "200x"), ["7:10: a: compute.cpu: ", '"200x"', "200m, 0.5 or 2"]),
    ("F03 mem", section("compute", "mem", "1gb"), ["7:10: a: compute.mem: ", '"1gb"', "512Mi, 2Gi", "did you mean 1G"]),
    ("F04 name", GOOD + GOOD, ["cortex.yaml:6:9: a: name: the name is taken by the API at 1:9"]),
    (
        "F04 endpoint",
        GOOD + GOOD.replace("name: a", "name: b") + "  networking:\n    endpoint: /a\n",
        ["cortex.yaml:12:15: b: networking.endpoint: the endpoint /a is taken by a at 1:9"],
    ),
    ("F04 root", section("networking", "endpoint", "/"), ["7:15: a: networking.endpoint: ", "the root", "/iris"]),
    ("F04 metrics", section("networking", "endpoint", "/metrics"), ["begins with /metrics", "keeps for itself"]),
    ("F04 v2", section("networking", "endpoint", "/v2/x"), ["begins with /v2", "keeps for itself"]),
    ("F06 upper case", GOOD.replace("name: a", "name: A"), ["1:9:", "lower-case letters, digits and -", "mean a?"]),
    ("F06 long", GOOD.replace("name: a", "name: " + "a" * 64), ["1:9:", "at most 42 characters"]),
    ("F06 dash", GOOD.replace("name: a", "name: -a"), ["1:9:", "a letter first"]),
    ("F06 unicode", GOOD.replace("name: a", "name: é"), ["1:9:", "lower-case letters"]),
    ("F07 missing", GOOD.replace("predictor.py", "nope.py"), ["5:11: a: predictor.path: there is no file", "nope.py"]),
    ("F07 outside", GOOD.replace("predictor.py", "../x.py"), ["5:11:", "is outside the project"]),
    ("F07 folder", GOOD.replace("predictor.py", "sub"), ["5:11:", '"sub" is a folder']),
    ("F07 not Python", GOOD.replace("predictor.py", "notes.txt"), ["5:11:", "must end in .py"]),
    ("F07 absolute", GOOD.replace("predictor.py", "/etc/passwd"), ["5:11:", "is an absolute path"]),
    ("F14 pod", "- name: a\n  kind: RealtimeAPI\n  pod:\n    port: 8080\n", ["3:3:", '"pod" is of another version']),
    (
        "F14 handler",
        "- name: a\n  kind: RealtimeAPI\n  handler:\n    type: python\n",
        ["3:3:", '"handler" is of another version of Cortex', "rename the section to predictor"],
    ),
    ("F14 models", GOOD + "    models:\n      path: s3://b/m\n", ["7:7:", "another version", "predictor.model_path"]),
    ("F14 kind", GOOD.replace("RealtimeAPI", "AsyncAPI"), ["2:9:", "AsyncAPI is not deployed here", "RealtimeAPI"]),
]


@pytest.mark.parametrize(("text", "words"), [row[1:] for row in BAD_FILES], ids=[row[0] for row in BAD_FILES])
def test_a_bad_file(cortex: Cortex, folder: Path, text: str, words: list[str]) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": text})
    done = cortex.run("validate", cwd=project)
    assert (done.returncode, done.stdout) == (1, ""), done
    first, *lines = done.stderr.splitlines()
    assert first.startswith("error: cortex.yaml has "), done.stderr
    assert all(line.startswith("cortex.yaml:") for line in lines), "each problem is one line"
    for word in words:
        assert word in done.stderr, done.stderr
    assert not cortex.home.exists(), "checking leaves nothing behind"


GOOD_FILES = [
    ("byte order mark", "\ufeff" + GOOD),
    ("CRLF", GOOD.replace("\n", "\r\n")),
    ("one mapping instead of a list", GOOD.replace("- name", "  name", 1)),
    ("anchors", GOOD + "    config: {x: &x [1, 2], y: *x}\n"),
    ("YAML's typing", GOOD.replace("predictor.py", "./predictor.py") + "    env: {PORT: 80}\n"),
]


@pytest.mark.parametrize("text", [row[1] for row in GOOD_FILES], ids=[row[0] for row in GOOD_FILES])
def test_an_unusual_file_that_is_right(cortex: Cortex, folder: Path, text: str) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": text.encode()})
    assert cortex.ok("validate", cwd=project) == "cortex.yaml is valid: a (RealtimeAPI)\n"


def test_all_problems_at_once(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": (GOLDEN / "twelve.yaml").read_text()})
    done = cortex.run("validate", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", (GOLDEN / "twelve.txt").read_text())
    report = json.loads(cortex.run("validate", "-o", "json", cwd=project).stdout)
    assert not report["valid"] and len(report["problems"]) == 12, report
    told = [line.split(" ")[0] for line in done.stderr.splitlines()[1:]]
    assert [f"{p['file']}:{p['line']}:{p['column']}:" for p in report["problems"]] == told
    # A deploy tells the same, and starts nothing for it.
    assert cortex.run("deploy", cwd=project).stderr == done.stderr
    assert not cortex.home.exists()


DOT_ENV: list[tuple[str, str | None]] = [
    ("A", '.env:1:1: there is no = after "A"'),
    ("=b", ".env:1:1: there is no name before ="),
    ("GOOD=1\r\nB", '.env:2:1: there is no = after "B"'),
    ("A='x", ".env:1:3: the quote is not closed"),
    ('A="x" y', ".env:1:7: there is text after the closing quote"),
    ("1A=2", '.env:1:1: "1A" is not the name of a variable'),
    ("A=b=c", None),
    ("export A=1", None),
    ("A=1\r\nB='two words'\r\n", None),
]


@pytest.mark.parametrize(("text", "problem"), DOT_ENV, ids=[repr(row[0]) for row in DOT_ENV])
def test_variables_of_a_project(cortex: Cortex, folder: Path, text: str, problem: str | None) -> None:
    project = write(folder / "project", {**FILES, ".env": text.encode(), "cortex.yaml": GOOD})
    done = cortex.run("validate", cwd=project)
    assert (done.returncode == 0) == (problem is None), done
    assert problem is None or problem in done.stderr, done.stderr


def test_a_folder_that_cannot_be_packed(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {**FILES, "cortex.yaml": config("x", "1")})
    (project / "away").symlink_to("/etc/passwd")
    (project / "nowhere").symlink_to("nothing")
    os.mkfifo(project / "pipe")
    done = cortex.run("validate", cwd=project)
    assert done.returncode == 1, done
    assert 'cortex.yaml:6:5: a: predictor: unknown key "x"' in done.stderr, "the file is checked all the same"
    assert "away: the link leads out of the project, to /etc/passwd" in done.stderr, done.stderr
    assert "there is no file" not in done.stderr, done.stderr
    write(project, {".cortexignore": "away\nnowhere\npipe\n", "cortex.yaml": GOOD})
    cortex.ok("validate", cwd=project)
    (project / ".cortexignore").write_bytes(b"\xff")
    done = cortex.run("validate", cwd=project)
    assert done.returncode == 1 and ".cortexignore: cannot be read" in done.stderr, done
