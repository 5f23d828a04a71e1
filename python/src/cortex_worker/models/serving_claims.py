"""The configuration of a TensorFlow Serving server that is the API's own.

The server's configuration can only be replaced as a whole, and several processes load into one server: the processes of
a replica, and while an API is updated those of its old and its new version. So each process says in a file which
versions it needs, the configuration is all that the living ones say, and processes that load the same files share them.

    <temporary folder>/cortex-serving-<user>-<server>/, or the folder that is named
        lock                     held while claims change and the server is told
        <process>.claims         locked by its process as long as that lives; [[model, version, folder], …]
        models/<model>/<version> a link to the files of the version
        models.config            what the server was told last: a server that reads it has all when it starts again
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import tempfile
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cortex_worker.errors import ModelError, ModelLoadFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cortex_worker.models.serving_server import ServingServer

#: In the folder: what `--model_config_file` of the server names.
CONFIGURATION_FILE = "models.config"

#: A version on the server: the model's name there, and the number.
Served = tuple[str, int]


class ServingClaims:
    """What this process needs of the server, beside what others need. Used by any thread."""

    def __init__(self, server: ServingServer, folder: str | None = None) -> None:
        self._server = server
        place = hashlib.sha256(server.address.encode()).hexdigest()[:12]
        self._folder = folder or os.path.join(tempfile.gettempdir(), f"cortex-serving-{os.getuid()}-{place}")
        os.makedirs(os.path.join(self._folder, "models"), mode=0o700, exist_ok=True)
        if os.stat(self._folder).st_uid != os.getuid():
            raise ModelLoadFailed(
                f"the folder {self._folder} belongs to another user", "the models' server cannot be used"
            )
        self._process_lock = threading.Lock()
        self._own = os.path.join(self._folder, f"{os.getpid()}-{uuid.uuid4().hex[:8]}.claims")
        self._own_file = -1
        self._claimed: dict[Served, str] = {}
        self._counts: dict[Served, int] = {}

    def claim(self, name: str, version: int, path: str) -> str:
        """Have the server load the files of `path`. Returns what the server calls the model."""
        # A server does not load a version again whose files changed: other files are another model to it, which is
        # loaded beside the old one.
        served = (f"{name}-{fingerprint(path)}", version)
        with self._changing():
            self._counts[served] = self._counts.get(served, 0) + 1
            if served not in self._claimed:
                self._claimed[served] = os.path.realpath(path)
                self._adopt()
        return served[0]

    def release(self, served_name: str, version: int) -> None:
        """Let the server unload it, if nobody else needs it."""
        served = (served_name, version)
        with self._changing():
            self._counts[served] -= 1
            if self._counts[served] == 0:
                del self._counts[served], self._claimed[served]
                try:
                    self._adopt()
                except ModelError:
                    # The server is away: it learns of it with the next change.
                    return

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._process_lock, open(os.path.join(self._folder, "lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _adopt(self) -> None:
        """Write this process's claims down, and tell the server all."""
        if self._own_file < 0:
            self._own_file = os.open(self._own, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._own_file, fcntl.LOCK_EX)
        claims = [[name, version, path] for (name, version), path in self._claimed.items()]
        os.ftruncate(self._own_file, 0)
        os.pwrite(self._own_file, json.dumps(claims).encode(), 0)
        wanted = {**self._others(), **self._claimed}
        configured: dict[tuple[str, str], list[int]] = {}
        for (name, version), path in sorted(wanted.items()):
            folder = os.path.join(self._folder, "models", _folder_name(name))
            _link(path, os.path.join(folder, str(version)))
            configured.setdefault((name, folder), []).append(version)
        self._write_down(self._server.configuration_text(configured))
        # What it says of a version that it cannot load, the version's state tells as well.
        self._server.configure(configured)
        self._sweep(wanted)

    def _write_down(self, configuration: str) -> None:
        """For a server that starts again: as a whole, or as it was."""
        place = os.path.join(self._folder, CONFIGURATION_FILE)
        with open(f"{place}.new", "w", encoding="utf-8") as file:
            file.write(configuration)
        os.replace(f"{place}.new", place)

    def _others(self) -> dict[Served, str]:
        """What the other processes need. Files of processes that ended are removed."""
        needed: dict[Served, str] = {}
        for entry in os.scandir(self._folder):
            if not entry.name.endswith(".claims") or entry.path == self._own:
                continue
            with open(entry.path, "rb") as file:
                if _is_locked(file):
                    needed.update({(name, version): path for name, version, path in json.loads(file.read() or "[]")})
                else:
                    os.unlink(entry.path)
        return needed

    def _sweep(self, wanted: dict[Served, str]) -> None:
        """Remove the links that nobody needs."""
        kept = {(_folder_name(name), str(version)) for name, version in wanted}
        for model in list(os.scandir(os.path.join(self._folder, "models"))):
            for version in list(os.scandir(model.path)):
                if (model.name, version.name) not in kept:
                    os.unlink(version.path)
            if not os.listdir(model.path):
                os.rmdir(model.path)


def fingerprint(path: str) -> str:
    """Tells one set of files from another: by where they are, their sizes and when they were written."""
    seen = hashlib.sha256(os.path.realpath(path).encode())
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            status = os.stat(os.path.join(folder, name))
            seen.update(f"{os.path.relpath(folder, path)}\0{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return seen.hexdigest()[:12]


def _is_locked(file: Any) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _link(target: str, place: str) -> None:
    if os.path.islink(place) and os.readlink(place) == target:
        return
    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
    if os.path.islink(place):
        os.unlink(place)
    os.symlink(target, place)


def _folder_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".") or "model"
