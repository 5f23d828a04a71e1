"""Answers with what tells whose answer it is."""

import os
import time

from starlette.responses import Response, StreamingResponse

VERSION = 0


class PythonPredictor:
    def predict(self, payload, query_params):
        if isinstance(payload, bytes):
            return Response(payload, media_type="application/octet-stream", headers={"x-pid": str(os.getpid())})
        nonce = payload["nonce"]
        if query_params.get("answer") == "stream":
            return StreamingResponse(pieces(nonce, payload["pieces"]))
        return {"nonce": nonce, "version": VERSION, "pid": os.getpid()}


def pieces(nonce, count):
    """Takes its time, so that of the workers that are killed some have work."""
    for number in range(count):
        if number == count // 2:
            time.sleep(0.005)
        yield f"{nonce}:{number};"
