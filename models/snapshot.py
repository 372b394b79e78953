"""The whole state of a server as one nested tuple of plain values: equal exactly where servers are."""

from __future__ import annotations

from typing import Any

from .collection import Collection
from .databases import Database, Value
from .group import Consumer, Group, Pending
from .idempotence import Idempotence
from .idmap import IdMap
from .lists import List
from .pubsub import Subscriber
from .server import Server
from .session import Session
from .stream import Stream


def snapshot(server: Server) -> tuple[Any, ...]:
    """Databases, streams with their nodes, groups, sessions, and who waits; nothing is left out."""
    databases = tuple(
        (index, _database(database))
        for index, database in sorted(server.databases.items())
        if not database.is_blank
    )
    sessions = tuple(_session(session) for _, session in sorted(server.sessions.items()))
    subscribers = tuple((session, _subscriber(found)) for session, found in sorted(server.pubsub.subscribers.items()))
    left: tuple[Any, ...] = ()
    if server.survivors is not None:
        left = tuple(snapshot(state)[1] for state in server.survivors.states)
        left += (server.survivors.told, server.survivors.acknowledged)
        left += (server.survivors.cut_until_ms, server.survivors.cut_at)
    return (server.dialect.name, databases, sessions, subscribers, server.counters(), left)


def _subscriber(subscriber: Subscriber) -> tuple[Any, ...]:
    names = (tuple(subscriber.channels), tuple(subscriber.patterns))
    return (*names, subscriber.unread_bytes, subscriber.soft_since_ms, subscriber.dropped)


def _database(database: Database) -> tuple[Any, ...]:
    keys = tuple((key, _value(value)) for key, value in sorted(database.keys.items()))
    waiting = tuple((key, tuple(queue)) for key, queue in sorted(database.waiting.items()))
    watchers = tuple((key, tuple(sessions)) for key, sessions in sorted(database.watchers.items()))
    claims = tuple(sorted(database.claims.items()))
    return (keys, tuple(sorted(database.expires.items())), waiting, watchers, claims)


def _value(value: Value) -> Any:
    if isinstance(value, Stream):
        return stream_snapshot(value)
    if isinstance(value, Collection):
        return (value.born, value.kind, tuple(value.fields.items()), tuple(value.scores.items()))
    return (value.born, tuple(value.items)) if isinstance(value, List) else value


def stream_snapshot(stream: Stream) -> tuple[Any, ...]:
    """One stream, with its incarnation and its groups' epochs: integers, bytes, ``None``, and tuples of them."""
    nodes = tuple((tuple(node.ids), tuple(node.slots), node.master_fields, node.size_bytes) for node in stream.nodes)
    groups = tuple(_group(group) for _, group in sorted(stream.groups.items()))
    counts = (stream.length, stream.last_id, stream.max_deleted_id, stream.entries_added, stream.slowest)
    return (stream.born, nodes, *counts, groups, _idempotence(stream.idempotence))


def _idempotence(records: Idempotence | None) -> tuple[Any, ...] | None:
    if records is None:
        return None
    producers = tuple((name, tuple(found.items())) for name, found in sorted(records.producers.items()))
    return (records.duration_s, records.maxsize, records.added, records.duplicates, producers)


def _group(group: Group) -> tuple[Any, ...]:
    consumers = tuple(_consumer(consumer) for consumer in group.sorted_consumers())
    return (group.name, group.cursor, group.entries_read, group.epoch, _pel(group.pel), _ties(group), consumers)


def _ties(group: Group) -> tuple[int, ...]:
    """The pending entries in the order in which CLAIM takes them, where that is not what times and IDs say."""
    order = tuple(entry_id for entry_id, _ in group.by_time(as_listed=True))
    return () if order == tuple(entry_id for entry_id, _ in group.by_time(as_listed=False)) else order


def _consumer(consumer: Consumer) -> tuple[Any, ...]:
    return (consumer.name, consumer.seen_ms, consumer.active_ms, _pel(consumer.pel))


def _pel(pel: IdMap[Pending]) -> tuple[Any, ...]:
    return tuple((entry_id, nack.consumer, nack.delivered_ms, nack.count) for entry_id, nack in pel.items())


def _session(session: Session) -> tuple[Any, ...]:
    wait = session.wait
    waits: tuple[Any, ...] | None = None
    if wait is not None:
        positions = tuple(sorted(wait.positions.items()))
        waits = (wait.argv, positions, wait.deadline_ms, wait.group, wait.consumer, wait.noack, wait.count)
        waits += (wait.for_list, wait.claim_ms, wait.follow, wait.told)
    queue = None if session.queue is None else tuple(session.queue)
    watched = None if session.watched is None else tuple(session.watched.items())
    about = (session.database, session.name, watched, session.dirty, session.subscriptions, session.told)
    return (session.id, session.resp, queue, session.broken, waits, *about)
