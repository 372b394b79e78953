"""The picture of a history as plain data: what is drawn, where in time, and in which words.

``layout.layout`` computes it, ``draw`` puts it on paper. Times are ms of true time in the world, as in
the history; nothing here knows of colours, inches or matplotlib.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .axis import Axis


class State(StrEnum):
    """What an entry is to a group during a stretch of its bar."""

    WAITING = "waiting"
    """In the stream, not yet delivered."""
    PENDING = "pending"
    """Delivered, not acknowledged, and a running process uses the owner's name."""
    ORPHANED = "orphaned"
    """Delivered, not acknowledged, and no running process uses the owner's name."""
    DANGLING = "dangling"
    """Still pending, but the entry itself was trimmed or deleted."""
    KEPT = "kept"
    """Done with, and still in the stream; recorded only where entries are taken out of that stream."""


class Sign(StrEnum):
    """A moment that gets a symbol."""

    STARTED = "started"
    RESTARTED = "restarted"
    CRASHED = "crashed"
    FINISHED = "finished"
    JUMPED = "jumped"
    REPLACED = "replaced"
    PAUSED = "paused"
    RESUMED = "resumed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    DISCONNECTED = "disconnected"
    CANCELLED = "cancelled"
    ADDED = "added"
    PUBLISHED = "published"
    DELIVERED = "delivered"
    CLAIMED = "claimed"
    RENEWED = "renewed"
    REREAD = "reread"
    REINSTATED = "reinstated"
    ACKED = "acked"
    GIVEN = "given"
    TRIMMED = "trimmed"
    DELETED = "deleted"
    LOST = "lost"
    FORGOTTEN = "forgotten"
    SKIPPED = "skipped"


class Mark(NamedTuple):
    """A symbol at a moment; ``text`` is what it says in words, or its number."""

    at_ms: int
    sign: Sign
    text: str = ""


class Segment(NamedTuple):
    """A stretch of an entry's bar. ``owner`` is a consumer, ``process`` the one that took it by that name."""

    state: State
    begin_ms: int
    end_ms: int
    owner: str = ""
    process: str = ""


class Work(NamedTuple):
    """A handler at work on an entry. ``cut``: a crash ended it; ``level`` keeps simultaneous ones apart."""

    begin_ms: int
    end_ms: int
    process: str
    entry: str
    cut: bool = False
    level: int = 0


class Life(NamedTuple):
    """A process from a start to its end, or (``running`` false) from a crash to the restart."""

    begin_ms: int
    end_ms: int
    consumer: str
    running: bool


class Claim(NamedTuple):
    """Entries that went from one owner to another in one command; processes are empty where unknown."""

    at_ms: int
    before: str
    after: str
    process_before: str
    process_after: str
    entries: tuple[str, ...]


class Command(NamedTuple):
    """A command as the server's lane shows it.

    ``sent_ms`` is ``None`` where it had waited on the server: what counts is that it got its answer now;
    ``replied_ms`` is ``None`` where no reply arrived. ``server`` numbers the servers of the run.
    """

    at_ms: int
    sent_ms: int | None
    replied_ms: int | None
    process: str
    text: str
    failed: bool
    server: int = 0


class ServerLane(NamedTuple):
    """A server: it answers from ``begin_ms`` on (and followed another one before), and is gone at ``end_ms``."""

    name: str
    begin_ms: int
    end_ms: int | None


class Scan(NamedTuple):
    """A look through a group's pending entries for some to claim: what it looked at, in the order of IDs.

    It began with the ID ``first``; it stopped before ``until``, which is ``None`` where it came to the end.
    """

    at_ms: int
    process: str
    stream: str
    group: str
    first: int
    until: int | None
    took: bool
    """Whether it found anything."""


class Levels(NamedTuple):
    """How many entries of a group are pending, and how many not delivered yet (its lag), from a time on."""

    pending: tuple[tuple[int, int], ...]
    lag: tuple[tuple[int, int], ...]

    @property
    def most(self) -> int:
        """The most that it ever was."""
        return max((n for _, n in (*self.pending, *self.lag)), default=0)


NO_LEVELS = Levels((), ())


class Loss(NamedTuple):
    """A request or a reply that was lost on its way, at ``at_ms``."""

    at_ms: int
    process: str
    what: str


class Line(NamedTuple):
    """A moment that concerns the whole world: ``healed`` or ``violated``."""

    at_ms: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A process: its lives, the handlers that ran in it, and what happened to it."""

    name: str
    host: str
    lives: tuple[Life, ...]
    works: tuple[Work, ...]
    marks: tuple[Mark, ...]
    pauses: tuple[tuple[int, int], ...] = ()
    """The stretches in which it stood still."""

    @property
    def levels(self) -> int:
        """How many handlers ran at once, at most; at least 1."""
        return max((work.level for work in self.works), default=0) + 1


@dataclass(frozen=True, slots=True)
class Row:
    """The life of one entry in one group, or in several in which it fared the same."""

    entry: str
    id: int
    fields: str
    segments: tuple[Segment, ...]
    works: tuple[Work, ...]
    marks: tuple[Mark, ...]
    idle: tuple[tuple[tuple[int, int], ...], ...]
    """The idle saw-tooth: lines through (time, idle), one for each stretch in which it was pending."""
    deliveries: int
    """The delivery count that it ended with."""
    outcome: str
    by: str
    """Who is meant by the outcome: a consumer, or empty."""
    trouble: bool
    """Whether the outcome is one that nobody wants."""
    interest: int
    """How much this row tells; where not all fit, the rows with the most are shown."""
    also: tuple[tuple[str, int], ...] = ()
    """The next entries, with their IDs, where they fared just the same and share this row."""

    @property
    def names(self) -> tuple[str, ...]:
        """The entries that this row stands for."""
        return (self.entry, *(name for name, _ in self.also))

    @property
    def last_id(self) -> int:
        """The ID of the last entry that it stands for."""
        return self.also[-1][1] if self.also else self.id

    @property
    def at_once(self) -> tuple[tuple[int, int], ...]:
        """The stretches in which more than one handler worked on it."""
        out: list[tuple[int, int]] = []
        for n, work in enumerate(self.works):
            for other in self.works[n + 1 :]:
                begin, end = max(work.begin_ms, other.begin_ms), min(work.end_ms, other.end_ms)
                if begin < end:
                    out.append((begin, end))
        return tuple(out)

    @property
    def idle_max_ms(self) -> int:
        """The longest that it was idle."""
        return max((idle for line in self.idle for _, idle in line), default=0)

    @property
    def levels(self) -> int:
        """How many handlers worked on it at once, at most; at least 1."""
        return max((work.level for work in self.works), default=0) + 1


@dataclass(frozen=True, slots=True)
class Block:
    """The entries of a stream as its groups see them, in order.

    ``groups`` are several where each entry fared the same in all of them; none where no group reads.
    """

    stream: str
    groups: tuple[str, ...]
    rows: tuple[Row, ...]
    cursor: tuple[tuple[int, int], ...]
    """Last-delivered-id from a time on: (time, ID)."""
    min_idle_ms: tuple[int, ...]
    """The thresholds that claims in this group used, or that the parameters name."""
    idle_top_ms: int
    """Where the scale of the saw-teeth ends; longer idle times are cut off there and told in words."""
    left_out: str
    """What became of the entries of this group that are not shown, in words."""
    levels: Levels = NO_LEVELS
    again: bool = False
    """Whether a stream of this name, with this group, had been there before and went."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that a timeline shows."""

    title: str
    summary: str
    """What the scenario is about, in its own words."""
    subtitle: str
    badge: str
    """The verdict in two words."""
    broke: str
    """What broke first, in a sentence; empty where nothing did."""
    bad: bool
    axis: Axis
    lanes: tuple[Lane, ...]
    takers: frozenset[str]
    """The processes that took an entry; the others only add, look or clean up."""
    commands: tuple[Command, ...]
    idle: tuple[tuple[int, str], ...]
    """The commands that changed nothing: when, and whose."""
    losses: tuple[Loss, ...]
    servers: tuple[ServerLane, ...]
    """One, and another for each replica that took its place."""
    server_marks: tuple[Mark, ...]
    scans: tuple[Scan, ...]
    claims: tuple[Claim, ...]
    blocks: tuple[Block, ...]
    lines: tuple[Line, ...]
    verdict: tuple[str, ...]
    replay: str
    left_out: tuple[str, ...]
    """What this picture does not show, one sentence each."""
