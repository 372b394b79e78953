"""The explorer in a real browser: decided, taken back, pinned, linked to, led to a violation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import Thread

import pytest
import redelivery
from playwright.sync_api import Browser, Page, expect
from redelivery import find
from redelivery.sim.check.schedules import Start
from redelivery.sim.explore.explorer import Explorer
from redelivery.sim.explore.pages import Pages


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    explorer = Explorer(Start(find("crash-before-ack"), "broken"))
    explorer.look_ahead().join()
    pages = Pages(explorer, 0)
    thread = Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{pages.port}/"
    pages.shutdown()
    pages.server_close()
    thread.join()


def part(page: Page, name: str) -> str:
    text: str = page.locator(f'[data-part="{name}"]').inner_text()
    return text


def decided(page: Page, count: int) -> None:
    expect(page.locator("body")).to_have_attribute("data-at", str(count))


def options(page: Page) -> list[str]:
    found: list[str] = page.locator(".options .what").all_inner_texts()
    return found


def test_one_decides_takes_back_and_comes_again_by_the_address(page: Page, address: str) -> None:
    page.goto(address)
    decided(page, 0)
    assert options(page) == ["shop: starts", "worker-a: starts", "worker-b: starts"]
    page.get_by_role("button", name="worker-b: starts").click()
    decided(page, 1)
    page.keyboard.press("1")
    decided(page, 2)
    there, told = page.url, part(page, "state")
    assert re.search(r"#tape=redelivery-1:crash-before-ack:broken:redis-8\.6::2\.0&at=2$", there)
    assert page.locator(".lines [role=option]").count() >= 4, "the run so far"
    page.keyboard.press("Backspace")
    decided(page, 1)
    page.go_back()
    decided(page, 2)
    page.reload()
    decided(page, 2)
    assert (page.url, part(page, "state")) == (there, told)
    page.keyboard.press("ArrowLeft")
    assert "Event" in part(page, "now")
    decided(page, 2)


def test_it_tells_what_is_known_and_leads_to_the_nearest_violation(page: Page, address: str) -> None:
    page.goto(address)
    decided(page, 0)
    assert re.fullmatch(r"\d+ of 355 states visited\.", part(page, "known").strip())
    assert all("may break" in told for told in page.locator(".options .told").all_inner_texts())
    page.get_by_role("button", name="pin this position").click()
    page.keyboard.press("x")
    expect(page.locator('[data-part="badge"]')).to_contain_text("VIOLATED")
    assert "Nothing can happen any more" in part(page, "options")
    page.keyboard.press("Home")
    page.keyboard.press("v")
    assert "breaks:" in part(page, "now")
    with pytest.raises(AssertionError, match="is violated at"):
        eval(part(page, "test"), {"redelivery": redelivery})
    page.reload()
    page.locator(".pins a").click()
    decided(page, 0)
    assert "seen" in page.locator(".options").inner_text()


def test_a_step_that_dooms_the_run_says_so(page: Page, address: str) -> None:
    page.goto(f"{address}#tape=redelivery-1:crash-before-ack:broken:redis-8.6::0.2.0.1&at=4")
    decided(page, 4)
    crash = page.locator(".options li", has_text="crashes").first
    expect(crash).to_contain_text("every way breaks")
    assert crash.locator(".fault").count() == 1


def test_an_address_that_leads_nowhere_says_why(browser: Browser, address: str) -> None:
    page = browser.new_page()  # the browser itself notes an answer that refuses: no page without complaints
    page.goto(address)
    decided(page, 0)
    page.evaluate("location.hash = '#tape=redelivery-1:other:broken:redis-8.6::&at=0'")
    expect(page.get_by_role("alert")).to_contain_text("the tape is of another world")
    page.close()
