"""The soak of ten minutes, in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackbox.processes import MEASURABLE
from blackbox.soak.run import soak


@pytest.mark.slow
@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_a_minute_of_everything_at_once(binary: Path, folder: Path) -> None:
    """At a rate that machines of continuous integration reach; `dev/soak` is at full rate."""
    lines: list[str] = []
    report = soak(binary, folder, minutes=1, rate=100, say=lines.append)
    assert report.holds, "\n".join(lines)
