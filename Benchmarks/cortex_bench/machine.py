"""This machine: where things are, what it has installed, what its processes hold."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent


def say(text: str) -> None:
    """Progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


def find_wrk() -> str:
    """The load generator, installed if it is missing and may be."""
    found = shutil.which("wrk")
    if found is None and shutil.which("apt-get"):
        say("installing wrk")
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "wrk"]):
            subprocess.run([*sudo, "apt-get", *arguments], check=False, stdout=subprocess.DEVNULL)
        found = shutil.which("wrk")
    if found is None:
        sys.exit("error: wrk is not on PATH; install it (github.com/wg/wrk)")
    return found


def prepare_venv(name: str, *requirements: Path) -> Path:
    """A Python environment with these requirements."""
    done = subprocess.run([ROOT / "dev" / "venv", name, *requirements], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def resident(pid: int) -> int:
    """Bytes of memory that one process holds."""
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


def package_versions(python: Path, *names: str) -> dict[str, str]:
    """What an environment has of these packages, and its Python."""
    code = (
        "import importlib.metadata as m, json, platform, sys; print(json.dumps("
        "{'Python': platform.python_version(), **{name: m.version(name) for name in sys.argv[1:]}}))"
    )
    done = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def library_folder(venv: Path) -> str:
    """Where the Python of an environment has its shared library."""
    code = "import sysconfig; print(sysconfig.get_config_var('LIBDIR') or '')"
    done = subprocess.run([venv / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def versions(binary: Path, wrk: str) -> dict[str, str]:
    """The machine, and the programs that every figure depends on."""
    cortex = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout
    wrk_version = subprocess.run([wrk, "-v"], capture_output=True, text=True, check=False).stdout
    cpu_file = Path("/proc/cpuinfo")
    cpu = re.search(r"model name\s*: (.*)", cpu_file.read_text()) if cpu_file.exists() else None
    return {
        "machine": f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "cortex": cortex.strip().splitlines()[0],
        "wrk": wrk_version.strip().splitlines()[0].split(" [")[0] if wrk_version.strip() else "unknown",
    }
