from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server import Peer, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts workers, which end with the test."""
    workers: list[Worker] = []

    def start(predictor: str, listening: bool = True, **options: Any) -> Worker:
        home = tmp_path / str(len(workers))
        home.mkdir()
        worker = Worker(home, predictor, **options)
        workers.append(worker)
        if listening:
            worker.listen()
        return worker

    yield start
    for worker in workers:
        worker.close()


@pytest.fixture
def serve(start: Callable[..., Worker]) -> Callable[..., tuple[Worker, Peer]]:
    """Starts a worker and waits for its first slot."""

    def serve(predictor: str, **options: Any) -> tuple[Worker, Peer]:
        worker = start(predictor, **options)
        worker.ready()
        return worker, worker.accept()

    return serve
