"""Serving a blocked command when something happened to one of its keys.

Sources: serveClientsBlockedOnStreamKey, serveClientsBlockedOnListKey (up to 7.0), unblockClientOnKey (from 7.2 on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ids
from ..facts import Fact
from ..lists import List
from ..replies import BLOCKED, Blocked, Failure, Map, Reply
from ..session import Session, Wait
from ..stream import Stream
from .call import Call, CommandError
from .delivering import deliver, ensure_consumer
from .lists_blocking import serve_one_key

if TYPE_CHECKING:
    from ..server import Server

BLOCKED_COUNT_DEFAULT = 1000
"""How many entries a woken read without COUNT gets, up to 7.0 (XREAD_BLOCKED_DEFAULT_COUNT)."""

GROUP_GONE = Failure(b"NOGROUP the consumer group this client was blocked on no longer exists")
KEY_GONE = Failure(b"UNBLOCKED the stream key no longer exists")


def serve(server: Server, session: Session, key: bytes, now_ms: int, facts: list[Fact]) -> Reply:
    """The reply of a session that is blocked on ``key``, up to 7.0; ``BLOCKED`` where it goes on waiting."""
    wait = session.wait
    assert wait is not None
    if wait.for_list:
        reply = _serve_list(server, session, wait, key, now_ms, facts)
    else:
        reply = _serve_one_key(server, session, wait, key, now_ms, facts)
    if not isinstance(reply, Blocked):
        server.unblock(session)
    return reply


def run_again(server: Server, session: Session, key: bytes, now_ms: int, facts: list[Fact]) -> Reply:
    """The same from 7.2 on: its command runs again, as if it were sent now."""
    wait = session.wait
    assert wait is not None
    if wait.group is None and not isinstance(server.keys.get(key), List if wait.for_list else Stream):
        return BLOCKED  # all but XREADGROUP sleep on until a value of their kind is there again
    if wait.group is not None and _finds_nothing(server, wait, wait.group, key, now_ms):
        server.go_on_waiting(session, key)
        return BLOCKED
    server.unblock(session)
    reply = server.run(session, wait.argv, now_ms, facts, may_block=True)
    if session.wait is not None:
        server.postpone(session, wait.deadline_ms)  # it stays what it was when the client first blocked
    return reply


def _finds_nothing(server: Server, wait: Wait, name: bytes, key: bytes, now_ms: int) -> bool:
    """Whether a reader would find nothing that is new for its group; then all is done that its command would do.

    Of many readers that an entry wakes one gets it, so most come here: the plain case is known without running again.
    """
    if wait.claim_ms is not None or len(wait.positions) != 1 or wait.positions.get(key) != ids.ID_MAX:
        return False
    stream = server.keys.get(key)
    if server.expires or server.journal is not None or not isinstance(stream, Stream) or stream.shared:
        return False
    group = stream.groups.get(name)
    if group is None or group.shared or stream.last_live_id() > group.cursor:
        return False
    if server.dialect.tracks_active_time:
        consumer = group.consumers.get(wait.consumer)
        if consumer is None or consumer.shared:
            return False
        consumer.seen_ms = now_ms
    return True


def _serve_list(server: Server, session: Session, wait: Wait, key: bytes, now_ms: int, facts: list[Fact]) -> Reply:
    if not isinstance(server.keys.get(key), List):
        return BLOCKED
    call = Call(server, session, wait.argv, now_ms, facts, server.command_of(wait.argv), may_block=False)
    try:
        return serve_one_key(call, key)
    except CommandError as error:
        return error.reply


def _serve_one_key(server: Server, session: Session, wait: Wait, key: bytes, now_ms: int, facts: list[Fact]) -> Reply:
    """Answers from this one key alone, judging by the stream's last-generated-id."""
    stream = server.keys.get(key)
    if not isinstance(stream, Stream):
        gone = server.dialect.blocked_notices_deletion and wait.group is not None
        return KEY_GONE if gone else BLOCKED
    count = wait.count or BLOCKED_COUNT_DEFAULT
    if wait.group is None:
        position = wait.positions[key]
        if stream.last_id <= position:
            return BLOCKED
        found = stream.ascending(position + 1, ids.ID_MAX, count)
        return Map(((key, tuple([(ids.show(i), fields) for i, fields in found])),), paired=True)
    if wait.group not in stream.groups:
        return GROUP_GONE
    if stream.last_id <= stream.groups[wait.group].cursor:
        return BLOCKED
    call = Call(server, session, wait.argv, now_ms, facts, server.command_of(wait.argv), may_block=False)
    owned = call.stream_for_write(key)
    assert owned is not None
    group = owned.group_for_write(wait.group)
    assert group is not None
    consumer = ensure_consumer(call, key, owned, group, wait.consumer)
    consumer.seen_ms = now_ms
    return Map(((key, deliver(call, key, owned, group, consumer, count, noack=wait.noack)),), paired=True)
