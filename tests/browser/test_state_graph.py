"""The page of a state graph: walked through by keyboard, searched, and linked to."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from redelivery import find
from redelivery.sim.check.check import machine_of
from redelivery.sim.check.graphing import state_graph
from redelivery.sim.check.reductions import DEFAULT
from redelivery.sim.check.schedules import Start
from redelivery.sim.views.graph_files import write


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    start = Start(find("failover-loses-ack"), "broken")
    path = tmp_path_factory.mktemp("graph") / "graph.html"
    write(state_graph(machine_of(lambda: start.world(record=False), DEFAULT), start.scenario.name, "broken"), path)
    return path.as_uri()


def part(page: Page, name: str) -> str:
    text: str = page.locator(f'[data-part="{name}"]').inner_text()
    return text


def place(page: Page) -> tuple[float, float]:
    box = page.locator(".state.chosen").bounding_box()
    assert box is not None
    return box["x"], box["y"]


def test_what_breaks_is_found_by_keyboard_and_a_link_to_it_lasts(page: Page, address: str) -> None:
    page.goto(address)
    assert part(page, "badge") == "✗ acked-never-handled-again"
    assert "Steps that lead here: none" in part(page, "state")
    page.keyboard.press("ArrowDown")
    assert "shop: XADD orders * order 1" in part(page, "state")
    page.keyboard.press("v")
    assert "XREADGROUP" in part(page, "state")
    assert "(acked-never-handled-again broken)" in part(page, "state")
    assert "failover" in part(page, "state")
    linked, told = page.url, part(page, "state")
    page.keyboard.press("Home")
    assert page.url != linked
    page.goto("about:blank")
    page.goto(linked)
    assert part(page, "state") == told
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    assert page.locator(".state.chosen").count() == page.locator('[aria-pressed="true"]').count() == 1


def test_states_are_searched_clicked_and_zoomed(page: Page, address: str) -> None:
    page.goto(address)
    page.keyboard.press("/")
    page.keyboard.type("pending, worker")
    assert page.locator(".state.hit").count() > 3
    assert part(page, "found").startswith(f"{page.locator('.state.hit').count()} states of ")
    page.keyboard.press("Enter")
    assert "pending, worker" in part(page, "state")
    before = place(page)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="whole").click()
    page.locator("#s2").click()
    assert place(page) != before
    page.get_by_role("button", name="worker: XREADGROUP", exact=False).first.click()
    assert page.locator(".state.chosen").get_attribute("id") != "s2"
    box = page.locator(".picture").bounding_box()
    assert box is not None
    before = place(page)
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 65, box["y"] + 25)
    page.mouse.up()
    assert place(page) == pytest.approx((before[0] + 60, before[1] + 20))
