"""The run as a story in words."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.models import ids
from redelivery.models.replies import Failure, Reply
from redelivery.sim import events as e
from redelivery.sim.history import History
from redelivery.sim.views.story import tell

START_MS = 1_700_000_000_000
S, G = b"orders", b"workers"
ENTRY = ids.make(START_MS, 0)
TEXT = ids.show(ENTRY)


def effect(ms: int, who: str, argv: str, *facts: f.Fact, reply: Reply = 1, call: int = 1) -> e.Effect:
    return e.Effect(ms, who, call, 1, ms, START_MS + ms, (tuple(argv.encode().split()),), (reply,), facts)


def added(ms: int, entry: int = ENTRY) -> e.Effect:
    return effect(ms, "shop", "XADD orders * order 1", f.Added(S, 1, entry, (b"order", b"1")))


def given(ms: int, who: str, entry: int = ENTRY, consumer: str = "") -> e.Effect:
    fact = f.Delivered(S, 1, G, 1, (consumer or who).encode(), entry, 1, False, None)
    return effect(ms, who, "XREADGROUP GROUP workers x STREAMS orders >", fact)


def lines(*events: e.Event) -> list[str]:
    """The numbered lines of the story, without their numbers and times."""
    return [line[17:] for line in tell(History({}, list(events))) if line[:3].strip().isdigit()]


def test_a_story_from_the_crash_to_the_claim() -> None:
    claimed = f.Claimed(S, 1, G, b"worker-b", ENTRY, b"worker-a", 5100, 5000, 2, START_MS + 5100)
    header = {
        "scenario": "crash-before-ack", "variant": "repaired", "dialect": "redis-8.6", "seed": 7, "tape": "T",
        "verdict": "holds", "declared": "holds", "properties": {"no-orphan": "holds", "taken-over": "met"},
    }  # fmt: skip
    events: list[e.Event] = [
        e.Started(0, "worker-a", "worker-a", "worker-a", 1),
        added(0),
        given(0, "worker-a"),
        e.Handling(0, "worker-a", S, G, TEXT),
        e.Crashed(30, "worker-a", "fault", "crashed"),
        e.Lost(30, "worker-a", 9, "reply"),
        e.Started(1030, "worker-a", "worker-a-2", "worker-a", 2),
        e.Healed(2000),
        effect(5100, "worker-b", "XAUTOCLAIM orders workers worker-b 5000 0", claimed),
        e.Handling(5100, "worker-b", S, G, TEXT),
        e.Handled(5150, "worker-b", S, G, TEXT),
        effect(5150, "worker-b", "XACK orders workers 1", f.Acked(S, 1, G, ENTRY, b"worker-b")),
    ]
    assert tell(History(header, events)) == [
        "crash-before-ack, repaired · redis-8.6 · seed 7",
        "",
        "  1.       0 ms  shop adds entry 1 to orders (order=1)",
        "  2.       0 ms  worker-a is given entry 1 and begins to handle it",
        "  3.      30 ms  worker-a crashes while it handles entry 1; entry 1 stays pending for worker-a",
        "  4.     1.03 s  worker-a starts again as consumer worker-a-2",
        "  5.        2 s  from here on there are no more faults",
        "  6.      5.1 s  worker-b claims entry 1 from worker-a, idle 5.1 s of at least 5 s (delivery 2)"
        " and begins to handle it",
        "  7.     5.15 s  worker-b has handled entry 1 and acknowledges it",
        "",
        "Holds, as declared. Nothing broke no-orphan. It did happen: taken-over.",
        "",
        "redelivery replay T",
    ]


def test_two_handlers_at_once_and_an_acknowledgement_that_comes_too_late() -> None:
    told = lines(
        e.Handling(0, "slow", S, G, TEXT),
        e.Handling(5, "quick", S, G, TEXT),
        e.Handled(9, "slow", S, G, TEXT),
        effect(9, "slow", f"XACK orders workers {TEXT.decode()}", reply=0),
    )
    assert told == [
        "slow begins to handle entry 1",
        "quick begins to handle entry 1 (while slow handles it too)",
        "slow has handled entry 1 (while quick handles it too) and acknowledges it,"
        " but Redis answers 0: not pending any more",
    ]


def test_what_goes_wrong_on_the_way_and_on_the_server_is_told() -> None:
    told = lines(
        effect(0, "a", "XREADGROUP GROUP workers a STREAMS orders >", reply=Failure(b"NOGROUP No such key"), call=3),
        e.Lost(1, "a", 3, "reply"),
        e.ClockJumped(2, "host-1", -5000),
        effect(3, "a", "XTRIM orders MAXLEN 0", f.Trimmed(S, 1, (ENTRY, ENTRY + 1), "XTRIM")),
        effect(4, "a", "XGROUP DELCONSUMER orders workers b", f.ConsumerRemoved(S, 1, G, b"b", (ENTRY,))),
        e.Crashed(5, "a", "raised", "KeyError: 'order'"),
    )
    assert told == [
        "a sends XREADGROUP; Redis refuses: NOGROUP No such key",
        "a loses the reply of its XREADGROUP",
        "the clock of host-1 jumps by −5 s",
        "a trims entries 1 and 2 of orders",
        "a removes consumer b, and its pending entry 1 with it",
        "a raises \"KeyError: 'order'\" and is gone",
    ]


def test_names_that_are_not_the_processes_own_are_told() -> None:
    owned = f.Acked(S, 1, G, ENTRY, b"shared")
    told = lines(added(0), given(1, "a", consumer="shared"), effect(2, "b", "XACK orders workers 1", owned))
    assert told[1:] == ["a is given entry 1 as shared", "b acknowledges entry 1, pending for shared"]


def test_a_long_story_leaves_out_what_went_as_usual_and_says_so() -> None:
    events: list[e.Event] = []
    for n in range(60):
        entry = ids.make(START_MS + n, 0)
        events += [added(n, entry), given(n, "a", entry)]
        if n != 30:
            events.append(effect(n, "a", "XACK orders workers 1", f.Acked(S, 1, G, entry, b"a")))
    events.append(e.Crashed(60, "a", "fault", "crashed"))
    told = tell(History({}, events))[2:]
    assert told[:5] == [
        "                 (60 lines left out: 30 entries without incident)",
        "  1.      30 ms  shop adds entry 31 to orders (order=1)",
        "  2.      30 ms  a is given entry 31",
        "                 (58 lines left out: 29 entries without incident)",
        "  3.      60 ms  a crashes; entry 31 stays pending for a",
    ]


def test_a_violation_names_the_entry_by_its_number_and_stays_within_the_lines_of_an_issue() -> None:
    message = f"entry {TEXT.decode()} of orders is pending for worker-a since 0 ms and nobody takes it up in time"
    violation = {"property": "no-orphan", "step": 9, "at_ms": 12_000, "message": message}
    header = {"verdict": "violated", "declared": "holds", "violations": [violation]}
    told = tell(History(header, [added(0)]))
    assert told[-3:] == [
        "Violated (declared: holds).",
        "no-orphan broke at 12 s (event 9): entry 1 [1700000000000-0] of orders is pending for worker-a since",
        "  0 ms and nobody takes it up in time",
    ]


def test_nothing_is_told_of_nothing() -> None:
    assert tell(History())[2] == "Nothing happened."
