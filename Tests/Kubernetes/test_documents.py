"""docs/kubernetes.md, typed in order into one shell, as a newcomer would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

from blackbox.documents import steps
from blackbox.server import Cortex
from cluster.cluster import Cluster
from cluster.folders import REPOSITORY
from cluster.kubectl import Kubectl

MARK = "--- end of step {} ---"


def test_from_a_kubeconfig_to_an_answer(
    cluster: Cluster, kubectl: Kubectl, cortex: Cortex, image: str, wheels: str, folder: Path
) -> None:
    tour = steps(REPOSITORY / "docs" / "kubernetes.md")
    assert len(tour) >= 5, "the page has lost its tour"
    names = folder / "names"
    names.mkdir()
    (names / "cortex").symlink_to(cortex.binary)
    namespace = f"tour-{os.getpid()}"
    flags = f"{image} --image-pull-policy Never --wheels {wheels}"

    def ours(text: str) -> str:
        text = text.replace("registry.example.com/cortex:0.1.0", flags)
        text = re.sub(r"(cortex cluster (?:up|info|down))", rf"\1 --namespace {namespace}", text)
        return re.sub(r"(--env|namespace|environment|-n)( +)cortex\b", rf"\1\2{namespace}", text)

    script = ["set -euo pipefail", f"export PATH={shlex.quote(str(names))}:$PATH"]
    for number, (block, _) in enumerate(tour):
        script += [ours(block.text), f"echo '{MARK.format(number)}'"]
    work = folder / "work"
    work.mkdir()
    try:
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=work,
            env=cortex.environment,
            capture_output=True,
            text=True,
            timeout=400,
            stdin=subprocess.DEVNULL,
        )
        state = "" if done.returncode == 0 else Kubectl(cluster, namespace).run("get", "pods,events").stdout
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{state}"
        rest = done.stdout
        for number, (block, shown) in enumerate(tour):
            output, mark, rest = rest.partition(MARK.format(number) + "\n")
            assert mark, f"kubernetes.md:{block.line} did not run"
            if shown is not None:
                assert matches(output, ours(shown)), f"kubernetes.md:{block.line}: {output!r}"
    finally:
        kubectl.run("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


def matches(output: str, shown: str) -> bool:
    """Whether the output is as shown; `…` in the document stands for anything on its line."""
    pattern = re.escape(shown.strip()).replace("…", ".*")
    pattern = re.sub(r"((\\ )|(\\\n)|\n)+", r"\\s+", pattern)
    return re.fullmatch(pattern, output.strip()) is not None
