"""Says which API it is, and does what the request asks for."""

import hashlib
import os
import time

from starlette.responses import StreamingResponse


class PythonPredictor:
    def __init__(self, config):
        self.name = config["name"]
        gate = config.get("gate")
        while gate and not os.path.exists(gate):
            time.sleep(0.02)
        if config.get("broken") and os.path.exists(config["broken"]):
            raise ValueError("no weights")

    def predict(self, payload, query_params, context):
        print("got", query_params.get("mark"), hashlib.sha256(repr(payload).encode()).hexdigest())
        if query_params.get(f"{self.name}-exits"):
            os._exit(3)
        if until := query_params.get(f"{self.name}-waits"):
            while not os.path.exists(until):
                time.sleep(0.02)
        if "until-cancelled" in query_params:
            while not context.cancelled:
                time.sleep(0.01)
            print("cancelled")
        if "stream" in query_params:
            return StreamingResponse(self.chunks())
        return self.name

    def chunks(self):
        try:
            while True:
                yield b"x" * 65536
        finally:
            print("stream ends")
