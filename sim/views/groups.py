"""What the facts of a history say of each group: its entries' lives, its cursor, its claims."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...models import facts as f
from ..events import ClockJumped, Crashed, Effect, Finished, ReplicaCut, Served, ServerDown, ServerLost, Started
from ..history import History
from ..plan import SERVER
from ..server_faults import MAXMEMORY, SOMEBODY
from . import words
from .life import EntryLife
from .picture import Claim, Mark, Sign

NO_GROUP = b""
_Stream = tuple[bytes, int]
_Group = tuple[bytes, int, bytes]


@dataclass(slots=True)
class GroupView:
    """One group of one incarnation of a stream."""

    stream: bytes
    group: bytes
    created_ms: int
    start: int
    lives: dict[int, EntryLife] = field(default_factory=dict)
    cursor: list[tuple[int, int]] = field(default_factory=list)
    min_idle_ms: set[int] = field(default_factory=set)
    removed: bool = False


@dataclass(slots=True)
class _Entry:
    number: str
    fields: str
    added_ms: int


class Groups:
    """Reads a history once; afterwards ``views`` and ``claims`` hold what it told."""

    def __init__(self, history: History, numbering: words.Numbering) -> None:
        self.views: dict[_Group, GroupView] = {}
        self.claims: list[Claim] = []
        self.takers: set[str] = set()
        """Processes that took an entry."""
        self.clock = 0
        """How far the server's clock is ahead of true time."""
        self._numbering = numbering
        self._entries: dict[_Stream, dict[int, _Entry]] = {}
        self._users: dict[str, set[str]] = {}
        self._user_of: dict[str, str] = {}
        for event in history:
            if isinstance(event, Effect | Served):
                self._effect(event)
            elif isinstance(event, Started):
                self._uses(event.at_ms, event.consumer, event.process)
            elif isinstance(event, Crashed | Finished):
                self._stops(event.at_ms, event.process)
            elif isinstance(event, ClockJumped) and event.host == SERVER:
                self._set_clock(event.at_ms, self.clock + event.by_ms)
            elif isinstance(event, ServerLost):
                for fact in event.facts:
                    self._changed(event.at_ms, fact)

    def _effect(self, event: Effect | Served) -> None:
        clock = event.server_ms - event.at_ms
        if clock != self.clock:
            self._set_clock(event.at_ms, clock)
        moved: dict[tuple[str, str], list[str]] = {}
        for fact in event.facts:
            if isinstance(fact, f.Delivered | f.Reread | f.Claimed):
                consumer = words.text(fact.consumer)
                self._uses(event.at_ms, consumer, event.process)
                self.takers.add(event.process)
                if isinstance(fact, f.Claimed):
                    before = self._claimed(event.at_ms, event.process, fact)
                    if before is not None:
                        number = self._numbering.of(fact.stream, fact.born, fact.id)
                        moved.setdefault((before, consumer), []).append(number)
                else:
                    self._given(event.at_ms, event.process, fact)
                if not self._users[consumer]:  # the commands that set the world up give to nobody who runs
                    self._living(event.at_ms, consumer, False)
            else:
                self._changed(event.at_ms, fact)
        for (before, after), numbers in moved.items():
            owner = self._user_of.get(before, "")
            self.claims.append(Claim(event.at_ms, before, after, owner, event.process, tuple(numbers)))

    def _given(self, at_ms: int, process: str, fact: f.Delivered | f.Reread) -> None:
        life = self._life(at_ms, fact.stream, fact.born, fact.group, fact.id)
        consumer = words.text(fact.consumer)
        if isinstance(fact, f.Reread):
            life.reread(at_ms, self.clock, consumer, process, fact.count)
        elif fact.noack:
            life.give(at_ms, consumer, process)
        else:
            life.deliver(at_ms, self.clock, consumer, process, fact.count)

    def _claimed(self, at_ms: int, process: str, fact: f.Claimed) -> str | None:
        """The owner before, where the entry changed hands."""
        life = self._life(at_ms, fact.stream, fact.born, fact.group, fact.id)
        if fact.min_idle_ms > 0:
            self._group(at_ms, fact.stream, fact.born, fact.group).min_idle_ms.add(fact.min_idle_ms)
        moved = life.claim(at_ms, self.clock, fact.delivered_ms, words.text(fact.consumer), process, fact.count)
        return words.text(fact.owner_before) if moved and fact.owner_before is not None else None

    def _changed(self, at_ms: int, fact: f.Fact) -> None:
        match fact:
            case f.Added():
                self._added(at_ms, fact)
            case f.Acked():
                self._life(at_ms, fact.stream, fact.born, fact.group, fact.id).ack(at_ms, self.clock)
            case f.Forgotten():
                life = self._life(at_ms, fact.stream, fact.born, fact.group, fact.id)
                life.forget(at_ms, self.clock, fact.cause)
            case f.Trimmed() | f.Deleted():
                sign = Sign.TRIMMED if isinstance(fact, f.Trimmed) else Sign.DELETED
                self._removed(at_ms, fact.stream, fact.born, fact.ids, sign, fact.cause)
            case f.Reinstated():
                life = self._life(at_ms, fact.stream, fact.born, fact.group, fact.id)
                consumer = words.text(fact.consumer)
                process = self._user_of.get(consumer, "")
                life.reinstate(at_ms, self.clock, fact.delivered_ms, consumer, process, fact.count)
            case f.GroupCreated():
                self._group_created(at_ms, fact)
            case f.CursorMoved():
                self._cursor(at_ms, fact)
            case f.GroupRemoved():
                view = self._group(at_ms, fact.stream, fact.born, fact.group)
                view.removed = True
                self._dropped(at_ms, view, fact.pending, fact.cause)
                for life in view.lives.values():
                    life.skip(at_ms, fact.cause)
            case f.ConsumerRemoved():
                view = self._group(at_ms, fact.stream, fact.born, fact.group)
                self._dropped(at_ms, view, fact.pending, "DELCONSUMER")
            case f.StreamRemoved():
                ids = tuple(self._entries.get((fact.stream, fact.born), ()))
                self._removed(at_ms, fact.stream, fact.born, ids, Sign.DELETED, fact.cause)
            case _:
                pass

    def _added(self, at_ms: int, fact: f.Added) -> None:
        number = self._numbering.of(fact.stream, fact.born, fact.id)
        entry = _Entry(number, words.fields_of(fact.fields), at_ms)
        self._entries.setdefault((fact.stream, fact.born), {})[fact.id] = entry
        for view in self._of_stream(fact.stream, fact.born):
            if not view.removed:
                self._life(at_ms, view.stream, fact.born, view.group, fact.id)

    def _group_created(self, at_ms: int, fact: f.GroupCreated) -> None:
        key = (fact.stream, fact.born, fact.group)
        if key in self.views:
            self.views[key].removed = False
        view = self.views.setdefault(key, GroupView(fact.stream, fact.group, at_ms, fact.cursor))
        view.cursor.append((at_ms, fact.cursor))
        for entry_id in self._entries.get((fact.stream, fact.born), {}):
            life = self._life(at_ms, *key, entry_id)
            if entry_id <= fact.cursor:
                life.skip(at_ms, "the group starts later")

    def _cursor(self, at_ms: int, fact: f.CursorMoved) -> None:
        view = self._group(at_ms, fact.stream, fact.born, fact.group)
        view.cursor.append((at_ms, fact.cursor))
        if fact.cause != "read":
            for life in view.lives.values():
                if life.id <= fact.cursor:
                    life.skip(at_ms, fact.cause)

    def _removed(self, at_ms: int, stream: bytes, born: int, ids: tuple[int, ...], sign: Sign, cause: str) -> None:
        lost = words.lost(cause)
        sign = Sign.LOST if lost else sign
        entries = self._entries.setdefault((stream, born), {})
        views = list(self._of_stream(stream, born))
        if not views:
            # A stream that no group reads: its entries still have lives, and an end.
            views = [self._group(at_ms, stream, born, NO_GROUP)]
        for entry_id in ids:
            for view in views:
                self._life(at_ms, stream, born, view.group, entry_id).remove(at_ms, self.clock, sign, lost)
            entries.pop(entry_id, None)

    def _dropped(self, at_ms: int, view: GroupView, ids: tuple[int, ...], cause: str) -> None:
        for entry_id in ids:
            if entry_id in view.lives and view.lives[entry_id].pending:
                view.lives[entry_id].forget(at_ms, self.clock, cause)

    def _of_stream(self, stream: bytes, born: int) -> list[GroupView]:
        return [view for key, view in self.views.items() if key[:2] == (stream, born)]

    def _group(self, at_ms: int, stream: bytes, born: int, group: bytes) -> GroupView:
        return self.views.setdefault((stream, born, group), GroupView(stream, group, at_ms, 0))

    def _life(self, at_ms: int, stream: bytes, born: int, group: bytes, entry_id: int) -> EntryLife:
        """The entry's life in the group; one that this history never saw added begins where it is met."""
        lives = self._group(at_ms, stream, born, group).lives
        if entry_id not in lives:
            known = self._entries.get((stream, born), {}).get(entry_id)
            number = self._numbering.of(stream, born, entry_id)
            entry = known or _Entry(number, "", at_ms)
            lives[entry_id] = EntryLife(entry.number, entry_id, entry.fields, entry.added_ms)
        return lives[entry_id]

    def _uses(self, at_ms: int, consumer: str, process: str) -> None:
        self._user_of[consumer] = process
        users = self._users.setdefault(consumer, set())
        if process and process not in users:
            users.add(process)
            self._living(at_ms, consumer, True)

    def _stops(self, at_ms: int, process: str) -> None:
        for consumer, users in self._users.items():
            if process in users:
                users.discard(process)
                if not users:
                    self._living(at_ms, consumer, False)

    def _living(self, at_ms: int, consumer: str, living: bool) -> None:
        for view in self.views.values():
            for life in view.lives.values():
                if life.owner == consumer:
                    life.orphan(at_ms, living)

    def _set_clock(self, at_ms: int, clock: int) -> None:
        for view in self.views.values():
            for life in view.lives.values():
                life.clock_moved(at_ms, self.clock, clock)
        self.clock = clock

    def groupless(self, at_ms: int) -> None:
        """Gives the entries of streams without any group their lives too."""
        for (stream, born), entries in self._entries.items():
            groups = {view.group for view in self._of_stream(stream, born)}
            if len(groups) > 1:
                self.views.pop((stream, born, NO_GROUP), None)
            elif groups <= {NO_GROUP}:
                for entry_id in entries:
                    self._life(at_ms, stream, born, NO_GROUP, entry_id)


def server_jumps(history: History) -> tuple[Mark, ...]:
    """The jumps of the server's own clock, and when another took its place."""
    found = []
    for event in history:
        if isinstance(event, ClockJumped) and event.host == SERVER:
            found.append(Mark(event.at_ms, Sign.JUMPED, words.jump(event.by_ms)))
        elif isinstance(event, ServerLost):
            found.append(Mark(event.at_ms, Sign.REPLACED, f"{event.cause}{_lacks(event.lacking)}"))
        elif isinstance(event, ServerDown):
            found.append(Mark(event.at_ms, Sign.DISCONNECTED, f"down {words.duration(event.for_ms)}"))
        elif isinstance(event, ReplicaCut):
            found.append(Mark(event.at_ms, Sign.DISCONNECTED, f"replica cut off {words.duration(event.for_ms)}"))
        elif isinstance(event, Effect) and event.process in (SOMEBODY, MAXMEMORY):
            found.append(Mark(event.at_ms, Sign.REPLACED, words.text(event.commands[0][0])))
    return tuple(found)


def _lacks(units: int) -> str:
    """What a new server does not know: units of what the old one had told."""
    if units <= 0:
        return " with nothing" if units < 0 else ""
    return " without the last write" if units == 1 else f" without the last {units:,} writes"
