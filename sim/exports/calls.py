"""What became of each command of a run: when it left, when it took effect, and when its answer came, if it did."""

from __future__ import annotations

from dataclasses import dataclass

from ..events import Cancelled, Effect, Lost, Replied, Sent, ServerLost, Unanswered
from ..history import History
from ..views.words import text
from .moments import moments_us

REPLIED, LOST, GIVEN_UP, OPEN = "replied", "lost", "given up", "never answered"


@dataclass(slots=True)
class Call:
    """One command, or one transaction; times are microseconds."""

    number: int
    process: str
    commands: tuple[tuple[bytes, ...], ...]
    begin_us: int
    effect_us: int | None
    """When it took effect; ``None`` where it never arrived."""
    server: int
    """Which server it reached, from 1."""
    end_us: int
    end: str

    @property
    def name(self) -> str:
        """The commands' names."""
        return "+".join(text(argv[0]).upper() for argv in self.commands)

    @property
    def line(self) -> str:
        """The commands as they would be typed."""
        return "; ".join(" ".join(text(word) for word in argv) for argv in self.commands)


def calls(history: History) -> list[Call]:
    """Every command of a run, in the order in which they left."""
    times = moments_us(history)
    last_us = times[-1] if times else 0
    found: dict[int, Call] = {}
    server = 1
    for at_us, event in zip(times, history, strict=True):
        if isinstance(event, Sent):
            found[event.call] = Call(event.call, event.process, event.commands, at_us, None, server, last_us, OPEN)
        elif isinstance(event, Effect):
            call = found.get(event.call)
            if call is None:
                begin_us = min(event.sent_ms * 1000, at_us) if event.sent_ms < event.at_ms else at_us
                call = Call(event.call, event.process, event.commands, begin_us, at_us, server, last_us, OPEN)
                found[event.call] = call
            call.effect_us, call.server = at_us, server
        elif isinstance(event, Replied | Lost | Unanswered | Cancelled) and event.call in found:
            call = found[event.call]
            how = REPLIED if isinstance(event, Replied) else LOST if isinstance(event, Lost) else GIVEN_UP
            if call.end == OPEN or how == REPLIED:
                call.end_us, call.end = at_us, how
        elif isinstance(event, ServerLost) and event.cause == "failover":
            server += 1
    return list(found.values())
