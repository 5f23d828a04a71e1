extension UVTool {
    /// The Python program that installs uv where there is none: it runs before anything that could be installed by a tool,
    /// so it needs neither pip nor venv.
    static let installer = #"""
        """Installs uv into a folder from the Python package index, with nothing but the standard library.

        Usage: python install_uv.py TOOLS. Ends with TOOLS/uv-VERSION/uv in place, or with a line that says why not. The index
        is told by UV_DEFAULT_INDEX (default: the one that pip knows), further ones by UV_INDEX, folders of wheels by UV_FIND_LINKS.
        """

        from __future__ import annotations

        import base64
        import hashlib
        import html.parser
        import importlib
        import importlib.util
        import json
        import os
        import platform
        import random
        import re
        import shutil
        import ssl
        import subprocess
        import sys
        import tempfile
        import time
        import urllib.error
        import urllib.parse
        import urllib.request
        import zipfile
        from dataclasses import dataclass
        from pathlib import Path
        from typing import IO

        ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
        ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64"}
        OLD_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
        ATTEMPTS = 3
        TIMEOUT = 60.0


        class InstallError(Exception):
            """Why uv is not installed, in words for the user."""


        @dataclass(frozen=True)
        class Wheel:
            """A file that some index offers."""

            url: str
            sha256: str | None

            @property
            def name(self) -> str:
                return urllib.parse.unquote(urllib.parse.urlsplit(self.url).path.rsplit("/", 1)[-1])

            @property
            def version(self) -> tuple[int, ...] | None:
                """None for a pre-release, and for what is no wheel of uv."""
                match = re.fullmatch(r"uv-(\d+(?:\.\d+)*)(?:-\d\w*)?-[^-]+-[^-]+-[^-]+\.whl", self.name)
                return tuple(map(int, match[1].split("."))) if match else None

            @property
            def tags(self) -> list[str]:
                return self.name[: -len(".whl")].rsplit("-", 1)[-1].split(".")


        class Links(html.parser.HTMLParser):
            """Collects the wheels of a page in the older, HTML form of the index protocol (PEP 503)."""

            def __init__(self, base: str) -> None:
                super().__init__()
                self.base = base
                self.wheels: list[Wheel] = []

            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                values = dict(attrs)
                href = values.get("href")
                if tag == "base" and href:
                    self.base = urllib.parse.urljoin(self.base, href)
                if tag == "a" and href and "data-yanked" not in values:
                    url, fragment = urllib.parse.urldefrag(urllib.parse.urljoin(self.base, href))
                    self.wheels.append(Wheel(url, urllib.parse.parse_qs(fragment).get("sha256", [None])[0]))


        def shown(url: str) -> str:
            """The URL without its user and password."""
            parts = urllib.parse.urlsplit(url)
            return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]))


        def with_user(url: str, index: str) -> str:
            """The URL with the index's user and password, where it leads to the same host."""
            user, at, host = urllib.parse.urlsplit(index).netloc.rpartition("@")
            parts = urllib.parse.urlsplit(url)
            return urllib.parse.urlunsplit(parts._replace(netloc=user + at + host)) if parts.netloc == host else url


        def fetch(url: str, accept: str = "*/*") -> IO[bytes]:
            """Opens a URL; tries again after what may pass."""
            parts = urllib.parse.urlsplit(url)
            if parts.scheme not in ("http", "https", "file"):
                raise InstallError(f"{shown(url)}: only http, https and file addresses are taken")
            user, at, _ = parts.netloc.rpartition("@")
            request = urllib.request.Request(shown(url), headers={"Accept": accept, "User-Agent": "cortex"})
            if at:
                # Unredirected: a password is for the index alone, not for where it sends us.
                secret = base64.b64encode(urllib.parse.unquote(user).encode()).decode()
                request.add_unredirected_header("Authorization", f"Basic {secret}")
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    answer: IO[bytes] = urllib.request.urlopen(request, timeout=TIMEOUT, context=ssl.create_default_context())
                    return answer
                except urllib.error.HTTPError as error:
                    problem = f"{shown(url)} answers {error.code} {error.reason}"
                    if error.code < 500 and error.code != 429:
                        break
                except (urllib.error.URLError, OSError) as error:
                    reason = getattr(error, "reason", error)
                    problem = f"{shown(url)} cannot be read: {reason}"
                    if isinstance(reason, ssl.SSLCertVerificationError):
                        problem += " (name your certificates in SSL_CERT_FILE)"
                        break
                if attempt < ATTEMPTS:
                    print(f"{problem}; trying again", flush=True)
                    time.sleep(attempt * random.uniform(0.5, 1.0))
            raise InstallError(problem)


        def index_wheels(index: str) -> list[Wheel]:
            """The wheels that an index offers for uv."""
            with fetch(index.rstrip("/") + "/uv/", ACCEPT) as answer:
                # What the answer was redirected to is what its links are relative to.
                base = getattr(answer, "url", index)
                kind = getattr(answer, "headers", {}).get("Content-Type", "")
                page = answer.read()
            try:
                return [
                    Wheel(with_user(wheel.url, index), wheel.sha256)
                    for wheel in (json_wheels(page, base) if "json" in kind else html_wheels(page, base))
                ]
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InstallError(f"{shown(index)} gives a page that cannot be understood: {error!r}") from error


        def json_wheels(page: bytes, base: str) -> list[Wheel]:
            """The newer form of the index protocol (PEP 691)."""
            return [
                Wheel(urllib.parse.urljoin(base, file["url"]), file.get("hashes", {}).get("sha256"))
                for file in json.loads(page)["files"]
                if not file.get("yanked")
            ]


        def html_wheels(page: bytes, base: str) -> list[Wheel]:
            links = Links(base)
            links.feed(page.decode("utf-8", "replace"))
            return links.wheels


        def linked_wheels(place: str) -> list[Wheel]:
            """The wheels of a folder, or of a page that lists them."""
            if "://" in place and not place.startswith("file:"):
                with fetch(place) as answer:
                    return html_wheels(answer.read(), place)
            location = urllib.request.url2pathname(urllib.parse.urlsplit(place).path) if place.startswith("file:") else place
            return [Wheel(path.resolve().as_uri(), None) for path in sorted(Path(location).expanduser().glob("uv-*.whl"))]


        def libc_version() -> tuple[int, int] | None:
            """The version of glibc; None on musl, and where there is no Linux."""
            try:
                text = os.confstr("CS_GNU_LIBC_VERSION") or ""
            except (AttributeError, OSError, ValueError):
                return None
            match = re.search(r"(\d+)\.(\d+)", text)
            return (int(match[1]), int(match[2])) if match else None


        def rank(tag: str) -> int:
            """How well a platform tag fits this machine: 0 not at all, else more is better."""
            machine = platform.machine().lower()
            machine = ARCHITECTURES.get(machine, machine)
            match = re.fullmatch(r"([a-z]+\d*)(?:_(\d+)_(\d+))?_(x86_64|aarch64|arm64|universal2)", tag)
            if not match or ARCHITECTURES.get(match[4], match[4]) not in (machine, "universal2"):
                return 0
            family, needed = match[1], (int(match[2] or 0), int(match[3] or 0))
            if sys.platform == "darwin":
                system = tuple(map(int, platform.mac_ver()[0].split(".")[:2]))
                return 1 if family == "macosx" and needed <= system else 0
            if not sys.platform.startswith("linux"):
                return 0
            needed = OLD_MANYLINUX.get(family, needed)
            glibc = libc_version()
            if family.startswith("manylinux"):
                return 2 if glibc and needed <= glibc else 0
            # uv's builds for musl are static, and so run on an old glibc too.
            return 1 if family == "musllinux" else 0


        def choose(wheels: list[Wheel]) -> tuple[str, Wheel]:
            """The newest stable wheel that runs here, with its version."""
            fitting = [(wheel.version, max(map(rank, wheel.tags)), wheel) for wheel in wheels if wheel.version]
            fitting = [candidate for candidate in fitting if candidate[1] > 0]
            if not fitting:
                raise InstallError(f"no index has a uv for {sys.platform} on {platform.machine()} ({len(wheels)} files seen)")
            version, _, wheel = max(fitting, key=lambda candidate: (candidate[0] or (), candidate[1]))
            return ".".join(map(str, version or ())), wheel


        def download(wheel: Wheel, target: IO[bytes]) -> None:
            """Writes the wheel into `target`, once its hash is right."""
            if wheel.sha256 is None and not wheel.url.startswith("file:"):
                raise InstallError(f"{shown(wheel.url)}: the index gives no sha256 for it")
            digest = hashlib.sha256()
            with fetch(wheel.url) as answer:
                try:
                    while piece := answer.read(1 << 20):
                        digest.update(piece)
                        target.write(piece)
                except OSError as error:
                    raise InstallError(f"{shown(wheel.url)} broke off: {error}") from error
            if wheel.sha256 not in (None, digest.hexdigest()):
                raise InstallError(f"{shown(wheel.url)} has the sha256 {digest.hexdigest()}, the index says {wheel.sha256}")


        def install(version: str, wheel: Wheel, tools: Path) -> None:
            """Puts uv in place at once, so that nobody ever finds half of it."""
            final = tools / f"uv-{version}"
            building = Path(tempfile.mkdtemp(prefix=".building-", dir=tools))
            try:
                with tempfile.TemporaryFile(dir=building) as file:
                    print(f"downloading uv {version} from {shown(wheel.url)}", flush=True)
                    download(wheel, file)
                    with zipfile.ZipFile(file) as archive:
                        member = next((name for name in archive.namelist() if name.endswith(".data/scripts/uv")), None)
                        if member is None:
                            raise InstallError(f"{wheel.name} holds no uv")
                        with archive.open(member) as source, open(building / "uv", "wb") as target:
                            shutil.copyfileobj(source, target, 1 << 20)
                (building / "uv").chmod(0o755)
                subprocess.run([building / "uv", "--version"], check=True, capture_output=True, timeout=TIMEOUT)
                building.chmod(0o755)
                try:
                    building.rename(final)
                except OSError:
                    # Another process was faster, which is as good.
                    if not (final / "uv").exists():
                        raise
            finally:
                shutil.rmtree(building, ignore_errors=True)


        def pip_index() -> str | None:
            """The public index as pip knows it: the pip of this Python, or the one that it carries to install."""
            bundled = [Path(sys.base_prefix, "share", "python-wheels")]
            ensurepip = importlib.util.find_spec("ensurepip")
            if ensurepip is not None and ensurepip.origin is not None:
                bundled.append(Path(ensurepip.origin).parent / "_bundled")
            for folder in bundled:
                sys.path += sorted(str(wheel) for wheel in folder.glob("pip-*.whl"))
            try:
                return str(importlib.import_module("pip._internal.models.index").PyPI.simple_url)
            except (ImportError, AttributeError):
                return None


        def main() -> int:
            tools = Path(sys.argv[1])
            index = os.environ.get("UV_DEFAULT_INDEX") or pip_index()
            # An index may be written with a name, as `internal=https://…`.
            texts = (*([index] if index else []), *os.environ.get("UV_INDEX", "").split())
            indexes = [re.sub(r"^[\w.-]+=", "", text) for text in texts]
            places = [place for place in os.environ.get("UV_FIND_LINKS", "").split(",") if place]
            wheels: list[Wheel] = []
            problems: list[str] = []
            if not indexes and not places:
                problems.append("no package index is known; name one in UV_DEFAULT_INDEX, or install uv")
            for read, sources in ((linked_wheels, places), (index_wheels, indexes)):
                for source in sources:
                    try:
                        wheels += read(source)
                    except InstallError as error:
                        problems.append(str(error))
            try:
                tools.mkdir(parents=True, exist_ok=True)
                version, wheel = choose(wheels)
                install(version, wheel, tools)
            except (InstallError, OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
                print("; ".join([*problems, str(error)]))
                return 1
            print(f"installed uv {version}")
            return 0


        if __name__ == "__main__":
            sys.exit(main())
        """#
}
