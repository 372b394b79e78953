"""A server as plain values, as seen from its present, and back."""

from __future__ import annotations

from typing import Any, TypeAlias

from ...models.collection import HASH, SET, SORTED_SET, Collection
from ...models.databases import Value
from ...models.group import NEVER, Consumer, Group
from ...models.lists import List
from ...models.node import Node
from ...models.server import Server
from ...models.session import Session, Wait
from ...models.stream import Stream
from ...models.survivors import Survivors
from ..stage import WIRE_RESP
from .abstraction import Abstraction, Unabstract

Frozen: TypeAlias = tuple[Any, ...]

NODE_BYTES_SAFE = 2048
"""Below this no node comes near its limit, so that sizes, which depend on IDs, do not matter."""
LIST = "list"
"""Marks a list among frozen values."""
KINDS = (HASH, SET, SORTED_SET)
"""What is kept beside streams; among frozen values they begin with None, and the place of their kind here follows."""
WAITS = "a connection waits for whoever follows the server"
TOMBSTONE_BYTES = 64
"""What a deleted entry is taken to take."""
THAWED_MAX = 1 << 13
"""So many streams and groups are kept thawed."""


def freeze(
    server: Server, now_ms: int, abstraction: Abstraction, sessions: dict[int, int] | None = None
) -> Frozen:
    """Keys, groups, and who waits. Idle connections belong to their processes; times are ages.

    ``sessions`` gives new numbers to connections.
    """
    numbers = sessions or {}
    _refuse(server, now_ms, abstraction)
    if server.obeys:
        raise Unabstract("the server is a copy of another")
    keys = tuple((key, _value(value, now_ms, abstraction)) for key, value in sorted(server.keys.items()))
    waiting = [session for session in server.sessions.values() if session.wait is not None]
    waits = tuple(sorted(_wait(session, numbers.get(session.id, session.id), now_ms) for session in waiting))
    queues = tuple(
        (key, tuple([numbers.get(session, session) for session in queue]))
        for key, queue in sorted(server.waiting.items())
    )
    births = server.counters()[0]
    if server.survivors is None:
        return (keys, waits, queues, births)
    return (keys, waits, queues, (births, _survivors(server.survivors, now_ms, abstraction)))


def _survivors(survivors: Survivors, now_ms: int, abstraction: Abstraction) -> Frozen:
    """The keys of each server that may be left, oldest first; what incarnations they are, nobody asks."""
    found = []
    for state in survivors.states:
        _refuse(state, now_ms, abstraction)
        values = [(key, _value(value, now_ms, abstraction)) for key, value in sorted(state.keys.items())]
        found.append(tuple([(key, _unborn(value)) for key, value in values]))
    return tuple(found)


def _unborn(value: Any) -> Any:
    if isinstance(value, bytes):
        return value
    if not is_stream(value):
        return (value[0], 0, *value[2:]) if value[0] == LIST else (None, value[1], 0, *value[3:])
    groups = tuple([(name, cursor, read, 0, *rest) for name, cursor, read, _, *rest in value[-1]])
    return (0, *value[1:-1], groups)


def _refuse(server: Server, now_ms: int, abstraction: Abstraction) -> None:
    """``Unabstract`` for what is not kept: each of these works, and is compared exactly.

    That a key expires once every run is over is left out: no command that shows it was sent.
    """
    if server.expires and _may_expire(server, now_ms, abstraction.over_ms):
        raise Unabstract("keys expire")
    if any(index and not database.is_blank for index, database in server.databases.items()):
        raise Unabstract("several databases are used")
    if server.pubsub.subscribers:
        raise Unabstract("there are subscribers")
    if any(database.claims for database in server.databases.values()):
        raise Unabstract("a blocked read claims what becomes idle")
    if server.journal is not None and server.survivors is None:
        raise Unabstract("the server keeps a journal")
    if server.survivors is not None and server.survivors.cut_until_ms is not None:
        raise Unabstract("nothing reaches whoever follows the server for a while")
    if server.watchers:
        raise Unabstract("keys are watched")
    for session in server.sessions.values():
        if session.queue is not None or session.apart or session.name or session.dirty or session.broken:
            raise Unabstract("a connection remembers something between two requests")


def _may_expire(server: Server, now_ms: int, over_ms: int | None) -> bool:
    if over_ms is None or server.journal is not None or server.obeys:
        return True
    return min(server.expires.values()) - now_ms <= over_ms


def _value(value: Value, now_ms: int, abstraction: Abstraction) -> Any:
    if isinstance(value, Stream):
        return _stream(value, now_ms, abstraction)
    if isinstance(value, Collection):
        items = (tuple(value.fields.items()), tuple(value.scores.items()))
        return (None, KINDS.index(value.kind), value.born, *items)
    return (LIST, value.born, tuple(value.items)) if isinstance(value, List) else value


def deadline_of(frozen: Frozen) -> int | None:
    """In how many milliseconds the server gives up the next blocked read."""
    deadlines = [wait[3] for wait in frozen[1] if wait[3] is not None]
    return max(min(deadlines) + 1, 0) if deadlines else None


def _stream(stream: Stream, now_ms: int, abstraction: Abstraction) -> Frozen:
    if stream.idempotence is not None:
        raise Unabstract("a stream knows its producers' own IDs")
    nodes = []
    for node in stream.nodes:
        if node.size_bytes > NODE_BYTES_SAFE:
            raise Unabstract("a node of a stream grows to half of what it may hold")
        nodes.append((tuple(node.ids), tuple(node.slots), node.master_fields))
    groups = tuple(_group(group, now_ms, abstraction) for _, group in sorted(stream.groups.items()))
    counts = (stream.length, stream.last_id, stream.max_deleted_id, stream.entries_added)
    return (stream.born, tuple(nodes), *counts, groups)


def _group(group: Group, now_ms: int, abstraction: Abstraction) -> Frozen:
    if any(nack.consumer is None for _, nack in group.pel.items()):
        raise Unabstract("pending entries belong to nobody")
    pel = tuple(
        (entry_id, nack.consumer, abstraction.aged(now_ms - nack.delivered_ms), nack.count)
        for entry_id, nack in group.pel.items()
    )
    consumers = tuple(
        (c.name, 0, None)
        if abstraction.seen
        else (c.name, now_ms - c.seen_ms, None if c.active_ms == NEVER else now_ms - c.active_ms)
        for c in group.sorted_consumers()
    )
    return (group.name, group.cursor, group.entries_read, group.epoch, pel, consumers)


def _wait(session: Session, number: int, now_ms: int) -> Frozen:
    wait = session.wait
    assert wait is not None
    if wait.claim_ms is not None:
        raise Unabstract("a blocked read claims what becomes idle")
    if wait.follow is not None:
        raise Unabstract(WAITS)
    left = None if wait.deadline_ms is None else wait.deadline_ms - now_ms
    positions = tuple(wait.positions.items())
    return (number, wait.argv, positions, left, wait.group, wait.consumer, wait.noack, wait.count, wait.for_list)


def shifted(frozen: Frozen, by_ms: int, abstraction: Abstraction) -> Frozen:
    """The same server ``by_ms`` later."""
    keys, waits, queues, births = frozen
    moved = tuple((*wait[:3], None if wait[3] is None else wait[3] - by_ms, *wait[4:]) for wait in waits)
    if type(births) is tuple:
        births = (births[0], tuple([_older_keys(state, by_ms, abstraction) for state in births[1]]))
    return (_older_keys(keys, by_ms, abstraction), moved, queues, births)


def _older_keys(keys: Frozen, by_ms: int, abstraction: Abstraction) -> Frozen:
    return tuple(
        (key, (*value[:-1], _older(value[-1], by_ms, abstraction)) if is_stream(value) else value)
        for key, value in keys
    )


def is_stream(value: Any) -> bool:
    """Whether a frozen value is a stream's."""
    return not isinstance(value, bytes) and type(value[0]) is int


def _older(groups: Frozen, by_ms: int, abstraction: Abstraction) -> Frozen:
    found = []
    for name, cursor, entries_read, epoch, pel, consumers in groups:
        later = tuple((entry_id, owner, abstraction.aged(age + by_ms), count) for entry_id, owner, age, count in pel)
        if not abstraction.seen:
            consumers = tuple(
                (who, seen + by_ms, None if active is None else active + by_ms) for who, seen, active in consumers
            )
        found.append((name, cursor, entries_read, epoch, later, consumers))
    return tuple(found)


class Thawing:
    """Makes servers of frozen ones. What is thawed once is shared by all that hold it until one of them writes."""

    def __init__(self, template: Server, now_ms: int) -> None:
        self._template = template
        """Gives the dialect and the settings."""
        self._now_ms = now_ms
        self._streams: dict[Frozen, Stream] = {}
        self._groups: dict[Frozen, Group] = {}

    def thaw(self, frozen: Frozen) -> Server:
        """A server of its own in that state."""
        server = Server(self._template.dialect, self._template.config)
        server.read_lines = self._template.read_lines
        keys, waits, queues, births = frozen
        for key, value in keys:
            server.keys[key] = self._value(value)
        for session_id, argv, positions, left, group, consumer, noack, count, for_list in waits:
            session = Session(session_id, WIRE_RESP)
            deadline_ms = None if left is None else self._now_ms + left
            session.wait = Wait(argv, dict(positions), deadline_ms, group, consumer, noack, count, for_list=for_list)
            server.sessions[session_id] = session
        server.waiting.update({key: list(queue) for key, queue in queues})
        if type(births) is tuple:
            births, left = births
            self._follow(server, left)
        server.resume(births)
        return server

    def _follow(self, server: Server, left: Frozen) -> None:
        template = self._template
        assert template.journal is not None, "whoever follows a server does so from the start"
        assert template.survivors is not None, "whoever follows a server does so from the start"
        server.journal = template.journal.empty()
        states = []
        for keys in left:
            state = Server(template.dialect, template.config)
            state.obeys = True
            for key, value in keys:
                state.keys[key] = self._value(value)
            states.append(state)
        server.survivors = Survivors(template.survivors.lag, states, who=template.survivors.who)

    def _value(self, value: Any) -> Value:
        if isinstance(value, bytes):
            return value
        if value[0] is None:
            return _thaw_collection(*value[1:])
        return self._stream(value) if is_stream(value) else List(value[1], value[2])

    def _stream(self, frozen: Frozen) -> Stream:
        body = frozen[:-1]
        known = self._streams.get(body)
        if known is None:
            if len(self._streams) >= THAWED_MAX:
                self._streams.clear()
            known = self._streams[body] = _thaw_body(*body)
        stream = known.copy()
        for group in frozen[-1]:
            found = self._groups.get(group)
            if found is None:
                if len(self._groups) >= THAWED_MAX:
                    self._groups.clear()
                found = self._groups[group] = _thaw_group(group, self._now_ms)
                found.shared = True
            stream.groups[found.name] = found
        return stream


def _thaw_collection(kind: int, born: int, fields: Frozen, scores: Frozen) -> Collection:
    collection = Collection(KINDS[kind], born)
    collection.fields.update(fields)
    collection.scores.update(scores)
    return collection


def _thaw_body(
    born: int, nodes: Frozen, length: int, last_id: int, max_deleted_id: int, entries_added: int
) -> Stream:
    stream = Stream.restored(born, [_thaw_node(*node) for node in nodes])
    stream.length = length
    stream.last_id = last_id
    stream.max_deleted_id = max_deleted_id
    stream.entries_added = entries_added
    return stream


def _thaw_node(entry_ids: tuple[int, ...], slots: tuple[Any, ...], master_fields: tuple[bytes, ...]) -> Node:
    buried = (b"", bytes(TOMBSTONE_BYTES))
    node = Node(master_fields)
    for entry_id, fields in zip(entry_ids, slots, strict=True):
        node.append(entry_id, buried if fields is None else fields, sum(map(len, fields or buried)))
    for slot, fields in enumerate(slots):
        if fields is None:
            node.bury(slot)
    return node


def _thaw_group(frozen: Frozen, now_ms: int) -> Group:
    name, cursor, entries_read, epoch, pel, consumers = frozen
    group = Group(name, cursor, entries_read, epoch)
    for who, seen, active in consumers:
        consumer = Consumer(who, now_ms - seen)
        consumer.active_ms = NEVER if active is None else now_ms - active
        group.consumers[who] = consumer
    for entry_id, owner, age, count in sorted(pel, key=lambda item: (-item[2], item[0])):
        group.assign(entry_id, group.consumers[owner], now_ms - age, count)
    return group
