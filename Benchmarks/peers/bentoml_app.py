"""The no-op for BentoML, served with `bentoml serve`, which is its production mode."""

from __future__ import annotations

import bentoml


@bentoml.service(workers=1, threads=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Noop:
    """One process, one thread; without access log and metrics, each of which makes it slower."""

    @bentoml.api
    def predict(self, n: int) -> dict[str, int]:
        """The work."""
        return {"n": n + 1}
