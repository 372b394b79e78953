"""The sheet that a picture is drawn on: places in inches, and the few shapes that are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from .layout import without_saw_tooth
from .palette import INK, OTHERS, PAPER, SOFT, Look, looks
from .picture import Line, Picture, Row
from .words import short

WIDTH_IN = 11.0
EDGE_IN = 0.22
GUTTER_IN = 0.16
"""Between the names on the left, the time axis, and the outcomes on the right."""
NAMES_MAX_IN, OUTCOMES_MAX_IN = 2.3, 2.6
TOP_IN, LEVEL_UP_IN = 0.98, 0.17
LANE_IN, LEVEL_IN = 0.42, 0.24
SERVER_IN = 0.42
BLOCK_HEAD_IN, ROW_IN, IDLE_IN = 0.40, 0.36, 0.44
SMALL, PLAIN, LARGE = 7.0, 8.0, 9.0
"""Sizes of text, in points."""

Sample = Callable[[float, float], None]


def width_of(text: str, size: float, weight: str = "normal", family: str = "DejaVu Sans") -> float:
    """How wide a text will be, in inches."""
    font = FontProperties(family=family, size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def wrapped(text: str, width_in: float, size: float) -> list[str]:
    """The text in lines of at most this width; a word that is wider alone gets its line."""
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}", size) <= width_in:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def name_of(row: Row) -> tuple[str, str]:
    """What a row is called: the entry's number, and its fields."""
    return row.entry, short(row.fields, 24)


def outcome_of(row: Row) -> tuple[str, str]:
    """What became of a row's entry, and who had it: two lines."""
    again = f"after {row.deliveries} deliveries" if row.deliveries > 1 else ""
    whose = "by" if row.outcome.startswith(("acknowledged", "given")) else "owner"
    return row.outcome, " ".join(part for part in (f"{whose} {row.by}" if row.by else "", again) if part)


@dataclass(slots=True)
class Places:
    """Where things stand, in inches from the top."""

    lanes: dict[str, float] = field(default_factory=dict)
    server: float = 0.0
    blocks: list[float] = field(default_factory=list)
    rows: list[list[tuple[float, float]]] = field(default_factory=list)
    """For each block: (top of the bar, top of the saw-tooth strip, which is 0 where there is none)."""
    bottom: float = 0.0


def places_of(picture: Picture, top: float) -> Places:
    """Stacks lanes, server and entries from the top down."""
    places = Places()
    y = top
    for lane in picture.lanes:
        places.lanes[lane.name] = y
        y += LANE_IN + (lane.levels - 1) * LEVEL_IN
    places.server = y
    y += SERVER_IN
    for block in picture.blocks:
        places.blocks.append(y)
        y += BLOCK_HEAD_IN
        rows = []
        for row in block.rows:
            strip = 0.0 if without_saw_tooth(row, block) else y + ROW_IN - 0.04
            rows.append((y, strip))
            y += ROW_IN + (IDLE_IN if strip else 0.0)
        places.rows.append(rows)
        if block.left_out:
            y += 0.22
    places.bottom = y + 0.06
    return places


class Sheet:
    """Axes in inches, y downwards, with the time axis between ``left`` and ``right``."""

    def __init__(self, axes: Axes, picture: Picture) -> None:
        self.axes = axes
        self.picture = picture
        self.edge, self.right_edge = EDGE_IN, WIDTH_IN - EDGE_IN
        self.left = EDGE_IN + min(self._names_in(), NAMES_MAX_IN) + GUTTER_IN
        self.right = self.right_edge - min(self._outcomes_in(), OUTCOMES_MAX_IN) - GUTTER_IN
        self.headlines = self._headlines()
        """(line, left end of its label, level above the lanes) for what concerns the whole world."""
        levels = max((level for _, _, level in self.headlines), default=-1) + 1
        self.top = TOP_IN + LEVEL_UP_IN * levels
        self.places = places_of(picture, self.top)
        self.bottom = self.places.bottom
        self.looks = looks(picture.lanes, picture.takers)
        self.legend: list[tuple[Sample, str]] = []
        """What was drawn and needs a word: a sample at (x, y), and the word."""

    def _headlines(self) -> list[tuple[Line, float, int]]:
        """Labels that would overlap are stacked; violations come first, so they stand lowest."""
        out: list[tuple[Line, float, int]] = []
        taken: list[tuple[float, float, int]] = []
        for line in sorted(self.picture.lines, key=lambda line: (line.kind != "violated", line)):
            width = width_of(line.text, PLAIN, "bold")
            begin = min(self.x(line.at_ms) - 0.04, self.right - width)
            level = 0
            while any(level == on and begin < b + 0.1 and a < begin + width + 0.1 for a, b, on in taken):
                level += 1
            taken.append((begin, begin + width, level))
            out.append((line, begin, level))
        return out

    def _names_in(self) -> float:
        widths = [width_of(name, LARGE, "bold") for name in ("server", *(lane.name for lane in self.picture.lanes))]
        widths += [width_of("  ".join(name_of(row)), PLAIN) + 0.1 for row in self._rows()]
        return max(widths, default=0.0) + 0.14

    def _outcomes_in(self) -> float:
        lines = [line for row in self._rows() for line in outcome_of(row)]
        return max((width_of(line, PLAIN, "bold") for line in lines), default=0.0)

    def _rows(self) -> list[Row]:
        return [row for block in self.picture.blocks for row in block.rows]

    def look(self, process: str) -> Look:
        """The look of a process, also of one that is not shown."""
        return self.looks.get(process, OTHERS)

    def x(self, at_ms: float) -> float:
        """The place of a time."""
        return self.left + self.picture.axis.place(at_ms) * (self.right - self.left)

    def clear(self, left: float, right: float) -> tuple[float, float]:
        """The widest stretch between two places that no break of the axis runs through."""
        best, begin = (left, left), left
        for piece in self.picture.axis.breaks:
            middle = (self.x(piece.begin_ms) + self.x(piece.end_ms)) / 2
            if left < middle < right:
                best = max(best, (begin, middle - 0.08), key=lambda span: span[1] - span[0])
                begin = middle + 0.08
        return max(best, (begin, right), key=lambda span: span[1] - span[0])

    def explain(self, text: str, sample: Sample) -> None:
        """Puts a sample into the legend, once."""
        if all(known != text for _, known in self.legend):
            self.legend.append((sample, text))

    def text(
        self, x: float, y: float, text: str, *, size: float = PLAIN, color: str = INK, ha: str = "left",
        z: float = 7, boxed: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        """Text whose middle line is at ``y``; ``boxed`` lifts it off what lies below."""
        if boxed:
            more["bbox"] = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.2, "alpha": 0.88}
        self.axes.text(x, y, text, fontsize=size, color=color, ha=ha, va="center", zorder=z, parse_math=False, **more)

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, *, edge: str = "none",
        hatch: str = "", z: float = 2, line: float = 0.8, alpha: float = 1,
    ) -> None:  # fmt: skip
        """A rectangle from its upper left corner; the hatch has the colour of the edge."""
        self.axes.add_patch(
            Rectangle(
                (x, y), width, height, facecolor=fill, edgecolor=edge, hatch=hatch or None, linewidth=line,
                zorder=z, alpha=alpha,
            )
        )  # fmt: skip

    def line(
        self, points: list[tuple[float, float]], *, color: str = SOFT, width: float = 1.0,
        dashes: tuple[float, ...] = (), z: float = 3, alpha: float = 1,
    ) -> None:  # fmt: skip
        """A line through points; ``dashes`` are lengths of ink and gap in turn, in line widths."""
        xs, ys = zip(*points, strict=True)
        line = Line2D(xs, ys, color=color, linewidth=width, zorder=z, solid_joinstyle="miter", alpha=alpha)
        if dashes:
            line.set_dashes(dashes)
        self.axes.add_line(line)

    def mark(
        self, x: float, y: float, marker: str, *, color: str = INK, fill: str = "", size: float = 6,
        z: float = 5.5, edge_width: float = 1.0,
    ) -> None:  # fmt: skip
        """A symbol; ``fill`` is its inside where that is of another colour."""
        self.axes.add_line(
            Line2D(
                [x], [y], marker=marker, markersize=size, linestyle="none", zorder=z, markeredgecolor=color,
                markerfacecolor=fill or color, markeredgewidth=edge_width,
            )
        )  # fmt: skip
