"""Waiting for those who follow the server: WAIT and WAITAOF. Source: waitCommand, waitaofCommand in replication.c.

What is waited for is everything that the server had told when the last command of this connection was over that told
something (up to 7.0: any command). What other connections were answered may be missing all the same, so a client that
takes another connection from a pool for each command waits for what somebody else wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..journal import FILE, SNAPSHOT
from ..replies import BLOCKED, Reply
from ..session import Session, Wait
from .call import NOT_AN_INTEGER, Call, CommandError, integer, need_integer
from .reading import timeout_of

if TYPE_CHECKING:
    from ..followed import Followed

NO_FILE = b"ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
NOT_ON_REPLICA = (
    b"ERR WAITAOF cannot be used with replica instances. "
    b"Please also note that writes to replicas are just local and are not propagated."
)
NOT_LOCAL = b"ERR value is out of range, value must between 0 and 1"
NEGATIVE = b"ERR value is out of range, must be positive"


def wait(call: Call) -> Reply:
    """WAIT numreplicas timeout: how many replicas have what was told."""
    if call.server.obeys:
        raise CommandError(call.dialect.wait_on_replica_text)
    replicas = need_integer(call.argv[1], NOT_AN_INTEGER)
    return _wait(call, 0, replicas, _deadline(call, 2))


def waitaof(call: Call) -> Reply:
    """WAITAOF numlocal numreplicas timeout: whether this server's file has it, and the files of how many replicas."""
    files, replicas = need_integer(call.argv[1], NOT_AN_INTEGER), integer(call.argv[2])
    if files not in (0, 1):
        raise CommandError(NOT_LOCAL)
    if replicas is None or replicas < 0:
        raise CommandError(NEGATIVE)
    until_ms = _deadline(call, 3)
    if call.server.obeys:
        raise CommandError(NOT_ON_REPLICA)
    if files and (call.server.survivors is None or call.server.survivors.who != FILE):
        raise CommandError(NO_FILE)
    return _wait(call, files, replicas, until_ms)


def _deadline(call: Call, at: int) -> int | None:
    timeout_ms = timeout_of(call, call.argv[at])
    return call.now_ms + timeout_ms if timeout_ms else None


def _wait(call: Call, files: int, replicas: int, until_ms: int | None) -> Reply:
    server, session = call.server, call.session
    wanted = Wait(
        tuple(call.argv), {}, until_ms, None, b"", False, 0, follow=(files, replicas), told=session.told
    )
    if is_met(server, wanted) or not call.may_block:
        return answer(server, wanted)
    wanted.follow = (files, _as_kept(replicas))
    if server.survivors is not None:  # who is asked, and can hear it, has all that was told before
        server.survivors.ask(call.now_ms)
    if is_met(server, wanted):
        return answer(server, wanted)
    server.block(session, wanted)
    return BLOCKED


def _as_kept(replicas: int) -> int:
    """What is left of a number of replicas where a blocked client keeps it: an int of 32 bits (blockForReplication).

    A large one may become one below 0, of which there are always enough.
    """
    return (replicas + 2**31) % 2**32 - 2**31


def is_met(server: Followed, wanted: Wait) -> bool:
    """Whether as many have it as are wanted."""
    assert wanted.follow is not None
    files, replicas = _having(server, wanted)
    return files >= wanted.follow[0] and replicas >= wanted.follow[1]


def answer(server: Followed, wanted: Wait) -> Reply:
    """How many have it by now."""
    files, replicas = _having(server, wanted)
    return (files, replicas) if wanted.argv[0].upper() == b"WAITAOF" else replicas


def _having(server: Followed, wanted: Wait) -> tuple[int, int]:
    """How many files of this server, and how many replicas (for WAITAOF: their files), have what was told."""
    survivors = server.survivors
    if survivors is None:
        return (0, 0)
    has = int(survivors.acknowledged >= wanted.told)
    if survivors.who == FILE:
        return (has, 0)
    if survivors.who == SNAPSHOT:
        return (0, 0)
    if wanted.argv[0].upper() == b"WAITAOF":  # a replica without a file: it has what is nothing
        return (0, int(not wanted.told))
    return (0, has)


def met(server: Followed) -> list[tuple[Session, Reply]]:
    """Sessions whose wait is over because as many have it as they wanted, with their answers."""
    waiting = [(session, session.wait) for session in server.sessions.values() if session.wait is not None]
    return [
        (session, answer(server, wanted))
        for session, wanted in waiting
        if wanted.follow is not None and is_met(server, wanted)
    ]
