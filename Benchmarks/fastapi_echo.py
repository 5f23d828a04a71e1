"""What `predictors/echo.py` does, for FastAPI: a plain function, and a coroutine that reads the body itself."""

from __future__ import annotations

from fastapi import Body, FastAPI, Request, Response

app = FastAPI()
BINARY = "application/octet-stream"


@app.post("/def")
def answer(payload: bytes = Body(media_type=BINARY)) -> Response:
    """Runs in FastAPI's thread pool, as a predictor's code must."""
    return Response(payload, media_type=BINARY)


@app.post("/async")
async def answer_async(request: Request) -> Response:
    """Runs on the event loop, with as little of FastAPI as can be."""
    return Response(await request.body(), media_type=BINARY)
