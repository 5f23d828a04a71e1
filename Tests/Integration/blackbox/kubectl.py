"""A stand-in for kubectl: says what it was told to, and forwards ports; for tests that need no cluster."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

PROGRAM = """#!{python}
import json, os, re, socket, sys, threading

folder = {folder!r}
words = " ".join(sys.argv[1:])
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps({{"words": words, "input": sys.stdin.read()}}) + "\\n")

def forward(local, remote):
    listener = socket.create_server(("127.0.0.1", local))
    print("Forwarding from 127.0.0.1:%d -> 8889" % listener.getsockname()[1], flush=True)
    with open(folder + "/forward.new", "w") as own:
        own.write(str(os.getpid()))
    os.replace(folder + "/forward.new", folder + "/forward")
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    while True:
        near, _ = listener.accept()
        print("Handling connection for %d" % listener.getsockname()[1], flush=True)
        far = socket.create_connection(("127.0.0.1", remote))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=copy, args=pair, daemon=True).start()

for number, rule in enumerate(json.load(open(folder + "/rules"))):
    if not re.search(rule["match"], words):
        continue
    used = folder + "/used-%d" % number
    count = int(open(used).read()) if os.path.exists(used) else 0
    if count >= rule.get("times", 10**9):
        continue
    open(used, "w").write(str(count + 1))
    if "forward" in rule:
        forward(int(sys.argv[-1].split(":")[0] or 0), rule["forward"])
    sys.stdout.write(rule.get("says", ""))
    sys.stderr.write(rule.get("complains", ""))
    sys.exit(rule.get("code", 1 if "complains" in rule else 0))
sys.stderr.write("error: the stand-in knows no answer to: " + words + "\\n")
sys.exit(1)
"""


class StandIn:
    """A `kubectl` in a folder of its own; the first rule that matches a call decides what it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.program = folder / "kubectl"
        self.program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o755)
        self.rules: list[dict[str, Any]] = []
        self.tell("config view", says="test")

    def tell(self, match: str, *, first: bool = False, **rule: Any) -> None:
        """Adds a rule: `says`, `complains`, `code`, `forward` (a port), `times` (then the next rule decides)."""
        for used in self.folder.glob("used-*"):
            used.unlink()
        self.rules.insert(0 if first else len(self.rules), {"match": match, **rule})
        (self.folder / "rules").write_text(json.dumps(self.rules))

    @property
    def calls(self) -> list[dict[str, str]]:
        """All calls so far: `words`, and the `input` that was written to them."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def forwarder(self) -> int:
        """The process that forwards a port."""
        return int((self.folder / "forward").read_text())

    @property
    def settings(self) -> dict[str, str]:
        """Variables under which the command line finds it."""
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"}
