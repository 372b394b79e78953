"""The sheet that a picture is drawn on: places in inches, and the few shapes that are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from .layout import without_saw_tooth
from .palette import INK, LIGHT, SOFT, Look, Theme, looks
from .picture import Line, Picture, Row
from .words import listed, short

WIDTH_IN = 11.0
EDGE_IN = 0.22
GUTTER_IN = 0.16
"""Between the names on the left, the time axis, and the outcomes on the right."""
NAMES_MAX_IN, OUTCOMES_MAX_IN = 2.3, 2.6
TOP_IN, LEVEL_UP_IN, LINE_IN = 0.98, 0.17, 0.2
LANE_IN, LEVEL_IN = 0.42, 0.24
SERVER_IN, WAYS_IN = 0.42, 0.1
BLOCK_HEAD_IN, ROW_IN, IDLE_IN, LEVELS_IN = 0.40, 0.36, 0.44, 0.5
LEVELS_MIN = 3
"""Fewer pending entries, and fewer that wait, than this are seen in the rows as well as in a strip."""
SMALL, PLAIN, LARGE, TOLD_SIZE = 7.0, 8.0, 9.0, 9.5
"""Sizes of text, in points."""

Sample = Callable[[float, float], None]


@lru_cache(4096)
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
    if len(lines) > 1 and " " not in lines[-1] and lines[-2].count(" ") > 2:
        before, _, moved = lines[-2].rpartition(" ")  # no word stands alone on the last line
        lines[-2:] = [before, f"{moved} {lines[-1]}"]
    return lines


def name_of(row: Row) -> tuple[str, str]:
    """What a row is called: the entry's number, and its fields."""
    return listed(row.names), short(row.fields, 24)


def outcome_of(row: Row) -> tuple[str, str]:
    """What became of a row's entry, and who had it: two lines."""
    again = f"after {row.deliveries} deliveries" if row.deliveries > 1 else ""
    whose = "by" if row.outcome.startswith(("acknowledged", "given")) else "owner"
    return row.outcome, " ".join(part for part in (f"{whose} {row.by}" if row.by else "", again) if part)


@dataclass(slots=True)
class Places:
    """Where things stand, in inches from the top."""

    lanes: dict[str, float] = field(default_factory=dict)
    servers: list[float] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)
    rows: list[list[tuple[float, float]]] = field(default_factory=list)
    """For each block: (top of the bar, top of the saw-tooth strip, which is 0 where there is none)."""
    levels: list[float] = field(default_factory=list)
    """For each block: the top of the strip of what is pending, or 0 where there is none."""
    bottom: float = 0.0


def places_of(picture: Picture, top: float) -> Places:
    """Stacks lanes, server and entries from the top down."""
    places = Places()
    y = top
    for lane in picture.lanes:
        places.lanes[lane.name] = y
        y += LANE_IN + (lane.levels - 1) * LEVEL_IN
    y += WAYS_IN
    for _ in picture.servers:
        places.servers.append(y)
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
        strip = y + 0.04 if block.levels.most >= LEVELS_MIN else 0.0
        places.levels.append(strip)
        y += LEVELS_IN if strip else 0.0
    places.bottom = y + 0.06
    return places


APART_IN = 0.06
"""Between two labels of one line, so that they are not read as one."""
SAME_LINE_IN = 0.03


class Sheet:
    """Axes in inches, y downwards, with the time axis between ``left`` and ``right``."""

    def __init__(self, axes: Axes, picture: Picture, theme: Theme = LIGHT) -> None:
        self.axes = axes
        self.theme = theme
        self.picture = picture
        self.edge, self.right_edge = EDGE_IN, WIDTH_IN - EDGE_IN
        self.left = EDGE_IN + min(self._names_in(), NAMES_MAX_IN) + GUTTER_IN
        self.right = self.right_edge - min(self._outcomes_in(), OUTCOMES_MAX_IN) - GUTTER_IN
        self.headlines = self._headlines()
        """(line, left end of its label, level above the lanes) for what concerns the whole world."""
        levels = max((level for _, _, level in self.headlines), default=-1) + 1
        self.top = TOP_IN + LINE_IN * len(self.told()) + LEVEL_UP_IN * levels
        self.places = places_of(picture, self.top)
        self.bottom = self.places.bottom
        self.looks = looks(picture.lanes, picture.takers, theme)
        self.labels: list[tuple[float, float, float, float]] = []
        """Where labels stand that no other may cover: left, right, top, bottom."""
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
        names = [*(server.name for server in self.picture.servers), *(lane.name for lane in self.picture.lanes)]
        widths = [width_of(name, LARGE, "bold") for name in names]
        widths += [width_of("  ".join(name_of(row)), PLAIN) + 0.1 for row in self._rows()]
        return max(widths, default=0.0) + 0.14

    def _outcomes_in(self) -> float:
        lines = [line for row in self._rows() for line in outcome_of(row)]
        return max((width_of(line, PLAIN, "bold") for line in lines), default=0.0)

    def _rows(self) -> list[Row]:
        return [row for block in self.picture.blocks for row in block.rows]

    def look(self, process: str) -> Look:
        """The look of a process, also of one that is not shown."""
        return self.looks.get(process, self.theme.others)

    def told(self) -> list[str]:
        """The first thing that broke, in lines: what the picture is there to explain."""
        return wrapped(self.picture.broke, self.right_edge - self.edge, TOLD_SIZE) if self.picture.broke else []

    def x(self, at_ms: float) -> float:
        """The place of a time."""
        return self.left + self.picture.axis.place(at_ms) * (self.right - self.left)

    def clear(self, left: float, right: float, marks: Sequence[float] = ()) -> tuple[float, float]:
        """The widest stretch between two places that no break of the axis runs through, and no mark stands on."""
        best, begin = (left, left), left
        breaks = ((self.x(piece.begin_ms) + self.x(piece.end_ms)) / 2 for piece in self.picture.axis.breaks)
        for middle, half in sorted([*((at, 0.08) for at in breaks), *((at, 0.11) for at in marks)]):
            if left - half < middle < right + half:
                best = max(best, (begin, middle - half), key=lambda span: span[1] - span[0])
                begin = max(begin, middle + half)
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
            more["bbox"] = {"facecolor": self.theme.paper, "edgecolor": "none", "pad": 1.2, "alpha": 0.88}
            self.labels.append(self._room(x, y, text, size, ha, more.get("weight", "normal")))
        color = self.theme.of(color)
        self.axes.text(x, y, text, fontsize=size, color=color, ha=ha, va="center", zorder=z, parse_math=False, **more)

    def label(
        self, text: str, places: Sequence[tuple[float, float, str]], *, size: float = SMALL, color: str = INK,
        weight: str = "bold",
    ) -> bool:  # fmt: skip
        """A boxed text at the first of the places (x, y, alignment) where it covers no other; else it is left out.

        A place that leaves some room to others of its line goes before one that does not.
        """
        for apart in (APART_IN, 0.0):
            for x, y, ha in places:
                if self._is_free(self._room(x, y, text, size, ha, weight), apart):
                    self.text(x, y, text, size=size, color=color, ha=ha, weight=weight, boxed=True)
                    return True
        return False

    def _is_free(self, room: tuple[float, float, float, float], apart: float) -> bool:
        left, right, top, bottom = room
        if left <= self.left - 0.15 or right >= self.right_edge:
            return False
        for x0, x1, y0, y1 in self.labels:
            beside = apart if abs(y0 + y1 - top - bottom) / 2 < SAME_LINE_IN else 0.0
            if not (x1 < left - beside or right + beside < x0 or y1 < top or bottom < y0):
                return False
        return True

    def _room(
        self, x: float, y: float, text: str, size: float, ha: str, weight: str
    ) -> tuple[float, float, float, float]:
        """What a text takes up: left, right, top, bottom."""
        width = width_of(text, size, weight)
        left = x - {"left": 0.0, "center": width / 2, "right": width}[ha]
        high = size / 72 / 2 + 0.01
        return (left - 0.015, left + width + 0.015, y - high, y + high)

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, *, edge: str = "none",
        hatch: str = "", z: float = 2, line: float = 0.8, alpha: float = 1,
    ) -> None:  # fmt: skip
        """A rectangle from its upper left corner; the hatch has the colour of the edge."""
        fill, edge = self.theme.of(fill), self.theme.of(edge)
        self.axes.add_artist(
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
        color = self.theme.of(color)
        line = Line2D(xs, ys, color=color, linewidth=width, zorder=z, solid_joinstyle="miter", alpha=alpha)
        if dashes:
            line.set_dashes(dashes)
        self.axes.add_artist(line)

    def mark(
        self, x: float, y: float, marker: str, *, color: str = INK, fill: str = "", size: float = 6,
        z: float = 5.5, edge_width: float = 1.0,
    ) -> None:  # fmt: skip
        """A symbol; ``fill`` is its inside where that is of another colour."""
        color, fill = self.theme.of(color), self.theme.of(fill)
        self.axes.add_artist(
            Line2D(
                [x], [y], marker=marker, markersize=size, linestyle="none", zorder=z, markeredgecolor=color,
                markerfacecolor=fill or color, markeredgewidth=edge_width,
            )
        )  # fmt: skip
