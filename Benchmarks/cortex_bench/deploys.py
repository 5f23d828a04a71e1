"""From `cortex deploy` to the first answer, and the same done by hand: uv, a virtual environment, uvicorn."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

from cortex_bench.machine import BENCHMARKS, ROOT, say
from cortex_bench.measuring import Target, ask, await_answer
from cortex_bench.suite import Findings, Goal, Settings

FIRST_GATE = 15.0
"""Most seconds of the first deploy of a home, uv's cache warm."""
AGAIN_GATE = 2.0
"""Most seconds of a deploy whose environment exists."""
IMPORTS_GATE = 200.0
"""Most milliseconds that a worker's imports take before those of the user."""
MOST_ROUNDS = 3
"""A round takes as long as ten of other suites."""
REQUIREMENTS = "scikit-learn\n"
BODY = json.dumps({"sepal_length": 5.2, "sepal_width": 3.6, "petal_length": 1.4, "petal_width": 0.3})
EXPECTED = "setosa"

FIRST, UNCHANGED, CHANGED, ANOTHER = "first deploy", "nothing changed", "predictor changed", "another API"
BY_HAND, AGAIN_BY_HAND = "by hand, the first time", "by hand, started again"
Times = dict[str, list[float]]


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    times: Times = {}
    imports: list[float] = []
    rounds = min(settings.rounds, MOST_ROUNDS)
    for number in range(rounds + 1):
        measured = {**_by_hand(), **_through_cortex(settings.binary, imports)}
        if number == 0:  # brings the packages into uv's cache
            imports.clear()
            continue
        for name, seconds in measured.items():
            times.setdefault(name, []).append(seconds)
        say(f"round {number}/{rounds}  " + "  ".join(f"{name} {seconds:.2f} s" for name, seconds in measured.items()))

    medians = {name: statistics.median(each) for name, each in times.items()}
    print("\nFrom `cortex deploy` to the first answer (scikit-learn, uv's cache warm)")
    for name, each in times.items():
        print(f"  {name:24} {medians[name]:6.2f} s   ({min(each):.2f} to {max(each):.2f})")
    imported = statistics.median(imports)
    print(f"  {'imports of a worker':24} {imported:6.0f} ms before the user's")
    goals = [
        Goal(FIRST, medians[FIRST], FIRST_GATE, "s"),
        *(Goal(name, medians[name], AGAIN_GATE, "s") for name in (UNCHANGED, CHANGED, ANOTHER)),
        Goal("imports of a worker", imported, IMPORTS_GATE, "ms"),
    ]
    return Findings(goals, {"deploys": {"seconds": times, "imports_ms": imports}})


def _environment() -> dict[str, str]:
    """For both sides. Where compiled modules are not kept, every start would compile what it imports."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CORTEX_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if "CORTEX_UV" in os.environ:
        environment["CORTEX_UV"] = os.environ["CORTEX_UV"]
    elif shutil.which("uv") is None:
        subprocess.run([ROOT / "dev" / "uv", "--version"], stdout=subprocess.DEVNULL, check=True)
        environment["CORTEX_UV"] = str(ROOT / ".tools" / "uv" / "bin" / "uv")
    return environment


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cortex-bench-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _by_hand() -> dict[str, float]:
    """What a user would type, until the application answers."""
    environment = _environment()
    with _folder() as folder, socket.socket() as probe:
        (folder / "requirements.txt").write_text(REQUIREMENTS + "fastapi\nuvicorn\n")
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        python = folder / "venv" / "bin" / "python"

        def uv(*arguments: str | Path) -> None:
            subprocess.run([ROOT / "dev" / "uv", *arguments, "--quiet"], cwd=folder, env=environment, check=True)

        def serve() -> None:
            command = [str(python), "-m", "uvicorn", "fastapi_classifier:app", "--port", str(port)]
            process = subprocess.Popen([*command, "--log-level", "warning"], cwd=BENCHMARKS, env=environment)
            try:
                await_answer(Target("FastAPI", f"http://127.0.0.1:{port}/", BODY, EXPECTED), process)
            finally:
                process.terminate()
                process.wait(timeout=30)

        def all_of_it() -> None:
            uv("venv", folder / "venv")
            uv("pip", "install", "--python", python, "-r", "requirements.txt")
            serve()

        return {BY_HAND: _seconds(all_of_it), AGAIN_BY_HAND: _seconds(serve)}


def _through_cortex(binary: Path, imports: list[float]) -> dict[str, float]:
    """In a home of its own, where no server runs yet: the first deploy starts it."""
    with _folder() as folder:
        home = folder / "home"
        environment = _environment() | {"CORTEX_HOME": str(home), "CORTEX_PORT": "0", "CORTEX_OPERATOR_PORT": "0"}

        def cortex(*arguments: str, cwd: Path = folder) -> str:
            command = [str(binary), *arguments]
            done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"error: cortex {' '.join(arguments)}: {done.stdout}{done.stderr}")
            return done.stdout

        def deploy(name: str, source: str) -> float:
            project = folder / name
            project.mkdir(exist_ok=True)
            (project / "predictor.py").write_text(source)
            (project / "requirements.txt").write_text(REQUIREMENTS)
            predictor = {"type": "python", "path": "predictor.py"}
            api = {"name": name, "kind": "RealtimeAPI", "predictor": predictor}
            (project / "cortex.yaml").write_text(json.dumps([api]))

            def deploy_and_ask() -> None:
                cortex("deploy", "--wait", cwd=project)
                port = json.loads(cortex("server", "status", "-o", "json"))["port"]
                answer = ask(f"http://127.0.0.1:{port}/{name}", BODY)
                if answer != EXPECTED:
                    sys.exit(f"error: Cortex answers {answer}")

            return _seconds(deploy_and_ask)

        source = (BENCHMARKS / "predictors" / "classifier.py").read_text()
        try:
            measured = {FIRST: deploy("iris", source), UNCHANGED: deploy("iris", source)}
            measured[CHANGED] = deploy("iris", f"{source}\n# changed\n")
            measured[ANOTHER] = deploy("flowers", source)
            imports.append(_imports(home))
            return measured
        finally:
            cortex("server", "stop")


def _imports(home: Path) -> float:
    """Milliseconds from the start of the interpreter until the worker has all that it imports by itself."""
    python = next(home.glob("environments/*/whole/env/bin/python"))
    package = next(home.glob("tools/worker-*"))
    environment = {"PATH": os.defpath, "PYTHONPATH": str(package)}
    command = [str(python), "-X", "importtime", "-c", "import cortex_worker.process"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    own = re.findall(r"^import time:\s*(\d+) \|", done.stderr, re.MULTILINE)
    return sum(map(int, own)) / 1000
