"""Application properties of what streams are compared with: lists that are popped from, and Pub/Sub."""

from __future__ import annotations

from ...models.facts import ListPopped, ListPushed, Published, Subscribed, SubscriberDropped, Unsubscribed
from ...models.glob import matches
from ..events import Effect, Event, Handled, Served
from ..watch import Monitor, Property
from .wording import name


class PoppedImpliesHandled(Monitor):
    """Counts what was popped from each list, and crosses off what was handled."""

    def __init__(self) -> None:
        self.left: dict[tuple[bytes, bytes], int] = {}
        """List and element to how often it was popped and not handled."""

    def on_list_popped(self, fact: ListPopped, event: Event) -> str | None:
        """Nobody but the one who popped it knows of it now."""
        for element in fact.elements:
            self.left[fact.key, element] = self.left.get((fact.key, element), 0) + 1
        return None

    def on_list_pushed(self, fact: ListPushed, event: Event) -> str | None:
        """What was popped may be given back."""
        for element in fact.elements:
            self._done(fact.key, element)
        return None

    def on_handled(self, event: Handled) -> str | None:
        """Done, from whichever list it came where that is not said."""
        if event.stream:
            self._done(event.stream, event.entry)
            return None
        for key, element in self.left:
            if element == event.entry:
                self._done(key, element)
                break
        return None

    def _done(self, key: bytes, element: bytes) -> None:
        times = self.left.pop((key, element), 0)
        if times > 1:
            self.left[key, element] = times - 1

    def at_end(self, at_ms: int) -> str | None:
        """What was popped and not handled?"""
        if not self.left:
            return None
        (key, element), *others = self.left
        more = f" (and {len(others)} more)" if others else ""
        return f"element {name(element)} was popped from list {name(key)} and nobody handled it{more}"


class PublishedImpliesReceived(Monitor):
    """Knows which process has ever subscribed to what, and over which connections."""

    def __init__(self) -> None:
        self.wants: dict[tuple[str, bytes, bool], None] = {}
        """Process, and the channel or pattern that it has not unsubscribed from."""
        self.sessions: dict[str, dict[int, None]] = {}
        """Every connection over which a process has subscribed."""

    def on_subscribed(self, fact: Subscribed, event: Effect | Served) -> str | None:
        """From now on it counts on being told."""
        self.wants[event.process, fact.name, fact.pattern] = None
        self.sessions.setdefault(event.process, {})[fact.session] = None
        return None

    def on_unsubscribed(self, fact: Unsubscribed, event: Event) -> str | None:
        """Who says so wants it no more; who was hung up on still does."""
        if fact.cause in ("UNSUBSCRIBE", "PUNSUBSCRIBE"):
            for process, sessions in self.sessions.items():
                if fact.session in sessions:
                    self.wants.pop((process, fact.name, fact.pattern), None)
        return None

    def on_published(self, fact: Published, event: Event) -> str | None:
        """Is everybody there who wants it?"""
        for process, wanted, pattern in self.wants:
            told = wanted == fact.channel if not pattern else matches(wanted, fact.channel)
            if told and not any(session in self.sessions[process] for session in fact.receivers):
                return f"message {name(fact.message)} on {name(fact.channel)} went past {process}, which was not there"
        return None

    def on_subscriber_dropped(self, fact: SubscriberDropped, event: Event) -> str | None:
        """What it had not read is lost."""
        for process, sessions in self.sessions.items():
            if fact.session in sessions:
                return f"the server hung up on {process} with {fact.unread_bytes} bytes that it had not read"
        return None


PROPERTIES: tuple[Property, ...] = (
    Property(
        "popped-implies-handled", "eventually", "whatever is popped from a list is handled", PoppedImpliesHandled,
        "at the end, each element of a ListPopped fact has a Handled event of its own, or was pushed there again",
        ("what was moved to another list is there, and not popped", "what was pushed back waits again"),
    ),
    Property(
        "published-implies-received", "always", "whatever is published reaches everybody who had subscribed to it",
        PublishedImpliesReceived,
        "each Published fact has, of every process with a Subscribed fact before it that fits, a connection among its "
        "receivers; and no subscriber is dropped with something unread",
        ("who has unsubscribed wants nothing more",),
    ),
)  # fmt: skip
