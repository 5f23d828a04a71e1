"""Uses memory, or tells of its surroundings, as the payload asks."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time


def eat(mebibytes):
    """Bytes that are in memory and no zeros, which the kernel would share."""
    return [b"x" * (1 << 20) for _ in range(mebibytes)]


def eat_and_wait(mebibytes):
    food = eat(mebibytes)
    signal.pause()
    return food


#: Leaves the worker's session, and has nobody for a parent whom the server knows.
DAEMON = """
import os, signal, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
with open(sys.argv[2], "w") as file:
    file.write(str(os.getpid()))
food = [b"x" * (1 << 20) for _ in range(int(sys.argv[1]))]
signal.pause()
"""


class PythonPredictor:
    def __init__(self, config):
        gate = config.get("gate")
        if gate and os.path.exists(gate + ".shut"):
            while not os.path.exists(gate + ".open"):
                time.sleep(0.02)
        self.kept = eat(config.get("mebibytes", 0))
        for _ in range(config.get("forks", 0)):
            if os.fork() == 0:
                signal.pause()

    def predict(self, payload):
        eaten = payload.get("eat", 0)
        where = payload.get("where")
        if where == "child":
            multiprocessing.get_context("fork").Process(target=eat_and_wait, args=(eaten,)).start()
        elif where == "session":
            source = f"import signal; food = b'x' * ({eaten} << 20); signal.pause()"
            subprocess.Popen([sys.executable, "-c", source], start_new_session=True)
        elif where == "daemon":
            subprocess.run([sys.executable, "-c", DAEMON, str(eaten), payload["file"]], check=True)
        else:
            self.kept += eat(eaten)
        if eaten:
            # Until it is ended.
            threading.Event().wait(60)
        names = payload.get("variables", [])
        return {"pid": os.getpid(), "variables": {name: os.environ.get(name) for name in names}}
