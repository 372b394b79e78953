"""Channels and patterns, who is subscribed to them, and how much of it each subscriber has not read yet.

Nothing is kept: a message goes to those who are subscribed now. A subscriber that does not read holds up messages
in the server's memory until the limits of ``Limits`` drop it (checkClientOutputBufferLimits).
"""

from __future__ import annotations

from dataclasses import dataclass

from .glob import matches


@dataclass(frozen=True, slots=True)
class Limits:
    """``client-output-buffer-limit pubsub``: 0 is no limit.

    The model counts the bytes of messages. A real server counts what it allocated for them, after the first ones, which
    the kernel of its machine holds; Valkey 9.1 holds a large message once for all its receivers, and counts so.
    """

    hard_bytes: int = 32 << 20
    soft_bytes: int = 8 << 20
    soft_s: int = 60


class Subscriber:
    """What one session is subscribed to, in the order in which it did so, and what it has not read."""

    __slots__ = ("channels", "dropped", "patterns", "soft_since_ms", "unread_bytes")

    def __init__(self) -> None:
        self.channels: dict[bytes, None] = {}
        self.patterns: dict[bytes, None] = {}
        self.unread_bytes: int | None = None
        """Bytes of messages that are still to be read; ``None``: it reads whatever comes at once."""
        self.soft_since_ms: int | None = None
        """Since when there is more than the soft limit, ``None`` where there is not."""
        self.dropped = ""
        """Which limit it went past, so that its connection is about to be closed."""

    def copy(self) -> Subscriber:
        """An independent subscriber in the same state."""
        twin = Subscriber()
        twin.channels = self.channels.copy()
        twin.patterns = self.patterns.copy()
        twin.unread_bytes = self.unread_bytes
        twin.soft_since_ms = self.soft_since_ms
        twin.dropped = self.dropped
        return twin

    def count(self) -> int:
        """How many channels and patterns."""
        return len(self.channels) + len(self.patterns)

    def holds_up(self, size: int, limits: Limits, now_ms: int) -> None:
        """Takes note of a message that it does not read, and of the limit that it goes past with it."""
        if self.unread_bytes is None:
            return
        self.unread_bytes += size
        if limits.hard_bytes and self.unread_bytes >= limits.hard_bytes:
            self.dropped = "hard"
        elif limits.soft_bytes and self.unread_bytes >= limits.soft_bytes:
            if self.soft_since_ms is None:
                self.soft_since_ms = now_ms
            elif now_ms // 1000 - self.soft_since_ms // 1000 > limits.soft_s:
                self.dropped = "soft"
        else:
            self.soft_since_ms = None

    def reads(self, size: int, limits: Limits) -> None:
        """Takes note of bytes that it has read now."""
        if self.unread_bytes is not None:
            self.unread_bytes = max(self.unread_bytes - size, 0)
            if self.unread_bytes < limits.soft_bytes:
                self.soft_since_ms = None


class PubSub:
    """Who is subscribed to what. The order of patterns is not to be relied on: the server's is one of hashing."""

    __slots__ = ("_channels", "_patterns", "subscribers")

    def __init__(self) -> None:
        self.subscribers: dict[int, Subscriber] = {}
        self._channels: dict[bytes, dict[int, None]] = {}
        self._patterns: dict[bytes, dict[int, None]] = {}

    def fork(self) -> PubSub:
        """An independent copy."""
        twin = PubSub()
        if self.subscribers:
            twin.subscribers = {session: subscriber.copy() for session, subscriber in self.subscribers.items()}
            twin._channels = {name: sessions.copy() for name, sessions in self._channels.items()}
            twin._patterns = {name: sessions.copy() for name, sessions in self._patterns.items()}
        return twin

    def add(self, session: int, name: bytes, *, pattern: bool) -> bool:
        """Subscribes a session; whether it was not."""
        subscriber = self.subscribers.setdefault(session, Subscriber())
        own = subscriber.patterns if pattern else subscriber.channels
        if name in own:
            return False
        own[name] = None
        (self._patterns if pattern else self._channels).setdefault(name, {})[session] = None
        return True

    def remove(self, session: int, name: bytes, *, pattern: bool) -> bool:
        """Unsubscribes a session; whether it was subscribed."""
        subscriber = self.subscribers.get(session)
        own = {} if subscriber is None else subscriber.patterns if pattern else subscriber.channels
        if name not in own:
            return False
        del own[name]
        everybody = self._patterns if pattern else self._channels
        del everybody[name][session]
        if not everybody[name]:
            del everybody[name]
        if subscriber is not None and not subscriber.count():
            del self.subscribers[session]
        return True

    def names(self, session: int, *, pattern: bool) -> tuple[bytes, ...]:
        """The channels, or the patterns, of a session."""
        subscriber = self.subscribers.get(session)
        if subscriber is None:
            return ()
        return tuple(subscriber.patterns if pattern else subscriber.channels)

    def count(self, session: int) -> int:
        """How many channels and patterns a session has."""
        subscriber = self.subscribers.get(session)
        return 0 if subscriber is None else subscriber.count()

    def receivers(self, channel: bytes) -> list[tuple[int, bytes | None]]:
        """Who gets a message on a channel, with the pattern by which: a session may get it more than once."""
        found: list[tuple[int, bytes | None]] = [(session, None) for session in self._channels.get(channel, ())]
        for pattern, sessions in self._patterns.items():
            if matches(pattern, channel):
                found += [(session, pattern) for session in sessions]
        return found

    def channels(self, pattern: bytes | None) -> list[bytes]:
        """The channels that have a subscriber, those alone that match a pattern, in byte order."""
        return sorted(name for name in self._channels if pattern is None or matches(pattern, name))

    def subscribers_of(self, channel: bytes) -> int:
        """How many sessions are subscribed to a channel by its name."""
        return len(self._channels.get(channel, ()))

    def patterns(self, *, each: bool) -> int:
        """How many different patterns there are; how many subscriptions to patterns, where each counts."""
        return sum(map(len, self._patterns.values())) if each else len(self._patterns)
