"""Packages that a test makes: wheels, source archives, and an index that offers a folder of them."""

from __future__ import annotations

import functools
import http.server
import io
import tarfile
import threading
import zipfile
from pathlib import Path
from types import TracebackType


def wheel(folder: Path, name: str, version: str = "1", requires_python: str = "", needs: tuple[str, ...] = ()) -> Path:
    """A wheel with one module, which tells its version."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Python: {requires_python}"] if requires_python else []
    metadata += [f"Requires-Dist: {need}" for need in needs]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", "\n".join(metadata) + "\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def sources(folder: Path, name: str, version: str, setup: str) -> Path:
    """A source archive with a `setup.py`, whose build needs setuptools."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    files = {
        "setup.py": setup,
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n",
        "native.c": "int native(void) { return 1; }\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{file}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


class Index:
    """A package index over a folder of wheels, which its context opens and closes; its port stays the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = self._make(0)
        self.port = int(self._server.server_address[1])
        self._server.server_close()

    @property
    def url(self) -> str:
        """For `UV_DEFAULT_INDEX`; its password must not be shown anywhere."""
        return f"http://user:hunter2@127.0.0.1:{self.port}/simple"

    def __enter__(self) -> Index:
        self._server = self._make(self.port)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _make(self, port: int) -> http.server.ThreadingHTTPServer:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Handler, self.folder))


class _Handler(http.server.BaseHTTPRequestHandler):
    """Pages as PEP 503 has them, and the files themselves."""

    def __init__(self, folder: Path, *rest: object) -> None:
        self.folder = folder
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """A page of one package, or a file."""
        parts = [part for part in self.path.split("/") if part]
        if len(parts) == 2 and parts[0] == "simple":
            wanted = parts[1].replace("-", "_")
            names = [file.name for file in self.folder.iterdir() if file.name.lower().startswith(f"{wanted}-")]
            page = "".join(f'<a href="/files/{name}">{name}</a>' for name in sorted(names))
            self._answer(page.encode() if names else None, "text/html")
        else:
            file = self.folder / parts[-1] if parts else self.folder
            self._answer(file.read_bytes() if file.is_file() else None, "application/octet-stream")

    def do_HEAD(self) -> None:
        """As `GET`, without the body."""
        self.do_GET()

    def _answer(self, body: bytes | None, kind: str) -> None:
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
