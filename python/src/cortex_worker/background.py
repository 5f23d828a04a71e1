"""Starlette's background tasks, run in the predictor's own thread."""

from __future__ import annotations

import sys
from typing import Any

from cortex_worker import loop


def run_background(task: Any) -> None:
    """Run the background work of a response. What it raises is raised, and ends the rest of it, as in starlette."""
    stock: Any = sys.modules.get("starlette.background")
    call = type(task).__call__
    if stock is not None and call is stock.BackgroundTasks.__call__:
        for each in task.tasks:
            run_background(each)
    elif stock is not None and call is stock.BackgroundTask.__call__ and not task.is_async:
        task.func(*task.args, **task.kwargs)
    else:
        loop.run(task())
