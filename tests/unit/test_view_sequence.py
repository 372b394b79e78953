"""The run as a sequence chart, in text and for Mermaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from redelivery.models import facts as f
from redelivery.models import ids
from redelivery.models.replies import BLOCKED, NIL, Failure, Reply
from redelivery.sim import events as e
from redelivery.sim.catalogue import find
from redelivery.sim.errors import BadInput
from redelivery.sim.history import History
from redelivery.sim.run import simulate
from redelivery.sim.views.sequence import chart, draw, mermaid

START_MS = 1_700_000_000_000
S, G = b"orders", b"workers"
ENTRY = ids.make(START_MS, 0)
TEXT = ids.show(ENTRY)


def effect(ms: int, who: str, argv: str, *facts: f.Fact, reply: Reply = 1, call: int = 1) -> e.Effect:
    return e.Effect(ms, who, call, 1, ms, START_MS + ms, (tuple(argv.encode().split()),), (reply,), facts)


ADDED = f.Added(S, 1, ENTRY, (b"order", b"1"))
GIVEN = f.Delivered(S, 1, G, 1, b"a", ENTRY, 1, False, None)
ACKED = f.Acked(S, 1, G, ENTRY, b"a")
READ = "XREADGROUP GROUP workers a STREAMS orders >"
EVENTS: list[e.Event] = [
    e.Started(0, "shop", "shop", "shop", 1),
    e.Started(0, "a", "a", "a", 1),
    effect(0, "a", READ, reply=BLOCKED, call=1),
    effect(5, "shop", "XADD orders * order 1", ADDED, reply=TEXT, call=2),
    e.Served(5, "a", 1, 1, START_MS, (), (GIVEN,)),
    e.Handling(5, "a", S, G, TEXT),
    e.Handled(1200, "a", S, G, TEXT),
    effect(1200, "a", f"XACK orders workers {TEXT.decode()}", ACKED, call=3),
    e.Lost(1300, "a", 3, "reply"),
    effect(1400, "a", READ, reply=Failure(b"NOGROUP No such key"), call=4),
    e.ClockJumped(1500, "redis", -5000),
    e.Crashed(1600, "a", "fault", "crashed"),
    e.Lost(1600, "a", 9, "reply"),
    e.Started(2600, "a", "a-2", "a", 2),
    e.Ended(3000),
]


def test_a_chart_in_text() -> None:
    assert chart(History({}, EVENTS)) == [
        "        time  shop        a           redis",
        "        5 ms  │──────────────────────>│  XADD orders * order 1 → adds entry 1",
        "        5 ms  │           │<──────────│  XREADGROUP → gives entry 1, after it waited",
        "        5 ms  │           #           │  a begins to handle entry 1",
        "       1.2 s  │           #           │  a has handled entry 1",
        "       1.2 s  │           │──────────>│  XACK orders workers [1] → settles entry 1",
        "       1.3 s  │           │x╌╌╌╌╌╌╌╌╌╌│  the reply of XACK to a is lost",
        "       1.4 s  │           │──────────>│  XREADGROUP GROUP workers a STREAMS orders > → NOGROUP No such key",
        "       1.5 s  │           │           │  (the clock of redis jumps by −5 s)",
        "       1.6 s  │           X           │  a crashes",
        "       2.6 s  │           o           │  a starts again as consumer a-2",
        "       2.6 s  │           │           │  (1 command of a changed nothing)",
        "         3 s  │           │           │  (the run is over)",
    ]


def test_who_is_down_has_no_lane_and_who_is_at_work_a_thick_one() -> None:
    crash, add = e.Crashed(9, "a", "raised", "KeyError: 'x'"), effect(10, "shop", "XADD orders * n 1", ADDED)
    crashed = [*EVENTS[:6], crash, add]
    rows = [line[14:39] for line in chart(History({}, crashed))]
    assert rows[3:6] == ["│           #           │", "│           X           │", "│──────────────────────>│"]
    busy = [*EVENTS[:6], effect(10, "shop", "XADD orders * n 1", ADDED), *EVENTS[9:10]]
    assert [line[14:39] for line in chart(History({}, busy))][4:6] == [
        "│──────────────────────>│",
        "│           #──────────>│",
    ]


def test_polls_that_found_nothing_are_counted() -> None:
    polls = [effect(100 * n, "a", READ, reply=NIL, call=n) for n in range(7)]
    told = chart(History({}, [*EVENTS[:2], *polls, EVENTS[3]._replace(at_ms=700)]))
    assert told[1:] == [
        "      600 ms  │           │           │  (7 commands of a changed nothing)",
        "      700 ms  │──────────────────────>│  XADD orders * order 1 → adds entry 1",
    ]


def test_a_long_run_says_how_much_it_leaves_out() -> None:
    told = chart(History({}, EVENTS), lines_max=3)
    assert told[1] == "(9 earlier moves left out)"
    assert len(told) == 5
    assert "starts again" in told[2]


def test_a_mermaid_diagram() -> None:
    assert mermaid(History({}, EVENTS)) == [
        "sequenceDiagram",
        "    participant p1 as shop",
        "    participant p2 as a",
        "    participant redis",
        "    p1->>redis: 5 ms XADD orders * order 1",
        "    redis-->>p1: adds entry 1",
        "    redis-->>p2: 5 ms XREADGROUP → gives entry 1",
        "    Note over p2: 5 ms begins to handle entry 1",
        "    Note over p2: 1.2 s has handled entry 1",
        "    p2->>redis: 1.2 s XACK orders workers [1]",
        "    Note over redis: settles entry 1",
        "    redis--xp2: 1.3 s reply of XACK lost",
        "    p2->>redis: 1.4 s XREADGROUP GROUP workers a STREAMS orders #62;",
        "    redis-->>p2: NOGROUP No such key",
        "    Note over p1,redis: 1.5 s the clock of redis jumps by −5 s",
        "    Note over p2: 1.6 s crashes",
        "    Note over p2: 2.6 s starts again as consumer a-2",
        "    Note over p1,redis: 2.6 s 1 command of a changed nothing",
        "    Note over p1,redis: 3 s the run is over",
    ]


def test_signs_of_mermaid_in_a_payload_end_no_statement() -> None:
    line = mermaid(History({}, [effect(0, "a;b", "XADD s * k x;y#z:{1}", ADDED)]))[3]
    assert line.endswith("XADD s * k x#59;y#35;z#58;#123;1#125;")


def test_an_empty_history_is_an_empty_chart() -> None:
    assert chart(History()) == ["        time  redis"]
    assert mermaid(History()) == ["sequenceDiagram", "    participant redis"]


@pytest.mark.parametrize("ending", [".txt", ".mmd"])
def test_the_same_run_gives_the_same_bytes(ending: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        draw(simulate(find("crash-before-ack"), "broken").history, tmp_path / (name + ending))
    assert (tmp_path / ("one" + ending)).read_bytes() == (tmp_path / ("two" + ending)).read_bytes()


def test_a_file_that_cannot_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"ending must be one of \.txt, \.mmd"):
        draw(History(), tmp_path / "a.svg")
    with pytest.raises(BadInput, match=r"cannot write the sequence to .*: No such file"):
        draw(History(), tmp_path / "no" / "a.txt")
