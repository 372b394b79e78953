"""What holds for the whole suite: Hypothesis without deadlines, and no silent skip of a real server."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# A slow machine is no failure. Under CI=true the parent is Hypothesis's own profile for it: the same examples
# in every run, and no database.
settings.register_profile("redelivery", parent=settings.default, deadline=None)
settings.load_profile("redelivery")

NEEDS_SERVER = "needs a real server"
"""How the reason of a skip starts that is about a missing server: in CI there is one, so it is a failure."""


def _missing_server(report: pytest.CollectReport | pytest.TestReport) -> str | None:
    """The reason, if `report` is of such a skip (an expected failure counts as skipped too, and is none)."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return None
    # A skip is reported as (path, line, "Skipped: " and the reason).
    if not isinstance(report.longrepr, tuple):
        return None
    reason = report.longrepr[2].removeprefix("Skipped: ")
    return reason if reason.startswith(NEEDS_SERVER) else None


def _fail(report: pytest.CollectReport | pytest.TestReport) -> None:
    if reason := _missing_server(report):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where a real server has to be there: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail(report)
    return report
