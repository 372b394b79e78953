"""The sheet that a picture is drawn on: places in inches, and the few shapes that are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from .layout import without_saw_tooth
from .palette import INK, SOFT, colours
from .picture import Picture

LEFT_IN, RIGHT_IN = 1.95, 9.85
EDGE_IN, RIGHT_EDGE_IN = 0.25, 11.75
TOP_IN = 1.12
LANE_IN, LEVEL_IN = 0.40, 0.24
SERVER_IN = 0.30
BLOCK_HEAD_IN, ROW_IN, IDLE_IN = 0.42, 0.34, 0.36
FOOT_IN = 1.75
VERDICT_LINE_IN = 0.19


@dataclass(slots=True)
class Places:
    """Where things stand, in inches from the top."""

    top: float
    lanes: dict[str, float] = field(default_factory=dict)
    server: float = 0.0
    blocks: list[float] = field(default_factory=list)
    rows: list[list[tuple[float, float]]] = field(default_factory=list)
    """For each block: (top of the bar, top of the saw-tooth strip, which is 0 where there is none)."""
    bottom: float = 0.0
    total: float = 0.0


def heights(picture: Picture, verdict_lines: int) -> Places:
    """Stacks lanes, server and entries from the top down."""
    places = Places(TOP_IN)
    y = TOP_IN
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
    places.total = places.bottom + FOOT_IN + verdict_lines * VERDICT_LINE_IN
    return places


class Sheet:
    """Axes in inches, with the time axis between ``left`` and ``right``."""

    def __init__(self, axes: Axes, picture: Picture, places: Places) -> None:
        self.axes = axes
        self.picture = picture
        self.places = places
        self.colours = colours(picture.lanes)
        self.left, self.right = LEFT_IN, RIGHT_IN
        self.edge, self.right_edge = EDGE_IN, RIGHT_EDGE_IN
        self.legend: list[tuple[Callable[[float, float], None], str]] = []
        """What was drawn and needs a word: a sample at (x, y), and the word."""

    def x(self, at_ms: float) -> float:
        """The place of a time."""
        return self.left + self.picture.axis.place(at_ms) * (self.right - self.left)

    def explain(self, text: str, sample: Callable[[float, float], None]) -> None:
        """Puts a sample into the legend, once."""
        if all(known != text for _, known in self.legend):
            self.legend.append((sample, text))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 8,
        color: str = INK,
        ha: str = "left",
        z: float = 7,
        **more: Any,
    ) -> str:
        """Text whose middle line is at ``y``; returns it."""
        self.axes.text(x, y, text.replace("$", r"\$"), fontsize=size, color=color, ha=ha, va="center", zorder=z, **more)
        return text

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str,
        *,
        edge: str = "none",
        hatch: str = "",
        z: float = 2,
        line: float = 0.8,
    ) -> None:
        """A rectangle from its upper left corner."""
        self.axes.add_patch(
            Rectangle(
                (x, y), width, height, facecolor=fill, edgecolor=edge, hatch=hatch or None, linewidth=line, zorder=z
            )
        )

    def line(
        self,
        points: list[tuple[float, float]],
        *,
        color: str = SOFT,
        width: float = 1.0,
        style: Any = "-",
        z: float = 3,
    ) -> None:
        """A line through points."""
        xs, ys = zip(*points, strict=True)
        self.axes.add_line(
            Line2D(xs, ys, color=color, linewidth=width, linestyle=style, zorder=z, solid_joinstyle="miter")
        )

    def mark(
        self,
        x: float,
        y: float,
        marker: str,
        *,
        color: str = INK,
        size: float = 6,
        fill: bool = True,
        z: float = 5.5,
        width: float = 1.0,
    ) -> None:
        """A symbol."""
        self.axes.add_line(
            Line2D(
                [x], [y], marker=marker, color=color, markersize=size, linestyle="none", zorder=z,
                markerfacecolor=color if fill else "white", markeredgecolor=color, markeredgewidth=width,
            )
        )  # fmt: skip
