"""What holds for the whole suite: Hypothesis without deadlines, and no silent skip of a real server."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from dataclasses import replace

import pytest
from hypothesis import settings
from redelivery.sim.real.debian.offers import OFFERS
from redelivery.sim.real.servers import ServerBinary, at_hand

# A slow machine is no failure. Under CI=true the parent is Hypothesis's own profile for it: the same examples
# in every run, and no database.
settings.register_profile("redelivery", parent=settings.default, deadline=None)
settings.load_profile("redelivery")

NEEDS_SERVER = "needs a real server"
"""How the reason of a skip starts that is about a missing server: in CI there is one, so it is a failure."""

NEEDS_BROWSER = "needs a browser"
"""Likewise, of the browser that the pages are opened in."""

MISSING_MAX = 1
"""Of the servers that can be installed: suites of Debian move, and then one of them may be gone for a while."""


@pytest.fixture(autouse=True)
def _path_of_its_own() -> Generator[None, None, None]:
    """Programs are found by name in the folder at hand: no test meets those that another one's folder holds."""
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture(scope="session")
def servers() -> dict[str, ServerBinary]:
    """The servers that `redelivery servers install` brings, by name; where too few are there, the test is skipped."""
    found: dict[str, ServerBinary] = {}
    for server in at_hand():
        if server.dialect in OFFERS:
            found.setdefault(server.dialect, replace(server, name=server.dialect))
    missing = [name for name in OFFERS if name not in found]
    if len(missing) > MISSING_MAX:
        pytest.skip(f"{NEEDS_SERVER}: {', '.join(missing)} (bring them by `redelivery servers install`)")
    return found


def _missing_server(report: pytest.CollectReport | pytest.TestReport) -> str | None:
    """The reason, if `report` is of such a skip (an expected failure counts as skipped too, and is none)."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return None
    # A skip is reported as (path, line, "Skipped: " and the reason).
    if not isinstance(report.longrepr, tuple):
        return None
    reason = report.longrepr[2].removeprefix("Skipped: ")
    return reason if reason.startswith((NEEDS_SERVER, NEEDS_BROWSER)) else None


def _fail(report: pytest.CollectReport | pytest.TestReport) -> None:
    if reason := _missing_server(report):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where it has to be there: {reason}"


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
