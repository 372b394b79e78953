"""A headless Chromium for the tests, and pages that must not complain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from .chromium import at_hand

VIEW: ViewportSize = {"width": 1440, "height": 1000}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one module: while it is there, nobody else can run an event loop."""
    found = at_hand()
    if found is None:
        pytest.skip("needs a browser: bring one by `python tests/browser/chromium.py`")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which no script may fail, and nothing may be refused."""
    opened = browser.new_page(viewport=VIEW)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    yield opened
    opened.close()
    assert problems == []
