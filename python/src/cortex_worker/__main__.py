"""`python -m cortex_worker --socket PATH --worker ID`: the command that the server starts."""

from __future__ import annotations

import sys

# `python -m` puts the working directory first: a file of the user's named `json.py` must not become part of the worker.
# The user's folders are put back before the user's module is imported.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

import os


def main() -> None:
    """Read the arguments, and run the worker."""
    # Without argparse, which would be a fifth of what the worker imports: the only caller is the server.
    words = sys.argv[1:]
    if len(words) != 4 or words[::2] != ["--socket", "--worker"]:
        sys.exit("usage: cortex_worker --socket PATH --worker ID (it is the server that starts it)")
    socket, name = words[1::2]
    token = os.environ.pop("CORTEX_WORKER_TOKEN", "")

    from cortex_worker.errors import ProtocolError
    from cortex_worker.process import Worker

    try:
        worker = Worker(socket, name, token)
    except (OSError, ProtocolError, ValueError, KeyError) as error:
        sys.exit(f"cortex_worker: {socket}: {error!r}")
    worker.run()


if __name__ == "__main__":
    main()
