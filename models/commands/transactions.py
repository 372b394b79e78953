"""MULTI, EXEC, DISCARD, WATCH, UNWATCH. While a transaction runs nothing else does, and nothing blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..replies import NIL_ARRAY, OK, Failure, Reply
from .call import Call, CommandError

if TYPE_CHECKING:
    from ..server import Server
    from ..session import Session

ABORTED = Failure(b"EXECABORT Transaction discarded because of previous errors.")


def multi(call: Call) -> Reply:
    """MULTI"""
    if call.session.queue is not None:
        if call.dialect.nested_multi_breaks:
            call.session.broken = True
        raise CommandError(call.dialect.nested_multi_text)
    call.session.queue = []
    call.session.broken = False
    return OK


def discard(call: Call) -> Reply:
    """DISCARD: forgets what was queued, and what is watched."""
    if call.session.queue is None:
        raise CommandError(b"ERR DISCARD without MULTI")
    _end(call.server, call.session)
    return OK


def execute(call: Call) -> Reply:
    """EXEC: every queued command runs, whatever the ones before it answered; none if a watched key changed."""
    server, session = call.server, call.session
    queue = session.queue
    if queue is None:
        raise CommandError(b"ERR EXEC without MULTI")
    broken, changed = session.broken, session.dirty or _watches_what_is_over(call)
    _end(server, session)
    if broken:
        return ABORTED
    if changed:
        return NIL_ARRAY
    replies = tuple([server.run(session, argv, call.now_ms, call.facts, may_block=False) for argv in queue])
    if server.pubsub.subscribers:
        server.drop_slow_subscribers(call.facts)
    return replies


def watch(call: Call) -> Reply:
    """WATCH key ...: the next EXEC does nothing if one of them changes before."""
    if call.session.queue is not None:
        if call.dialect.nested_multi_breaks:
            call.session.broken = True
        raise CommandError(call.dialect.nested_watch_text)
    for key in call.argv[1:]:
        call.server.watch(call.session, key, call.now_ms)
    return OK


def unwatch(call: Call) -> Reply:
    """UNWATCH: forgets what is watched, and what happened to it."""
    call.server.unwatch(call.session)
    return OK


def refuse(server: Server, session: Session, argv: Sequence[bytes], error: Failure) -> Failure:
    """The answer to a command line that is no command: it breaks an open transaction (rejectCommand).

    An EXEC that is refused, for its arity, discards the transaction, whether or not there is one.
    """
    if argv[0].upper() == b"EXEC":
        _end(server, session)
        return Failure(b"EXECABORT Transaction discarded because of: " + error.text.removeprefix(b"ERR "))
    session.broken = True
    return error


def _end(server: Server, session: Session) -> None:
    session.queue = None
    server.unwatch(session)


def _watches_what_is_over(call: Call) -> bool:
    """Whether a watched key is there, and its time is over, and was not when it was watched (isWatchedKeyExpired)."""
    for (index, key), was_over in (call.session.watched or {}).items():
        deadline_ms = call.server.databases[index].expires.get(key)
        if deadline_ms is not None and deadline_ms < call.now_ms and not was_over:
            return True
    return False
