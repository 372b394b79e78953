"""Footprints tell the truth: two commands that are independent by them may come in either order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from redelivery.models import touched as footprints
from redelivery.models.server import Server
from redelivery.models.touched import Touched, touched
from redelivery.sim.check.abstraction import Abstraction
from redelivery.sim.check.servers import freeze

NOW_MS = 1_000_000
IDS = ("1-1", "2-1", "3-1", "5-0")
Line = tuple[str, ...]


def lines() -> st.SearchStrategy[Line]:
    key, group, who = st.sampled_from(["s", "t"]), st.sampled_from(["g", "h"]), st.sampled_from(["a", "b"])
    entry, count = st.sampled_from(IDS), st.sampled_from(["1", "2"])
    some = st.lists(entry, min_size=1, max_size=2).map(tuple)
    word = st.just

    def line(*parts: Any) -> st.SearchStrategy[Line]:
        return st.tuples(*[word(part) if isinstance(part, str) else part for part in parts]).map(flat)

    return st.one_of(
        line("XADD", key, st.sampled_from(["*", *IDS]), "f", "v"), line("XADD", key, "MAXLEN", "1", "*", "f", "v"),
        line("XACK", key, group, some), line("XDEL", key, some), line("XLEN", key), line("XRANGE", key, "-", "+"),
        line("XREADGROUP", "GROUP", group, who, "COUNT", count, "STREAMS", key, ">"),
        line("XREADGROUP", "GROUP", group, who, "BLOCK", "0", "STREAMS", key, ">"),
        line("XREADGROUP", "GROUP", group, who, "STREAMS", key, "0"),
        line("XREAD", "COUNT", count, "STREAMS", key, "0"),
        line("XREADGROUP", "GROUP", group, who, "COUNT", count, "NOACK", "STREAMS", key, ">"),
        line("XREAD", "BLOCK", "0", "STREAMS", key, "$"), line("XCLAIM", key, group, who, "0", some),
        line("XCLAIM", key, group, who, "0", some, "FORCE"),
        line("XAUTOCLAIM", key, group, who, "0", "0", "COUNT", count),
        line("XPENDING", key, group), line("XPENDING", key, group, "-", "+", count), line("XTRIM", key, "MAXLEN", "1"),
        line("XGROUP", "CREATE", key, group, "0", "MKSTREAM"), line("XGROUP", "DESTROY", key, group),
        line("XGROUP", "DELCONSUMER", key, group, who), line("XINFO", "GROUPS", key), line("SET", "k", "v"),
        line("GET", "k"), line("DEL", key), line("XSETID", key, "9-0"),
    )  # fmt: skip


def flat(parts: Sequence[Any]) -> Line:
    return tuple(word for part in parts for word in (part if isinstance(part, tuple) else (part,)))


class Twins:
    """A server with a connection for each line."""

    def __init__(self, before: Sequence[Line]) -> None:
        self.server = Server("redis-8.6")
        for key in ("s", "t"):
            self.run(("XGROUP", "CREATE", key, "g", "0", "MKSTREAM"))
        for line in before:
            self.run(line)
        self.sessions = [self.server.open(3) for _ in range(2)]

    def run(self, line: Line, session: int | None = None) -> tuple[Any, Touched]:
        argv = tuple(word.encode() for word in line)
        session = self.server.open(3) if session is None else session
        reply, facts = self.server.execute(session, argv, NOW_MS)
        served = self.server.take_served()
        return (reply, facts, served), touched(argv, reply, facts, bool(served))

    def both(self, first: Line, second: Line, *, swapped: bool) -> tuple[Any, Any]:
        """The replies and the server, by line; sessions are the lines' own."""
        order = [(1, second), (0, first)] if swapped else [(0, first), (1, second)]
        replies = {which: self.run(line, self.sessions[which])[0] for which, line in order}
        return replies[0], replies[1]

    def state(self) -> Any:
        return freeze(self.server, NOW_MS, Abstraction(seen=False, idle_ms_max=None))


def independent(before: Sequence[Line], first: Line, second: Line) -> bool:
    mine, theirs = Twins(before), Twins(before)
    return mine.run(first)[1].independent(theirs.run(second)[1])


FULL = [("XADD", "s", entry, "f", "v") for entry in IDS]
READ = [*FULL, ("XREADGROUP", "GROUP", "g", "a", "COUNT", "3", "STREAMS", "s", ">")]


@settings(max_examples=400)
@given(st.lists(lines(), max_size=6), lines(), lines())
@example(READ, ("XACK", "s", "g", "1-1"), ("XACK", "s", "g", "2-1"))
@example(READ, ("XACK", "s", "g", "1-1"), ("XACK", "s", "g", "1-1"))
@example(READ, ("XACK", "s", "g", "1-1"), ("XREADGROUP", "GROUP", "g", "b", "COUNT", "1", "STREAMS", "s", ">"))
@example(READ, ("XDEL", "s", "5-0"), ("XREADGROUP", "GROUP", "g", "b", "COUNT", "1", "STREAMS", "s", ">"))
def test_what_is_independent_by_its_footprint_may_come_in_either_order(
    before: list[Line], first: Line, second: Line
) -> None:
    if not independent(before, first, second):
        event("dependent")
        return
    event(f"independent: {first[0]} and {second[0]}")
    one, other = Twins(before), Twins(before)
    assert one.both(first, second, swapped=False) == other.both(first, second, swapped=True)
    assert one.state() == other.state()


GROUP_READ = ("XREADGROUP", "GROUP", "g", "b", "COUNT", "1", "STREAMS", "s", ">")
GRAIN = [
    (("XACK", "s", "g", "1-1"), ("XACK", "s", "g", "2-1"), True),
    (("XACK", "s", "g", "1-1"), ("XACK", "s", "g", "1-1"), False),
    (("XADD", "s", "*", "f", "v"), GROUP_READ, False),
    (("XADD", "s", "*", "f", "v"), ("XACK", "s", "g", "1-1"), True),
    (("XADD", "s", "*", "f", "v"), ("XADD", "t", "*", "f", "v"), True),
    (("XADD", "s", "*", "f", "v"), ("XADD", "s", "*", "f", "v"), False),
    (("XACK", "s", "g", "1-1"), GROUP_READ, True),
    (("XCLAIM", "s", "g", "b", "0", "1-1"), ("XACK", "s", "g", "2-1"), True),
    (("XCLAIM", "s", "g", "b", "0", "1-1"), ("XACK", "s", "g", "1-1"), False),
    (("XCLAIM", "s", "g", "b", "0", "1-1"), ("XCLAIM", "s", "g", "b", "0", "2-1"), False),
    (GROUP_READ, ("XREADGROUP", "GROUP", "g", "a", "COUNT", "1", "STREAMS", "s", ">"), False),
    (("XPENDING", "s", "g"), ("XACK", "s", "g", "1-1"), False),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "wanted"), GRAIN)
def test_the_grain_is_an_entry(first: Line, second: Line, wanted: bool) -> None:
    assert independent(READ, first, second) is wanted


def test_an_entry_that_wakes_a_reader_has_touched_what_it_took() -> None:
    waits = [("XREADGROUP", "GROUP", "g", "a", "BLOCK", "0", "STREAMS", "s", ">")]
    assert not independent(waits, ("XADD", "s", "*", "f", "v"), ("XACK", "s", "g", "1-1"))
    reader = ("XREADGROUP", "GROUP", "g", "a", "BLOCK", "0", "STREAMS", "s", ">")
    assert not independent([], ("XADD", "s", "*", "f", "v"), reader)


@pytest.mark.parametrize("careless", ["_xack", "_xreadgroup"])
def test_a_careless_footprint_is_found(careless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that forgets what was written is held against both orders, and falls."""
    name = careless[1:].upper().encode()
    monkeypatch.setitem(footprints._STREAM, name, lambda argv, reply, facts: Touched())
    with pytest.raises(AssertionError):
        test_what_is_independent_by_its_footprint_may_come_in_either_order()
