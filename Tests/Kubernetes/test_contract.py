"""The contract, on a cluster."""

from __future__ import annotations

from contract import *  # noqa: F403
