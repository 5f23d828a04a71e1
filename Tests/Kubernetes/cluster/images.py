"""Container images without a registry and without Docker: made by buildah, handed to containerd as files."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.commands import ClusterError, run, tell
from cluster.folders import REPOSITORY, cache, locked
from cluster.node import PAUSE_IMAGE
from cluster.sources import RELEASE, mirror

DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"

MOST_BYTES = 300_000_000
"""What an image of a release holds at most, the layers not compressed."""
_RELEASE_BYTES = 130_000_000
"""What is left of that for the binary of a release."""

_DEBIAN = f"localhost/debian:{RELEASE}-2"
"""The number is raised when the way of making it changes."""
_SWIFT = "/swift/linux/"
"""In the path of each of Swift's libraries."""

_EXCLUDED = """# As in debian:bookworm-slim: what packages are installed later bring no manuals either.
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
"""
_MESSAGES = REPOSITORY / "python/src/cortex_worker/models/tensorflow_messages.py"
_SERVING_NEEDS = ("grpcio-", "protobuf-", "typing_extensions-")

_LEFT_OUT = (
    *("dev", "usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man"),
    *("var/cache/apt", "var/lib/apt/lists"),
)
"""Folders of Debian that a container has no use for, or has of its own."""


@dataclass(frozen=True)
class Image:
    """An image in a file."""

    name: str
    archive: Path

    @property
    def size(self) -> int:
        """Bytes of its layers, which are not compressed."""
        with tarfile.open(self.archive) as archive:
            manifest = archive.extractfile("manifest.json")
            assert manifest is not None
            return sum(archive.getmember(layer).size for layer in json.load(manifest)[0]["Layers"])


def require_small(image: Image, binary: Path) -> None:
    """Fails where an image is larger than users were promised.

    Of a debug build, which is three times a release and brings Swift's libraries along, all else is what counts.
    """
    size, limit = image.size, MOST_BYTES
    if libraries := swift_libraries(binary):
        with tempfile.TemporaryDirectory() as scratch:
            stripped = Path(scratch) / "cortex"
            run(["strip", "--strip-debug", "-o", stripped, binary])
            size -= stripped.stat().st_size + sum(library.stat().st_size for library in libraries)
        limit -= _RELEASE_BYTES
    if size >= limit:
        raise ClusterError(f"{image.name} has {size / 1e6:.0f} MB, and may have {limit / 1e6:.0f}")


def make_base() -> None:
    """Makes the Debian that images stand on, where buildah has none."""
    with locked(cache() / "containers"):
        if not _exists(_DEBIAN):
            _make_debian()


def node_image() -> Image:
    """What a node itself needs: tini to hold a pod's namespaces, busybox for tests to talk with."""
    archive = cache() / "images" / "busybox.tar"
    with locked(cache() / "containers"):
        if not archive.exists():
            with _container("scratch") as name:
                for program in ("/usr/bin/tini-static", "/bin/busybox"):
                    _buildah("copy", name, program, "/bin/")
                # The names under which a shell looks for its tools.
                _buildah("run", name, "/bin/busybox", "--install", "-s", "/bin")
                _buildah("config", "--entrypoint", '["/bin/tini-static", "--", "/bin/sleep", "2147483647"]', name)
                _buildah("commit", name, PAUSE_IMAGE)
            _export(PAUSE_IMAGE, archive)
    return Image(PAUSE_IMAGE, archive)


def cortex_image(binary: Path) -> Image:
    """The image of `deploy/Dockerfile` with a binary, which may be a debug build."""
    recipe = DOCKERFILE.read_bytes()
    digest = hashlib.sha256(recipe)
    with binary.open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    name = f"localhost/cortex:{digest.hexdigest()[:16]}"
    archive = cache() / "images" / f"cortex-{digest.hexdigest()[:16]}.tar"
    with locked(cache() / "containers"):
        if archive.exists():
            archive.touch()
            return Image(name, archive)
        base = _base(swift_libraries(binary))
        _build_system(recipe, base)
        with tempfile.TemporaryDirectory() as scratch:
            context = Path(scratch)
            shutil.copy(binary, context / "cortex")
            run(["strip", "--strip-debug", context / "cortex"])
            _build(context, base, "--tag", name)
        _export(name, archive)
        _buildah("rmi", name)
        _forget_oldest(archive.parent)
    image = Image(name, archive)
    tell(f"made the image {name}: {image.size / 1e6:.0f} MB")
    return image


def serving_image(wheels: Path) -> Image:
    """A stand-in for TensorFlow Serving, with `grpcio` and `protobuf` from a folder of wheels."""
    needed = [wheel for wheel in sorted(wheels.glob("*.whl")) if wheel.name.startswith(_SERVING_NEEDS)]
    sources = [REPOSITORY / "Tests/Kubernetes/serving/server.py", _MESSAGES]
    recipe = DOCKERFILE.read_bytes()
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    digest.update(recipe + "\n".join(wheel.name for wheel in needed).encode())
    name = f"localhost/serving:{digest.hexdigest()[:16]}"
    archive = cache() / "images" / f"serving-{digest.hexdigest()[:16]}.tar"
    with locked(cache() / "containers"):
        if not archive.exists():
            system = _build_system(recipe, _base([]))
            with tempfile.TemporaryDirectory() as scratch, _container(system) as container:
                folder = Path(scratch) / "serving"
                for wheel in needed:
                    shutil.unpack_archive(wheel, folder, "zip")
                for source in sources:
                    shutil.copy(source, folder)
                _buildah("copy", container, folder, "/opt/serving")
                _buildah("config", "--entrypoint", '["python3", "/opt/serving/server.py"]', container)
                _buildah("commit", container, name)
            _export(name, archive)
            _buildah("rmi", name)
    return Image(name, archive)


def _build_system(recipe: bytes, base: str) -> str:
    """The name of the Dockerfile's first stage, which keeps its layers in buildah's cache."""
    name = f"localhost/cortex-system:{hashlib.sha256(recipe + base.encode()).hexdigest()[:16]}"
    if not _exists(name):
        tell("making the image that Cortex runs on")
        with tempfile.TemporaryDirectory() as scratch:
            _build(Path(scratch), base, "--target=system", "--tag", name)
    return name


def _base(libraries: list[Path]) -> str:
    """Debian; with Swift's libraries in it for a debug build, which looks for them where they are on this machine."""
    if not _exists(_DEBIAN):
        _make_debian()
    if not libraries:
        return _DEBIAN
    stamp = "\n".join(f"{library} {library.stat().st_size} {library.stat().st_mtime_ns}" for library in libraries)
    name = f"localhost/debian-swift:{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    if not _exists(name):
        with _container(_DEBIAN) as container:
            for library in libraries:
                _buildah("copy", container, library, str(library))
            _buildah("commit", container, name)
    return name


def swift_libraries(binary: Path) -> list[Path]:
    """The libraries of Swift that a debug build needs; a release has them within."""
    return [Path(path) for path in re.findall(r"=> (/\S+) \(", run(["ldd", binary])) if _SWIFT in path]


def _make_debian() -> None:
    """A small Debian, from the packages that this machine gets: what `debian:bookworm-slim` is elsewhere."""
    tell(f"making an image of Debian {RELEASE}")
    uri, _ = mirror()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        run(["debootstrap", "--variant=minbase", RELEASE, root, uri])
        for rest in _LEFT_OUT:
            shutil.rmtree(root / rest)
            (root / rest).mkdir()
        (root / "etc/dpkg/dpkg.cfg.d/excluded").write_text(_EXCLUDED)
        # A machine behind a proxy of its own trusts a certificate that others do not.
        for certificate in Path("/usr/local/share/ca-certificates").glob("**/*.crt"):
            place = root / "usr/local/share/ca-certificates" / certificate.name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(certificate, place)
        layer = Path(scratch) / "layer.tar"
        run(["tar", "--create", "--file", layer, "--directory", root, "."])
        with _container("scratch") as container:
            _buildah("add", container, layer, "/")
            _buildah("config", "--cmd", '["/bin/sh"]', container)
            _buildah("commit", container, _DEBIAN)


def _build(context: Path, base: str, *options: str) -> None:
    _buildah("build", "--layers", "--pull-never", f"--build-arg=BASE={base}", "--file", DOCKERFILE, *options, context)


def _export(name: str, archive: Path) -> None:
    """Writes an image into a file, in the form that is not compressed, since it goes nowhere."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    _buildah("push", name, f"docker-archive:{unfinished}:{name}")
    unfinished.rename(archive)


def _forget_oldest(folder: Path) -> None:
    """Keeps what was used last: each build of the binary makes an image."""
    archives = sorted(folder.glob("cortex-*.tar"), key=lambda file: file.stat().st_mtime)
    for archive in archives[:-3]:
        archive.unlink()


def _exists(name: str) -> bool:
    return name in _buildah("images", "--format", "{{.Name}}:{{.Tag}}").split()


@contextmanager
def _container(image: str) -> Iterator[str]:
    name = _buildah("from", "--pull-never", image).strip()
    try:
        yield name
    finally:
        _buildah("rm", name)


def _buildah(*arguments: str | Path) -> str:
    storage = cache() / "containers"
    policy = storage / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    command, *rest = arguments
    signed = [f"--signature-policy={policy}"] if command in {"build", "commit", "from", "push"} else []
    return run(
        [
            *("buildah", f"--root={storage}/storage", f"--runroot={storage}/run", "--storage-driver=overlay"),
            *(f"--registries-conf={_registries(storage)}", command, *signed, *rest),
        ],
        variables={"BUILDAH_ISOLATION": "chroot"},
    )


def _registries(storage: Path) -> Path:
    """No registry at all: an image that is not here is a mistake."""
    file = storage / "registries.conf"
    file.write_text("unqualified-search-registries = []\n")
    return file
