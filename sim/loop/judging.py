"""What a report card asks of a target: the built-in properties, less what a situation itself takes away.

That somebody trims what is pending, that the server loses it, and that one job can never be done is the situation, and
no fault of whoever works in it.
"""

from __future__ import annotations

import re

from ...models import ids
from ...models.facts import Acked, Added, Claimed, Deleted, Delivered, GroupRemoved, Reread, StreamRemoved, Trimmed
from .. import events
from ..history import History
from ..properties import BUILT_IN
from ..properties.delivery import AckedImpliesHandled, AddedImpliesHandled, NoEntryLost
from ..properties.progress import DELIVERIES_MAX
from ..properties.receiving import OneIntentOneEntry
from ..properties.wording import show
from ..server_faults import MAXMEMORY, SOMEBODY
from ..watch import Monitor, Property

JOB = re.compile(rb"job-\d{5}")
"""What every entry of a job holds."""
WORKERS = ("worker-a", "worker-b")
PRODUCER = "producer"
OPERATOR = "operator"


def job_name(number: int) -> str:
    """What the payload of a job is: no job's name holds another's."""
    return f"job-{number:05d}"


POISON = job_name(1)
"""The job that can never be done, in the situation that has one."""


def is_given(event: events.Event) -> bool:
    """Whether an event belongs to the situation: the server is lost, or somebody sends it a command."""
    if isinstance(event, events.ServerLost):
        return True
    return isinstance(event, events.Effect) and event.process in (OPERATOR, SOMEBODY, MAXMEMORY)


class OwnLosses(NoEntryLost):
    """The same, and what the situation takes away is no loss of the target's."""

    def on_deleted(self, fact: Deleted, event: events.Event) -> str | None:
        """Deleted by a program of the target, while a group needed it?"""
        told = super().on_deleted(fact, event)
        if told is not None:
            self._gone(fact.born, fact.ids)
        return None if is_given(event) else told

    def on_trimmed(self, fact: Trimmed, event: events.Event) -> str | None:
        """Trimmed by a program of the target, while a group needed it?"""
        told = super().on_trimmed(fact, event)
        if told is not None:
            self._gone(fact.born, fact.ids)
        return None if is_given(event) else told

    def on_group_removed(self, fact: GroupRemoved, event: events.Event) -> str | None:
        """Removed by a program of the target, with what it needed?"""
        told = super().on_group_removed(fact, event)
        return None if is_given(event) else told


class OwnJobs(AddedImpliesHandled):
    """The same, without what the situation takes away."""

    def on_deleted(self, fact: Deleted, event: events.Event) -> str | None:
        """Nobody can be asked for what the situation deletes."""
        return self._taken(fact, event)

    def on_trimmed(self, fact: Trimmed, event: events.Event) -> str | None:
        """Nor for what it trims."""
        return self._taken(fact, event)

    def on_stream_removed(self, fact: StreamRemoved, event: events.Event) -> str | None:
        """Nor for what goes with a stream."""
        if is_given(event):
            for key in [key for key in self.left if key[0] == fact.stream]:
                del self.left[key]
        return None

    def _taken(self, fact: Deleted | Trimmed, event: events.Event) -> str | None:
        if is_given(event):
            for number in fact.ids:
                self.left.pop((fact.stream, ids.show(number)), None)
        return None


class DoableJobs(OwnJobs):
    """The same, without the job that can never be done."""

    def on_added(self, fact: Added, event: events.Event) -> str | None:
        """Every job but that one."""
        return None if POISON.encode() in b"\n".join(fact.fields) else super().on_added(fact, event)


class OwnAcks(AckedImpliesHandled):
    """The same; and an acknowledgment that was lost with the server may come again, as clients send it again."""

    def __init__(self) -> None:
        super().__init__()
        self.settled: dict[tuple[bytes, bytes, bytes], None] = {}
        """What was handled and acknowledged."""

    def on_acked(self, fact: Acked, event: events.Event) -> str | None:
        """Was it handled?"""
        told = super().on_acked(fact, event)
        if told is None:
            self.settled[fact.stream, fact.group, ids.show(fact.id)] = None
        return told

    def on_server_lost(self, event: events.ServerLost) -> str | None:
        """Nobody knows which of the acknowledgments are left."""
        self.handled.update(self.settled)
        return None


class OwnDeliveries(Monitor):
    """Looks at delivery counts; who claims what it is working on renews its lease, and that is no delivery."""

    def __init__(self) -> None:
        self.working: dict[tuple[str, bytes, bytes, bytes], None] = {}
        self.renewed: dict[tuple[bytes, bytes, int], int] = {}

    def on_handling(self, event: events.Handling) -> str | None:
        """It is at work."""
        self.working[event.process, event.stream, event.group, event.entry] = None
        return None

    def on_handled(self, event: events.Handled) -> str | None:
        """It is no more."""
        self.working.pop((event.process, event.stream, event.group, event.entry), None)
        return None

    def on_handle_failed(self, event: events.HandleFailed) -> str | None:
        """Nor then."""
        return self.on_handled(events.Handled(*event))

    def on_crashed(self, event: events.Crashed) -> str | None:
        """Nor is who is dead."""
        self.working = {key: None for key in self.working if key[0] != event.process}
        return None

    def on_claimed(self, fact: Claimed, event: events.Event) -> str | None:
        """Taken over, or renewed?"""
        process = event.process if isinstance(event, events.Effect) else ""
        if (process, fact.stream, fact.group, ids.show(fact.id)) not in self.working:
            return self._look(fact)
        key = (fact.stream, fact.group, fact.id)
        self.renewed[key] = self.renewed.get(key, 0) + 1
        return None

    def on_delivered(self, fact: Delivered, event: events.Event) -> str | None:
        """How often now?"""
        return self._look(fact)

    def on_reread(self, fact: Reread, event: events.Event) -> str | None:
        """How often now?"""
        return self._look(fact)

    def _look(self, fact: Delivered | Claimed | Reread) -> str | None:
        count = fact.count - self.renewed.get((fact.stream, fact.group, fact.id), 0)
        return f"entry {show(fact.id)} is delivered for the {count}th time" if count > DELIVERIES_MAX else None


class OwnIntents(OneIntentOneEntry):
    """The same; and a producer that was told of an error, and is started again, means to send the job again."""

    def on_crashed(self, event: events.Crashed) -> str | None:
        """What it sends now is another intent."""
        if event.process == PRODUCER:
            self.added.clear()
        return None


class WorkersLive(Monitor):
    """Waits for a worker that ends by an error of its own."""

    def on_crashed(self, event: events.Crashed) -> str | None:
        """By a fault, or by itself?"""
        if event.why == "fault" or event.process not in WORKERS:
            return None
        return f"{event.process} ended by itself: {event.message}"

    def on_finished(self, event: events.Finished) -> str | None:
        """A worker has no reason to end."""
        return f"{event.process} ended by itself" if event.process in WORKERS else None


def _added_implies_handled(monitor: type[OwnJobs]) -> Property:
    formal = BUILT_IN["added-implies-handled"].formal
    return Property(
        "added-implies-handled", "eventually", "every job that can be done is handled by somebody", monitor, formal,
        ("a job that fails every time", "entries that somebody else deletes, or that are lost with the server"),
    )  # fmt: skip


PROPERTIES: tuple[str | Property, ...] = (
    _added_implies_handled(OwnJobs),
    Property(
        "no-entry-lost", "always", "no entry is forgotten by the target while a group still needs it", OwnLosses,
        BUILT_IN["no-entry-lost"].formal, ("what somebody else deletes, and what is lost with the server",),
    ),
    Property(
        "acked-implies-handled", "always", "whatever is acknowledged was handled", OwnAcks,
        BUILT_IN["acked-implies-handled"].formal, ("what is acknowledged again after the server was lost",),
    ),
    "single-handler", "handled-at-most-once", "pel-drains",
    Property(
        "bounded-deliveries", "always", f"no entry is delivered more than {DELIVERIES_MAX} times", OwnDeliveries,
        BUILT_IN["bounded-deliveries"].formal, ("a claim of what the claimer is working on renews its lease",),
    ),
    "no-hot-loop",
    Property(
        "one-intent-one-entry", "always", "what a producer sends once is in the stream once", OwnIntents,
        BUILT_IN["one-intent-one-entry"].formal, ("what a producer sends again because it was told of an error",),
    ),
    Property(
        "workers-live", "always", "no worker ends by an error of its own", WorkersLive,
        "no Crashed event of a worker has another reason than a fault, and none is Finished",
    ),
)  # fmt: skip
"""What a report card asks, in the order of its columns."""


def asked(poison: bool) -> tuple[str | Property, ...]:
    """What is asked in a situation; ``poison``: whether one job can never be done in it."""
    return (_added_implies_handled(DoableJobs), *PROPERTIES[1:]) if poison else PROPERTIES


def has_twins(history: History) -> bool:
    """Whether some job is in a stream twice, as when a producer sends again what has taken effect."""
    seen: set[tuple[bytes, bytes]] = set()
    for event in history:
        for fact in getattr(event, "facts", ()):
            if isinstance(fact, Added):
                found = JOB.search(b"\n".join(fact.fields))
                if found is not None:
                    key = fact.stream, found.group()
                    if key in seen:
                        return True
                    seen.add(key)
    return False
