"""The databases of a server: keys with their values, when they expire, who waits for them and who watches them.

One database is selected while a command runs: its parts stand in ``keys``, ``expires``, ``waiting`` and
``watchers`` of the server itself. Between commands that is database 0.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from .collection import Collection
from .dialect import Dialect
from .facts import Fact, GroupRemoved, KeyExpired, KeyMoved, ListRemoved, StreamRemoved
from .lists import List
from .session import Session
from .stream import Stream

Value: TypeAlias = "Stream | List | Collection | bytes"

DATABASES: Final = 16
"""How many there are, as Redis is configured where nobody says otherwise."""


def born_of(value: Value) -> int:
    """The incarnation of a value; strings have none, 0."""
    return 0 if isinstance(value, bytes) else value.born


class Database:
    """One of the numbered key spaces of a server."""

    __slots__ = ("claims", "expires", "keys", "waiting", "watchers")

    def __init__(self) -> None:
        self.keys: dict[bytes, Value] = {}
        self.expires: dict[bytes, int] = {}
        """Key to the time (ms) past which it is gone."""
        self.waiting: dict[bytes, list[int]] = {}
        """Key to the sessions blocked on it, longest first."""
        self.watchers: dict[bytes, list[int]] = {}
        """Key to the sessions that WATCH it."""
        self.claims: dict[bytes, int] = {}
        """Key to the time past which those who are blocked on it look again for what they can claim (8.4)."""

    def fork(self) -> Database:
        """An independent copy; the values are shared until one of the two changes them."""
        twin = Database()
        for value in self.keys.values():
            if not isinstance(value, bytes):
                value.shared = True
        twin.keys = self.keys.copy()
        if self.expires:
            twin.expires = self.expires.copy()
        if self.waiting:
            twin.waiting = {key: queue.copy() for key, queue in self.waiting.items()}
        if self.watchers:
            twin.watchers = {key: sessions.copy() for key, sessions in self.watchers.items()}
        if self.claims:
            twin.claims = self.claims.copy()
        return twin

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in it, and nobody waits there or watches."""
        return not (self.keys or self.waiting or self.watchers or self.claims)


class Keyspace:
    """What a server knows about its keys; the base of ``Server``."""

    __slots__ = (
        "_being_served", "_births", "_ready", "databases", "dialect", "expires", "keys", "obeys", "selected",
        "sessions", "waiting", "watchers",
    )  # fmt: skip

    def __init__(self, dialect: Dialect, databases: dict[int, Database] | None = None) -> None:
        self.dialect = dialect
        self.databases: dict[int, Database] = {0: Database()} if databases is None else databases
        """Those that were ever selected."""
        self.sessions: dict[int, Session] = {}
        self._births = 0
        self._ready: list[tuple[int, bytes]] = []
        """Keys, each with its database, whose blocked clients are to be served when the command is over."""
        self._being_served: list[tuple[int, bytes]] = []
        self.obeys = False
        """Whether it does as a master or a file says, and removes no key of its own accord."""
        self.select(0)

    def select(self, index: int) -> None:
        """Makes a database the one that commands see."""
        database = self.databases.get(index)
        if database is None:
            database = self.databases[index] = Database()
        self.selected = index
        self.keys = database.keys
        self.expires = database.expires
        self.waiting = database.waiting
        self.watchers = database.watchers

    def next_birth(self) -> int:
        """A number for a new incarnation of a key, or a new epoch of a cursor."""
        self._births += 1
        return self._births

    # -- keys -----------------------------------------------------------------------------------

    def remove_key(self, key: bytes, cause: str, facts: list[Fact]) -> bool:
        """Takes a key away, with the facts of what went with it; whether there was one."""
        value = self._drop(key)
        if value is None:
            return False
        if isinstance(value, Stream):
            for name in sorted(value.groups):
                group = value.groups[name]
                facts.append(GroupRemoved(key, value.born, name, group.epoch, group.pel.keys(), cause))
            facts.append(StreamRemoved(key, value.born, cause))
        elif isinstance(value, List) and value.items:
            facts.append(ListRemoved(key, value.born, tuple(value.items), cause))
        return True

    def evictable(self, keys: tuple[bytes, ...], volatile: bool) -> tuple[bytes, ...]:
        """The keys that may go when memory is short: of ``keys``, or all; with ``volatile`` those that expire."""
        there = self.expires if volatile else self.keys
        return tuple(sorted(key for key in there if not keys or key in keys))

    def put_key(self, key: bytes, value: Value, deadline_ms: int | None = None) -> None:
        """Puts a value where no key is, and wakes who is blocked on it (dbAdd)."""
        self.keys[key] = value
        if deadline_ms is not None:
            self.expires[key] = deadline_ms
        if isinstance(value, Stream | List):
            self.signal(key)
        if self.watchers:
            self.touch(key)

    def move_key(self, key: bytes, to: bytes, to_database: int, cause: str, facts: list[Fact]) -> None:
        """Moves a key of the selected database to where there is none: there it is another incarnation."""
        source, deadline_ms = self.selected, self.expires.get(key)
        value = self.keys[key]
        born = born_of(value)
        moved = self.reborn(value)
        self.select(to_database)
        self.put_key(to, moved, deadline_ms)
        self.select(source)
        self._drop(key)
        facts.append(KeyMoved(key, source, born, to, to_database, born_of(moved), cause))

    def swap(self, first: int, second: int, now_ms: int) -> None:
        """Two databases change places; whoever waits or watches does so where it was (dbSwapDatabases)."""
        selected = self.selected
        for index in (first, second):
            self.select(index)
        one, two = self.databases[first], self.databases[second]
        before = one.keys, two.keys
        one.keys, two.keys = two.keys, one.keys
        one.expires, two.expires = two.expires, one.expires
        for index, was in ((first, before[0]), (second, before[1])):
            self.select(index)
            for key in sorted(self.waiting):
                value = self.keys.get(key)
                gone = isinstance(was.get(key), Stream) and self.dialect.blocked_notices_deletion
                if isinstance(value, Stream | List) or gone:
                    self.signal(key)
            for key in sorted(self.watchers):
                if key in was or key in self.keys:
                    self._touch_swapped(key, now_ms, was_there=key in was)
        self.select(selected)

    def reborn(self, value: Value) -> Value:
        """An independent value of the same content, as a new incarnation."""
        return value if isinstance(value, bytes) else value.copy(self.next_birth())

    def expire_key(self, key: bytes, now_ms: int, facts: list[Fact], cause: str = "access") -> None:
        """Removes a key of the selected database if its time is over (expireIfNeeded)."""
        deadline_ms = self.expires.get(key)
        if deadline_ms is not None and deadline_ms < now_ms and not self.obeys:
            facts.append(KeyExpired(key, self.selected, born_of(self.keys[key]), deadline_ms, cause))
            self.remove_key(key, "EXPIRE", facts)

    def _drop(self, key: bytes) -> Value | None:
        value = self.keys.pop(key, None)
        if value is None:
            return None
        if self.expires:
            self.expires.pop(key, None)
        if isinstance(value, Stream) and self.dialect.blocked_notices_deletion:
            self.signal(key)
        if self.watchers:
            self.touch(key)
        return value

    # -- who is told ----------------------------------------------------------------------------

    def signal(self, key: bytes) -> None:
        """Notes that clients blocked on ``key`` may be served once the command has ended."""
        if key in self.waiting:
            ready = (self.selected, key)
            if ready not in self._ready and ready not in self._being_served:
                self._ready.append(ready)

    def touch(self, key: bytes) -> None:
        """Notes that a key changed: transactions that watch it will not run (signalModifiedKey)."""
        for session_id in self.watchers.get(key, ()):
            session = self.sessions[session_id]
            if key in self.keys or not session.forgives(self.selected, key):
                session.dirty = True

    def _touch_swapped(self, key: bytes, now_ms: int, *, was_there: bool) -> None:
        """What a swap means to who watches: a key whose time is over is as good as none (touchAllWatchedKeysInDb)."""
        over = self.dialect.watch_knows_expired and self._is_over(key, now_ms)
        for session_id in self.watchers.get(key, ()):
            watched = self.sessions[session_id].watched
            assert watched is not None, "who watches knows what"
            if over and (watched[self.selected, key] or not was_there):
                watched[self.selected, key] = True
            elif watched[self.selected, key] and key not in self.keys:
                watched[self.selected, key] = False
            else:
                self.sessions[session_id].dirty = True

    def _is_over(self, key: bytes, now_ms: int) -> bool:
        deadline_ms = self.expires.get(key)
        return deadline_ms is not None and deadline_ms < now_ms

    def watch(self, session: Session, key: bytes, now_ms: int) -> None:
        """A session watches a key of the selected database from now on."""
        watched = (self.selected, key)
        if session.watched is None:
            session.watched = {}
        if watched not in session.watched:
            session.watched[watched] = self._is_over(key, now_ms) and self.dialect.watch_knows_expired
            self.watchers.setdefault(key, []).append(session.id)

    def unwatch(self, session: Session) -> None:
        """A session watches nothing any more, and nothing has happened to it."""
        for index, key in session.watched or ():
            watchers = self.databases[index].watchers
            watchers[key].remove(session.id)
            if not watchers[key]:
                del watchers[key]
        session.watched = None
        session.dirty = False
