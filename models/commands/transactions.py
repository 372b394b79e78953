"""MULTI, EXEC, DISCARD. While a transaction runs nothing else does, and nothing blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..replies import OK, Failure, Reply
from .call import Call, CommandError

if TYPE_CHECKING:
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
    """DISCARD"""
    if call.session.queue is None:
        raise CommandError(b"ERR DISCARD without MULTI")
    call.session.queue = None
    return OK


def execute(call: Call) -> Reply:
    """EXEC: every queued command runs, whatever the ones before it answered."""
    session = call.session
    queue, session.queue = session.queue, None
    if queue is None:
        raise CommandError(b"ERR EXEC without MULTI")
    if session.broken:
        return ABORTED
    return tuple(call.server.run(session, argv, call.now_ms, call.facts, may_block=False) for argv in queue)


def refuse(session: Session, argv: Sequence[bytes], error: Failure) -> Failure:
    """The answer to a command line that is no command: it breaks an open transaction (rejectCommand).

    An EXEC that is refused, for its arity, discards the transaction, whether or not there is one.
    """
    if argv[0].upper() == b"EXEC":
        session.queue = None
        return Failure(b"EXECABORT Transaction discarded because of: " + error.text.removeprefix(b"ERR "))
    session.broken = True
    return error
