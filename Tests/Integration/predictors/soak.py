"""Answers with what tells whose answer it is."""

import os

from starlette.responses import Response, StreamingResponse

VERSION = 0


class PythonPredictor:
    def predict(self, payload, query_params):
        if isinstance(payload, bytes):
            return Response(payload, media_type="application/octet-stream", headers={"x-pid": str(os.getpid())})
        nonce = payload["nonce"]
        if query_params.get("answer") == "stream":
            return StreamingResponse(f"{nonce}:{number};" for number in range(payload["pieces"]))
        return {"nonce": nonce, "version": VERSION, "pid": os.getpid()}
