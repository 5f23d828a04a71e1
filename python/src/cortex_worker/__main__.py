"""`python -m cortex_worker --socket PATH --worker ID`: the command that the server starts."""

from __future__ import annotations

import sys

# `python -m` puts the working directory first: a file of the user's named `json.py` must not become part of the worker.
# The user's folders are put back before the user's module is imported.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

import argparse
import os


def main() -> None:
    """Read the arguments, and run the worker."""
    parser = argparse.ArgumentParser(prog="cortex_worker", description="Hosts a predictor for a Cortex server.")
    parser.add_argument("--socket", required=True, help="path of the server's Unix socket")
    parser.add_argument("--worker", required=True, help="id of this worker")
    arguments = parser.parse_args()
    token = os.environ.pop("CORTEX_WORKER_TOKEN", "")

    from cortex_worker.errors import ProtocolError
    from cortex_worker.process import Worker

    try:
        worker = Worker(arguments.socket, arguments.worker, token)
    except (OSError, ProtocolError, ValueError, KeyError) as error:
        sys.exit(f"cortex_worker: {arguments.socket}: {error!r}")
    worker.run()


if __name__ == "__main__":
    main()
