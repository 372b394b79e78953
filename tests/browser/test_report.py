"""The report in a real browser: stepped through, searched, linked to, and read by somebody who uses no mouse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect
from redelivery import draw, find, simulate
from redelivery.models.facts import Added, Fact
from redelivery.sim.events import Effect
from redelivery.sim.history import History
from redelivery.sim.run import Run

NASTY = '</script><img src=x onerror="document.title=1"> <!--'


@pytest.fixture(scope="module")
def crash() -> Run:
    return simulate(find("crash-before-ack"), "broken")


@pytest.fixture(scope="module")
def lost() -> Run:
    return simulate(find("reply-lost-ack"), "broken")


@pytest.fixture(scope="module")
def reports(crash: Run, lost: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("reports")
    for name, run in (("crash", crash), ("lost", lost)):
        draw(run.history, folder / f"{name}.html")
    return {name: (folder / f"{name}.html").as_uri() for name in ("crash", "lost")}


def part(page: Page, name: str) -> str:
    text: str = page.locator(f'[data-part="{name}"]').inner_text()
    return text


def at(page: Page) -> int:
    found = re.match(r"Event (\d+) of", part(page, "now"))
    assert found is not None
    return int(found[1])


def box(page: Page, selector: str) -> FloatRect:
    found = page.locator(selector).bounding_box()
    assert found is not None
    return found


def pending(page: Page) -> list[str]:
    rows: list[str] = page.locator("table.pending tbody tr").all_inner_texts()
    return rows


def test_it_says_what_the_run_showed_and_asks_no_network(page: Page, reports: dict[str, str], crash: Run) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(reports["crash"])
    assert part(page, "title") == "crash-before-ack, broken"
    assert part(page, "badge") == "VIOLATED: no-orphan"
    assert part(page, "replay") == f"redelivery replay {crash.tape}"
    assert "worker-b crashes; entry 1 stays pending for worker-b" in part(page, "story").replace("\n", " ")
    assert asked == [reports["crash"]]


def test_keys_go_step_by_step_and_only_what_changed_is_marked(page: Page, reports: dict[str, str], crash: Run) -> None:
    page.goto(reports["crash"])
    assert at(page) == 0
    step = next(n for n, event in enumerate(crash.history) if isinstance(event, Effect) and event.call == 3)
    for _ in range(step):
        page.keyboard.press("ArrowRight")
    assert at(page) == step
    came = page.locator("table.entry tr.came")
    assert came.count() == 1
    assert "1700000000000-0" in came.inner_text()
    assert page.locator("table.group td.changed").all_inner_texts() == ["0 1"], "the lag, before and now"
    page.keyboard.press("ArrowRight")
    assert page.locator("tr.came, tr.went, td.changed").count() == 0, "a reply that arrives changes nothing"
    page.keyboard.press("ArrowRight")
    assert [line.split("\t")[:3] for line in pending(page)] == [["1 new", "workers", "worker-b"]]
    page.keyboard.press("End")
    assert at(page) == len(crash.history) - 1
    page.keyboard.press("PageUp")
    assert at(page) == len(crash.history) - 11
    page.keyboard.press("Home")
    assert at(page) == 0


def test_the_state_is_the_same_from_wherever_one_comes(page: Page, reports: dict[str, str], crash: Run) -> None:
    page.goto(reports["lost"])
    forward = []
    for _ in range(40):
        forward.append(part(page, "state"))
        page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    while at(page) > 39:
        page.keyboard.press("ArrowLeft")
    for step in range(39, -1, -1):
        assert part(page, "state") == forward[step]
        page.keyboard.press("ArrowLeft")
    assert len(set(forward)) > 10


def test_one_jumps_to_the_violation_and_its_link_survives_a_reload(
    page: Page, reports: dict[str, str], lost: Run
) -> None:
    page.goto(reports["lost"])
    page.get_by_role("button", name="jump to the first violation").click()
    step = lost.violations[0].step
    assert at(page) == step
    assert f"Here {lost.violations[0].property} breaks" in part(page, "now")
    assert page.locator(".scroller .broken text").text_content() == lost.violations[0].property
    page.wait_for_url(f"**#step={step}")
    page.reload()
    assert at(page) == step
    page.goto(f"{reports['lost']}#step=3")
    expect(page.locator('[data-part="now"]')).to_contain_text("Event 3 of")
    page.keyboard.press("v")
    assert at(page) == step


def test_entries_consumers_and_properties_are_found(page: Page, reports: dict[str, str], crash: Run) -> None:
    page.goto(reports["crash"])
    page.keyboard.press("/")
    page.keyboard.type("entry 3")
    assert part(page, "found") == "5 events"
    page.keyboard.press("Enter")
    assert "adds entry 3" in part(page, "now")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    assert part(page, "found") == "2 of 5 events"
    assert page.locator(".lines .found").count() == 5
    query = page.get_by_role("searchbox")
    query.fill("1700000000800-0")
    assert part(page, "found") == "2 of 5 events", "an ID finds what its number finds"
    query.fill("no-orphan")
    query.press("Enter")
    assert at(page) == len(crash.history) - 1
    query.fill("worker-b")
    assert int(part(page, "found").split()[0]) > 20
    query.fill("zebra")
    assert part(page, "found") == "nothing found"


def test_an_arrow_explains_itself_to_the_pointer_and_to_the_keyboard(page: Page, reports: dict[str, str]) -> None:
    page.goto(reports["lost"])
    arrow = page.locator(".arrow.lost").first
    arrow.locator("path").hover(force=True)
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("The server has done it, and")
    arrow.locator("path").click(force=True)
    step = at(page)
    assert "is lost" in part(page, "now")
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    page.get_by_role("listbox").focus()
    page.locator(f'.arrow[data-step="{step}"]').focus()
    expect(tip).to_contain_text("does not know")
    assert page.locator('.scroller [role="button"][tabindex="0"]').count() == 1, "one stop for Tab"


def test_the_axis_and_the_zoom_change_what_is_seen_not_where_one_is(page: Page, reports: dict[str, str]) -> None:
    page.goto(f"{reports['crash']}#step=20")
    wide = box(page, ".spacer")["width"]
    page.keyboard.press("+")
    assert box(page, ".spacer")["width"] > wide
    page.keyboard.press("t")
    assert page.get_by_role("button", name="axis: by time").count() == 1
    assert page.locator(".break").count() >= 1, "a long wait is shortened, visibly"
    assert at(page) == 20
    cursor, view = box(page, ".cursor"), box(page, ".scroller")
    assert view["x"] <= cursor["x"] <= view["x"] + view["width"]


def test_everything_has_a_name_and_the_colours_follow_the_system(browser: Browser, reports: dict[str, str]) -> None:
    papers = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(reports["crash"])
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        nameless = page.locator("button, input, [role=listbox], [role=option], section").evaluate_all(
            "all => all.filter(e => !(e.textContent.trim() || e.ariaLabel || e.closest('label') "
            "|| e.getAttribute('aria-labelledby'))).length"
        )
        assert nameless == 0
        chosen = page.get_by_role("listbox").get_attribute("aria-activedescendant")
        assert page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
        page.close()
    assert papers == ["rgb(255, 255, 255)", "rgb(20, 23, 27)"]


def nasty(fact: Fact) -> Fact:
    return fact._replace(fields=(b"order", NASTY.encode())) if isinstance(fact, Added) else fact


def test_what_a_history_holds_is_never_run(page: Page, crash: Run, tmp_path: Path) -> None:
    events = [
        event._replace(commands=((b"XADD", b"orders", b"*", b"order", NASTY.encode()),),
                       facts=tuple(nasty(fact) for fact in event.facts))
        if isinstance(event, Effect) and b"XADD" in event.commands[0] else event
        for event in crash.history
    ]  # fmt: skip
    draw(History({**crash.history.header, "summary": NASTY, "scenario": NASTY}, events), tmp_path / "nasty.html")
    page.goto((tmp_path / "nasty.html").as_uri() + "#step=7")
    assert part(page, "summary") == NASTY
    assert NASTY in part(page, "now")
    assert page.locator("img").count() == 0
    assert page.title() == f"{NASTY}, broken"
