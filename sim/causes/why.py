"""Why is an entry not acknowledged, or was handled twice? The answer in a sentence, and the chain behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...models import ids
from ..errors import BadInput
from ..events import Ended
from ..history import History
from ..views.words import duration, listed, text
from .chain import ABSENT, ACKNOWLEDGED, DROPPED, GIVEN, GONE, PENDING, SKIPPED, WAITING, Link, Tracer
from .entry import Subject, subject


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of an entry in a group by a certain time, and how."""

    subject: Subject
    at_ms: int
    state: str
    handled: int
    """How often it was handled to the end."""
    answer: str
    chain: tuple[Link, ...]
    truncated: bool
    """Whether the history stops before its run did."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        entry = self.subject.entry
        return {
            "entry": ids.show(entry.id).decode(),
            "number": self.subject.number,
            "stream": text(entry.stream),
            "group": None if self.subject.group is None else text(self.subject.group),
            "at_ms": self.at_ms,
            "state": self.state,
            "acknowledged": self.state == ACKNOWLEDGED,
            "handled": self.handled,
            "answer": self.answer,
            "truncated": self.truncated,
            "chain": [link._asdict() for link in self.chain],
        }


def explain(
    history: History, entry: str, *, stream: str | None = None, group: str | None = None, at_ms: int | None = None
) -> Explanation:
    """Follows an entry through a history, up to ``at_ms`` (by default its end)."""
    if at_ms is not None and at_ms < 0:
        raise BadInput(f"a run starts at 0 ms: there is nothing to tell of {at_ms} ms")
    about = subject(history, entry, stream, group)
    end_ms = max((event.at_ms for event in history), default=0)
    tracer = Tracer(about)
    for n, event in enumerate(history):
        if at_ms is None or event.at_ms <= at_ms:
            tracer.read(n, event)
    until_ms = end_ms if at_ms is None else min(at_ms, end_ms)
    truncated = not any(isinstance(event, Ended) for event in history)
    chain = list(tracer.links)
    last = _last_link(tracer, until_ms)
    if last is not None:
        chain.append(last)
    answer = _answer(tracer, until_ms)
    if truncated and until_ms == end_ms:
        answer += f" The history stops at event {max(len(history) - 1, 0)}, before its run was over."
    handled = sum(work.end_ms is not None for work in tracer.works)
    return Explanation(about, until_ms, tracer.state, handled, answer, tuple(chain), truncated)


def _last_link(tracer: Tracer, until_ms: int) -> Link | None:
    """What did not happen since: the cause that no event is."""
    asked = tracer.asked_in_vain()
    n, at_ms = tracer.last_call
    if tracer.state == PENDING and not tracer.busy:
        idle = duration(until_ms - tracer.given_ms)
        if not asked:
            last = tracer.links[-1]
            return Link(last.event, until_ms, "nobody-asked", f"nobody asks for it any more; it is idle for {idle}")
        return Link(n, at_ms, "nobody-claimed", f"nobody takes it up: {asked} did not return it; it is idle for {idle}")
    if tracer.state == WAITING and asked:
        return Link(n, at_ms, "not-reached", f"{asked} did not come to it")
    return None


def _answer(tracer: Tracer, until_ms: int) -> str:
    name, group = f"Entry {tracer.subject.number}", text(tracer.subject.group or b"")
    twice = _twice(tracer)
    if tracer.subject.group is None:
        return f"{name} is in no group's hands: no group reads its stream."
    if tracer.state == PENDING:
        return f"{name} is not acknowledged at {duration(until_ms)}: {_pending(tracer, until_ms)}.{twice}"
    if tracer.state == ACKNOWLEDGED:
        at = next(link for link in reversed(tracer.links) if link.kind == "acknowledged")
        unknown = ", though the reply was lost" if tracer.ack_lost else ""
        return f"{name} is acknowledged since {duration(at.at_ms)}{unknown}.{twice}"
    if tracer.state == WAITING:
        again = "again" if tracer.works else "yet"
        return f"{name} is not acknowledged at {duration(until_ms)}: group {group} was not given it {again}.{twice}"
    sentences = {
        ABSENT: f"{name} is not there yet at {duration(until_ms)}.",
        GIVEN: f"{name} was given with NOACK: nobody has to acknowledge it.",
        SKIPPED: f"{name} is never delivered to group {group}: its cursor is past it.",
        DROPPED: f"{name} was dropped from group {group} without an acknowledgement: nobody gets it again.",
        GONE: f"{name} was {tracer.removed} before group {group} got it.",
    }
    return sentences[tracer.state] + twice


def _pending(tracer: Tracer, until_ms: int) -> str:
    owner = tracer.owner
    idle = duration(until_ms - tracer.given_ms)
    gone = f" (and the entry itself is {tracer.removed})" if tracer.removed else ""
    if tracer.busy:
        return f"{listed(dict.fromkeys(tracer.busy))} is still handling it{gone}"
    if tracer.reply_lost:
        return f"{owner} has it pending and never saw it: the reply was lost, and nobody claimed it for {idle}{gone}"
    if tracer.owner_lost:
        had = "it had it pending" if owner == tracer.process else f"{owner} had it pending"
        return f"{tracer.process} crashed while {had}, and nobody has claimed it for {idle}{gone}"
    if any(work.process == tracer.process and work.begin_ms >= tracer.given_ms for work in tracer.works):
        if _ack_forgotten(tracer.links):
            return f"it was acknowledged, and the server has forgotten that; it is idle for {idle}{gone}"
        return f"{tracer.process} has handled it, and has not acknowledged it{gone}"
    return f"{tracer.process} was given it {idle} ago, and did nothing with it{gone}"


def _ack_forgotten(links: Sequence[Link]) -> bool:
    """Whether an acknowledgment was the last to say whose the entry is, before the server came back without it."""
    kinds = [link.kind for link in links]
    if "acknowledged" not in kinds:
        return False
    since = kinds[len(kinds) - kinds[::-1].index("acknowledged") :]
    return not {"delivered", "claimed", "renewed", "rewound"}.intersection(since)


def _twice(tracer: Tracer) -> str:
    """A sentence on who handled the entry, where more than one did, or one did twice."""
    done = [work for work in tracer.works if work.end_ms is not None]
    if len(done) < 2:
        return ""
    spans = [f"{work.process} ({duration(work.begin_ms)} to {duration(work.end_ms or 0)})" for work in done]
    times = "twice" if len(done) == 2 else f"{len(done)} times"
    over = any(b.begin_ms < (a.end_ms or 0) for a, b in pairwise(done))
    return f" It was handled {times}{', at the same time' if over else ''}: by {listed(spans)}."
