"""Kubernetes itself, built from Debian's source with Debian's Go."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

from cluster.commands import ClusterError, require_machine, run, tell
from cluster.folders import built, cache, locked
from cluster.sources import fetch

VERSION = "1.20.2"
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
RECIPE = 1
"""Raised when the way of building changes, so that what a cache holds is built anew."""

_DEBIAN_GOPATH = Path("/usr/share/gocode/src")
_PACKAGE = "k8s.io/kubernetes"
_WITHOUT_SCHEMAS = re.compile(r"vendor/k8s\.io/(code-generator|sample-apiserver|kube-openapi)/|/apis/example")


def kubernetes() -> Path:
    """The folder of Kubernetes' programs, which are built where the cache lacks them."""
    folder = cache() / "kubernetes" / VERSION
    stamp = {"version": VERSION, "recipe": RECIPE, "programs": list(PROGRAMS)}
    with locked(folder.parent):
        written = folder / "stamp.json"
        if not written.exists() or json.loads(written.read_text()) != stamp:
            with built(folder) as place:
                require_machine()
                _build(place)
                (place / "stamp.json").write_text(json.dumps(stamp))
    return folder


def _build(place: Path) -> None:
    started = time.monotonic()
    gopath = place / "gopath"
    tree = gopath / "src" / _PACKAGE
    tree.mkdir(parents=True)
    archive = fetch("kubernetes", place)
    if not re.search(rf"(_|really){re.escape(VERSION)}\.orig\.", archive.name):
        raise ClusterError(
            f"Debian's Kubernetes is {archive.name} now, not {VERSION}: see VERSION in {Path(__file__).name}"
        )
    run(["tar", "--extract", "--file", archive, "--directory", tree, "--strip-components=1"])
    # The tree's own copy is older than Go 1.18 and would not link.
    reflection = Path("github.com/modern-go/reflect2")
    shutil.rmtree(tree / "vendor" / reflection)
    shutil.copytree(_DEBIAN_GOPATH / reflection, tree / "vendor" / reflection)

    # Module mode would ask for the network.
    variables = {
        "GO111MODULE": "off",
        "GOPATH": str(gopath),
        "GOCACHE": str(place / "gocache"),
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
        "GOGC": "400",
    }
    _generate_schemas(tree, variables)
    tell(f"building Kubernetes {VERSION}: some four minutes on two idle cores, once for this cache")
    major, minor, _ = VERSION.split(".")
    facts = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    versions = " ".join(
        f"-X {_PACKAGE}/vendor/k8s.io/{package}.{name}={value}"
        for package in ("component-base/version", "client-go/pkg/version")
        for name, value in facts.items()
    )
    run(
        [
            *("go", "build", "-trimpath", "-tags", "providerless dockerless", "-ldflags", f"-s -w {versions}"),
            *("-o", f"{place}/"),
            *(f"{_PACKAGE}/cmd/{program}" for program in PROGRAMS),
        ],
        cwd=tree,
        variables=variables,
        within=3600,
    )
    for rest in (gopath, place / "gocache"):
        run(["chmod", "-R", "u+w", rest])
        shutil.rmtree(rest)
    for file in place.glob("kubernetes_*"):
        file.unlink()
    answer = run([place / "kube-apiserver", "--version"]).strip()
    if answer != f"Kubernetes v{VERSION}":
        raise ClusterError(f"the API server that was built calls itself {answer!r}")
    tell(f"built Kubernetes {VERSION} in {time.monotonic() - started:.0f} s")


def _generate_schemas(tree: Path, variables: dict[str, str]) -> None:
    """Writes the one generated file that Debian's source lacks: the schemas that the API server publishes."""
    generator = tree / "_openapi-gen"
    run(
        ["go", "build", "-o", generator, f"{_PACKAGE}/vendor/k8s.io/kube-openapi/cmd/openapi-gen"],
        cwd=tree,
        variables=variables,
    )
    # The folders of vendor/k8s.io are symbolic links: a search enters them only when they are named with a slash.
    roots = ["pkg/", *(f"vendor/k8s.io/{folder.name}/" for folder in sorted((tree / "vendor/k8s.io").iterdir()))]
    tagged = run(["grep", "-rl", "--include=*.go", r"+k8s:openapi-gen=", *roots], cwd=tree).split()
    folders = sorted({str(Path(file).parent) for file in tagged if not _WITHOUT_SCHEMAS.search(file)})
    run(
        [
            *(generator, "-i", ",".join(f"{_PACKAGE}/{folder}" for folder in folders)),
            *("-p", f"{_PACKAGE}/pkg/generated/openapi", "-O", "zz_generated.openapi"),
            *("-h", "vendor/k8s.io/code-generator/hack/boilerplate.go.txt", "-r", tree / "_violations.txt"),
        ],
        cwd=tree,
        variables=variables,
    )
