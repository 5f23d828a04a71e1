"""The command: `dev/fuzz-http`."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from blackbox.fuzz.run import Finding, fuzz


def main() -> int:
    """Fuzzes, and says by its exit code whether something was found."""
    parser = argparse.ArgumentParser(prog="dev/fuzz-http", description="Sends a server what is nearly HTTP.")
    parser.add_argument("--seconds", type=float, default=3600, help="how long (default 3600)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the cases (default: any)")
    parser.add_argument("--http2", action="store_true", help="frames of HTTP/2, over TLS")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cx-", dir="/tmp") as folder:
        try:
            totals = fuzz(
                Path(os.environ["CORTEX_BINARY"]),
                Path(folder),
                chosen.seed,
                lambda line: print(line, flush=True),
                seconds=chosen.seconds,
                http2=chosen.http2,
            )
        except Finding as finding:
            print(f"found with seed {chosen.seed}: {finding}")
            return 1
    print(f"found nothing: {totals}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
