"""Does what its payload says, and notes it in the order in which it was done."""

import asyncio
import os
import time

from starlette.responses import StreamingResponse


def note(path, text):
    with open(path, "a") as notes:
        notes.write(text + "\n")


class PythonPredictor:
    def predict(self, payload, context):
        kind, notes = payload["do"], payload.get("notes")
        if notes:
            note(notes, f"{payload.get('name', kind)} begins")
        if kind == "wait":
            # Whoever opens the pipe for writing sees that this runs, and ends it by closing it.
            with open(payload["gate"]) as gate:
                return {"gate": gate.read(), "pid": os.getpid(), "cancelled": context.cancelled}
        if kind == "time":
            left = context.deadline - time.monotonic()
            return {"left": left, "pid": os.getpid()}
        if kind == "sleep":
            time.sleep(payload["seconds"])
        if kind == "until there":
            while not os.path.exists(payload["path"]):
                time.sleep(0.02)
        if kind == "until cancelled":
            while not context.cancelled:
                time.sleep(0.002)
            note(notes, f"{kind} ends")
        if kind == "await":
            return self.wait_until_cancelled(context, notes)
        if kind == "stream":
            return StreamingResponse(self.stream(notes))
        if kind == "async stream":
            return StreamingResponse(self.stream_silently(notes))
        return {"pid": os.getpid()}

    async def wait_until_cancelled(self, context, notes):
        while not context.cancelled:
            await asyncio.sleep(0.002)
        note(notes, "await ends")

    def stream(self, notes):
        try:
            while True:
                yield b"piece\n"
                time.sleep(0.002)
        finally:
            note(notes, "stream ends")

    async def stream_silently(self, notes):
        yield b"piece\n"
        try:
            await asyncio.Event().wait()
        finally:
            note(notes, "async stream ends")
