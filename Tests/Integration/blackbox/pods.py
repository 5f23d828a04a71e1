"""The processes of a cluster's pods, run plainly here: replicas, and a gateway that reads its routes from a file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from blackbox.conditions import eventually
from blackbox.foreground import Foreground
from blackbox.project import API

if TYPE_CHECKING:
    from typing_extensions import Self

TOKEN = "internal-" + "5" * 32


def archive(project: Path) -> tuple[str, bytes]:
    """The name of a project's content, as the specification has it, and the project as it is stored."""
    digest = hashlib.sha256(b"cortex project 1\n")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        files = [path for path in project.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: path.relative_to(project).as_posix().encode()):
            name = path.relative_to(project).as_posix()
            content = path.read_bytes()
            executable = os.access(path, os.X_OK) and path.stat().st_mode & 0o100
            digest.update(name.encode() + (b"\0x" if executable else b"\0-") + hashlib.sha256(content).digest())
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if executable else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return digest.hexdigest(), packed.getvalue()


class ProjectServer(ThreadingHTTPServer):
    """Gives out projects as the operator does, to whoever has the token."""

    def __init__(self) -> None:
        self.projects: dict[str, bytes] = {}
        self.refusals = 0
        """Answers still to be 503: an operator that is being replaced."""
        self.asked: list[tuple[str, str | None]] = []
        """Paths, and what stood in `Authorization`."""
        super().__init__(("127.0.0.1", 0), _ProjectHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, project: Path) -> str:
        """Takes a project in; returns its hash."""
        name, content = archive(project)
        self.projects[name] = content
        return name


class _ProjectHandler(BaseHTTPRequestHandler):
    server: ProjectServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        body = self.server.projects.get(self.path.rpartition("/")[2])
        status = 200 if body is not None else 404
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status = 401
        if self.server.refusals > 0:
            self.server.refusals -= 1
            status = 503
        self.send_response(status)
        content = body if status == 200 and body is not None else b""
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


class Pod(Foreground):
    """One process of a pod: a context manager."""

    def __init__(self, binary: Path, home: Path, arguments: Sequence[str], **settings: str) -> None:
        self.binary = binary
        self.home = home
        self.arguments = arguments
        own = {key: value for key, value in os.environ.items() if key == "CORTEX_UV" or not key.startswith("CORTEX_")}
        self.environment = {
            **own,
            "CORTEX_HOME": str(home),
            "CORTEX_HOST": "127.0.0.1",
            "CORTEX_PORT": "0",
            "CORTEX_ADMIN_PORT": "0",
            "CORTEX_DRAIN_DELAY": "0s",
            "CORTEX_TERMINATION_LOG": str(home.parent / f"{home.name}.termination"),
            **settings,
        }
        home.parent.mkdir(parents=True, exist_ok=True)
        self.output = home.parent / f"{home.name}.output"
        self.errors = home.parent / f"{home.name}.errors"
        self.data = ""
        self.admin = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *flags: str) -> Self:
        """Starts it; returns when its ports are bound."""
        self.data = self.admin = ""
        self.errors.unlink(missing_ok=True)
        with self.output.open("ab") as output, self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [self.binary, *self.arguments, *flags],
                env=self.environment,
                cwd=self.home.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        eventually(self._is_bound, "its ports are bound")
        return self

    def _is_bound(self) -> bool:
        assert self.process is not None
        ended = self.process.poll()
        for line in self.records():
            if line["message"] == "serving":
                self.data, self.admin = line["data"], line["admin"]
                return True
        assert ended is None, f"it has ended ({ended}): {self.errors.read_text()[-4000:]}"
        return False

    def records(self) -> list[dict[str, Any]]:
        """Its own log."""
        lines = self.errors.read_text().splitlines() if self.errors.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    @property
    def address(self) -> str:
        """Of the data port, as an endpoint is written."""
        return self.data.removeprefix("http://")

    def terminate(self) -> None:
        """SIGTERM."""
        assert self.process is not None
        self.process.terminate()

    def wait(self, within: float = 60) -> int:
        """How it ended."""
        assert self.process is not None
        return self.process.wait(timeout=within)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET on the data port."""
        return requests.get(self.data + path, timeout=options.pop("timeout", 60), **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """POST on the data port."""
        return requests.post(self.data + path, timeout=options.pop("timeout", 60), **options)

    def is_ready(self) -> bool:
        """What a probe finds."""
        return requests.get(self.data + "/readyz", timeout=60).status_code == 200

    def metric(self, line: str) -> float | None:
        """A sample of `/metrics`, by its name and labels as they are written; nil where there is none."""
        for text in requests.get(self.admin + "/metrics", timeout=60).text.splitlines():
            name, _, value = text.rpartition(" ")
            if name == line:
                return float(value)
        return None


class Replica(Pod):
    """`cortex replica run`, and before it `prepare`."""

    def __init__(
        self,
        binary: Path,
        home: Path,
        api: API,
        project: Path,
        projects: ProjectServer,
        tools: Path,
        version: int = 1,
        **settings: str,
    ) -> None:
        self.deployment = home.parent / f"{home.name}.json"
        self.api = api
        super().__init__(
            binary,
            home,
            ["replica", "run"],
            CORTEX_DEPLOYMENT_FILE=str(self.deployment),
            CORTEX_TOOL_HOME=str(tools),
            CORTEX_OPERATOR_URL=projects.url,
            CORTEX_POD=home.name,
            **settings,
        )
        self.hash = projects.add(project)
        self.write_deployment(api, version)

    def post(self, path: str, **options: Any) -> requests.Response:
        """POST under the name that gateways know it by."""
        headers = {"Host": f"api-{self.api.name}", **options.pop("headers", {})}
        return super().post(path, headers=headers, **options)

    def write_deployment(self, api: API, version: int) -> None:
        """Says what to run; as a whole, as the kubelet does."""
        content = {
            "id": f"d{version}",
            "version": version,
            "spec": api.entry(),
            "project": self.hash,
            "generation": 0,
            "wasLive": False,
        }
        new = self.deployment.with_suffix(".new")
        new.write_text(json.dumps(content))
        new.replace(self.deployment)

    def prepare(self, **settings: str) -> subprocess.CompletedProcess[str]:
        """Runs what a pod runs before."""
        return subprocess.run(
            [self.binary, "replica", "prepare"],
            env={**self.environment, "CORTEX_INTERNAL_TOKEN": TOKEN, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )

    @property
    def termination(self) -> str:
        """The reason that Kubernetes shows."""
        path = Path(self.environment["CORTEX_TERMINATION_LOG"])
        return path.read_text() if path.exists() else ""

    def serve(self) -> Self:
        """Prepares and starts it; returns when it is ready."""
        done = self.prepare()
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        self.start()
        self.await_ready()
        return self

    def await_ready(self) -> None:
        """Returns when a probe finds it ready."""
        process = self.process

        def is_ready() -> bool:
            assert process is not None
            if process.poll() is not None:
                raise RuntimeError(f"it has ended: {self.errors.read_text()[-4000:]}")
            return self.is_ready()

        eventually(is_ready, "it is ready", within=120)


class ClusterGateway(Pod):
    """`cortex gateway` with a file of routes."""

    def __init__(self, binary: Path, home: Path, **settings: str) -> None:
        self.routes = home.parent / f"{home.name}.routes"
        super().__init__(binary, home, ["gateway", "--routes", str(self.routes)], **settings)
        self.apis: dict[str, dict[str, Any]] = {}
        self._write()

    def route(
        self,
        name: str,
        *replicas: Replica | str,
        version: int = 1,
        asleep: bool = False,
        limit: int = 1024,
        **networking: Any,
    ) -> None:
        """Has requests of an API led to these."""
        route = {
            "version": version,
            "networking": {"endpoint": f"/{name}", **networking},
            "maxReplicaConcurrency": limit,
            "isAsleep": asleep,
        }
        endpoints = [replica if isinstance(replica, str) else replica.address for replica in replicas]
        self.apis[name] = {"name": name, "route": route, "endpoints": endpoints}
        self._write()

    def remove(self, name: str) -> None:
        """There is no such API any more."""
        del self.apis[name]
        self._write()

    def _write(self) -> None:
        new = self.routes.with_suffix(".new")
        new.write_text(json.dumps({"apis": list(self.apis.values())}))
        new.replace(self.routes)

    def await_replicas(self, name: str, count: int) -> None:
        """Returns when it leads requests to so many."""
        eventually(
            lambda: self.metric(f'cortex_gateway_replicas{{api="{name}"}}') == count,
            f"it knows {count} replicas of {name}",
        )
