"""The command: `dev/soak`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from blackbox.soak.run import soak


def main() -> int:
    """Soaks, and says by its exit code whether all held."""
    parser = argparse.ArgumentParser(
        prog="dev/soak", description="Runs a server through load, kills, deploys and abuse."
    )
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--rate", type=float, default=600, help="valid requests a second (default 600)")
    chosen = parser.parse_args()
    # The path of a Unix socket holds 107 bytes, so the folder's is short.
    with tempfile.TemporaryDirectory(prefix="cx-", dir="/tmp") as folder:
        report = soak(
            Path(os.environ["CORTEX_BINARY"]),
            Path(folder),
            chosen.minutes,
            chosen.rate,
            lambda line: print(line, flush=True),
        )
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
