"""Does what its query says, and otherwise works."""

import ctypes
import os
import signal

from cortex_worker.connection import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response


class OwnException(BaseException):
    pass


def recurse(n):
    return recurse(n + 1) + 1


def die_midway(connection, head, body):
    connection.socket.sendall(head + body[: len(body) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


class PythonPredictor:
    def predict(self, payload, query_params):
        fault = query_params.get("fault")
        if fault == "RecursionError":
            recurse(0)
        errors = {
            "ValueError": ValueError,
            "KeyError": KeyError,
            "SystemExit": SystemExit,
            "KeyboardInterrupt": KeyboardInterrupt,
            "MemoryError": MemoryError,
            "OwnException": OwnException,
        }
        if fault in errors:
            raise errors[fault]("the user's s3cret")
        if fault == "HTTPException":
            raise HTTPException(418, "short and stout", headers={"x-pot": "tea"})
        if fault == "Response":
            return Response("no", status_code=400, media_type="text/plain")
        if fault == "unserialisable":
            return {1, 2, 3}
        if fault == "generator":
            return (n for n in range(3))
        if fault == "exit":
            os._exit(1)
        if fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "segfault":
            ctypes.string_at(0)
        if fault == "half-answer":
            Connection.send_parts = die_midway
            return bytes(1_000_000)
        return {"ok": True, "pid": os.getpid()}
