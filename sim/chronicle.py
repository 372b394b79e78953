"""Where and when a world is, and what is written down of it."""

from __future__ import annotations

from ..models.facts import Fact
from ..models.replies import Reply
from .declared import hold_to
from .events import Effect, Event
from .history import History
from .plan import SERVER, Plan
from .watch import Watch


class Chronicle:
    """True time, the clocks of the hosts, and the two who see every event: the history and the properties."""

    __slots__ = ("drifts", "history", "now_ms", "offsets", "plan", "watch")

    def __init__(self, plan: Plan, watch: Watch | None, history: History | None) -> None:
        self.plan = plan
        self.now_ms = 0
        self.offsets: dict[str, int] = {}
        """How far each host's clock is from true time; hosts that are right are not named."""
        self.drifts: dict[str, tuple[int, int]] = {}
        """Hosts whose clocks do not run true: since when, and by how many ms a second."""
        self.watch = watch
        self.history = history

    def share_past(self, twin: Chronicle) -> None:
        """Gives a fork the same past, from which each goes on alone."""
        twin.plan = self.plan
        twin.now_ms = self.now_ms
        twin.offsets = self.offsets.copy()
        twin.drifts = self.drifts.copy()
        twin.watch = None if self.watch is None else self.watch.fork()
        twin.history = None if self.history is None else self.history.fork()

    def clock(self, host: str) -> int:
        """What the clock of a host shows, in ms since the epoch."""
        shown_ms = self.plan.epoch_ms + self.now_ms
        if not self.offsets:
            return shown_ms  # mostly; a clock that drifts has an offset, too
        shown_ms += self.offsets.get(host, 0)
        if host in self.drifts:
            since_ms, ms_a_second = self.drifts[host]
            shown_ms += (self.now_ms - since_ms) * ms_a_second // 1000
        return shown_ms

    def drift(self, host: str, ms_a_second: int) -> None:
        """From now on the clock of a host goes wrong, by so much more."""
        _, before = self.drifts.get(host, (0, 0))
        self.offsets[host] = self.clock(host) - self.plan.epoch_ms - self.now_ms
        self.drifts[host] = (self.now_ms, before + ms_a_second)

    def record(self, event: Event) -> None:
        """Writes an event down and shows it to the properties."""
        if self.history is not None:
            self.history.events.append(event)
        if self.watch is not None:
            self.watch.observe(event)

    def record_effect(
        self, name: str, call: int, session: int, sent_ms: int, commands: tuple[tuple[bytes, ...], ...],
        replies: tuple[Reply, ...], facts: tuple[Fact, ...],
    ) -> None:  # fmt: skip
        """Writes down that commands took effect, now; an error where a process touched what it does not declare."""
        if name in self.plan.touching:
            hold_to(name, self.plan.touching[name], commands, replies, facts)
        effect = (self.now_ms, name, call, session, sent_ms, self.clock(SERVER), commands, replies, facts)
        self.record(tuple.__new__(Effect, effect))  # as in kernel
