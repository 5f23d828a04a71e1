"""Does in a pod what its payload says."""

import os

from gate import PythonPredictor as Gate
from starlette.responses import Response, StreamingResponse


class PythonPredictor(Gate):
    def __init__(self, config):
        self.config = config
        if config.get("fails"):
            raise ValueError(config["fails"])

    def predict(self, payload, context, headers, query_params):
        if isinstance(payload, bytes):
            return {"length": len(payload), "type": headers["content-type"]}
        kind = payload["do"]
        if kind == "who":
            return {
                "pid": os.getpid(),
                "name": self.config.get("name"),
                "headers": dict(headers),
                "query": dict(query_params),
            }
        if kind == "exit":
            os._exit(3)
        if kind == "raise":
            raise ValueError("it was told to")
        if kind == "large":
            return Response(
                b"x" * payload["size"], media_type="application/octet-stream", headers={"X-Of": "predictor"}
            )
        if kind == "pieces":
            return StreamingResponse((b"y" * payload["size"] for _ in range(payload["count"])), status_code=201)
        if kind == "headers":
            marked = {"X-Cortex-Not-Started": "1", "X-Cortex-Error": "QUEUE_FULL", "X-Value": "caf\xe9"}
            return Response(b"marked", status_code=503, headers=marked)
        return super().predict(payload, context)
