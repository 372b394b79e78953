"""A run as a numbered story in words, short enough for an issue."""

from __future__ import annotations

from ...models import facts as f
from ...models.replies import Failure, Nil
from .. import events as e
from ..history import History
from . import words
from .words import duration, entries, text


def tell(history: History) -> list[str]:
    """Who did what, what Redis answered, what was lost on the way: one line a moment that matters."""
    teller = _Teller(history)
    for event in history:
        teller.hear(event)
    lines = [f"{words.title(history.header)} ({words.subtitle(history.header)})"]
    lines += [f"{n:>3}. {duration(at_ms):>9}  {line}" for n, (at_ms, line) in enumerate(teller.lines, 1)]
    lines += ["", *words.verdict(history.header)]
    if history.header.get("tape"):
        lines += ["", words.replay(history.header)]
    return lines


class _Teller:
    """Puts events into sentences; what changed nothing is not told."""

    def __init__(self, history: History) -> None:
        self.lines: list[tuple[int, str]] = []
        self._numbers = words.Numbering(history)
        self._names: dict[str, str] = {}

    def hear(self, event: e.Event) -> None:
        """Tells one event, if it is worth a line."""
        if isinstance(event, (e.Effect, e.Served)):
            self._hear_facts(event)
        elif isinstance(event, e.Started):
            self._names[event.process] = event.consumer
            if event.incarnation > 1:
                name = "" if event.consumer == event.process else f" as {event.consumer}"
                self._say(event.at_ms, f"{event.process} starts again{name}")
        elif isinstance(event, e.Handling):
            self._say(event.at_ms, f"{event.process} begins to handle {self._entry(event)}")
        elif isinstance(event, e.Handled):
            self._say(event.at_ms, f"{event.process} has handled {self._entry(event)}")
        elif isinstance(event, e.Crashed):
            why = "crashes" if event.why == "fault" else f"raises and is gone: {event.message}"
            self._say(event.at_ms, f"{event.process} {why}")
        elif isinstance(event, e.Lost):
            self._say(event.at_ms, f"the {event.what} of {event.process} is lost")
        elif isinstance(event, e.Projected):
            upto = text(event.upto)
            self._say(event.at_ms, f"{event.process} has {event.name} = {event.value}, up to {upto}")
        elif isinstance(event, e.ClockJumped):
            self._say(event.at_ms, f"the clock of {event.host} jumps by {duration(event.by_ms)}")
        elif isinstance(event, e.Healed):
            self._say(event.at_ms, "from here on there are no more faults")

    def _hear_facts(self, event: e.Effect | e.Served) -> None:
        who = event.process or "before the start"
        for fact in event.facts:
            line = self._fact(who, fact)
            if line:
                self._say(event.at_ms, line)
        replies = event.replies if isinstance(event, e.Effect) else (event.reply,)
        for i, reply in enumerate(replies):
            if isinstance(reply, Failure):
                command = "its read" if isinstance(event, e.Served) else text(event.commands[i][0])
                self._say(event.at_ms, f"Redis refuses {command} of {who}: {text(reply.text)}")
            elif isinstance(event, e.Served) and isinstance(reply, Nil):
                continue  # a read that waited in vain changes nothing

    def _fact(self, who: str, fact: f.Fact) -> str:
        if isinstance(fact, f.Added):
            return f"{who} adds {self._of(fact)} to {text(fact.stream)} ({words.fields_of(fact.fields)})"
        if isinstance(fact, f.Delivered):
            again = f", taking it from {text(fact.owner_before)}" if fact.owner_before else ""
            return f"Redis delivers {self._of(fact)} to {text(fact.consumer)}{again}"
        if isinstance(fact, f.Reread):
            return f"{text(fact.consumer)} reads {self._of(fact)} again from its history (delivery {fact.count})"
        if isinstance(fact, f.Claimed):
            idle = "" if fact.idle_ms is None else f" after {duration(fact.idle_ms)} of idleness"
            if fact.owner_before == fact.consumer:
                return f"{text(fact.consumer)} renews its claim on {self._of(fact)}{idle}"
            before = f" from {text(fact.owner_before)}" if fact.owner_before else ""
            return f"{text(fact.consumer)} claims {self._of(fact)}{before}{idle} (delivery {fact.count})"
        if isinstance(fact, f.Acked):
            return f"{who} acknowledges {self._of(fact)}"
        if isinstance(fact, (f.Trimmed, f.Deleted)):
            how = "trims" if isinstance(fact, f.Trimmed) else "deletes"
            gone = entries([self._numbers.of(fact.stream, fact.born, i) for i in fact.ids])
            return f"{who} {how} {gone} of {text(fact.stream)}"
        if isinstance(fact, f.ConsumerRemoved) and fact.pending:
            gone = entries([self._numbers.of(fact.stream, fact.born, i) for i in fact.pending])
            return f"{who} removes consumer {text(fact.consumer)}, and {gone} with it"
        if isinstance(fact, (f.GroupRemoved, f.StreamRemoved)):
            what = f"group {text(fact.group)}" if isinstance(fact, f.GroupRemoved) else f"stream {text(fact.stream)}"
            return f"{fact.cause} removes {what}"
        return ""

    def _of(self, fact: f.Added | f.Delivered | f.Reread | f.Claimed | f.Acked) -> str:
        return entries([self._numbers.of(fact.stream, fact.born, fact.id)])

    def _entry(self, event: e.Handling | e.Handled) -> str:
        return entries([self._numbers.named(event.stream, event.entry)])

    def _say(self, at_ms: int, line: str) -> None:
        self.lines.append((at_ms, line))
