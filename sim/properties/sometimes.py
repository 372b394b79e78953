"""*Sometimes* statements that many scenarios share: what a run must have exercised to show anything."""

from __future__ import annotations

from ...models.facts import (
    Acked,
    Claimed,
    ConsumerRemoved,
    Delivered,
    Fact,
    Forgotten,
    GroupRemoved,
    Reread,
    Trimmed,
)
from ..events import (
    Cancelled,
    Crashed,
    Event,
    HalfOpened,
    Handled,
    HandleFailed,
    Handling,
    Lost,
    Partitioned,
    Paused,
    Started,
    Unanswered,
)
from ..watch import Monitor, Property


class CrashedHolding(Monitor):
    """Did a process crash with an entry that it had not acknowledged?"""

    def __init__(self) -> None:
        self.owner: dict[tuple[bytes, bytes, int], bytes] = {}
        self.consumer: dict[str, bytes] = {}
        self.seen = False

    def on_started(self, event: Started) -> str | None:
        """Which consumer name the process goes by."""
        self.consumer[event.process] = event.consumer.encode()
        return None

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """It has the entry."""
        if not fact.noack:
            self.owner[fact.stream, fact.group, fact.id] = fact.consumer
        return None

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """It has the entry."""
        self.owner[fact.stream, fact.group, fact.id] = fact.consumer
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """Nobody has it."""
        self.owner.pop((fact.stream, fact.group, fact.id), None)
        return None

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """Nobody has it."""
        self.owner.pop((fact.stream, fact.group, fact.id), None)
        return None

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """Nobody has what it had."""
        return self._dropped(fact)

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """Nobody has what was pending in it."""
        return self._dropped(fact)

    def _dropped(self, fact: ConsumerRemoved | GroupRemoved) -> str | None:
        for entry_id in fact.pending:
            self.owner.pop((fact.stream, fact.group, entry_id), None)
        return None

    def on_crashed(self, event: Crashed) -> str | None:
        """Met, if it had one."""
        self.seen = self.seen or self.consumer.get(event.process) in self.owner.values()
        return None

    def met(self) -> bool:
        """Whether it was seen."""
        return self.seen


class CrashedAtWork(CrashedHolding):
    """Did a process crash with an entry that it had not acknowledged, or that it was still handling?

    Whoever acknowledges first, or reads with NOACK, holds nothing while it works, and loses what it works on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.working: dict[str, list[tuple[bytes, bytes, bytes]]] = {}

    def on_handling(self, event: Handling) -> str | None:
        """It is at it."""
        self.working.setdefault(event.process, []).append((event.stream, event.group, event.entry))
        return None

    def on_handled(self, event: Handled) -> str | None:
        """It is done with it."""
        return self._put_down(event)

    def on_handle_failed(self, event: HandleFailed) -> str | None:
        """It is done with it, too."""
        return self._put_down(event)

    def _put_down(self, event: Handled | HandleFailed) -> str | None:
        entries = self.working[event.process]
        entries.remove((event.stream, event.group, event.entry))
        if not entries:
            del self.working[event.process]
        return None

    def on_crashed(self, event: Crashed) -> str | None:
        """Met, if it had one, or was at one."""
        self.seen = self.seen or self.working.pop(event.process, None) is not None
        return super().on_crashed(event)


class Once(Monitor):
    """Base of statements that are met by one kind of fact or event."""

    instant = True

    def __init__(self) -> None:
        self.seen = False

    def see(self, what: Fact | Event) -> str | None:
        """Met."""
        self.seen = True
        return None

    def met(self) -> bool:
        """Whether it was seen."""
        return self.seen


class TakenOver(Once):
    """Did a consumer claim an entry from another?"""

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """Met, if it was another's."""
        if fact.owner_before not in (None, fact.consumer):
            return self.see(fact)
        return None


class Renewed(Once):
    """Did a consumer renew its own claim?"""

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """Met, if it was its own."""
        if fact.owner_before == fact.consumer:
            return self.see(fact)
        return None


class ReadAgain(Once):
    """Did a consumer read an entry from its own history?"""

    def on_reread(self, fact: Reread, event: Event) -> str | None:
        """Met."""
        return self.see(fact)


class TrimHappened(Once):
    """Was something trimmed?"""

    def on_trimmed(self, fact: Trimmed, event: Event) -> str | None:
        """Met."""
        return self.see(fact)


class CrashHappened(Once):
    """Did a fault crash a process?"""

    def on_crashed(self, event: Crashed) -> str | None:
        """Met, if it was a fault."""
        return self.see(event) if event.why == "fault" else None


class ConsumerDeleted(Once):
    """Was a consumer deleted?"""

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """Met."""
        return self.see(fact)


class TakenUpAgain(Once):
    """Was a pending entry given out once more, to whomever?"""

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """Met."""
        return self.see(fact)

    def on_reread(self, fact: Reread, event: Event) -> str | None:
        """Met."""
        return self.see(fact)


class ReplyLost(Once):
    """Was a reply lost?"""

    def on_lost(self, event: Lost) -> str | None:
        """Met, if it was a reply."""
        return self.see(event) if event.what == "reply" else None


class RequestLost(Once):
    """Was a request lost?"""

    def on_lost(self, event: Lost) -> str | None:
        """Met, if it was a request."""
        return self.see(event) if event.what == "request" else None


class HandlerFails(Once):
    """Did the work on an entry fail?"""

    def on_handle_failed(self, event: HandleFailed) -> str | None:
        """Met."""
        return self.see(event)


class StoodStill(Once):
    """Did a process stand still?"""

    def on_paused(self, event: Paused) -> str | None:
        """Met."""
        return self.see(event)


class ReadGivenUp(Once):
    """Did a program give up a read whose connection stayed open?"""

    def on_cancelled(self, event: Cancelled) -> str | None:
        """Met."""
        return self.see(event)


class LinkAtFault(Once):
    """Was a process cut off from the server, or its connections gone without a word?"""

    def on_partitioned(self, event: Partitioned) -> str | None:
        """Met."""
        return self.see(event)

    def on_half_opened(self, event: HalfOpened) -> str | None:
        """Met."""
        return self.see(event)


class TimedOut(Once):
    """Did a client run out of patience?"""

    def on_unanswered(self, event: Unanswered) -> str | None:
        """Met, if it did."""
        return self.see(event) if event.error == "timeout" else None


CRASHED_HOLDING = Property(
    "crashed-holding", "sometimes", "a process crashes with an entry that it has not acknowledged", CrashedHolding
)
CRASHED_AT_WORK = Property(
    "crashed-at-work", "sometimes", "a process crashes with an entry that it has not acknowledged or is still handling",
    CrashedAtWork,
)  # fmt: skip
TAKEN_OVER = Property("taken-over", "sometimes", "a consumer claims an entry from another", TakenOver)
READ_AGAIN = Property("read-again", "sometimes", "a consumer reads an entry from its own history again", ReadAgain)
RENEWED = Property("renewed", "sometimes", "a consumer renews its claim on an entry", Renewed)
TRIMMED = Property("trimmed", "sometimes", "entries are trimmed", TrimHappened)
CONSUMER_DELETED = Property("consumer-deleted", "sometimes", "a consumer is deleted", ConsumerDeleted)
TAKEN_UP_AGAIN = Property(
    "taken-up-again", "sometimes", "a pending entry is given out once more, to whomever", TakenUpAgain
)
REPLY_LOST = Property("reply-lost", "sometimes", "a reply is lost", ReplyLost)
REQUEST_LOST = Property("request-lost", "sometimes", "a request is lost", RequestLost)
HANDLER_FAILS = Property("handler-fails", "sometimes", "the work on an entry fails", HandlerFails)
STOOD_STILL = Property("stood-still", "sometimes", "a process stands still for a while", StoodStill)
LINK_AT_FAULT = Property(
    "link-at-fault", "sometimes", "a process is cut off, or its connections are gone without a word", LinkAtFault
)
TIMED_OUT = Property("timed-out", "sometimes", "a client waits in vain until its timeout", TimedOut)
READ_GIVEN_UP = Property(
    "read-given-up", "sometimes", "a program gives up a read, and its client keeps the connection", ReadGivenUp
)
CRASHED = Property("crashed", "sometimes", "a fault crashes a process", CrashHappened)
