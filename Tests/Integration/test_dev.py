"""`cortex dev`: a project in the foreground, reloaded on save."""

from __future__ import annotations

import json
import re
import signal
import socket
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.processes import children, is_alive
from blackbox.project import API, Splitter, write
from blackbox.server import Cortex, Server
from blackbox.terminal import Terminal

ONE = "class PythonPredictor:\n    def predict(self, payload):\n        return 1\n"
TWO = ONE.replace("return 1", "return 2")


@contextmanager
def dev(cortex: Cortex, project: Path, *arguments: str | Path, **settings: str) -> Iterator[Terminal]:
    """`cortex dev` in a project's folder, ended by Ctrl-C if it still runs."""
    with Terminal(cortex, "dev", *arguments, cwd=project, **settings) as terminal:
        yield terminal
        if terminal.process.poll() is None:
            end(terminal)


def end(terminal: Terminal) -> str:
    """Ends it as a person does, and makes sure that nothing is left; what it wrote."""
    left = children(terminal.process.pid)
    terminal.type("\x03")
    code, _ = terminal.finish()
    assert code == 0, terminal.plain
    assert [pid for pid in left if is_alive(pid)] == [], "a process outlives its server"
    return terminal.plain


def live(terminal: Terminal, api: str = "hello") -> str:
    """Where the API is, once that was told."""
    return terminal.expect(rf"{api}   live in [\d.]+ s    (http://localhost:\d+/\S+)")[1]


def ask(url: str) -> object:
    """The answer to an empty request."""
    answer = requests.post(url, json={}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_first_run(cortex: Cortex) -> None:
    cortex.ok("init", "hello")
    project = cortex.home.parent / "hello"
    with dev(cortex, project) as terminal:
        python = r"✓ Python 3\.\d+"
        signature = r"✓ predictor\.py: PythonPredictor\(config\), predict\(payload\)"
        terminal.expect(rf"✓ cortex\.yaml valid {{8}}{python} {{8}}{signature}\n")
        url = live(terminal)
        address = url.removeprefix("http://")
        terminal.expect(re.escape(f"  try:  curl {address} -H 'content-type: application/json' -d @sample.json\n"))
        terminal.expect(r'  sample\.json   200 in [\d.]+ ms   {"text": ?"Hello, iris!"}\n')
        assert requests.post(url, json={"name": "you"}, timeout=60).json() == {"text": "Hello, you!"}
        terminal.expect(r"POST /hello 200 [\d.]+ ms\n")
        text = end(terminal)
    assert "Traceback" not in text
    homes = list((cortex.home / "dev").iterdir())
    assert len(homes) == 1 and list((homes[0] / "projects").iterdir()) == list((homes[0] / "versions").iterdir()) == []
    assert cortex.run("server", "status").returncode == 1, "no other server was started"


def test_a_save_reloads_without_a_lost_request(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    with dev(cortex, project) as terminal:
        url = live(terminal)
        with Load(url, json={}) as load:
            load.await_body("1")
            write(project, {"predictor.py": TWO})
            load.await_body("2")
            terminal.expect(r"hello   reloaded in [\d.]+ s \(predictor\.py\)")
            # As editors save that write another file and rename it, and again at once.
            for number in (3, 4):
                (project / ".new").write_text(ONE.replace("return 1", f"return {number}"))
                (project / ".new").rename(project / "predictor.py")
            load.await_body("4")
            terminal.expect(r"hello   reloaded in [\d.]+ s \(predictor\.py\)")
        assert load.failures() == []
        bodies = [body for _, body, _ in load.answers]
        assert bodies == sorted(bodies), "a version that was replaced answered again"
        assert "more requests" in terminal.plain, "a load is counted, not listed"


def test_a_broken_save_is_told_and_the_next_one_heals(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    with dev(cortex, project) as terminal:
        url = live(terminal)
        write(project, {"predictor.py": ONE + "    def broken(:\n"})
        text = terminal.expect(r'File "predictor\.py", line 4(.*\n)+?SyntaxError: .*\n')[0]
        assert "cortex_worker" not in text and "Traceback" not in text, text
        terminal.expect(r"✗ hello not reloaded \(predictor\.py\): predictor\.py: SyntaxError: .*\n")
        terminal.expect("the version before serves on")
        assert ask(url) == 1
        raising = """
            class PythonPredictor:
                def __init__(self, config):
                    print("looking for it")
                    self.model = open("no-such-file")

                def predict(self, payload):
                    return 0
            """
        write(project, {"predictor.py": raising})
        terminal.expect("looking for it\n")
        terminal.expect(r'Traceback \(most recent call last\):\n  File "predictor\.py", line 5, in __init__\n')
        terminal.expect(r"✗ hello not reloaded \(predictor\.py\): predictor\.py: __init__: FileNotFoundError: .*\n")
        assert ask(url) == 1
        write(project, {"predictor.py": TWO})
        terminal.expect(r"hello   reloaded in [\d.]+ s \(predictor\.py\)")
        assert ask(url) == 2
        told = terminal.plain.count("looking for it")
        assert told == 1, "a start that is tried again was told of once more"


def test_it_waits_for_a_first_version_that_works(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": "import nothing_of_that_name\n"}, API("hello"))
    with dev(cortex, project) as terminal:
        terminal.expect(
            r"✗ hello is not live: predictor\.py: ModuleNotFoundError: .*\n  a saved change is tried at once"
        )
        write(project, {"predictor.py": ONE})
        assert ask(live(terminal)) == 1


def test_a_save_that_changes_nothing_tries_again(cortex: Cortex, folder: Path) -> None:
    # An import is not tried again by itself: nothing would change, as far as the server can know.
    outside = folder / "value"
    source = f"VALUE = int(open({str(outside)!r}).read())\n" + ONE.replace("return 1", "return VALUE")
    project = write(folder / "project", {"predictor.py": source}, API("hello"))
    with dev(cortex, project) as terminal:
        terminal.expect(r"✗ hello is not live: predictor\.py: FileNotFoundError")
        outside.write_text("5")
        (project / "predictor.py").write_text(source)
        assert ask(live(terminal)) == 5


def test_what_a_request_raises_is_shown(cortex: Cortex, folder: Path) -> None:
    source = """
        class PythonPredictor:
            def predict(self, payload):
                print("dividing", payload)
                return 1 / payload
        """
    files: dict[str, str | bytes] = {"api.py": source, "sample.json": "0"}
    project = write(folder / "project", files, API("hello", path="api.py"))
    with dev(cortex, folder, "project/cortex.yaml") as terminal:
        live(terminal)
        terminal.expect("-d @project/sample.json\n")
        # The answer and what the log has come by two ways.
        await_sight(terminal, "dividing 0\n")
        await_sight(terminal, r'File "project/api\.py", line 5, in predict\n(.*\n)+?ZeroDivisionError')
        await_sight(terminal, r"sample\.json   500 in [\d.]+ ms   .*the predictor raised an exception")
        write(project, {"sample.json": "4"})
        terminal.expect(r"sample\.json   200 in [\d.]+ ms   0\.25\n")


def test_a_broken_config_file_is_told(cortex: Cortex, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": ONE}, API("hello"))
    with dev(cortex, project) as terminal:
        url = live(terminal)
        good = (project / "cortex.yaml").read_text()
        (project / "cortex.yaml").write_text(good.replace('"python"', '"pyton"').replace("predictor.py", "gone.py"))
        terminal.expect(r"✗ cortex\.yaml has 2 problems\n(.*\n)*?.*pyton")
        terminal.expect("gone.py")
        terminal.expect("the version before serves on")
        assert ask(url) == 1
        (project / "cortex.yaml").write_text(good)
        terminal.expect("as it was; nothing to reload")
        (project / "cortex.yaml").unlink()
        terminal.expect("there is no cortex.yaml")
        (project / "cortex.yaml").write_text(good.replace('"hello"', '"other"'))
        other = live(terminal, "other")
        assert "hello   removed" in terminal.plain
        assert ask(other) == 1
        assert requests.post(url, json={}, timeout=60).status_code == 404
        # Another name for the same endpoint: the one before has to make room for it.
        api = API("third", sections={"networking": {"endpoint": "/other"}})
        write(project, {}, api)
        third = live(terminal, "third")
        assert (third, ask(third)) == (other, 1)


def test_new_requirements_are_installed(cortex: Cortex, folder: Path) -> None:
    importing = "import iniconfig\n" + ONE.replace("return 1", "return [iniconfig.__name__]")
    files: dict[str, str | bytes] = {"predictor.py": ONE, "requirements.txt": "# nothing yet\n"}
    project = write(folder / "project", files, API("hello"))
    with dev(cortex, project) as terminal:
        url = live(terminal)
        environments = cortex.home / "environments"

        def built() -> set[str]:
            return {path.name for path in environments.iterdir() if re.fullmatch("[0-9a-f]{64}", path.name)}

        first = built()
        assert first, "environments are shared with other servers of this home"
        write(project, {"predictor.py": TWO})
        terminal.expect(r"hello   reloaded in .*\(predictor\.py\)")
        assert built() == first, "an environment was built although nothing of it had changed"
        write(project, {"requirements.txt": "iniconfig\n", "predictor.py": importing})
        terminal.expect(r"hello   reloaded in .*\(predictor\.py, requirements\.txt\)", within=120)
        assert ask(url) == ["iniconfig"]
        assert len(built()) == len(first) + 1


def test_what_is_not_deployed_does_not_reload(cortex: Cortex, folder: Path) -> None:
    files: dict[str, str | bytes] = {"predictor.py": ONE, ".cortexignore": "data/\n", "data/x.csv": "1"}
    project = write(folder / "project", files, API("hello"))
    with dev(cortex, project) as terminal:
        live(terminal)
        terminal.expect("Ctrl-C ends")
        write(project, {"data/x.csv": "2", "data/y.csv": "3", ".hidden": "4"})
        # The same bytes again, with another time.
        (project / "predictor.py").write_text(ONE)
        write(project, {"new.py": "A = 1\n"})
        terminal.expect(r"hello   reloaded in [\d.]+ s \(new\.py(, predictor\.py)?\)")
        assert terminal.plain.count("reloaded in") == 1, terminal.plain


def test_two_apis(cortex: Cortex, folder: Path) -> None:
    printing = "print('up')\n" + ONE
    files: dict[str, str | bytes] = {
        "a.py": printing,
        "b/b.py": TWO,
        "samples/a.json": "1",
        "b/sample.txt": "text",
        "sample.json": "of none",
    }
    apis = (API("a", path="a.py"), API("b", path="b/b.py"))
    project = write(folder / "project", files, *apis)
    with dev(cortex, project) as terminal:
        # Either may be up first.
        for pattern in (
            r"a   live in",
            r"b   live in",
            r"samples/a\.json   200 in",
            r"b/sample\.txt   200 in",
            r"a \| up",
            r"✓ b/b\.py: PythonPredictor\(\), predict\(payload\)",
        ):
            await_sight(terminal, pattern)
        urls = {name: url for url, name in re.findall(r"(http://localhost:\d+/(\w))\n", terminal.plain)}
        assert (ask(urls["a"]), ask(urls["b"])) == (1, 2)
        write(project, {}, API("a", path="a.py", predictor={"config": {"changed": 1}}), apis[1])
        terminal.expect(r"a   reloaded in [\d.]+ s \(cortex\.yaml\)")
        write(project, {}, apis[0])
        terminal.expect("b   removed")
        assert requests.post(urls["b"], json={}, timeout=60).status_code == 404
        assert "b   reloaded" not in terminal.plain, "its configuration has not changed"


def await_sight(terminal: Terminal, pattern: str) -> None:
    """Waits until a pattern is anywhere in what was written."""

    def is_seen() -> bool:
        terminal.poll()
        return re.search(pattern, terminal.plain) is not None

    eventually(is_seen, pattern)


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
