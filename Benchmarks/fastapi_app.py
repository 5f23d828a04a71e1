"""The same handler for FastAPI: a plain function, as its documents advise for code that blocks, and a coroutine."""

from __future__ import annotations

from typing import Any

from fastapi import Body, FastAPI

app = FastAPI()


@app.post("/def")
def answer(payload: Any = Body()) -> Any:  # noqa: B008 (the way of FastAPI)
    """Runs in FastAPI's thread pool, as a predictor's code must."""
    return {"n": payload["n"] + 1}


@app.post("/async")
async def answer_async(payload: Any = Body()) -> Any:  # noqa: B008
    """Runs on the event loop: nothing else does meanwhile."""
    return {"n": payload["n"] + 1}
