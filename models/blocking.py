"""Who is blocked on what, who is served next, and who has waited long enough.

Clients that a command wakes are served after it, in the order in which they blocked (handleClientsBlockedOnKeys).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .databases import Database, Keyspace
from .dialect import Dialect
from .facts import Fact
from .lists import List
from .replies import NIL_ARRAY, Blocked, Reply
from .session import Session, Wait


class Served(NamedTuple):
    """The reply of a session that was blocked, or a message to it, and what serving it made true."""

    session: int
    reply: Reply
    facts: tuple[Fact, ...]


UNSURE: Final = -1
"""In place of a deadline: who is blocked has changed since it was looked for."""
FOREVER_MS: Final = 2**63
"""Later than any deadline."""


class Blocking(Keyspace):
    """What a server knows about those who wait; the base of ``Server``."""

    __slots__ = ("_first_ms", "_quiet_ms", "_served")

    def __init__(self, dialect: Dialect, databases: dict[int, Database] | None = None) -> None:
        super().__init__(dialect, databases)
        self._served: list[Served] = []
        self._first_ms: int | None = UNSURE
        """The earliest deadline of a blocked session, where it is known; ``None``: there is none."""
        self._quiet_ms = UNSURE
        """No deadline of a blocked session is earlier than this; the earliest may well be later."""

    def block(self, session: Session, wait: Wait) -> None:
        """Puts a session at the end of the queue of each key that it waits for."""
        session.wait = wait
        if wait.deadline_ms is not None:
            self._quiet_ms = min(self._quiet_ms, wait.deadline_ms)
            if self._first_ms != UNSURE:
                self._first_ms = wait.deadline_ms if self._first_ms is None else min(self._first_ms, wait.deadline_ms)
        for key in wait.positions:
            self.waiting.setdefault(key, []).append(session.id)
            if wait.claim_ms is not None:
                claims = self.databases[self.selected].claims
                claims[key] = min(wait.claim_ms, claims.get(key, wait.claim_ms))

    def unblock(self, session: Session) -> Wait:
        """Takes a session out of every queue and returns what it waited for."""
        wait = session.wait
        assert wait is not None
        session.wait = None
        if wait.deadline_ms is not None and wait.deadline_ms == self._first_ms:
            self._first_ms = UNSURE
        waiting = self.databases[session.database].waiting
        for key in wait.positions:
            queue = waiting[key]
            queue.remove(session.id)
            if not queue:
                del waiting[key]
        return wait

    def deadlines_changed(self) -> None:
        """Somebody is blocked, or is no more: the earliest deadline is looked for again when it is asked for."""
        self._first_ms = self._quiet_ms = UNSURE

    def postpone(self, session: Session, deadline_ms: int | None) -> None:
        """Gives a wait that was made just now another deadline."""
        assert session.wait is not None
        session.wait.deadline_ms = deadline_ms
        self._first_ms = UNSURE
        if deadline_ms is not None:
            self._quiet_ms = min(self._quiet_ms, deadline_ms)

    def go_on_waiting(self, session: Session, key: bytes) -> None:
        """A session that waits for one key alone goes to the end of its queue, as if it had blocked again."""
        queue = self.waiting[key]
        if len(queue) == 1:
            self.waiting[key] = self.waiting.pop(key)
        else:
            queue.remove(session.id)
            queue.append(session.id)

    def next_deadline(self) -> int | None:
        """The first time at which a blocked session gives up, or looks again for what it can claim.

        It is one past the deadline, as on the server.
        """
        first_ms = self._first_ms
        if first_ms == UNSURE:
            waits = [session.wait for session in self.sessions.values() if session.wait is not None]
            first_ms = min([wait.deadline_ms for wait in waits if wait.deadline_ms is not None], default=None)
            self._first_ms = first_ms
            self._quiet_ms = FOREVER_MS if first_ms is None else first_ms
        for database in self.databases.values():
            if database.claims:
                claims = [at_ms for key, at_ms in database.claims.items() if key in database.waiting]
                first_ms = min(claims if first_ms is None else [first_ms, *claims], default=None)
        return None if first_ms is None else first_ms + 1

    def expire(self, now_ms: int) -> None:
        """Answers the sessions whose deadline has passed, the earliest first, then by session number.

        Then whoever is blocked on a key on which a claim is due runs its command again, in the order of blocking,
        even where the one who wanted to claim has gone (handleBlockedClientsTimeout, handleClaimableStreamEntries).
        """
        late = [
            (session.wait.deadline_ms, session.id)
            for session in self.sessions.values()
            if session.wait and session.wait.deadline_ms is not None and session.wait.deadline_ms < now_ms
        ]
        for _, session_id in sorted(late):
            self.give_up(self.sessions[session_id])
        for index, database in tuple(self.databases.items()):
            for key in [key for key, at_ms in database.claims.items() if at_ms < now_ms]:
                del database.claims[key]
                self.select(index)
                self.signal(key)
        if self._ready:
            self._serve_ready(now_ms)
        elif self.selected:
            self.select(0)

    def give_up(self, session: Session) -> None:
        """Ends a wait whose time is over."""
        self.answer_blocked(session, NIL_ARRAY)

    def answer_blocked(self, session: Session, reply: Reply) -> None:
        """Ends a wait with a reply that serves nothing."""
        self.unblock(session)
        self._served.append(Served(session.id, reply, ()))

    def take_served(self) -> list[Served]:
        """The replies of sessions that were blocked, since the last call, and the messages to subscribers."""
        if not self._served:
            return []
        served, self._served = self._served, []
        return served

    def _serve_ready(self, now_ms: int) -> None:
        while self._ready:
            self._being_served, self._ready = self._ready, []
            while self._being_served:
                index, key = self._being_served.pop(0)
                if index != self.selected:
                    self.select(index)
                self._serve_key(key, now_ms)
        if self.selected:
            self.select(0)

    def _serve_key(self, key: bytes, now_ms: int) -> None:
        waiting = tuple(self.waiting.get(key, ()))
        if self.dialect.blocked_rotates and isinstance(self.keys.get(key), List):
            self._rotate(key)
        for session_id in waiting:
            session = self.sessions[session_id]
            facts: list[Fact] = []
            reply = self._serve(session, key, now_ms, facts)
            if not isinstance(reply, Blocked):
                self._served.append(Served(session_id, reply, tuple(facts)))

    def _serve(self, session: Session, key: bytes, now_ms: int, facts: list[Fact]) -> Reply:
        """The reply of a session that is blocked on ``key``, or that it goes on waiting."""
        raise NotImplementedError

    def _rotate(self, key: bytes) -> None:
        """Puts those who do not wait for a list behind those who do, as far as there is something for these."""
        value = self.keys[key]
        assert isinstance(value, List)
        left = len(value.items)
        queue = self.waiting.get(key, [])
        for session_id in tuple(queue):
            wait = self.sessions[session_id].wait
            assert wait is not None
            if not wait.for_list:
                queue.remove(session_id)
                queue.append(session_id)
            elif left <= 0:
                break
            else:
                left -= 1
