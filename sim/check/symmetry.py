"""Processes that can take each other's places: a state is brought to the order that its contents ask for.

Of all states that differ by which of several interchangeable processes is which, one is kept: each process has a
*view*, what it is and what the server has for it, without its name, and the processes stand in the order of their
views. That is sorting, not trying every order. Where two views are equal but something else tells the processes
apart (a property that knows them by name), two states that could be one stay two; none are ever taken for one wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from itertools import pairwise
from operator import itemgetter
from types import CodeType, FunctionType
from typing import Any

from ..plan import ClockJump, Crash, Plan, Process
from ..watch import Property
from .lives import SESSIONS_EACH, Life, first_session
from .renaming import in_names, rebuild
from .servers import Frozen

PARTS_MAX = 1 << 12
"""So many parts of servers are remembered under other names."""
SELF, OTHER = b"\0self", b"\0other"


def classes(plan: Plan, properties: Iterable[Property]) -> list[tuple[int, ...]]:
    """The places of processes that can take each other's places, two or more each."""
    found: dict[Any, list[int]] = {}
    if plan.follower is not None:
        return []  # what survives of the server names consumers, too
    for index, process in enumerate(plan.processes):
        found.setdefault(_kind(process), []).append(index)
    named = _named(plan, properties)
    return [
        tuple(places)
        for places in found.values()
        if len(places) > 1 and _even(plan, places) and not named & _names(plan, places)
    ]


def _kind(process: Process) -> tuple[Any, ...]:
    return (
        id(process.turn), process.host, process.turns, repr(process.initial), process.handle_ms, process.start_ms,
        process.turn_ms, repr(process.restart), process.consumer is None, repr(process.client),
        repr(process.fails_on), repr(process.touches),
    )  # fmt: skip


def _even(plan: Plan, places: list[int]) -> bool:
    """Whether each fault may strike all of them or none, and no two share a consumer's name."""
    names = {plan.processes[place].name for place in places}
    for fault in plan.faults:
        struck = {fault.host} if isinstance(fault, ClockJump) else set(fault.names)
        if isinstance(fault, ClockJump) and struck & names:
            return False
        if struck & names and not names <= struck:
            return False
    consumers = [process.consumer or process.name for process in plan.processes]
    return len(set(consumers)) == len(consumers)


def _names(plan: Plan, places: list[int]) -> set[str]:
    found = set()
    for place in places:
        process = plan.processes[place]
        found |= {process.name, process.consumer or process.name}
    return found


def _named(plan: Plan, properties: Iterable[Property]) -> set[str]:
    """Every text that turns and the scenario's own monitors have in their code."""
    found: set[str] = set()
    for process in plan.processes:
        _texts(process.turn, found, 0)
    for p in properties:
        kind = type(p.monitor())
        for base in kind.__mro__[:-1]:
            for value in vars(base).values():
                _texts(value, found, 0)
    return found


def _texts(value: Any, found: set[str], depth: int) -> None:
    if isinstance(value, str):
        found.add(value)
    elif isinstance(value, bytes):
        found.add(value.decode(errors="replace"))
    elif isinstance(value, FunctionType):
        _texts(value.__code__, found, depth)
        for cell in value.__closure__ or ():
            if depth < 4:
                _texts(cell.cell_contents, found, depth + 1)
        for default in value.__defaults__ or ():
            _texts(default, found, depth + 1)
    elif isinstance(value, CodeType):
        for constant in value.co_consts:
            _texts(constant, found, depth)
    elif isinstance(value, tuple | list | set | frozenset) and depth < 4:
        for item in value:
            _texts(item, found, depth + 1)


def digest(content: Any) -> int:
    """A number by which contents are ordered: the same in every process and on every run."""
    return int.from_bytes(blake2b(repr(content).encode(), digest_size=8).digest())


class Names:
    """What the processes of one world are called, and what becomes of names where places are exchanged."""

    def __init__(self, plan: Plan, classes_found: list[tuple[int, ...]]) -> None:
        self._plan = plan
        self._budget = sum(fault.budget for fault in plan.faults if isinstance(fault, Crash))
        self.classes = classes_found
        self._exchanges: dict[tuple[int, ...], Renaming] = {}
        self._views: dict[int, Renaming] = {}
        self._all = {name for places in classes_found for place in places for name in self.of(place)}

    def of(self, place: int) -> list[bytes]:
        """Every name that a process may go by: its own, its consumer's, those of later incarnations."""
        process = self._plan.processes[place]
        base = process.consumer or process.name
        found = [process.name.encode(), base.encode()]
        if process.restart is not None and process.restart.new_name:
            found += [f"{base}-{number}".encode() for number in range(2, self._budget + 3)]
        return found

    def neighbours(self) -> list[tuple[int, ...]]:
        """The exchanges of two neighbours: every order comes of such."""
        found = []
        for first, second in [pair for places in self.classes for pair in pairwise(places)]:
            order = list(range(len(self._plan.processes)))
            order[first], order[second] = second, first
            found.append(tuple(order))
        return found

    def exchanged(self, order: tuple[int, ...]) -> Renaming:
        """The names under which everything is known once the process at ``order[i]`` stands at place ``i``."""
        known = self._exchanges.get(order)
        if known is None:
            names: dict[bytes, bytes] = {}
            for place, before in enumerate(order):
                if place != before:
                    names.update(zip(self.of(before), self.of(place), strict=True))
            known = self._exchanges[order] = Renaming(names)
        return known

    def seen_by(self, place: int) -> Renaming:
        """Names as one process sees them: its own are told apart, all others are alike."""
        known = self._views.get(place)
        if known is None:
            own = {name: SELF + b"-%d" % number for number, name in enumerate(self.of(place))}
            known = self._views[place] = Renaming(dict.fromkeys(self._all, OTHER) | own)
        return known


    def alike(self) -> Renaming:
        """All names are one."""
        known = self._views.get(-1)
        if known is None:
            known = self._views[-1] = Renaming(dict.fromkeys(self._all, OTHER))
        return known


class Renaming:
    """Other names for everything, with what was renamed once."""

    def __init__(self, names: dict[bytes, bytes]) -> None:
        self.names = names
        self.atom = in_names(names)
        self._parts: dict[Any, Any] = {}

    def part(self, value: Any) -> Any:
        """A part of a server that comes up again and again, renamed."""
        known = self._parts.get(value)
        if known is None:
            if len(self._parts) >= PARTS_MAX:
                self._parts.clear()
            known = self._parts[value] = rebuild(value, self.atom)
        return known

    def group(self, group: Frozen) -> Frozen:
        """A consumer group, renamed, its consumers in the order of their names."""
        get = self.names.get
        name, cursor, entries_read, epoch, pel, consumers = group
        held = tuple([(entry_id, get(owner, owner), age, count) for entry_id, owner, age, count in pel])
        members = [(get(who, who), seen, active) for who, seen, active in consumers]
        members.sort(key=_name)
        return (get(name, name), cursor, entries_read, epoch, held, tuple(members))

    def keys(self, keys: Frozen) -> Frozen:
        """All keys, renamed, they and their groups in the order of their names."""
        get = self.names.get
        found = []
        for key, value in keys:
            if isinstance(value, bytes) or not isinstance(value[0], int):
                renamed = self.part(value)
            else:
                groups = [self.group(group) for group in value[-1]]
                groups.sort(key=_name)
                renamed = (*self.part(value[:-1]), tuple(groups))
            found.append((get(key, key), renamed))
        found.sort(key=_name)
        return tuple(found)

    def told_apart(self, keys: Frozen) -> Frozen:
        """Of all keys what tells those apart by whose names these are: names, and whatever else is renamed.

        IDs, times and counts are the same for all who look at one server, and so is the order of entries. Keys and
        groups are in order of their names: where these are renamed, all that is there has to be put in order anew.
        """
        names, get = self.names, self.names.get
        found: list[Any] = []
        for key, value in keys:
            body, named = value, []
            if not isinstance(value, bytes) and isinstance(value[0], int):
                body = value[:-1]
                for name, _, _, _, pel, consumers in value[-1]:
                    if name in names:
                        return self._told_apart_whole(keys)
                    members = [(get(who, who), seen, active) for who, seen, active in consumers]
                    members.sort(key=_by_name)
                    named.append(([get(owner, owner) for _, owner, _, _ in pel], members))
            if key in names:
                return self._told_apart_whole(keys)
            renamed = self.part(body)
            found.append((None if renamed == body else renamed, named))
        return tuple(found)

    def _told_apart_whole(self, keys: Frozen) -> Frozen:
        found = []
        for key, value in self.keys(keys):
            groups: Frozen = ()
            if not isinstance(value, bytes) and isinstance(value[0], int):
                members = [(*group[:-1], tuple(sorted(group[-1], key=_by_name))) for group in value[-1]]
                value, groups = value[:-1], tuple(sorted(members, key=_by_name))
            found.append((key, value, groups))
        return tuple(sorted(found, key=_by_name))


_name = itemgetter(0)


def _by_name(named: Any) -> tuple[bytes, str]:
    return named[0], repr(named)


def life_view(life: Life, place: int, names: Names) -> int:
    """What a process is, as a number to order by."""
    return digest(rebuild(life._replace(whose=0), names.seen_by(place).atom))


def server_view(server: Frozen, place: int, names: Names) -> int:
    """What the server has for a process, as a number to order by: of what all see alike nothing is in it."""
    renaming = names.seen_by(place)
    keys, waits, queues, _ = server
    waiting: Frozen = ()
    queued: Frozen = ()
    if waits:
        sessions = range(first_session(place), first_session(place) + SESSIONS_EACH)
        mine = tuple((wait[0] - sessions.start, *wait[1:]) for wait in waits if wait[0] in sessions)
        waiting = rebuild(mine, renaming.atom)
        queued = tuple(
            tuple((at, session - sessions.start) for at, session in enumerate(queue) if session in sessions)
            for _, queue in queues
        )
    return digest((renaming.told_apart(keys), waiting, queued))


def common_view(server: Frozen, names: Names) -> int:
    """What of a server is the same for all who can take each other's places, as a number."""
    renaming = names.alike()
    found = []
    for key, value in server[0]:
        groups: list[str] = []
        if not isinstance(value, bytes) and isinstance(value[0], int):
            for _, cursor, entries_read, _, pel, consumers in value[-1]:
                held = [(entry_id, age, count) for entry_id, _, age, count in pel]
                groups.append(repr((cursor, entries_read, held, len(consumers))))
            value = value[:-1]
        found.append((renaming.names.get(key, key), repr(renaming.part(value)), sorted(groups)))
    return digest((sorted(found), len(server[1]), server[3]))


def exchanged_server(server: Frozen, order: tuple[int, ...], names: Names) -> Frozen:
    """The server once the process at ``order[i]`` stands at place ``i``."""
    renaming = names.exchanged(order)
    keys, waits, queues, births = server
    if not waits:
        assert not queues, "whoever stands in a queue waits"
        return (renaming.keys(keys), (), (), births)
    becomes = {before: place for place, before in enumerate(order)}

    def session(number: int) -> int:
        place, rest = divmod(number, SESSIONS_EACH)
        return (becomes[place - 1] + 1) * SESSIONS_EACH + rest

    waits, queues = rebuild((waits, queues), renaming.atom)
    moved = tuple(sorted((session(wait[0]), *wait[1:]) for wait in waits))
    lines = tuple((key, tuple(session(number) for number in queue)) for key, queue in queues)
    return (renaming.keys(keys), moved, lines, births)


def exchanged_held(held: Frozen, order: tuple[int, ...], names: Names) -> Frozen:
    """The books of who holds what once the process at ``order[i]`` stands at place ``i``."""
    moved = rebuild(tuple(held[before] for before in order), names.exchanged(order).atom)
    return tuple(tuple(sorted(books)) for books in moved)


def exchanged_life(life: Life, place: int, order: tuple[int, ...], names: Names) -> Life:
    """A process once it stands at ``place``, and others at others."""
    return rebuild(life._replace(whose=-1), names.exchanged(order).atom)._replace(whose=place)  # type: ignore[no-any-return]
