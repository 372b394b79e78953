"""The picture model: bars, owners, saw-teeth, claims, the cursor, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from redelivery.models import facts as f
from redelivery.models import ids
from redelivery.models.replies import BLOCKED, NIL_ARRAY, Reply
from redelivery.sim import events as e
from redelivery.sim.history import History
from redelivery.sim.views.layout import layout, without_saw_tooth
from redelivery.sim.views.picture import Claim, Life, Line, Mark, Row, Segment, Sign, State, Work

START_MS = 1_700_000_000_000
S, G = b"orders", b"workers"


def entry_id(ms: int) -> int:
    """The ID that an entry gets which is added at this time."""
    return ids.make(START_MS + ms, 0)


@dataclass
class Tale:
    """A history by hand: one method for each thing that happens, in the order of time."""

    header: dict[str, Any] = field(default_factory=dict)
    events: list[e.Event] = field(default_factory=list)
    calls: int = 0
    clock: int = START_MS

    def history(self) -> History:
        return History(dict(self.header), list(self.events))

    def effect(self, ms: int, who: str, argv: str, *facts: f.Fact, reply: Reply = 1) -> None:
        self.calls += 1
        command = tuple(argv.encode().split())
        at = (ms, who, self.calls, 1, ms, ms + self.clock)
        self.events.append(e.Effect(*at, (command,), (reply,), facts))
        if who:
            self.events.append(e.Replied(ms, who, self.calls))

    def group(self, ms: int = 0, group: bytes = G, start: int = 0) -> None:
        fact = f.GroupCreated(S, 1, group, 1, start)
        self.effect(ms, "", "XGROUP CREATE orders workers $", f.StreamCreated(S, 1), fact)

    def start(self, ms: int, who: str, consumer: str = "", incarnation: int = 1, host: str = "") -> None:
        self.events.append(e.Started(ms, who, consumer or who, host or who, incarnation))

    def add(self, ms: int, who: str = "shop") -> int:
        added = entry_id(ms)
        self.effect(ms, who, "XADD orders * order 1", f.Added(S, 1, added, (b"order", b"%d" % ms)))
        return added

    def read(self, ms: int, who: str, entry: int, count: int = 1, group: bytes = G, consumer: str = "") -> None:
        name = (consumer or who).encode()
        given = f.Delivered(S, 1, group, 1, name, entry, count, False, None)
        moved = f.CursorMoved(S, 1, group, 1, 0, entry, None, None, "read")
        self.effect(ms, who, "XREADGROUP GROUP workers x STREAMS orders >", given, moved)

    def handle(self, ms: int, who: str, entry: int) -> None:
        self.events.append(e.Handling(ms, who, S, G, ids.show(entry)))

    def handled(self, ms: int, who: str, entry: int) -> None:
        self.events.append(e.Handled(ms, who, S, G, ids.show(entry)))

    def ack(self, ms: int, who: str, entry: int, owner: str = "", group: bytes = G) -> None:
        self.effect(ms, who, "XACK orders workers 1", f.Acked(S, 1, group, entry, (owner or who).encode()))

    def claim(
        self, ms: int, who: str, entry: int, before: str, idle: int, min_idle: int, count: int, consumer: str = ""
    ) -> None:
        name, now = (consumer or who).encode(), ms + self.clock
        fact = f.Claimed(S, 1, G, name, entry, before.encode(), idle, min_idle, count, now)
        self.effect(ms, who, f"XAUTOCLAIM orders workers x {min_idle} 0", fact)

    def crash(self, ms: int, who: str) -> None:
        self.events.append(e.Crashed(ms, who, "fault", "crashed"))

    def end(self, ms: int) -> History:
        self.events.append(e.Ended(ms))
        return self.history()


def crash_before_ack(repaired: bool) -> History:
    """Three entries; worker-a takes the first, crashes over it and comes back as worker-a-2."""
    tale = Tale({"scenario": "crash-before-ack", "variant": "repaired" if repaired else "broken"})
    tale.header |= {"dialect": "redis-8.6", "params": {"min_idle_ms": 5000}, "verdict": "holds", "tape": "T"}
    tale.group()
    for name in ("shop", "worker-a", "worker-b"):
        tale.start(0, name)
    first, second, third = (tale.add(ms) for ms in (0, 100, 200))
    tale.read(300, "worker-a", first)
    tale.handle(300, "worker-a", first)
    for begin_ms, entry in ((300, second), (400, third)):
        tale.read(begin_ms, "worker-b", entry)
        tale.handle(begin_ms, "worker-b", entry)
        tale.handled(begin_ms + 50, "worker-b", entry)
        tale.ack(begin_ms + 50, "worker-b", entry)
    tale.crash(500, "worker-a")
    tale.start(1500, "worker-a", "worker-a-2", 2)
    tale.events.append(e.Healed(2000))
    if repaired:
        tale.claim(5400, "worker-b", first, "worker-a", 5100, 5000, 2)
        tale.handle(5400, "worker-b", first)
        tale.handled(5450, "worker-b", first)
        tale.ack(5450, "worker-b", first)
        return tale.end(8000)
    tale.header |= {"verdict": "violated", "declared": "violated (no-orphan)"}
    message = f"entry {START_MS}-0 of orders still waits"
    tale.header["violations"] = [{"property": "no-orphan", "step": 40, "at_ms": 12000, "message": message}]
    return tale.end(12000)


def rows_of(history: History) -> list[Row]:
    return [row for block in layout(history).blocks for row in block.rows]


# ---- the life of an entry ----


def test_an_entry_that_a_crash_left_behind_is_pending_without_an_owner_until_it_is_claimed() -> None:
    row = rows_of(crash_before_ack(repaired=True))[0]
    assert row.segments == (
        Segment(State.WAITING, 0, 300),
        Segment(State.PENDING, 300, 500, "worker-a", "worker-a"),
        Segment(State.ORPHANED, 500, 5400, "worker-a", "worker-a"),
        Segment(State.PENDING, 5400, 5450, "worker-b", "worker-b"),
    )
    assert row.marks == (
        Mark(300, Sign.DELIVERED, "1"), Mark(5400, Sign.CLAIMED, "2"), Mark(5450, Sign.ACKED)
    )  # fmt: skip
    assert row.works == (Work(300, 500, "worker-a", "1", cut=True), Work(5400, 5450, "worker-b", "1"))
    assert (row.outcome, row.by, row.trouble, row.deliveries) == ("acknowledged", "worker-b", False, 2)


def test_an_entry_that_nobody_claims_ends_in_trouble() -> None:
    first, second, _ = rows_of(crash_before_ack(repaired=False))
    assert first.segments[-1] == Segment(State.ORPHANED, 500, 12000, "worker-a", "worker-a")
    assert (first.outcome, first.by, first.trouble) == ("pending, its owner is gone", "worker-a", True)
    assert (second.outcome, second.trouble) == ("acknowledged", False)
    assert first.interest > second.interest


def test_the_idle_clock_rises_with_time_and_falls_to_zero_where_it_is_claimed() -> None:
    row = rows_of(crash_before_ack(repaired=True))[0]
    assert row.idle == (((300, 0), (5400, 5100)), ((5400, 0), (5450, 50)))
    assert row.idle_max_ms == 5100


def test_a_renewal_drops_the_idle_clock_and_changes_no_owner() -> None:
    tale = Tale()
    tale.group()
    tale.start(0, "a")
    entry = tale.add(0, "a")
    tale.read(0, "a", entry)
    tale.claim(3000, "a", entry, "a", 3000, 0, 1)
    tale.ack(4000, "a", entry)
    row = rows_of(tale.end(4000))[0]
    assert row.idle == (((0, 0), (3000, 3000)), ((3000, 0), (4000, 1000)))
    assert [mark.sign for mark in row.marks] == [Sign.DELIVERED, Sign.RENEWED, Sign.ACKED]
    assert layout(tale.history()).claims == ()


def test_a_jump_of_the_servers_clock_lifts_the_idle_clock() -> None:
    tale = Tale()
    tale.group()
    tale.start(0, "a")
    entry = tale.add(0, "a")
    tale.read(100, "a", entry)
    tale.events.append(e.ClockJumped(1000, "redis", 60_000))
    tale.clock += 60_000
    tale.ack(1100, "a", entry)
    picture = layout(tale.end(2000))
    assert picture.blocks[0].rows[0].idle == (((100, 0), (1000, 900), (1000, 60_900), (1100, 61_000)),)
    assert picture.server_marks == (Mark(1000, Sign.JUMPED, "+1 min"),)


def test_a_delivery_in_the_future_is_idle_for_no_time() -> None:
    tale = Tale()
    tale.group()
    tale.start(0, "a")
    entry = tale.add(0, "a")
    tale.read(100, "a", entry)
    tale.events.append(e.ClockJumped(500, "redis", -1000))
    tale.clock -= 1000
    tale.ack(2100, "a", entry)
    row = rows_of(tale.end(2100))[0]
    assert row.idle == (((100, 0), (500, 400), (500, 0), (1100, 0), (2100, 1000)),)


def test_two_handlers_at_once_are_kept_apart_and_told() -> None:
    tale = Tale()
    tale.group()
    tale.start(0, "slow")
    tale.start(0, "quick")
    entry = tale.add(0, "slow")
    tale.read(0, "slow", entry)
    tale.handle(0, "slow", entry)
    tale.claim(1000, "quick", entry, "slow", 1000, 1000, 2)
    tale.handle(1000, "quick", entry)
    tale.handled(1200, "quick", entry)
    tale.handled(2000, "slow", entry)
    row = rows_of(tale.end(2000))[0]
    assert row.works == (Work(0, 2000, "slow", "1"), Work(1000, 1200, "quick", "1", level=1))
    assert (row.at_once, row.levels) == (((1000, 1200),), 2)


def test_one_process_may_be_at_an_entry_twice() -> None:
    tale = Tale()
    tale.group()
    tale.start(0, "a")
    entry = tale.add(0, "a")
    tale.read(0, "a", entry)
    for ms, act in ((0, tale.handle), (1000, tale.handle), (1500, tale.handled)):
        act(ms, "a", entry)
    row = rows_of(tale.end(2000))[0]
    assert row.works == (Work(0, 1500, "a", "1"), Work(1000, 2000, "a", "1", level=1))
    assert (row.at_once, row.levels) == (((1000, 1500),), 2)


def trimmed(cause: f.Fact, *, pending: bool) -> Row:
    tale = Tale()
    tale.group()
    tale.start(0, "a")
    entry = tale.add(0, "a")
    if pending:
        tale.read(100, "a", entry)
    tale.effect(500, "a", "XTRIM orders MAXLEN 0", cause)
    return rows_of(tale.end(1000))[0]


def test_an_entry_that_is_trimmed_before_its_delivery_is_lost() -> None:
    row = trimmed(f.Trimmed(S, 1, (entry_id(0),), "XTRIM"), pending=False)
    assert row.segments == (Segment(State.WAITING, 0, 500),)
    assert row.marks == (Mark(500, Sign.TRIMMED),)
    assert (row.outcome, row.trouble) == ("trimmed undelivered", True)


def test_an_entry_that_goes_with_the_server_is_told_so() -> None:
    row = trimmed(f.Deleted(S, 1, (entry_id(0),), "failover"), pending=False)
    assert row.marks == (Mark(500, Sign.LOST),)
    assert (row.outcome, row.trouble) == ("lost in the failover", True)
    row = trimmed(f.Deleted(S, 1, (entry_id(0),), "snapshot"), pending=True)
    assert row.outcome == "lost in the restart while pending, still pending"
    assert trimmed(f.StreamRemoved(S, 1, "restart"), pending=False).outcome == "lost in the restart"


def test_an_entry_that_is_deleted_while_pending_leaves_a_dangling_reference() -> None:
    row = trimmed(f.Deleted(S, 1, (entry_id(0),), "XDEL"), pending=True)
    assert row.segments[1:] == (
        Segment(State.PENDING, 100, 500, "a", "a"), Segment(State.DANGLING, 500, 1000, "a", "a")
    )  # fmt: skip
    assert (row.outcome, row.trouble) == ("deleted while pending, still pending", True)


def test_pending_entries_go_with_their_consumer() -> None:
    row = trimmed(f.ConsumerRemoved(S, 1, G, b"a", (entry_id(0),)), pending=True)
    assert row.marks[-1] == Mark(500, Sign.FORGOTTEN, "DELCONSUMER")
    assert (row.outcome, row.by, row.trouble) == ("forgotten by DELCONSUMER", "a", True)


def test_entries_before_the_groups_start_are_told_as_skipped() -> None:
    tale = Tale()
    tale.effect(0, "", "XADD", f.StreamCreated(S, 1), f.Added(S, 1, entry_id(0), (b"k", b"v")))
    tale.group(100, start=entry_id(0))
    row = rows_of(tale.end(200))[0]
    assert (row.outcome, row.trouble) == ("skipped: the group starts later", True)


def test_what_the_setting_up_gave_to_nobody_has_no_living_owner() -> None:
    tale = Tale()
    tale.group()
    tale.add(0, "")
    tale.read(0, "", entry_id(0), consumer="ghost")
    row = rows_of(tale.end(100))[0]
    assert row.segments == (Segment(State.ORPHANED, 0, 100, "ghost", ""),)


# ---- lanes, claims, cursor, commands ----


def test_a_lane_tells_the_lives_of_its_process_and_the_names_it_had() -> None:
    lane = layout(crash_before_ack(repaired=True)).lanes[1]
    assert (lane.name, lane.host) == ("worker-a", "worker-a")
    assert lane.lives == (
        Life(0, 500, "worker-a", True), Life(500, 1500, "worker-a", False), Life(1500, 8000, "worker-a-2", True)
    )  # fmt: skip
    assert [mark.sign for mark in lane.marks] == [Sign.STARTED, Sign.CRASHED, Sign.RESTARTED]


def test_a_claim_points_from_the_old_owners_process_to_the_claimers() -> None:
    picture = layout(crash_before_ack(repaired=True))
    assert picture.claims == (Claim(5400, "worker-a", "worker-b", "worker-a", "worker-b", ("1",)),)
    assert picture.lines == (Line(2000, "healed", "faults end"),)
    assert layout(crash_before_ack(repaired=False)).claims == ()


def test_the_cursor_is_where_deliveries_have_come_to() -> None:
    block = layout(crash_before_ack(repaired=True)).blocks[0]
    assert block.cursor == ((0, 0), (300, entry_id(100)), (400, entry_id(200)))
    assert block.min_idle_ms == (5000,)


def test_the_parameters_name_the_threshold_where_nobody_claims() -> None:
    assert layout(crash_before_ack(repaired=False)).blocks[0].min_idle_ms == (5000,)


def test_only_what_was_idle_for_long_or_changed_hands_gets_a_saw_tooth() -> None:
    block = layout(crash_before_ack(repaired=True)).blocks[0]
    assert [without_saw_tooth(row, block) for row in block.rows] == [False, True, True]


def test_a_read_that_waited_counts_when_it_is_served() -> None:
    tale = Tale()
    tale.start(0, "a")
    tale.effect(0, "a", "XREADGROUP GROUP workers a BLOCK 0 STREAMS orders >", reply=BLOCKED)
    tale.events.append(e.Served(700, "a", tale.calls, 1, START_MS + 700, NIL_ARRAY, ()))
    given = f.Delivered(S, 1, G, 1, b"a", entry_id(0), 1, False, None)
    tale.effect(800, "a", "XREADGROUP GROUP workers a BLOCK 0 STREAMS orders >", reply=BLOCKED)
    tale.events.append(e.Served(900, "a", tale.calls, 1, START_MS + 900, (), (given,)))
    picture = layout(tale.end(1000))
    assert [(command.at_ms, command.sent_ms) for command in picture.commands] == [(900, None)], "sent long ago"
    assert picture.left_out == ("1 command that changed nothing, such as reads that found nothing",)


def test_a_loss_is_told_unless_a_crash_explains_it() -> None:
    tale = Tale()
    tale.start(0, "a")
    tale.events += [e.Lost(100, "a", 7, "reply"), e.Crashed(200, "a", "fault", ""), e.Lost(200, "a", 8, "request")]
    assert [(loss.at_ms, loss.what) for loss in layout(tale.end(300)).losses] == [(100, "reply")]


def test_groups_in_which_every_entry_fared_the_same_share_their_rows() -> None:
    tale = Tale()
    for group in (b"billing", b"search"):
        tale.group(0, group)
    tale.start(0, "a")
    entry = tale.add(0, "a")
    for group in (b"billing", b"search"):
        tale.read(10, "a", entry, group=group)
        tale.ack(10, "a", entry, group=group)
    block, *more = layout(tale.end(20)).blocks
    assert (block.groups, len(block.rows), more) == (("billing", "search"), 1, [])


def test_a_stream_without_a_group_still_has_its_entries() -> None:
    tale = Tale()
    tale.start(0, "a")
    for ms in (0, 100):
        tale.add(ms, "a")
    tale.effect(100, "a", "XTRIM orders MAXLEN 1", f.Trimmed(S, 1, (entry_id(0),), "XTRIM"))
    block = layout(tale.end(200)).blocks[0]
    assert block.groups == ()
    assert [(row.outcome, row.trouble) for row in block.rows] == [("trimmed", False), ("in the stream", False)]


# ---- what is left out, and what is said ----


def many(entries: int, processes: int) -> History:
    """A long run; worker 3 crashes over entry 51."""
    tale = Tale({"scenario": "many", "variant": "broken", "verdict": "holds"})
    tale.group()
    tale.start(0, "shop")
    names = [f"worker-{n}" for n in range(processes)]
    for name in names:
        tale.start(0, name)
    for n in range(entries):
        who, at = names[n % processes], n * 100
        entry = tale.add(at)
        tale.read(at, who, entry)
        tale.handle(at, who, entry)
        if n == 50:
            tale.crash(at + 20, who)
            names.remove(who)
            processes -= 1
            continue
        tale.handled(at + 40, who, entry)
        tale.ack(at + 40, who, entry)
    return tale.end(entries * 100)


def test_a_long_run_shows_what_went_wrong_and_says_what_it_left_out() -> None:
    picture = layout(many(200, 12))
    (block,) = picture.blocks
    assert [row.entry for row in block.rows] == ["47", "48", "49", "50", "51", "52", "53", "54"]
    assert block.left_out == "192 more entries: acknowledged"
    assert "worker-2" in [lane.name for lane in picture.lanes]
    assert len(picture.lanes) == 8
    assert picture.left_out == (
        "192 entries of 200, the uneventful ones", "5 processes", "120 handlers and commands too close to others"
    )  # fmt: skip
    shop = picture.lanes[0]
    assert [mark.text for mark in shop.marks if mark.sign is Sign.ADDED] == [f"+{n}" for n in range(47, 55)]


def test_the_verdict_names_entries_as_the_picture_does() -> None:
    picture = layout(crash_before_ack(repaired=False))
    assert picture.verdict == (
        "Violated, as declared.",
        "no-orphan broke at 12 s (event 40): entry 1 [1700000000000-0] of orders still waits",
    )
    assert (picture.badge, picture.bad, picture.replay) == ("VIOLATED: no-orphan", True, "redelivery replay T")
    assert picture.lines[-1] == Line(12000, "violated", "✗ no-orphan broken")


def test_an_empty_history_has_an_empty_picture() -> None:
    picture = layout(History())
    assert (picture.lanes, picture.blocks, picture.title) == ((), (), "A run without a name")
    assert picture.verdict == ("No verdict was recorded with this history.",)


@pytest.mark.parametrize("at_ms", [0, 300, 5400, 8000])
def test_every_moment_has_its_place_on_the_axis(at_ms: int) -> None:
    axis = layout(crash_before_ack(repaired=True)).axis
    assert 0 <= axis.place(at_ms) <= 1
    assert (axis.begin_ms, axis.end_ms) == (0, 8000)


def test_marks_that_could_not_be_told_apart_are_left_out_and_counted() -> None:
    picture = layout(many(3000, 4))
    assert sum(len(lane.works) for lane in picture.lanes) < 800
    assert len(picture.commands) < 3000
    assert "51" in [work.entry for lane in picture.lanes for work in lane.works]
    assert picture.left_out[-1].endswith("handlers and commands too close to others")
