"""The links between what happened to an entry in a group, each with the number of the event that it is."""

from __future__ import annotations

from typing import NamedTuple

from ...models import facts as f
from ...models import ids
from .. import events as e
from ..views.words import duration, fall, jump, listed, lost, text
from .entry import Subject

WAITING, PENDING, ACKNOWLEDGED, GIVEN, SKIPPED, DROPPED, GONE, ABSENT = (
    "undelivered", "pending", "acknowledged", "given", "skipped", "dropped", "gone", "absent",
)  # fmt: skip
"""Where an entry can be: not delivered yet; pending; acknowledged; given with NOACK; passed by the cursor; dropped
from the group; out of the stream before it was delivered; not added yet."""


class Link(NamedTuple):
    """One cause. ``kind`` is a word for programs, ``text`` the sentence."""

    event: int
    at_ms: int
    kind: str
    text: str


class Work(NamedTuple):
    """A process handled the entry; ``end_ms`` is ``None`` where it did not finish."""

    process: str
    begin_ms: int
    end_ms: int | None


class Tracer:
    """Follows one entry in one group through the events, one after the other."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.entry = subject.entry
        self.name = f"entry {subject.number}"
        self.shown = ids.show(subject.entry.id)
        self.links: list[Link] = []
        self.state = ABSENT
        self.owner = ""
        """The consumer that has it pending."""
        self.process = ""
        """The process that used that name."""
        self.given_ms = 0
        self.owner_lost = False
        """Whether that process has crashed since, and with it all that it knew of the entry."""
        self.reply_lost = False
        """Whether the reply that carried the entry never arrived."""
        self.ack_lost = False
        self.removed = ""
        """How the entry left the stream, where it did."""
        self.cursor: int | None = None
        self.works: list[Work] = []
        self.calls: dict[tuple[str, str], int] = {}
        """What the group was asked for since the last link: process and command, how often."""
        self.last_call = (0, 0)
        self._carried: dict[int, str] = {}
        """Call to what its reply says of the entry: ``given`` or ``acked``."""
        self._commands: dict[int, str] = {}

    @property
    def busy(self) -> list[str]:
        """Who handles the entry now."""
        return [work.process for work in self.works if work.end_ms is None]

    def read(self, n: int, event: e.Event) -> None:
        """Takes in event number ``n``."""
        match event:
            case e.Effect() | e.Served():
                self._command(n, event)
            case e.Handling() | e.Handled():
                self._work(n, event)
            case e.Crashed():
                self._crash(n, event)
            case e.HandleFailed():
                self._failed(n, event)
            case e.Sent():
                self._sent(event)
            case e.Lost():
                self._lost(n, event)
            case e.Started() if event.incarnation > 1 and event.process == self.process and self.state == PENDING:
                same = event.consumer == self.owner
                name = "under the same name" if same else f"as consumer {event.consumer}"
                tail = "" if same else f", which owns nothing: {self.name} stays with {self.owner}"
                self._link(n, event.at_ms, "restarted", f"{event.process} starts again {name}{tail}")
            case e.ServerLost():
                self._fallen(n, event)
            case e.ClockJumped() if event.host == "redis" and self.state == PENDING:
                line = f"the server's clock jumps by {jump(event.by_ms)}, and the idle time of {self.name} with it"
                self._link(n, event.at_ms, "clock", line)
            case _:
                pass

    # -- commands ----------------------------------------------------------------------------------

    def _command(self, n: int, event: e.Effect | e.Served) -> None:
        if isinstance(event, e.Effect):
            self._commands[event.call] = "+".join(text(argv[0]).upper() for argv in event.commands)
        before = len(self.links)
        for fact in event.facts:
            if not isinstance(fact, f.KeyFact) and (fact.stream, fact.born) == self.entry[:2]:
                self._fact(n, event, fact)
        command = self._commands.get(event.call, "command")
        if isinstance(event, e.Effect) and command == "XACK" and event.replies == (0,):
            argv = event.commands[0]
            if argv[1:3] == (self.entry.stream, self.subject.group) and self.shown in argv[3:]:
                line = f"{event.process} acknowledges {self.name}, but Redis answers 0: it is not pending"
                self._link(n, event.at_ms, "late-ack", line)
        if len(self.links) == before and event.process and command.split("+")[-1] in _ASKING:
            key = (event.process, command)
            if isinstance(event, e.Effect):
                self.calls[key] = self.calls.get(key, 0) + 1
            self.last_call = (n, event.at_ms)

    def _fallen(self, n: int, event: e.ServerLost) -> None:
        """Another server took the place: what it says of the entry."""
        who, how = fall(event)
        before = len(self.links)
        for fact in event.facts:
            if isinstance(fact, f.KeyFact) or (fact.stream, fact.born) != self.entry[:2]:
                continue
            mine = getattr(fact, "group", self.subject.group) == self.subject.group
            if isinstance(fact, f.Reinstated | f.Forgotten):
                if fact.id != self.entry.id or not mine:
                    continue
                self.state, said = WAITING, "not delivered any more"
                if isinstance(fact, f.Reinstated):
                    self.state, self.owner = PENDING, text(fact.consumer)
                    said = f"pending for {self.owner} again"
                self._link(n, event.at_ms, event.cause, f"{who} {how}: there {self.name} is {said}")
            elif mine:
                self._many(n, event.at_ms, f"the {event.cause}", fact)
        if len(self.links) == before and self.state in (PENDING, WAITING):
            self._link(n, event.at_ms, event.cause, f"{who} {how}")

    def _fact(self, n: int, event: e.Effect | e.Served, fact: f.Fact) -> None:
        who = event.process or "the setup"
        at_ms = event.at_ms
        mine = getattr(fact, "group", self.subject.group) == self.subject.group
        if getattr(fact, "id", self.entry.id) != self.entry.id or not mine:
            return
        match fact:
            case f.Added():
                self._added(n, at_ms, who, fact)
            case f.Delivered():
                self._delivered(n, event, who, fact)
            case f.Claimed():
                self._claimed(n, event, who, fact)
            case f.Reread():
                self._own(event, fact.consumer, at_ms)
                line = f"{who} reads {self.name} again from the history of {text(fact.consumer)}"
                self._link(n, at_ms, "reread", f"{line} (delivery {fact.count})")
            case f.Acked():
                self.state = ACKNOWLEDGED
                self._carried[event.call] = "acked"
                own = fact.owner is None or text(fact.owner) == who
                as_owner = "" if own or fact.owner is None else f", which was pending for {text(fact.owner)}"
                self._link(n, at_ms, "acknowledged", f"{who} acknowledges {self.name}{as_owner}")
            case f.Forgotten():
                self.state = DROPPED
                line = f"{fact.cause} of {who} finds {self.name} gone from the stream, and drops it from the group"
                self._link(n, at_ms, "forgotten", line)
            case _:
                self._many(n, at_ms, who, fact)

    def _many(self, n: int, at_ms: int, who: str, fact: f.Fact) -> None:
        """Facts that are about more than one entry."""
        group = text(self.subject.group or b"")
        match fact:
            case f.GroupCreated():
                self._group_created(n, at_ms, who, fact)
            case f.CursorMoved():
                self._cursor(n, at_ms, who, fact)
            case f.Trimmed() | f.Deleted() if self.entry.id in fact.ids:
                how = "trims" if isinstance(fact, f.Trimmed) else "deletes"
                self.removed = "trimmed" if isinstance(fact, f.Trimmed) else "deleted"
                kind, line = self.removed, f"{who} {how} {self.name} by {fact.cause}"
                if went := lost(fact.cause):
                    kind, self.removed, line = fact.cause, went, f"{self.name} is {went}"
                when = {PENDING: f" while it is pending for {self.owner}", WAITING: f" before {group} got it"}
                line += when.get(self.state, "")
                self.state = GONE if self.state == WAITING else self.state
                self._link(n, at_ms, kind, line)
            case f.ConsumerRemoved() if self.entry.id in fact.pending:
                self.state = DROPPED
                line = f"{who} removes consumer {text(fact.consumer)}, and {self.name} drops out of the group with it"
                self._link(n, at_ms, "consumer-removed", line)
            case f.GroupRemoved():
                self.state = DROPPED if self.state in (PENDING, WAITING) else self.state
                self._link(n, at_ms, "group-removed", f"{who} removes group {group} by {fact.cause}")
            case f.StreamRemoved():
                self.removed = f"removed with its stream by {fact.cause}"
                self._link(n, at_ms, "stream-removed", f"{who} removes stream {text(fact.stream)} by {fact.cause}")
            case _:
                pass

    def _added(self, n: int, at_ms: int, who: str, fact: f.Added) -> None:
        self.state = WAITING
        self._link(n, at_ms, "added", f"{who} adds {self.name} to {text(fact.stream)}")
        if self.cursor is not None and self.cursor >= self.entry.id:
            self.state = SKIPPED
            line = f"the cursor of group {text(self.subject.group or b'')} is past {self.name} already"
            self._link(n, at_ms, "skipped", line)

    def _group_created(self, n: int, at_ms: int, who: str, fact: f.GroupCreated) -> None:
        self.cursor = fact.cursor
        group, start = text(fact.group), ids.show(fact.cursor).decode()
        if self.state == ABSENT:
            return
        if fact.cursor >= self.entry.id:
            self.state = SKIPPED
            line = f"{who} creates group {group} only now, to read from {start} on: past {self.name}"
        else:
            self.state = WAITING
            line = f"{who} creates group {group}, to read from {start} on"
        self._link(n, at_ms, "group-created", line)

    def _cursor(self, n: int, at_ms: int, who: str, fact: f.CursorMoved) -> None:
        self.cursor = fact.cursor
        if fact.cause == "read":
            return
        before, after = ids.show(fact.before).decode(), ids.show(fact.cursor).decode()
        moved = f"{who} moves the cursor of group {text(fact.group)} by {fact.cause}, from {before} to {after}"
        if self.state == WAITING and fact.before < self.entry.id <= fact.cursor:
            self.state = SKIPPED
            self._link(n, at_ms, "skipped", f"{moved}: past {self.name}")
        elif fact.cursor < self.entry.id <= fact.before:
            self.state = WAITING if self.state in (SKIPPED, ACKNOWLEDGED, GIVEN, DROPPED) else self.state
            self._link(n, at_ms, "rewound", f"{moved}: {self.name} will be delivered (again)")

    def _delivered(self, n: int, event: e.Effect | e.Served, who: str, fact: f.Delivered) -> None:
        consumer = text(fact.consumer)
        name = "" if consumer == who else f" as {consumer}"
        if fact.noack:
            self.state = GIVEN
            self._carried[event.call] = "given"
            line = f"{who} is given {self.name}{name} with NOACK: the group is done with it"
            self._link(n, event.at_ms, "given", line)
            return
        before = f", which {text(fact.owner_before)} had pending" if fact.owner_before else ""
        self._own(event, fact.consumer, event.at_ms)
        self._link(n, event.at_ms, "delivered", f"{who} is given {self.name}{name}{before} (delivery {fact.count})")

    def _claimed(self, n: int, event: e.Effect | e.Served, who: str, fact: f.Claimed) -> None:
        consumer = text(fact.consumer)
        name = "" if consumer == who else f" as {consumer}"
        idle = "" if fact.idle_ms is None else f" after {duration(fact.idle_ms)} idle"
        if fact.owner_before == fact.consumer and event.process == self.process:
            line, kind = f"{who} renews its claim on {self.name}{idle}", "renewed"
        else:
            source = f" from {text(fact.owner_before)}" if fact.owner_before else ""
            others = [process for process in dict.fromkeys(self.busy) if process != event.process]
            still = f", while {listed(others)} still handles it" if others else ""
            line, kind = f"{who} claims {self.name}{source}{name}{idle} (delivery {fact.count}){still}", "claimed"
        self._own(event, fact.consumer, event.at_ms)
        self._link(n, event.at_ms, kind, line)

    def _own(self, event: e.Effect | e.Served, consumer: bytes, at_ms: int) -> None:
        self.state, self.owner, self.process, self.given_ms = PENDING, text(consumer), event.process, at_ms
        self.owner_lost = self.reply_lost = self.ack_lost = False
        self._carried[event.call] = "given"

    # -- everything else -----------------------------------------------------------------------------

    def _work(self, n: int, event: e.Handling | e.Handled) -> None:
        if (event.stream, event.group, event.entry) != (self.entry.stream, self.subject.group or b"", self.shown):
            return
        if isinstance(event, e.Handling):
            others = [process for process in dict.fromkeys(self.busy) if process != event.process]
            still = f" while {listed(others)} is still at it" if others else ""
            again = " again" if any(work.process == event.process for work in self.works) else ""
            self.works.append(Work(event.process, event.at_ms, None))
            self._link(n, event.at_ms, "handling", f"{event.process} begins to handle it{again}{still}")
            return
        for at, work in enumerate(self.works):
            if work.process == event.process and work.end_ms is None:
                self.works[at] = work._replace(end_ms=event.at_ms)
                break
        others = list(dict.fromkeys(self.busy))
        still = f", while {listed(others)} still is" if others else ""
        self._link(n, event.at_ms, "handled", f"{event.process} has handled it{still}")

    def _crash(self, n: int, event: e.Crashed) -> None:
        at_work = event.process in self.busy
        owns = self.state == PENDING and event.process == self.process
        if not at_work and not owns:
            return
        self.works = [w for w in self.works if not (w.process == event.process and w.end_ms is None)]
        self.owner_lost = self.owner_lost or owns
        how = "crashes" if event.why == "fault" else f"raises {event.message!r}"
        handled = any(work.process == event.process for work in self.works)
        moment = " while it handles it" if at_work else " before it acknowledged it" if handled else ""
        left = f"; {self.name} stays pending for {self.owner}" if owns else ""
        self._link(n, event.at_ms, "crashed", f"{event.process} {how}{moment}{left}")

    def _failed(self, n: int, event: e.HandleFailed) -> None:
        """The work came to nothing."""
        if (event.stream, event.group, event.entry) != (self.entry.stream, self.subject.group or b"", self.shown):
            return
        self.works = [w for w in self.works if not (w.process == event.process and w.end_ms is None)]
        self._link(n, event.at_ms, "handle-failed", f"{event.process} fails to handle it")

    def _sent(self, event: e.Sent) -> None:
        """A request that is late or lost: an acknowledgement of the entry is worth a link."""
        self._commands[event.call] = "+".join(text(argv[0]).upper() for argv in event.commands)
        for argv in event.commands:
            if argv[0].upper() == b"XACK" and argv[1:3] == (self.entry.stream, self.subject.group):
                self._carried[event.call] = "acking" if self.shown in argv[3:] else ""

    def _lost(self, n: int, event: e.Lost) -> None:
        if event.what != "reply":
            if self._carried.get(event.call) == "acking":
                line = f"the XACK of {event.process} is lost on its way: {self.name} stays pending for {self.owner}"
                self._link(n, event.at_ms, "ack-lost", line)
            return
        carried = self._carried.get(event.call)
        command = self._commands.get(event.call, "command")
        if carried == "given":
            self.reply_lost = True
            line = f"the reply of that {command} is lost: {event.process} never sees {self.name}"
            self._link(n, event.at_ms, "reply-lost", line)
        elif carried == "acked":
            self.ack_lost = True
            line = f"the reply of that {command} is lost: it is acknowledged, and {event.process} does not know"
            self._link(n, event.at_ms, "ack-reply-lost", line)

    def _link(self, n: int, at_ms: int, kind: str, line: str) -> None:
        self.links.append(Link(n, at_ms, kind, line))
        self.calls = {}

    def asked_in_vain(self) -> str:
        """What the group was asked for since the last link, in words; empty where nobody asked."""
        by_command: dict[str, dict[str, int]] = {}
        for (process, command), times in self.calls.items():
            by_command.setdefault(command, {})[process] = times
        parts = [f"{sum(who.values()):,} {command} by {listed(who)}" for command, who in by_command.items()]
        claims = any(name.endswith("CLAIM") for name in by_command)
        return listed(parts) + (", none of them a claim," if parts and not claims else "")


_ASKING = frozenset({"XREADGROUP", "XAUTOCLAIM", "XCLAIM"})
"""Commands that can give a consumer an entry."""
