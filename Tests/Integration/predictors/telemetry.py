"""A predictor that is asked to make itself seen: it prints, counts, fails and streams."""

import logging
import os
import sys
import threading
import time


class PythonPredictor:
    """Does what the payload's `do` says."""

    def __init__(self, config, metrics_client):
        """Keeps the client, and counts that it was built."""
        self.metrics = metrics_client
        self.release = config.get("release", 1)

    def predict(self, payload, headers):
        """Answers with who it is, once it has done what it was told."""
        action = payload.get("do")
        if action == "fail":
            raise ValueError(payload["text"])
        if action == "print":
            print(payload["text"])
            print("to stderr", file=sys.stderr)
            logging.getLogger("user").warning("logged")
            thread = threading.Thread(target=print, args=("of a thread",))
            thread.start()
            thread.join()
            os.write(1, b"[telemetry-print] to descriptor 1 \xff\x9b\n")
        if action == "count":
            self.metrics.increment("cars", tags={"colour": payload["colour"]})
            self.metrics.gauge("release", self.release)
            self.metrics.histogram("width", payload["width"], tags={"colour": payload["colour"]})
            self.metrics.increment("no.name")
        if action == "sleep":
            time.sleep(payload["seconds"])
        if action == "exit":
            os._exit(3)
        if action == "stream":
            from starlette.responses import StreamingResponse

            return StreamingResponse(iter(["one", "two"]), media_type="text/plain")
        traced = {name: headers.get(name) for name in ("traceparent", "tracestate")}
        return {"pid": os.getpid(), "release": self.release, **traced}
