"""A second run of what failed in the first: alone, on a machine that does nothing else.

A test that fails beside others and passes alone is no reason to refuse a change, and is not hidden either: both runs
are shown, and the second says what it was about. One that fails alone too is a failure.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

MOST = 10
"""More than that is no accident of a busy machine: there is no second run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("second run")
    group.addoption("--failed-to", type=Path, help="write there which tests failed, if they are few")
    group.addoption("--only-from", type=Path, help="run only the tests that such a file names")


def pytest_configure(config: pytest.Config) -> None:
    # What runs tests for another process tells that one.
    if config.getoption("failed_to") is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Failures(config.getoption("failed_to")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    path: Path | None = config.getoption("only_from")
    if path is None:
        return
    wanted = set(json.loads(path.read_text()))
    missing = wanted - {item.nodeid for item in items}
    if missing:
        raise pytest.UsageError(f"not there any more: {sorted(missing)}")
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in wanted])
    items[:] = [item for item in items if item.nodeid in wanted]


class _Failures:
    """Which tests failed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: set[str] = set()
        self._is_whole = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # What cannot be collected cannot be run again.
        self._is_whole = self._is_whole and not report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            # Tests that are kept together have their group's name at the end, where they run beside others.
            self._names.add(re.sub(r"@[\w-]+$", "", report.nodeid))

    def pytest_sessionfinish(self) -> None:
        if self._is_whole and 0 < len(self._names) <= MOST:
            self._path.write_text(json.dumps(sorted(self._names)))
