"""The contract, on a cluster."""

from __future__ import annotations

import pytest

from contract import *  # noqa: F403

pytestmark = pytest.mark.apart
