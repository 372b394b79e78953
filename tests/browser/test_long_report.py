"""A report of 100,000 events: written, opened and stepped through in the time that a reader will wait."""

from __future__ import annotations

from time import process_time

import pytest
from playwright.sync_api import Page
from redelivery.models.facts import Acked, Added, CursorMoved, Delivered, Fact, GroupCreated, StreamCreated
from redelivery.models.ids import make, show
from redelivery.models.replies import Reply, Simple
from redelivery.sim.check.check import unhindered
from redelivery.sim.events import Effect, Ended, Event, Handled, Handling, Replied, Started
from redelivery.sim.history import History
from redelivery.sim.views.report.page import render

EVENTS = 100_000
EPOCH_MS = 1_700_000_000_000
WRITTEN_S, PAINTED_MS, STEPPED_MS = 10, 2000, 50


def effect(at_ms: int, process: str, call: int, words: tuple[bytes, ...], reply: Reply, *facts: Fact) -> Event:
    return Effect(at_ms, process, call, 1, at_ms, EPOCH_MS + at_ms, (words,), (reply,), facts)


def order(n: int) -> list[Event]:
    """An order that is added, handled by one of three workers, and acknowledged."""
    at_ms, entry, call, worker = n * 10, make(EPOCH_MS + n * 10, 0), 3 * n + 2, f"worker-{n % 3}"
    name, consumer = show(entry), worker.encode()
    before = make(EPOCH_MS + n * 10 - 10, 0) if n else 0
    read = (b"XREADGROUP", b"GROUP", b"workers", consumer, b"STREAMS", b"orders", b">")
    return [
        effect(at_ms, "shop", call, (b"XADD", b"orders", b"*", b"order", b"%d" % n), name,
               Added(b"orders", 1, entry, (b"order", b"%d" % n))),
        Replied(at_ms, "shop", call),
        effect(at_ms, worker, call + 1, read, ((b"orders", ((name, (b"order", b"%d" % n)),)),),
               Delivered(b"orders", 1, b"workers", 2, consumer, entry, 1, False, None),
               CursorMoved(b"orders", 1, b"workers", 2, before, entry, n + 1, 0, "read")),
        Replied(at_ms, worker, call + 1),
        Handling(at_ms, worker, b"orders", b"workers", name),
        Handled(at_ms + 5, worker, b"orders", b"workers", name),
        effect(at_ms + 5, worker, call + 2, (b"XACK", b"orders", b"workers", name), 1,
               Acked(b"orders", 1, b"workers", entry, consumer)),
        Replied(at_ms + 5, worker, call + 2),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    events: list[Event] = [
        effect(0, "", 1, (b"XGROUP", b"CREATE", b"orders", b"workers", b"$", b"MKSTREAM"), Simple(b"OK"),
               StreamCreated(b"orders", 1), GroupCreated(b"orders", 1, b"workers", 2, 0)),
        *(Started(0, name, name, name, 1) for name in ("shop", "worker-0", "worker-1", "worker-2")),
    ]  # fmt: skip
    for n in range((EVENTS - len(events)) // 8):
        events += order(n)
    events.append(Ended(events[-1].at_ms))
    broken = [{"property": "no-orphan", "step": 70_000, "at_ms": 0, "message": "entry 1 waits"}]
    history = History({"scenario": "long", "verdict": "violated", "violations": broken}, events)
    began_s = process_time()
    with unhindered():  # as the command does
        data = render(history)
    took_s = process_time() - began_s
    print(f"written in {took_s:.1f} s of the processor, {len(data):,} bytes")
    assert took_s < WRITTEN_S
    path = tmp_path_factory.mktemp("long") / "long.html"
    path.write_bytes(data)
    return path.as_uri()


MEASURE = """() => {
  const took = [];
  for (let i = 0; i < 100; i++) {
    const began = performance.now();
    viewer.select(viewer.step + 1);
    document.body.offsetHeight;  // the browser has laid it out
    took.push(performance.now() - began);
  }
  return took.sort((a, b) => a - b)[50];
}"""


def test_a_long_run_is_painted_soon_and_stepped_through_at_once(page: Page, long: str) -> None:
    page.goto(long)
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert painted < PAINTED_MS
    page.keyboard.press("v")
    assert "Event 70000 of" in page.locator('[data-part="now"]').inner_text()
    assert page.evaluate(MEASURE) < STEPPED_MS
    page.keyboard.press("End")
    assert "the run is over" in page.locator('[data-part="now"]').inner_text()
    for _ in range(8):
        page.keyboard.press("-")
    assert page.evaluate(MEASURE.replace("+ 1", "- 1")) < STEPPED_MS
    assert page.locator("*").count() < 6000, "what is not in sight is not in the page"
