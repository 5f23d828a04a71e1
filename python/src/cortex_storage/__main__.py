"""`python cortex-storage.py --socket PATH`: the command that the server starts. The text is `docs/wire-protocol.md`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

_NICENESS = 10
_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_")


def main() -> None:
    """Read the arguments and the environment, and serve until the server is gone."""
    parser = argparse.ArgumentParser(prog="cortex_storage", description="Fetches models for a Cortex server.")
    parser.add_argument("--socket", required=True, help="path of the server's Unix socket")
    arguments = parser.parse_args()
    token = os.environ.pop("CORTEX_STORAGE_TOKEN", "")
    environment = dict(os.environ)
    # A request may bring credentials of its own. What is left in the process's environment would be mixed into them by
    # obstore and botocore, so both are told everything explicitly. Before any thread is there that might read it.
    for name in environment:
        if name.startswith(_PREFIXES):
            del os.environ[name]
    os.nice(_NICENESS)

    from cortex_storage.agent import serve

    try:
        asyncio.run(serve(arguments.socket, token, environment))
    except OSError as error:
        sys.stderr.write(f"storage agent: {arguments.socket}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    # The server is gone, and nobody waits for what threads of the pool may still be doing.
    os._exit(0)


if __name__ == "__main__":
    main()
