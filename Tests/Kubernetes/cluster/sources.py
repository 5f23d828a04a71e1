"""Debian's source package of Kubernetes: a complete tree, with all that it needs of others."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from cluster.commands import ClusterError, run, tell

RELEASE = "bookworm"


def mirror() -> tuple[str, str]:
    """The address that this machine gets Debian's packages from, and what apt is told of its signature."""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for place in places:
        if place.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", place.read_text()):
                fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.+)$", stanza, re.MULTILINE))
                if RELEASE in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
                    signed = fields.get("Signed-By", "").strip()
                    return fields["URIs"].split()[0], f"[signed-by={signed}] " if signed.startswith("/") else ""
        elif place.suffix == ".list" and place.is_file():
            line = re.search(rf"^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+{RELEASE}\s.*\bmain\b", place.read_text(), re.MULTILINE)
            if line:
                return line[2], line[1] or ""
    raise ClusterError(
        f"no source of Debian {RELEASE} is named below /etc/apt: its packages are what a cluster is made of"
    )


def fetch(package: str, folder: Path) -> Path:
    """The source archive of a package, fetched into the folder, without a change of the machine's own lists."""
    tell(f"fetching the source of {package}")
    uri, options = mirror()
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "sources.list"
        listing.write_text(f"deb-src {options}{uri} {RELEASE} main\n")
        lists = Path(scratch) / "lists"
        lists.mkdir()
        settings = {
            "Dir::Etc::sourcelist": listing,
            "Dir::Etc::sourceparts": "-",
            "Dir::State::lists": lists,
            "APT::Sandbox::User": "root",
        }
        flags = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        run(["apt-get", *flags, "update"])
        run(["apt-get", *flags, "source", "--download-only", package], cwd=folder)
    archives = list(folder.glob(f"{package}_*.orig.tar.*"))
    if len(archives) != 1:
        raise ClusterError(f"the source of {package} is not the one archive that was expected: {archives}")
    return archives[0]
