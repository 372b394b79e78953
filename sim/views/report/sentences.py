"""Each event of a history as one line: what kind of thing it is, and what happened, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ....models import facts as f
from ....models.replies import BLOCKED, Failure, Map, Members, Nil, Reply, Simple
from ... import events as e
from .. import links, words
from .streams import Streams

COMMAND_LENGTH = 200
REPLY_LENGTH = 60

_VERBS: dict[type, str] = {
    f.Added: "adds", f.Delivered: "gives", f.Reread: "gives again", f.Claimed: "hands over", f.Acked: "acknowledges",
    f.Forgotten: "forgets", f.Nacked: "takes back", f.Deleted: "deletes", f.Trimmed: "trims", f.Restored: "brings back",
    f.Reinstated: "makes pending again",
}  # fmt: skip


class Sentences:
    """Reads events in order, after ``streams`` has heard them."""

    def __init__(self, numbers: words.Numbering, streams: Streams) -> None:
        self._numbers = numbers
        self._streams = streams
        self._commands: dict[int, str] = {}
        """The names of the commands of a call."""

    def of(self, event: e.Event) -> tuple[str, str]:
        """The kind of an event, and its line without who it is of."""
        match event:
            case e.Effect():
                return self._effect(event)
            case e.Served():
                return self._served(event)
            case e.Replied():
                return "replied", f"the reply to {self._command(event.call)} arrives"
            case e.Closed():
                return "closed", "its connection is closed"
            case e.Handling() | e.Handled() | e.HandleFailed():
                return self._work(event)
            case e.Lost():
                return f"lost-{event.what}", f"the {event.what} of {self._command(event.call)} is lost"
            case e.Sent():
                self._commands[event.call] = _names(event.commands)
                return "sent", f"sends {_spelled(event.commands)}"
            case (
                e.Delayed() | e.Unanswered() | e.Cancelled() | e.Slowed() | e.Paused() | e.Resumed() | e.Disconnected()
                | e.Partitioned() | e.LinkSlowed() | e.Mended() | e.HalfOpened()
            ):
                return type(event).__name__.lower(), links.sentence(event, self._command(_call(event)), self._named)
            case e.Started() | e.Crashed() | e.Finished() | e.Projected():
                return self._life(event)
            case _:
                return self._world(event)

    def about(self, event: e.Event) -> list[int]:
        """The rows of the entries that an event is about, each once."""
        found: dict[int, None] = {}
        facts = event.facts if isinstance(event, e.Effect | e.Served | e.ServerLost) else ()
        for fact in facts:
            if not isinstance(fact, f.KeyFact):
                for entry_id in _entries(fact):
                    found[self._streams.known(fact.stream, fact.born, entry_id)] = None
        if isinstance(event, e.Handling | e.Handled | e.HandleFailed | e.Slowed):
            found[self._streams.named(event.stream, event.entry)] = None
        return [row for row in found if row >= 0]

    def _effect(self, event: e.Effect) -> tuple[str, str]:
        self._commands[event.call] = _names(event.commands)
        text = _spelled(event.commands)
        if event.replies == (BLOCKED,):
            return "blocked", f"{text} → waits"
        failed = any(isinstance(reply, Failure) for reply in event.replies)
        changed = any(not isinstance(fact, f.ConsumerCreated | f.LagReported) for fact in event.facts)
        kind = "refused" if failed else "effect" if changed else "quiet"
        return kind, f"{text} → {self._outcome(event.facts, event.replies)}"

    def _served(self, event: e.Served) -> tuple[str, str]:
        kind = "refused" if isinstance(event.reply, Failure) else "served" if event.facts else "quiet"
        return kind, f"{self._command(event.call)} gets its answer: {self._outcome(event.facts, (event.reply,))}"

    def _outcome(self, facts: Sequence[f.Fact], replies: Sequence[Reply]) -> str:
        """What became true, by entries, and what was answered."""
        told: dict[str, list[str]] = {}
        for fact in facts:
            lost = isinstance(fact, f.Deleted) and fact.cause in f.SERVER_LOST
            verb = "loses" if lost else _VERBS.get(type(fact))
            if verb is not None and not isinstance(fact, f.KeyFact):
                numbers = [self._numbers.of(fact.stream, fact.born, entry_id) for entry_id in _entries(fact)]
                told.setdefault(verb, []).extend(numbers)
        parts = [f"{verb} {words.entries(numbers)}" for verb, numbers in told.items() if numbers]
        answers = " ".join(_reply(reply) for reply in replies[:4])
        return " · ".join(filter(None, (answers, ", ".join(parts))))

    def _work(self, event: e.Handling | e.Handled | e.HandleFailed) -> tuple[str, str]:
        entry = self._named(event.stream, event.entry)
        if isinstance(event, e.Handling):
            return "handling", f"begins to handle {entry}"
        if isinstance(event, e.Handled):
            return "handled", f"has handled {entry}"
        return "failed", f"fails to handle {entry}"

    def _life(self, event: e.Started | e.Crashed | e.Finished | e.Projected) -> tuple[str, str]:
        match event:
            case e.Started():
                name = "" if event.consumer == event.process else f" as consumer {words.text(event.consumer.encode())}"
                again = event.incarnation > 1
                return "restarted" if again else "started", f"starts{' again' if again else ''}{name}"
            case e.Crashed():
                return "crashed", "crashes" if event.why == "fault" else f"raises {event.message!r} and is gone"
            case e.Finished():
                return "finished", "has run all its turns"
            case e.Projected():
                return "projected", f"publishes {event.name} = {event.value}"

    def _world(
        self, event: e.ClockJumped | e.ClockDrifts | e.ServerLost | e.ServerDown | e.ReplicaCut | e.Healed | e.Ended
    ) -> tuple[str, str]:
        match event:
            case e.ClockJumped():
                return "clock", f"the clock of {event.host} jumps by {words.jump(event.by_ms)}"
            case e.ServerLost():
                lost = self._outcome(event.facts, ())
                return "server-lost", " ".join(words.fall(event)) + (f": {lost}" if lost else "")
            case e.ClockDrifts():
                return "clock", words.drift(event)
            case e.ServerDown() | e.ReplicaCut():
                kind = "server-down" if isinstance(event, e.ServerDown) else "replica-cut"
                return kind, " ".join(words.apart(event))
            case e.Healed():
                return "healed", "from here on there are no more faults"
            case e.Ended():
                return "ended", "the run is over"

    def _command(self, call: int) -> str:
        return self._commands.get(call, "a command")

    def _named(self, stream: bytes, entry: bytes) -> str:
        return words.entries([self._numbers.named(stream, entry)])


def _call(event: e.Event) -> int:
    call: int = getattr(event, "call", 0)
    return call


def _entries(fact: f.Fact) -> tuple[int, ...]:
    """The IDs that a fact speaks of."""
    if isinstance(fact, f.KeyFact):
        return ()
    if isinstance(fact, f.Deleted | f.Trimmed | f.Restored):
        return fact.ids
    if isinstance(fact, f.GroupRemoved | f.ConsumerRemoved):
        return fact.pending
    entry_id = getattr(fact, "id", None)
    return () if entry_id is None else (entry_id,)


def _names(commands: Sequence[Sequence[bytes]]) -> str:
    return "+".join(words.text(argv[0]).upper() for argv in commands if argv)


def _spelled(commands: Sequence[Sequence[bytes]]) -> str:
    spelled = "; ".join(" ".join(words.text(word) or "''" for word in argv) for argv in commands)
    return words.short(spelled, COMMAND_LENGTH)


def _reply(reply: Reply) -> str:
    """A reply in a few words."""
    if isinstance(reply, Failure | Simple):
        return words.short(words.text(reply.text), REPLY_LENGTH)
    if isinstance(reply, bytes):
        return words.short(words.text(reply), REPLY_LENGTH)
    if isinstance(reply, int):
        return str(reply)
    if isinstance(reply, Nil):
        return "nil"
    if reply is BLOCKED:
        return "waits"
    if isinstance(reply, tuple):
        return words.counted(len(reply), "item") if reply else "nothing"
    if isinstance(reply, Map):
        return words.counted(len(reply.pairs), "key") if reply.pairs else "nothing"
    if isinstance(reply, Members):
        return words.counted(len(reply.items), "member")
    return type(reply).__name__.lower()
