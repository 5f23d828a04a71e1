"""The command `dev/kubernetes-cluster`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from cluster.binaries import kubernetes
from cluster.cluster import Cluster
from cluster.commands import ClusterError, missing_packages, require_machine
from cluster.folders import cache
from cluster.images import cortex_image, make_base, node_image, require_small


def main() -> int:
    """Runs one command; its exit code."""
    parser = argparse.ArgumentParser(prog="dev/kubernetes-cluster", description=sys.modules[__name__].__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="build what the cache lacks, and start nothing")
    verbs.add_parser("up", help="start the cluster, where it does not run already")
    verbs.add_parser("down", help="end it, and remove all that it made")
    verbs.add_parser("packages", help="print which of Debian's packages this machine lacks")
    verbs.add_parser("image", help="print the name of a binary's image, made known to the cluster").add_argument(
        "binary"
    )
    for verb, about in {
        "kubectl": "kubectl, as the administrator",
        "run": "a command in the cluster's network",
    }.items():
        verbs.add_parser(verb, help=about, add_help=False, prefix_chars="\0").add_argument("words", nargs="*")
    arguments = parser.parse_args()
    if arguments.verb == "packages":
        print(" ".join(missing_packages()))
        return 0
    require_machine()
    if arguments.verb == "build":
        kubernetes()
        node_image()
        make_base()
        return 0
    cluster = Cluster(Path(os.environ.get("CORTEX_TEST_CLUSTER") or cache() / "cluster"))
    if arguments.verb == "up":
        cluster.up()
        print(cluster.kubeconfig)
    elif arguments.verb == "down":
        cluster.down()
    elif arguments.verb == "image":
        binary = Path(arguments.binary)
        image = cortex_image(binary)
        require_small(image, binary)
        cluster.import_image(image)
        print(image.name)
    else:
        first = [cluster.programs / "kubectl"] if arguments.verb == "kubectl" else []
        command = cluster.sandbox.reaching(*first, *arguments.words)
        variables = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": f"{cluster.programs}:{os.environ['PATH']}"}
        return subprocess.run(command, env={**os.environ, **variables}).returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ClusterError as error:
        sys.exit(f"error: {error}")
