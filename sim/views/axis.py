"""The axis of time: true to scale where something happens, shortened where nothing does.

A run has work of 50 ms and waits of 30 s; on a scale for the waits the work would be invisible. So a
stretch longer than a limit in which nothing that is drawn happens is shortened, and shows a break.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import NamedTuple

READABLE_SHARE = 0.02
"""The part of the axis that the typical handler needs; where it gets less, waits are shortened ..."""
GOOD_SHARE = 0.035
"""... until it has this much: a break should gain something."""
BREAKS_MAX = 7
"""More breaks than this are harder to read than what they would make room for."""
TICK_SHARE = 0.065
"""No two labels are nearer than this."""
_SHORTEN = 0.8
_SLACK = 2.0  # a stretch that is not much over the limit is not worth a break


class Piece(NamedTuple):
    """A stretch of time and its place on the axis, from 0 to 1. ``broken`` pieces are not to scale."""

    begin_ms: int
    end_ms: int
    left: float
    right: float
    broken: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """From true time to a place on the axis, piece by piece."""

    pieces: tuple[Piece, ...]
    counts_steps: bool = False
    """Whether it counts steps, since no time passes."""

    @property
    def begin_ms(self) -> int:
        """Where the axis begins."""
        return self.pieces[0].begin_ms

    @property
    def end_ms(self) -> int:
        """Where the axis ends."""
        return self.pieces[-1].end_ms

    @property
    def knots(self) -> tuple[int, ...]:
        """The times at which the scale changes: a straight line needs a corner there."""
        return (*(piece.begin_ms for piece in self.pieces), self.end_ms)

    @property
    def breaks(self) -> tuple[Piece, ...]:
        """The pieces that are shortened."""
        return tuple(piece for piece in self.pieces if piece.broken)

    def place(self, at_ms: float) -> float:
        """The place of a time, from 0 to 1; times outside lie at the ends."""
        at_ms = min(max(at_ms, self.begin_ms), self.end_ms)
        index = bisect_right(self.pieces, at_ms, key=lambda piece: piece.begin_ms) - 1
        piece = self.pieces[max(index, 0)]
        share = (at_ms - piece.begin_ms) / (piece.end_ms - piece.begin_ms)
        return piece.left + share * (piece.right - piece.left)

    def ticks(self) -> list[tuple[int, str]]:
        """Times with labels: round ones, never in a shortened piece; in s or, in short runs, in ms."""
        placed = {self.begin_ms: 0.0}
        plain = [piece for piece in self.pieces if not piece.broken]
        steps = _steps(self.end_ms - self.begin_ms)
        # Plain pieces share one scale, so one step serves them all; a piece that it misses gets a finer one.
        main = min((step for step in steps if self._share(step) >= TICK_SHARE), default=steps[0])
        for step in [main, *(step for step in steps if step < main)]:
            for piece in plain:
                if step != main and any(piece.begin_ms <= at_ms < piece.end_ms for at_ms in placed):
                    continue
                first = -(-piece.begin_ms // step) * step
                for at_ms in range(first, piece.end_ms + 1, step):
                    place = self.place(at_ms)
                    if all(abs(place - other) >= TICK_SHARE for other in placed.values()):
                        placed[at_ms] = place
                        if step != main:
                            break
        for earlier, later in pairwise(self.pieces):
            place = later.left  # between two breaks there is a single moment
            if earlier.broken and later.broken and all(abs(place - x) >= TICK_SHARE for x in placed.values()):
                placed[later.begin_ms] = place
        return [(at_ms, self._label(at_ms)) for at_ms in sorted(placed)]

    def _share(self, step_ms: int) -> float:
        """What part of the axis a stretch of this length takes, to scale."""
        plain = next((piece for piece in self.pieces if not piece.broken), self.pieces[0])
        return step_ms * (plain.right - plain.left) / (plain.end_ms - plain.begin_ms)

    @property
    def unit(self) -> str:
        """``ms`` or ``s``; or ``steps``."""
        if self.counts_steps:
            return "steps"
        return "ms" if self.end_ms <= 2000 else "s"

    def _label(self, at_ms: int) -> str:
        return str(at_ms) if self.unit != "s" else f"{at_ms / 1000:.3f}".rstrip("0").rstrip(".")


def axis(moments: Iterable[int], unit_ms: float) -> Axis:
    """The axis for the moments at which something is drawn.

    ``unit_ms`` is a short stretch that must stay readable, such as a typical handler's time.
    """
    times = sorted(set(moments)) or [0]
    if len(times) == 1:
        times.append(times[0] + 1)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    limit = _limit(gaps, unit_ms)
    widths = [_width(gap, limit) for gap in gaps]
    total = sum(widths)
    pieces: list[Piece] = []
    left = 0.0
    for begin, gap, width in zip(times, gaps, widths, strict=False):
        right = left + width
        broken = gap > limit * _SLACK
        if pieces and not broken and not pieces[-1].broken:
            pieces[-1] = pieces[-1]._replace(end_ms=begin + gap, right=right / total)
        else:
            pieces.append(Piece(begin, begin + gap, left / total, right / total, broken))
        left = right
    return Axis(tuple(pieces))


def typical(durations: Sequence[int]) -> float:
    """The median of what lasted at all; 1 where nothing did."""
    lasting = sorted(duration for duration in durations if duration > 0)
    return lasting[len(lasting) // 2] if lasting else 1


def _limit(gaps: list[int], unit_ms: float) -> float:
    limit = float(max(gaps))
    if unit_ms >= READABLE_SHARE * sum(gaps):
        return limit
    while limit > 2 * unit_ms and unit_ms < GOOD_SHARE * sum(_width(gap, limit) for gap in gaps):
        if sum(gap > limit * _SHORTEN * _SLACK for gap in gaps) > BREAKS_MAX:
            break
        limit *= _SHORTEN
    return limit


def _width(gap: int, limit: float) -> float:
    """To scale up to the limit, and growing with the logarithm beyond, so that longer still looks longer."""
    return gap if gap <= limit * _SLACK else limit * (1 + log(gap / limit) / 2)


def _steps(total_ms: int) -> list[int]:
    steps = [factor * 10**power for power in range(8, -1, -1) for factor in (5, 2, 1)]
    return [step for step in steps if step <= max(total_ms, 1)]
