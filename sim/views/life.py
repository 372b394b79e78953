"""The life of one entry in one group, put together fact by fact."""

from __future__ import annotations

from .picture import Mark, Row, Segment, Sign, State, Work

_PENDING = (State.PENDING, State.ORPHANED, State.DANGLING)
_TROUBLE = 40
IN_STREAM, NEVER_HANDLED = "in the stream", "never handled"
"""What becomes of an entry of a stream that no group reads."""


class EntryLife:
    """A row while it grows. Times are true times; ``clock`` is what the server's clock is ahead of them."""

    def __init__(self, entry: str, entry_id: int, fields: str, added_ms: int) -> None:
        self.entry = entry
        self.id = entry_id
        self.fields = fields
        self.added_ms = added_ms
        self.state: State | None = State.WAITING
        self.since_ms = added_ms
        self.owner = ""
        self.process = ""
        self.count = 0
        self.segments: list[Segment] = []
        self.marks: list[Mark] = []
        self.works: list[Work] = []
        self.claims = 0
        self._delivered_ms = 0
        self._idle: list[tuple[tuple[int, int], ...]] = []
        self._teeth: list[tuple[int, int]] = []
        self._fate: tuple[str, str, bool] | None = None
        self._removed = ""

    @property
    def pending(self) -> bool:
        """Whether the group waits for an acknowledgement."""
        return self.state in _PENDING

    @property
    def taken(self) -> bool:
        """Whether the entry was taken out of the stream."""
        return bool(self._removed)

    def deliver(self, at_ms: int, clock: int, owner: str, process: str, count: int) -> None:
        """``>`` gave it to a consumer."""
        self._own(at_ms, clock, at_ms + clock, owner, process)
        self.count = count
        self.marks.append(Mark(at_ms, Sign.DELIVERED, str(count)))

    def reread(self, at_ms: int, clock: int, owner: str, process: str, count: int) -> None:
        """Its owner read it again from its own history, which restarts the idle clock."""
        self._own(at_ms, clock, at_ms + clock, owner, process)
        self.count = count
        self.marks.append(Mark(at_ms, Sign.REREAD, str(count)))

    def claim(self, at_ms: int, clock: int, delivered_ms: int, owner: str, process: str, count: int) -> bool:
        """Somebody claimed it; tells whether it changed hands (or was only renewed)."""
        moved = not self.pending or owner != self.owner
        self._own(at_ms, clock, delivered_ms, owner, process)
        self.claims += moved
        again = moved or count != self.count
        self.marks.append(Mark(at_ms, Sign.CLAIMED if again else Sign.RENEWED, str(count)))
        self.count = count
        return moved

    def give(self, at_ms: int, owner: str, process: str) -> None:
        """NOACK: delivered, and done with as far as the group is concerned."""
        self._leave(at_ms)
        self.owner, self.process = owner, process
        self.marks.append(Mark(at_ms, Sign.GIVEN))
        self._end(at_ms, "given, NOACK", owner, False)

    def reinstate(
        self, at_ms: int, clock: int, delivered_ms: int, owner: str, process: str, count: int
    ) -> None:
        """Pending again, as it was before: what came after was lost with the server."""
        self._own(at_ms, clock, delivered_ms, owner, process)
        self._fate = None
        self.marks.append(Mark(at_ms, Sign.REINSTATED, str(count)))
        self.count = count

    def ack(self, at_ms: int, clock: int) -> None:
        """Acknowledged."""
        gone = self.state is State.DANGLING
        self._leave(at_ms, clock)
        self.marks.append(Mark(at_ms, Sign.ACKED))
        self._end(at_ms, "acknowledged", self.owner, False)
        if gone:
            self.state = None

    def remove(self, at_ms: int, clock: int, sign: Sign, lost: str = "") -> None:
        """The entry itself went out of the stream: trimmed, deleted, or ``lost`` with the server."""
        word = self._removed = lost or sign.value
        if self.state is State.WAITING:
            self._leave(at_ms)
            self._end(at_ms, lost or f"{word} undelivered", "", True)
            self.state = None
        elif self.pending:
            self._turn(at_ms, State.DANGLING)
            self._fate = (f"{word} while pending", self.owner, True)
        elif self.state is State.KEPT:
            self._leave(at_ms)
            self.state = None
        else:
            return
        self.marks.append(Mark(at_ms, sign))

    def forget(self, at_ms: int, clock: int, cause: str) -> None:
        """The group lost its pending entry by anything but an acknowledgement."""
        owner = self.owner
        self._leave(at_ms, clock)
        self.marks.append(Mark(at_ms, Sign.FORGOTTEN, cause))
        self._end(at_ms, f"forgotten by {cause}", owner, True)
        if self.taken:
            self.state = None

    def skip(self, at_ms: int, cause: str) -> None:
        """The group's cursor passed it without a delivery."""
        if self.state is State.WAITING:
            self._leave(at_ms)
            self.marks.append(Mark(at_ms, Sign.SKIPPED, cause))
            self._end(at_ms, f"skipped: {cause}", "", True)

    def orphan(self, at_ms: int, living: bool) -> None:
        """Its owner's name lost its last running process, or found one again."""
        if self.state is (State.ORPHANED if living else State.PENDING):
            self._turn(at_ms, State.PENDING if living else State.ORPHANED)

    def clock_moved(self, at_ms: int, before: int, after: int) -> None:
        """The server's clock jumped, and every idle time with it."""
        if self.pending:
            self._tooth(at_ms, before)
            self._tooth(at_ms, after)

    def close(self, at_ms: int, clock: int, named: bool, missed: bool, keep: bool, grouped: bool) -> Row:
        """The finished row.

        ``named``: a violation speaks of this entry; ``missed``: one about handling does; ``keep``: show that it stayed
        in the stream; ``grouped``: there is a group that should have got it.
        """
        state = self.state
        self._leave(at_ms, clock, hide_kept=not keep)
        if self.pending or state is State.WAITING:
            gone = self._fate[0] + ", " if self._fate else ""
            words = {State.WAITING: "never delivered", State.ORPHANED: "pending, its owner is gone"}
            self._fate = (gone + words.get(self.state or State.KEPT, "still pending"), self.owner, True)
        outcome, by, trouble = self._fate or (IN_STREAM, "", False)
        if self._removed and self.state is None and outcome == "acknowledged":
            outcome = f"acknowledged, then {self._removed}"
        unhandled = missed and all(work.cut for work in self.works)
        if not grouped:
            trouble, outcome = unhandled, self._removed or (NEVER_HANDLED if unhandled else IN_STREAM)
        elif outcome == "acknowledged" and unhandled:
            trouble, outcome = True, "acknowledged, not handled"
        marks = tuple(sorted(self.marks, key=lambda mark: mark.at_ms))
        works = stacked(self.works)
        return Row(
            self.entry, self.id, self.fields, tuple(self.segments), works, marks, tuple(self._idle), self.count,
            outcome, by, trouble, self._interest(trouble, named),
        )  # fmt: skip

    def _interest(self, trouble: bool, named: bool) -> int:
        orphaned = any(segment.state is State.ORPHANED for segment in self.segments)
        odd_work = len(self.works) > 1 or any(work.cut for work in self.works)
        return 100 * named + _TROUBLE * trouble + 20 * min(self.claims, 2) + 15 * orphaned + 10 * odd_work

    def _own(self, at_ms: int, clock: int, delivered_ms: int, owner: str, process: str) -> None:
        dangling = self.state is State.DANGLING
        self._leave(at_ms, clock)
        self.state = State.DANGLING if dangling else State.PENDING
        self.since_ms = at_ms
        self.owner, self.process = owner, process
        self._delivered_ms = delivered_ms
        self._tooth(at_ms, clock)

    def _leave(self, at_ms: int, clock: int = 0, hide_kept: bool = False) -> None:
        if self.pending:
            self._tooth(at_ms, clock)
            self._idle.append(tuple(self._teeth))
            self._teeth = []
        if self.state is not None and not (hide_kept and self.state is State.KEPT):
            self._segment(at_ms)

    def _turn(self, at_ms: int, state: State) -> None:
        self._segment(at_ms)
        self.state, self.since_ms = state, at_ms

    def _segment(self, at_ms: int) -> None:
        assert self.state is not None
        if at_ms > self.since_ms:
            owned = (self.owner, self.process) if self.pending else ("", "")
            self.segments.append(Segment(self.state, self.since_ms, at_ms, *owned))

    def _end(self, at_ms: int, outcome: str, by: str, trouble: bool) -> None:
        self._fate = (outcome, by, trouble)
        self.state, self.since_ms = State.KEPT, at_ms

    def _tooth(self, at_ms: int, clock: int) -> None:
        idle = at_ms + clock - self._delivered_ms
        if self._teeth:
            last_ms, last_idle = self._teeth[-1]
            zero_ms = self._delivered_ms - clock
            if last_idle == 0 and last_ms < zero_ms < at_ms:
                # Redis reads a delivery in the future as idle 0: the tooth starts where the clock is past it.
                self._teeth.append((zero_ms, 0))
        self._teeth.append((at_ms, max(idle, 0)))


def stacked(works: list[Work]) -> tuple[Work, ...]:
    """The handlers in order of time, each on the lowest level that is free."""
    free_ms: list[int] = []
    out = []
    for work in sorted(works, key=lambda work: (work.begin_ms, work.end_ms)):
        level = next((i for i, end_ms in enumerate(free_ms) if end_ms <= work.begin_ms), len(free_ms))
        free_ms[level : level + 1] = [work.end_ms]
        out.append(work._replace(level=level))
    return tuple(out)
