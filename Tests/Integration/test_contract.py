"""The contract, on one machine."""

from __future__ import annotations

from contract import *  # noqa: F403
