"""How a session of `cortex dev` begins and ends: ports, other servers, Ctrl-C, `--once`."""

from __future__ import annotations

import json
import re
import signal
import socket
import textwrap
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.dev import ONE, TWO, ask, await_sight, dev, end, live
from blackbox.processes import children, is_alive
from blackbox.project import API, Splitter, write
from blackbox.server import Cortex, Server
from blackbox.terminal import Terminal


def holds(holder: socket.socket, port: int) -> bool:
    """Takes the port, unless another has it."""
    try:
        holder.bind(("127.0.0.1", port))
        holder.listen()
    except OSError:
        return False
    return True


def test_the_usual_port_is_taken(binary: Path, folder: Path) -> None:
    cortex = Cortex(binary, folder / "home")
    del cortex.environment["CORTEX_PORT"]
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A test beside this one may have it for a while; one who has it for longer holds it as well as this one would.
        with suppress(AssertionError):
            eventually(lambda: holds(holder, 8888), "the port is held here")
        with dev(cortex, project) as terminal:
            terminal.expect(r"port 8888 is taken.*; serving on (\d+|a free one)\n")
            url = live(terminal)
            assert ":8888/" not in url and ask(url) == 1


def test_a_port_that_was_asked_for_must_be_free(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = cortex.run("dev", "--port", str(port), cwd=project)
    assert done.returncode == 1 and f"port {port} is used by" in done.stderr and "--port" in done.stderr, done


def test_other_servers_are_left_alone(own_server: Server, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    own_server.deploy(project)
    write(project, {"predictor.py": TWO})
    before = own_server.json("describe", "hello")
    with dev(own_server, project) as terminal:
        assert ask(live(terminal)) == 2
        assert own_server.post("hello", json={}).json() == 1
        again = own_server.run("dev", cwd=project)
        assert again.returncode == 1, again
        assert re.search(r"serves \S+/project/cortex.yaml already \(pid \d+\): http://localhost:\d+", again.stderr)
    assert own_server.post("hello", json={}).json() == 1
    assert own_server.json("describe", "hello")["deployments"] == before["deployments"]


def test_the_end_waits_for_requests_and_the_second_ctrl_c_does_not(cortex: Cortex, folder: Path) -> None:
    source = """
        import time

        class PythonPredictor:
            def predict(self, payload):
                print("asleep", flush=True)
                time.sleep(payload)
                return "slept"
        """
    project = write(folder / "project", {"predictor.py": source}, API("hello"))
    answers: list[object] = []

    def ask_for(seconds: float) -> None:
        try:
            answers.append(requests.post(url, json=seconds, timeout=60).text)
        except requests.ConnectionError:
            answers.append(None)

    with dev(cortex, project) as terminal:
        url = live(terminal)
        client = threading.Thread(target=ask_for, args=(2,))
        client.start()
        terminal.expect("asleep")
        end(terminal)
        client.join()
    assert answers == ["slept"]
    with dev(cortex, project) as terminal:
        url = live(terminal)
        client = threading.Thread(target=ask_for, args=(3600,))
        client.start()
        terminal.expect("asleep")
        workers = children(terminal.process.pid)
        terminal.type("\x03")
        terminal.expect("Ctrl-C again ends it at once")
        terminal.type("\x03")
        code, _ = terminal.finish()
        client.join()
    assert code == 130 and answers[0] == "slept" and "slept" not in str(answers[1]), answers
    eventually(lambda: not any(map(is_alive, workers)), "the workers have ended")


def test_a_session_that_was_killed_leaves_nothing_in_the_way(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    with Terminal(cortex, "dev", cwd=project) as terminal:
        live(terminal)
        workers = children(terminal.process.pid)
        terminal.process.send_signal(signal.SIGKILL)
        terminal.process.wait()
    eventually(lambda: not any(map(is_alive, workers)), "the workers have ended")
    with dev(cortex, project) as terminal:
        assert ask(live(terminal)) == 1


@pytest.mark.parametrize(("source", "code"), [(ONE, 0), (ONE.replace("return 1", "return 1 / 0"), 1), ("1 / 0", 1)])
def test_once(cortex: Cortex, folder: Path, source: str, code: int) -> None:
    project = write(folder / "project", {"predictor.py": source, "sample.json": "{}"}, API("hello"))
    done = cortex.run("dev", "--once", cwd=project)
    assert done.returncode == code, done
    assert "\x1b" not in done.stdout and "Ctrl-C" not in done.stdout, done.stdout
    if code == 0:
        assert re.search(r"^  sample\.json   200 in [\d.]+ ms   1$", done.stdout, re.MULTILINE), done
    else:
        assert "ZeroDivisionError" in done.stdout, done


def test_once_shows_what_comes_after_the_last_answer(cortex: Cortex, folder: Path) -> None:
    """Two APIs, behind a splitter: what each says until it has ended."""
    source = """
        import time


        class PythonPredictor:
            def predict(self, payload):
                return 1

            def post_predict(self, payload):
                time.sleep(1)
                print("after the answer")
                raise RuntimeError("on purpose")
    """
    files = {"predictor.py": source, "samples/one.json": "{}", "samples/two.json": "{}"}
    project = write(folder / "project", files, API("one"), API("two"), Splitter("both", {"one": 50, "two": 50}))
    done = cortex.run("dev", "--once", cwd=project)
    assert done.returncode == 0, done
    for name in ("one", "two"):
        for text in ("after the answer", "RuntimeError: on purpose"):
            assert re.search(rf"^{name} \| .*{text}", done.stdout, re.MULTILINE), (name, text, done)


def test_once_without_the_sample_and_with_a_broken_config(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ONE, "sample.json": "{}"}, API("hello"))
    done = cortex.run("dev", "--once", "--no-sample", cwd=project)
    assert done.returncode == 0 and "200 in" not in done.stdout and "live in" in done.stdout, done
    (project / "cortex.yaml").write_text(json.dumps([{"name": "hello", "kind": "Realtime"}]))
    done = cortex.run("dev", "--once", cwd=project)
    assert done.returncode == 1 and "cortex.yaml:1:" in done.stdout, done
    missing = cortex.run("dev", cwd=folder)
    assert missing.returncode == 1 and "there is no cortex.yaml" in missing.stderr, missing


def test_control_characters_of_a_predictor_do_not_reach_the_terminal(cortex: Cortex, folder: Path) -> None:
    source = textwrap.dedent(
        """
        print("a\\x1b[2Jb")


        class PythonPredictor:
            def predict(self, payload):
                return 1
        """
    )
    project = write(folder / "project", {"predictor.py": source}, API("hello"))
    with dev(cortex, project) as terminal:
        live(terminal)
        assert "a\\x1b[2Jb" in terminal.plain and "\x1b[2J" not in terminal.text


def test_a_build_is_shown_and_ends_with_ctrl_c(cortex: Cortex, folder: Path) -> None:
    tool = folder / "uv"
    tool.write_text('#!/bin/sh\n[ "$1" = --version ] && exec echo "uv 0.9.0"\nexec sleep 3600\n')
    tool.chmod(0o755)
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    with dev(cortex, project, CORTEX_UV=str(tool)) as terminal:
        await_sight(terminal, r"hello: \S")
        eventually(lambda: children(terminal.process.pid), "the tool runs")
        end(terminal)
