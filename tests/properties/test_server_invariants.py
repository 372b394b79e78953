"""No sequence of valid commands makes the model break a server invariant, in any dialect."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from redelivery.models import ids
from redelivery.models.dialects import DIALECTS
from redelivery.models.replies import BLOCKED, Failure
from redelivery.models.server import Server
from redelivery.models.stream import Stream
from redelivery.sim.events import Effect, Served
from redelivery.sim.properties import SERVER_INVARIANTS
from redelivery.sim.watch import Watch

Argv = tuple[bytes, ...]

KEYS = st.sampled_from([b"s", b"s", b"s", b"t"])
GROUPS = st.sampled_from([b"g", b"g", b"g", b"h"])
CONSUMERS = st.sampled_from([b"a", b"b", b"c"])
MS = st.sampled_from([b"0", b"1", b"50", b"500"])
COUNTS = st.sampled_from([b"1", b"1", b"2", b"10"])


class Id(NamedTuple):
    """An ID that is chosen when the command runs: one that the stream or its groups know, or one beside it."""

    which: int
    beside: int = 0

    def text(self, server: Server, key: bytes) -> bytes:
        """The ID in the stream as it is now."""
        stream = server.keys.get(key)
        if not isinstance(stream, Stream):
            return b"1-%d" % abs(self.which % 3)
        known = {stream.last_id, stream.max_deleted_id, *(i for i, _ in stream.ascending(0, ids.ID_MAX))}
        for group in stream.groups.values():
            known |= {group.cursor, *group.pel.keys()}
        chosen = sorted(known)[self.which % len(known)]
        return ids.show(min(max(chosen + self.beside, 0), ids.ID_MAX))


IDS = st.builds(Id, st.integers(-3, 4), st.sampled_from([0, 0, 0, 1, -1]))
"""Counted from the end as often as from the start: the last entries are where things happen."""


def optional(*words: bytes | st.SearchStrategy[bytes] | st.SearchStrategy[Id]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of(st.just(()), st.tuples(*(st.just(w) if isinstance(w, bytes) else w for w in words)))


def command(*parts: bytes | st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """A command line: words as they are, drawn words, and drawn stretches of words."""
    return st.tuples(*(st.just(part) if isinstance(part, bytes) else part for part in parts)).map(_flat)


def _flat(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(word for part in parts for word in (_flat(part) if type(part) is tuple else (part,)))


TRIMS = st.one_of(
    command(b"MAXLEN", optional(b"="), st.sampled_from([b"0", b"1", b"2", b"4"])),
    command(b"MAXLEN", b"~", st.sampled_from([b"0", b"1", b"2"]), optional(b"LIMIT", st.sampled_from([b"1", b"2"]))),
    command(b"MINID", optional(b"="), IDS),
)
NEW_IDS = st.one_of(st.just(b"*"), st.just(b"*"), st.just(b"*"), IDS)
CLAIM_OPTIONS = command(
    optional(b"IDLE", MS),
    optional(b"RETRYCOUNT", MS),
    optional(b"FORCE"),
    optional(b"JUSTID"),
    optional(b"LASTID", IDS),
)

PLACES = st.one_of(st.sampled_from([b"0", b"$"]), IDS)
READ = st.sampled_from([b"-1", b"0", b"1", b"3"])

REFERENCES = st.sampled_from([b"KEEPREF", b"DELREF", b"ACKED"])
MODES = st.sampled_from([b"SILENT", b"FAIL", b"FATAL"])

COMMANDS = st.one_of(
    command(b"XADD", KEYS, optional(b"NOMKSTREAM"), optional(TRIMS), NEW_IDS, b"k", b"v"),
    command(b"XADD", KEYS, b"*", b"k", b"v"),
    command(b"XREADGROUP", b"GROUP", GROUPS, CONSUMERS, optional(b"COUNT", COUNTS), optional(b"NOACK"),
            b"STREAMS", KEYS, b">"),
    command(b"XREADGROUP", b"GROUP", GROUPS, CONSUMERS, b"COUNT", COUNTS, b"STREAMS", KEYS, b">"),
    command(b"XREADGROUP", b"GROUP", GROUPS, CONSUMERS, b"BLOCK", b"60", b"STREAMS", KEYS, b">"),
    command(b"XREADGROUP", b"GROUP", GROUPS, CONSUMERS, b"STREAMS", KEYS, st.one_of(st.just(b"0"), IDS)),
    command(b"XREADGROUP", b"GROUP", b"g", CONSUMERS, b"STREAMS", b"s", b"0"),
    command(b"XACK", KEYS, GROUPS, IDS, IDS),
    command(b"XCLAIM", KEYS, GROUPS, CONSUMERS, MS, IDS, IDS, CLAIM_OPTIONS),
    command(b"XAUTOCLAIM", KEYS, GROUPS, CONSUMERS, MS, st.one_of(st.just(b"0"), IDS), optional(b"COUNT", COUNTS),
            optional(b"JUSTID")),
    command(b"XDEL", KEYS, IDS, IDS),
    command(b"XDELEX", KEYS, REFERENCES, b"IDS", b"2", IDS, IDS),
    command(b"XACKDEL", KEYS, GROUPS, REFERENCES, b"IDS", b"1", IDS),
    command(b"XTRIM", KEYS, b"MAXLEN", COUNTS, REFERENCES),
    command(b"XREADGROUP", b"GROUP", GROUPS, CONSUMERS, b"CLAIM", MS, optional(b"COUNT", COUNTS), optional(b"NOACK"),
            b"STREAMS", KEYS, b">"),
    command(b"XREADGROUP", b"GROUP", b"g", CONSUMERS, b"CLAIM", MS, b"BLOCK", b"60", b"STREAMS", b"s", b">"),
    command(b"XNACK", KEYS, GROUPS, MODES, b"IDS", b"2", IDS, IDS, optional(b"RETRYCOUNT", MS), optional(b"FORCE")),
    command(b"XADD", KEYS, b"IDMP", b"p", st.sampled_from([b"i", b"j"]), b"*", b"k", b"v"),
    command(b"XTRIM", KEYS, TRIMS),
    command(b"XGROUP", b"CREATE", KEYS, GROUPS, PLACES, optional(b"MKSTREAM"), optional(b"ENTRIESREAD", READ)),
    command(b"XGROUP", b"CREATE", KEYS, GROUPS, PLACES, b"MKSTREAM"),
    command(b"XGROUP", b"SETID", KEYS, GROUPS, PLACES, optional(b"ENTRIESREAD", READ)),
    command(b"XGROUP", b"DESTROY", KEYS, GROUPS),
    command(b"XGROUP", b"DELCONSUMER", KEYS, GROUPS, CONSUMERS),
    command(b"XSETID", KEYS, IDS),
    command(b"XSETID", KEYS, IDS, optional(b"ENTRIESADDED", READ), optional(b"MAXDELETEDID", IDS)),
    command(b"XINFO", b"GROUPS", KEYS),
    command(b"DEL", KEYS),
    command(b"RENAME", KEYS, KEYS),
    command(b"COPY", KEYS, KEYS, optional(b"REPLACE")),
    command(b"PEXPIRE", KEYS, MS),
    command(b"MOVE", KEYS, b"1"),
    command(b"SWAPDB", b"0", b"1"),
)  # fmt: skip
STEPS = st.tuples(st.sampled_from([0, 0, 1, 49, 50, 500]), COMMANDS)
"""How far the server's clock goes on, and what comes then."""

BEGINNING: tuple[Argv, ...] = (
    (b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM"),
    (b"XADD", b"s", b"*", b"k", b"v"),
    (b"XADD", b"s", b"*", b"k", b"v"),
    (b"XREADGROUP", b"GROUP", b"g", b"a", b"COUNT", b"1", b"STREAMS", b"s", b">"),
)


class Judged:
    """A model server whose every fact is shown to the server invariants."""

    def __init__(self, dialect: str) -> None:
        self.server = Server(dialect)
        self.watch = Watch(SERVER_INVARIANTS)
        self.now_ms = 1000
        self.sessions: list[int] = []
        """Idle connections."""
        self.facts: set[str] = set()
        self.refused = 0

    def wait(self, ms: int) -> None:
        """Time passes; reads that blocked for too long are given up."""
        self.now_ms += ms
        self.server.expire(self.now_ms)
        self._hear()

    def send(self, argv: Argv) -> object:
        """Runs a command on a connection that is not blocked."""
        session = self.sessions.pop() if self.sessions else self.server.open(3)
        reply, facts = self.server.execute(session, argv, self.now_ms)
        self.watch.observe(Effect(self.now_ms, "p", 1, session, self.now_ms, self.now_ms, (argv,), (reply,), facts))
        self.facts.update(type(fact).__name__ for fact in facts)
        self.refused += isinstance(reply, Failure)
        if reply is not BLOCKED:
            self.sessions.append(session)
        self._hear()
        return reply

    def step(self, ms: int, words: tuple[Any, ...]) -> None:
        """Time passes, then a drawn command runs, with IDs that fit the streams as they are."""
        self.wait(ms)
        argv = tuple(word.text(self.server, self._key(words)) if isinstance(word, Id) else word for word in words)
        note(f"{self.now_ms} {b' '.join(argv).decode()}")
        self.send(argv)

    @staticmethod
    def _key(words: tuple[Any, ...]) -> bytes:
        """The key of a command line, wherever its grammar has it: no other word is called so."""
        return b"t" if b"t" in words else b"s"

    def _hear(self) -> None:
        for served in self.server.take_served():
            self.sessions.append(served.session)
            reply, facts = served.reply, served.facts
            self.watch.observe(Served(self.now_ms, "p", 1, served.session, self.now_ms, reply, facts))


@pytest.mark.parametrize("dialect", DIALECTS)
@given(steps=st.lists(STEPS, max_size=40))
@settings(max_examples=400)
def test_no_sequence_of_commands_breaks_a_server_invariant(
    dialect: str, steps: list[tuple[int, tuple[Any, ...]]]
) -> None:
    judged = Judged(dialect)
    for argv in BEGINNING:
        assert not isinstance(judged.send(argv), Failure)
    for ms, words in steps:
        judged.step(ms, words)
        assert judged.watch.violations == []


def test_the_commands_that_are_drawn_are_mostly_ones_that_the_server_takes() -> None:
    """Else the test above would show little. Every kind of fact has to come up, too."""
    runs: list[tuple[int, Judged]] = []

    @given(steps=st.lists(STEPS, min_size=20, max_size=40))
    @settings(max_examples=300, database=None, derandomize=True)
    def look(steps: list[tuple[int, tuple[Any, ...]]]) -> None:
        judged = Judged("redis-8.8")
        for argv in BEGINNING:
            judged.send(argv)
        for ms, words in steps:
            judged.step(ms, words)
        runs.append((len(steps), judged))

    look()
    assert sum(judged.refused for _, judged in runs) < sum(steps for steps, _ in runs) / 2
    assert set.union(*(judged.facts for _, judged in runs)) == {
        "Added", "Deleted", "Trimmed", "GroupCreated", "GroupRemoved", "CursorMoved", "ConsumerCreated",
        "ConsumerRemoved", "Delivered", "Reread", "Claimed", "Acked", "Forgotten", "LagReported", "LastIdSet",
        "StreamRemoved", "StreamCreated", "KeyMoved", "KeyCopied", "KeyExpired", "DatabasesSwapped", "Nacked",
        "Deduplicated", "Recounted",
    }  # fmt: skip


@pytest.mark.parametrize("dialect", ["redis-7.0", "redis-8.6"])
def test_a_group_that_says_what_it_has_read_is_taken_at_its_word(dialect: str) -> None:
    judged = Judged(dialect)
    judged.send((b"XADD", b"s", b"1-1", b"k", b"v"))
    judged.send((b"XGROUP", b"CREATE", b"s", b"g", b"$", b"ENTRIESREAD", b"0"))
    judged.send((b"XINFO", b"GROUPS", b"s"))
    assert judged.watch.violations == []
