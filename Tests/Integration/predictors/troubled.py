"""Does to its process what its query says."""

import ctypes
import os
import sys


def daemonise(gate):
    """Start a process that leaves the session, keeps standard output open, and ends with `gate`."""
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            with open(gate) as opened:
                opened.read()
            os._exit(0)
        os._exit(0)


class PythonPredictor:
    def __init__(self, config):
        if "gate" in config:
            with open(config["gate"]) as gate:
                gate.read()
        if "exit" in config:
            sys.exit(config["exit"])

    def predict(self, payload, query_params):
        trouble = query_params.get("trouble")
        if trouble == "hold":
            ctypes.PyDLL(None).sleep(3600)  # a C call that keeps the interpreter
        if trouble == "wait":
            with open(payload) as gate:
                gate.read()
        if trouble == "exit":
            os._exit(3)
        if trouble == "daemon":
            daemonise(payload)
        if trouble == "device":
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return {"pid": os.getpid()}
