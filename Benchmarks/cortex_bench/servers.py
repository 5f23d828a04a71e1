"""What is measured: a Cortex server of its own, and FastAPI on uvicorn."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from cortex_bench.machine import BENCHMARKS
from cortex_bench.measuring import Target, await_answer


class Cortex:
    """A running server with a home of its own, below /tmp, as the path of a Unix socket holds 107 bytes."""

    def __init__(self, binary: Path, folder: Path, **variables: str) -> None:
        self.folder = folder
        self._binary = binary
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("CORTEX_")}
        self._environment |= {"CORTEX_HOME": str(folder / "home"), "CORTEX_PORT": "0", "CORTEX_OPERATOR_PORT": "0"}
        self._environment |= variables
        self.run("server", "start")
        status = json.loads(self.run("server", "status", "-o", "json"))
        self.pid = int(status["pid"])
        self.port = int(status["port"])
        self._operator = f"http://127.0.0.1:{status['operator_port']}"
        self._token = (folder / "home" / "tokens" / "local.token").read_text().strip()

    def run(self, *arguments: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [self._binary, *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"error: cortex {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, path: str) -> Any:
        """What the operator answers to GET: less work for the machine than a command, which is a process."""
        request = urllib.request.Request(self._operator + path, headers={"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def url(self, name: str) -> str:
        """Where an API answers."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def deploy(self, name: str, predictor: dict[str, Any], **keys: dict[str, Any]) -> str:
        """Deploys `predictors/<path>` as an API, waits until it is live, and returns its address.

        `keys` are further ones of `cortex.yaml`, such as `compute`.
        """
        project = self.folder / name
        project.mkdir()
        shutil.copy(BENCHMARKS / "predictors" / predictor["path"], project)
        api = {"name": name, "kind": "RealtimeAPI", "predictor": predictor, **keys}
        # JSON is YAML, too.
        (project / "cortex.yaml").write_text(json.dumps([api], indent=2))
        self.run("deploy", str(project / "cortex.yaml"), "--wait")
        return self.url(name)

    def delete(self, name: str) -> None:
        """Ends an API, so that what is measured next is alone."""
        self.run("delete", name, "--force")


@contextmanager
def running_cortex(binary: Path, **variables: str) -> Iterator[Cortex]:
    """A server that is gone afterwards, with all that it had on disk."""
    folder = Path(tempfile.mkdtemp(prefix="cortex-bench-", dir="/tmp"))
    try:
        cortex = Cortex(binary, folder, **variables)
        try:
            yield cortex
        finally:
            cortex.run("server", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], variables: dict[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server of this folder, in a session of its own; neither it nor a child of it is left afterwards.

    With `log`, what it prints goes there.
    """
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else None
        process = subprocess.Popen(
            command,
            cwd=BENCHMARKS,
            env={**os.environ, **variables},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with suppress(ProcessLookupError):  # the usual case: no child has outlived it
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def running_fastapi(
    venv: Path, app: str, targets: dict[str, str], body: str | int, expected: Any, **variables: str
) -> Iterator[list[Target]]:
    """uvicorn with an application of this folder. `targets` has paths by what they are called."""
    port = free_port()
    command = [str(venv / "bin" / "python"), "-m", "uvicorn", app, "--port", str(port)]
    command += ["--workers", "1", "--no-access-log", "--log-level", "warning"]
    with running(command, variables) as process:
        found = [Target(name, f"http://127.0.0.1:{port}{path}", body, expected) for name, path in targets.items()]
        for target in found:
            await_answer(target, process)
        yield found
