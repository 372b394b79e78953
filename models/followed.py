"""A server that is followed: by a file or a replica, and by those who wait until these have what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .blocking import Blocking
from .commands import waiting
from .databases import Database
from .dialect import Dialect
from .session import Session

if TYPE_CHECKING:
    from .survivors import Survivors


class Followed(Blocking):
    """What a server knows of whoever follows it; a base of ``Server``."""

    __slots__ = ("survivors",)

    def __init__(self, dialect: Dialect, databases: dict[int, Database] | None = None) -> None:
        super().__init__(dialect, databases)
        self.survivors: Survivors | None = None
        """What may be left of it when it is gone; it hears what the journal collects."""

    def cut_off(self, until_ms: int) -> None:
        """Nothing reaches whoever follows this server until then."""
        assert self.survivors is not None, "somebody follows it"
        self.survivors.cut_off(until_ms)

    def lacks_for_sure(self, now_ms: int) -> int:
        """How many units whoever follows this server cannot have."""
        return 0 if self.survivors is None else self.survivors.lacks_for_sure(now_ms)

    def next_deadline(self) -> int | None:
        """As for those who are blocked; and when whoever is waited for is reached again."""
        first, left = super().next_deadline(), self.survivors
        if left is not None and left.cut_until_ms is not None and self._is_waited_for():
            first = left.cut_until_ms if first is None else min(first, left.cut_until_ms)
        return first

    def is_quiet(self, until_ms: int) -> bool:
        """Whether it is sure, without a look for the next deadline, that time alone does nothing up to ``until_ms``."""
        if until_ms > self._quiet_ms or self.survivors is not None:
            return False
        for database in self.databases.values():  # noqa: SIM110  # asked at every step of a world
            if database.claims or database.expires:
                return False
        return True

    def expire(self, now_ms: int) -> None:
        """Answers those who waited for what has been reached again, then those who have waited for too long."""
        left = self.survivors
        if left is not None and left.cut_until_ms is not None and left.reach(now_ms) and self._is_waited_for():
            left.ask(now_ms)
            for session, reply in waiting.met(self):
                self.answer_blocked(session, reply)
        super().expire(now_ms)

    def give_up(self, session: Session) -> None:
        """Ends a wait whose time is over: with nil, or with how many have by then what it waited for."""
        wanted = session.wait
        if wanted is None or wanted.follow is None:
            super().give_up(session)
        else:
            self.answer_blocked(session, waiting.answer(self, wanted))

    def _is_waited_for(self) -> bool:
        return any(session.wait is not None and session.wait.follow is not None for session in self.sessions.values())
