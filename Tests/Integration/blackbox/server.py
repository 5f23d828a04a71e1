"""One running `cortex server`, with a home and ports of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from blackbox.conditions import eventually, is_readable
from blackbox.foreground import Foreground
from blackbox.processes import is_alive


class Cortex:
    """The command line, bound to one `CORTEX_HOME`."""

    def __init__(self, binary: Path, home: Path, environment: dict[str, str] | None = None, **settings: str) -> None:
        """`environment` replaces this process's own; `settings` are variables on top of it."""
        self.binary = binary
        self.home = home
        own = {key: value for key, value in os.environ.items() if key == "CORTEX_UV" or not key.startswith("CORTEX_")}
        self.environment = {
            **(own if environment is None else environment),
            "CORTEX_HOME": str(home),
            "CORTEX_PORT": "0",
            "CORTEX_OPERATOR_PORT": "0",
            **settings,
        }

    def run(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        within: float = 240,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, with no terminal and nothing on standard input."""
        return subprocess.run(
            [self.binary, *map(str, arguments)],
            cwd=cwd or self.home.parent,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
        )

    def ok(self, *arguments: str | Path, cwd: Path | None = None) -> str:
        """Standard output of a command that must succeed."""
        done = self.run(*arguments, cwd=cwd)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """What a command prints with `-o json`."""
        return json.loads(self.ok(*arguments, "-o", "json"))


class Server(Cortex, Foreground):
    """`cortex server run` in the foreground, its output in a file."""

    def __init__(self, binary: Path, home: Path, environment: dict[str, str] | None = None, **settings: str) -> None:
        super().__init__(binary, home, environment, **settings)
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self.output = home.parent / f"{home.name}.output"
        self.status: dict[str, Any] = {}

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *flags: str) -> None:
        """Starts it, and returns when it answers."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [self.binary, "server", "run", "--log-format", "json", *flags],
                env=self.environment,
                cwd=self.home.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        process = self.process

        def is_up() -> bool:
            assert process.poll() is None, f"the server ended: {self.output.read_text()[-4000:]}"
            done = self.run("server", "status", "-o", "json")
            if done.returncode != 0:
                return False
            self.status = json.loads(done.stdout)
            try:
                return bool(self.status.get("pid") == process.pid and self.get("/livez").status_code == 200)
            except requests.ConnectionError:
                return False

        eventually(is_up, "the server is up")

    @property
    def port(self) -> int:
        """The data port."""
        return int(self.status["port"])

    @property
    def operator(self) -> str:
        """Address of the admin port."""
        return f"http://127.0.0.1:{self.status['operator_port']}"

    def url(self, path: str = "/") -> str:
        """An address on the data port."""
        return f"http://127.0.0.1:{self.port}{path if path.startswith('/') else '/' + path}"

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET on the data port."""
        return requests.get(self.url(path), timeout=options.pop("timeout", 60), **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """POST on the data port."""
        return requests.post(self.url(path), timeout=options.pop("timeout", 60), **options)

    def deploy(self, project: Path) -> None:
        """Deploys, and returns when all of it is live."""
        done = self.run("deploy", "cortex.yaml", "--wait", cwd=project)
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.tail()}"

    def logs(self, api: str) -> str:
        """What `cortex logs` prints."""
        return self.ok("logs", api)

    def await_log(self, api: str, pattern: str, within: float = 60) -> str:
        """Follows the log until a line matches, and returns that line."""
        wanted = re.compile(pattern)
        follower = subprocess.Popen(
            [self.binary, "logs", api, "-f"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert follower.stdout is not None
        try:
            for line in _lines(follower.stdout.fileno(), time.monotonic() + within):
                if wanted.search(line):
                    return line
            raise AssertionError(f"no line of {api}'s log matches {pattern!r}:\n{self.logs(api)[-4000:]}")
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()

    def metrics(self, name: str, **labels: str) -> float:
        """Sum of a metric's samples that carry these labels."""
        total = 0.0
        text = requests.get(f"{self.operator}/metrics", timeout=60).text
        for line in text.splitlines():
            match = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if not match or match[1] != name:
                continue
            found = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            if all(found.get(key) == value for key, value in labels.items()):
                total += float(match[3])
        return total

    def access_lines(self, request_id: str) -> list[dict[str, Any]]:
        """The access log's lines of one request; a last line that is only half written is not one yet."""
        return [record for record in self.access_records() if record.get("request_id") == request_id]

    def access_records(self) -> list[dict[str, Any]]:
        """All lines of the access log."""
        lines = (self.home / "logs" / "access.log").read_text().rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in lines]

    def tail(self) -> str:
        """The last of the server's output, for a failing test's message."""
        return self.output.read_text(errors="replace")[-1500:]

    def await_end(self, pid: int, within: float = 60) -> None:
        """Waits for another process to be gone."""
        eventually(lambda: not is_alive(pid), f"process {pid} has ended", within)


def _lines(descriptor: int, end: float) -> Iterator[str]:
    """Lines of a pipe, until it ends or time is up."""
    rest = b""
    while (left := end - time.monotonic()) > 0:
        piece = os.read(descriptor, 65536) if is_readable(descriptor, left) else b""
        if not piece:
            return
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in whole)
