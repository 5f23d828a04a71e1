"""`cortex dev`: a project in the foreground, reloaded on save."""

from __future__ import annotations

import re
from pathlib import Path

import requests

from blackbox.dev import ONE, TWO, ask, await_sight, dev, end, live
from blackbox.load import Load
from blackbox.project import API, write
from blackbox.server import Cortex


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
