"""What a predictor does to its own process, output and variables: rows C15 to C18 and F08 of the fault list."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.invariants import Invariants
from blackbox.processes import MEASURABLE, Footprint, is_alive
from blackbox.project import API, write
from blackbox.server import Server

SURROUNDINGS = (Path(__file__).parent / "predictors" / "surroundings.py").read_text()
LINE_LIMIT = 64 << 10
CONTEXTS = ["fork", "spawn", "forkserver"]


@pytest.fixture(scope="module")
def api(server: Server, short_folder: Path) -> str:
    """The name of an API that does to its process what it is told."""
    apis = [API("surroundings"), API("signals", predictor={"env": {"SIGNALS": "replaced"}})]
    server.deploy(write(short_folder / "surroundings", {"predictor.py": SURROUNDINGS}, *apis))
    return "surroundings"


@pytest.fixture
def invariants(server: Server, api: str) -> Invariants:
    """Checks that the same API answers the next request."""
    return Invariants(server, lambda: server.post(api, json={}))


def cause(server: Server, invariants: Invariants, api: str, fault: str, way: str = "", status: int = 200) -> Any:
    """Has the fault done, and returns what it answers; all invariants hold."""
    outcome = invariants.hold(status, lambda: server.post(f"{api}?fault={fault}&way={way}", json={}), api=api)
    return json.loads(outcome.body)


def pid_of(server: Server, api: str) -> int:
    """The process of the API's only worker."""
    return int(server.post(api, json={}).json()["pid"])


def replace(server: Server, api: str, pid: int) -> None:
    """Workers of that state can be exchanged, and are gone then."""
    server.ok("refresh", api)
    eventually(lambda: pid_of(server, api) != pid, f"another worker of {api} answers")
    server.await_end(pid)


# C15: descriptors, processes, threads, signals, folders, streams


def test_C15_a_request_that_takes_all_descriptors_fails_alone(server: Server, api: str, invariants: Invariants) -> None:
    before = pid_of(server, api)
    body = cause(server, invariants, api, "take-descriptors", status=500)
    assert body["code"] == "PREDICTOR_FAILED"
    server.await_log(api, "Too many open files")
    assert pid_of(server, api) == before


def test_C15_a_worker_without_descriptors_answers_what_needs_none(
    server: Server, api: str, invariants: Invariants
) -> None:
    before = pid_of(server, api)
    assert cause(server, invariants, api, "take-descriptors", "keep")["taken"] > 0
    assert server.post(api, json={"a": 1}).json() == {"ok": True, "pid": before, "payload": {"a": 1}}
    # A large body comes in a file, and a large answer goes in one.
    for send in (
        lambda: server.post(api, data=bytes(2 << 20), headers={"content-type": "application/octet-stream"}),
        lambda: server.post(f"{api}?fault=large", json={}),
    ):
        outcome = invariants.hold(500, send, api=api)
        assert json.loads(outcome.body)["code"]
    server.await_log(api, "Too many open files")
    replace(server, api, before)
    assert len(server.post(f"{api}?fault=large", json={}).content) == 2 << 20


@pytest.mark.parametrize("way", ["return", "raise", "print"])
def test_C15_a_child_forked_off_predict_answers_nobody(
    server: Server, api: str, invariants: Invariants, way: str
) -> None:
    child = cause(server, invariants, api, "fork", way)["child"]
    assert not is_alive(child)
    if way == "print":
        server.await_log(api, "the child prints")


def test_C15_a_forked_child_goes_with_its_worker(server: Server, api: str, invariants: Invariants) -> None:
    before = pid_of(server, api)
    child = cause(server, invariants, api, "fork", "stay")["child"]
    assert is_alive(child)
    replace(server, api, before)
    server.await_end(child)


@pytest.mark.parametrize(
    ("fault", "way"),
    [
        ("threads", ""),
        ("block-signals", ""),
        ("change-folder", ""),
        ("close-output", "streams"),
        ("close-output", "none"),
        ("close-output", "descriptors"),
    ],
)
def test_C15_a_worker_whose_surroundings_changed_serves_and_can_be_replaced(
    server: Server, api: str, invariants: Invariants, fault: str, way: str
) -> None:
    pid = cause(server, invariants, api, fault, way)["pid"]
    for payload in ([1], "x" * 3_000_000):
        assert server.post(api, json=payload).json() == {"ok": True, "pid": pid, "payload": payload}
    cause(server, invariants, api, "take-descriptors", status=500)
    replace(server, api, pid)
    assert server.post(f"{api}?fault=file&way=predictor.py", json={}).text == SURROUNDINGS


def test_C15_replaced_signal_handlers_keep_no_worker_alive(server: Server, api: str) -> None:
    good = Invariants(server, lambda: server.post("signals", json={}))
    pid = pid_of(server, "signals")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    assert cause(server, good, "signals", "multiprocess", "fork")["shared"] == "works"
    assert pid_of(server, "signals") == pid
    replace(server, "signals", pid)
    pid = pid_of(server, "signals")
    os.kill(pid, signal.SIGKILL)
    # What the dying one had begun to read is answered with 502.
    eventually(lambda: server.post("signals", json={}).json().get("pid", pid) != pid, "a killed one is replaced")
    assert server.post(api, json={}).status_code == 200


# C16: what is printed


def records(server: Server, api: str) -> list[dict[str, Any]]:
    """All records of an API's log. Each line must be one."""
    text = (server.home / "logs" / "apis" / f"{api}.log").read_bytes()
    found = [json.loads(line) for line in text.removesuffix(b"\n").split(b"\n")]
    assert all(record["api"] == api for record in found)
    return found


SAID = {
    "ansi": [r"\x1b[2J\x1b[31mred\x7\x9b1m\x7f"],
    "forged": [r'before\xd{"ts":"2020-01-01', '{"ts":"2020-01-01T00:00:00.000Z","level":"error","api":"other"'],
    "separators": [r"\xb\xc\x1c\x85two"],
    "surrogates": ["half ", " a pair"],
    "nul": [r"a\x0b"],
}


@pytest.mark.parametrize("way", SAID)
def test_C16_printed_text_is_one_line_and_harmless(server: Server, api: str, invariants: Invariants, way: str) -> None:
    pid = pid_of(server, api)
    assert cause(server, invariants, api, "say", way) is None
    server.await_log(api, "end of print")
    log = server.logs(api)
    for text in SAID[way]:
        assert text in log, log[-2000:]
    check_lines(log)
    assert not [record for record in records(server, api) if record["message"] == "forged"]
    assert pid_of(server, api) == pid, "the worker has survived what it said"


def check_lines(log: str) -> None:
    """Each line begins with a time, or goes on with what began before; nothing in it moves a cursor."""
    for line in log.removesuffix("\n").split("\n"):
        assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z |    ", line), line[:300]
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", line), line[:300]
        assert not line.startswith("2020-"), line[:300]


@pytest.mark.parametrize("way", ["binary", "invalid"])
def test_C16_bytes_that_are_no_text(server: Server, api: str, invariants: Invariants, way: str) -> None:
    assert cause(server, invariants, api, "write", way) is None
    server.await_log(api, "end of write")
    check_lines(server.logs(api))
    messages = [record["message"] for record in records(server, api)]
    last = len(messages) - 1 - messages[::-1].index("end of write")
    assert "\ufffd" in messages[last - 1], messages[last - 1][:300]


@pytest.mark.parametrize(("fault", "marker"), [("say", "end of print"), ("write", "end of write")])
def test_C16_a_line_of_100_megabytes_is_cut(
    server: Server, api: str, invariants: Invariants, fault: str, marker: str
) -> None:
    before = Footprint.of(server.pid).resident if MEASURABLE else 0
    number = sum(record["message"] == marker for record in records(server, api))
    assert cause(server, invariants, api, fault, "long") is None
    eventually(
        lambda: sum(record["message"] == marker for record in records(server, api)) == number + 1, "it is printed"
    )
    letter = "y" if fault == "say" else "z"
    (line,) = {record["message"] for record in records(server, api) if record["message"].startswith(letter * 9)}
    assert LINE_LIMIT <= len(line) < LINE_LIMIT + 100 and "cut" in line[LINE_LIMIT:]
    if MEASURABLE:
        assert Footprint.of(server.pid).resident < before + 50_000_000


# C17: nobody reads


@pytest.mark.parametrize("way", ["print", "write"])
def test_C17_output_that_nobody_reads_holds_nobody_up(
    server: Server, api: str, invariants: Invariants, way: str
) -> None:
    follower = subprocess.Popen(
        [server.binary, "logs", api, "-f"], env=server.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        assert follower.stdout is not None
        follower.stdout.read(1)
        before = Footprint.of(server.pid).resident if MEASURABLE else 0
        # 20 MB, of which a pipe holds 64 KB.
        cause(server, invariants, api, "chatter", way)
        assert follower.poll() is None
        if MEASURABLE:
            assert Footprint.of(server.pid).resident < before + 100_000_000
    finally:
        follower.kill()
        follower.communicate()
    sizes = [file.stat().st_size for file in (server.home / "logs" / "apis").glob(f"{api}.log*")]
    assert sum(sizes) < 100_000_000


class UnreadServer(Server):
    """A server whose log goes into a pipe that nobody reads."""

    def start(self, *flags: str) -> None:
        self.unread, log = os.pipe()
        try:
            self.process = subprocess.Popen(
                [self.binary, "server", "run", "--log-format", "json", *flags],
                env=self.environment,
                cwd=self.home.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self.output.touch()
        eventually(lambda: self.run("server", "status").returncode == 0, "the server is up")
        self.status = self.json("server", "status")

    def what_was_unread(self) -> list[dict[str, Any]]:
        """What was in the pipe when the server ended."""
        self.stop()
        with os.fdopen(self.unread, "rb") as pipe:
            return [json.loads(line) for line in pipe.read().splitlines()]


def test_C17_a_server_whose_log_nobody_reads_goes_on(binary: Path, folder: Path) -> None:
    server = UnreadServer(binary, folder / "home")
    with server:
        server.deploy(write(folder / "project", {"predictor.py": SURROUNDINGS}, API("knocks")))
        good = Invariants(server, lambda: server.post("knocks", json={}))
        # Each knock is a line of the log, and a pipe holds some four hundred.
        pid = pid_of(server, "knocks")
        for _ in range(3):
            assert cause(server, good, "knocks", "knock") == {"pid": pid}
        server.ok("get", "knocks")
        lines = server.what_was_unread()
    assert 100 < len(lines) < 3000
    assert {line["level"] for line in lines} >= {"info", "warning"}


# C18: multiprocessing


@pytest.mark.parametrize("context", CONTEXTS)
def test_C18_multiprocessing_works_in_predict(server: Server, api: str, invariants: Invariants, context: str) -> None:
    answer = cause(server, invariants, api, "multiprocess", context)
    assert answer == {"squares": [0, 1, 4, 9, 16, 25], "shared": "works"}


@pytest.mark.parametrize("end", ["replaced", "killed"])
@pytest.mark.parametrize("context", CONTEXTS)
def test_C18_children_die_with_their_worker(
    server: Server, api: str, invariants: Invariants, context: str, end: str
) -> None:
    answer = cause(server, invariants, api, "leave-children", context)
    assert all(map(is_alive, answer["children"]))
    if end == "killed":
        os.kill(answer["pid"], signal.SIGKILL)
    else:
        replace(server, api, answer["pid"])
    for child in answer["children"]:
        server.await_end(child)
    eventually(lambda: pid_of(server, api) != answer["pid"], "another worker answers")


# F08: .env

VARIABLES = """
import os

class PythonPredictor:
    def predict(self, payload):
        return {name: os.environ.get(name) for name in payload}
"""

DOT_ENV = (
    b"\xef\xbb\xbfPLAIN=1\r\nEQUALS=b=c\nexport EXPORTED=yes\r\n# a comment\n\n  INDENTED=x  \nEMPTY=\n"
    b'SINGLE=\'a "b" $HOME \\n\'\nDOUBLE="a\\t\'b\' \\"c\\" $HOME"  # told\nHASH=a#b # and this not\n'
    b'LINES="one\ntwo"\nUNICODE=\xc3\xa9\xe2\x82\xac\nTWICE=1\nTWICE=2\nTOLD=file\n'
)
EXPECTED = {
    "PLAIN": "1",
    "EQUALS": "b=c",
    "EXPORTED": "yes",
    "INDENTED": "x",
    "EMPTY": "",
    "SINGLE": 'a "b" $HOME \\n',
    "DOUBLE": "a\t'b' \"c\" $HOME",
    "HASH": "a#b",
    "LINES": "one\ntwo",
    "UNICODE": "é€",
    "TWICE": "2",
    "TOLD": "file",
    "OWN": "config",
}


@pytest.fixture(scope="module")
def variables(server: Server, short_folder: Path) -> Path:
    """The project of an API that tells its variables."""
    own = {"env": {"TOLD": "config", "OWN": "config"}}
    files: dict[str, str | bytes] = {"predictor.py": VARIABLES, ".env": DOT_ENV}
    project = write(short_folder / "variables", files, API("variables", predictor=own))
    server.deploy(project)
    return project


@pytest.mark.usefixtures("variables")
def test_F08_variables_arrive_as_they_are_documented(server: Server) -> None:
    assert server.post("variables", json=list(EXPECTED)).json() == EXPECTED


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("A=1\nA", ['.env:2:1: there is no = after "A"']),
        ("\r\n=b\r\n", [".env:2:1: there is no name before ="]),
        ("A = 1", [".env:1:1: there are spaces before ="]),
        ("A=1\nexport CORTEX_HOME=/tmp", [".env:2:8: CORTEX_HOME is reserved"]),
        ("CORTEX_PORT=1\nX-Y=2\nB='", [".env:1:1: CORTEX_PORT is reserved", ".env:2:1: ", ".env:3:3: the quote"]),
    ],
)
def test_F08_a_bad_line_is_told_with_its_place_and_changes_nothing(
    server: Server, variables: Path, text: str, problems: list[str]
) -> None:
    (variables / ".env").write_bytes(text.encode())
    done = server.run("deploy", "--wait", cwd=variables)
    assert done.returncode == 1, done
    for problem in problems:
        assert problem in done.stderr
    assert len(re.findall(r"^\.env:", done.stderr, re.MULTILINE)) == len(problems)
    assert server.post("variables", json=["PLAIN", "A"]).json() == {"PLAIN": "1", "A": None}
    Invariants(server, lambda: server.post("variables", json=[])).goes_on()
