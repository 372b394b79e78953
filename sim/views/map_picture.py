"""A safety map on paper: a colour for each kind of outcome, and every border where it was found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon

from ..check.mapping import SAFE, Axis, SafetyMap, as_json
from .draw import DOTS_PER_INCH, METADATA, house_style
from .palette import FAINT, GOOD, INK, PAPER, SOFT, TROUBLE, WORKERS, tint
from .words import duration

Point = tuple[float, float]
SIZE_IN = (7.6, 6.0)
LOOKS = {
    SAFE: (tint(GOOD, 0.25), ""),
    "duplicate": (tint(TROUBLE, 0.45), "////"),
    "starved": (tint(WORKERS[0].colour, 0.4), "\\\\\\\\"),
    "lost": (tint(INK, 0.45), "xx"),
}
"""Colour and hatch of the kinds that have their own; so they can be told apart in grey, too."""
MORE = (WORKERS[1], WORKERS[3], WORKERS[4], WORKERS[5], WORKERS[2])


def render(done: SafetyMap, form: str) -> bytes:
    """The picture as the bytes of an svg, png or pdf file. An svg carries its numbers, as JSON in its description."""
    told = {"Description": json.dumps(as_json(done))} if form == "svg" else {}
    with house_style():
        out = BytesIO()
        page = paint(done)
        page.savefig(out, format=form, dpi=DOTS_PER_INCH, metadata=METADATA.get(form, {}) | told, facecolor=PAPER)
    return out.getvalue()


def paint(done: SafetyMap) -> Figure:
    """The picture as a figure."""
    looks = _looks(done)
    with house_style():
        page = Figure(figsize=SIZE_IN)
        axes = page.add_axes((0.13, 0.13, 0.84, 0.68))
        axes.set_xlim(done.x.low, done.x.high)
        half = 0.0 if done.y.is_time else 0.5
        axes.set_ylim(done.y.low - half, done.y.high + half)
        _fill(axes, done, looks)
        _mark_borders(axes, done)
        if done.x.is_time and done.y.is_time and max(done.x.low, done.y.low) < min(done.x.high, done.y.high):
            axes.axline((0, 0), slope=1, color=SOFT, linewidth=0.8, dashes=(4, 3), zorder=4)
            label = f"dashed: {done.y.name} = {done.x.name}"
        else:
            label = ""
        _scales(axes, done)
        _titles(page, done, label)
        handles = [
            Patch(facecolor=looks[name][0], hatch=looks[name][1], edgecolor=SOFT, linewidth=0.6, label=name)
            for name in done.names
        ]
        page.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0.12, 0.875), ncols=4, frameon=False, fontsize=8.5
        )
    return page


def _looks(done: SafetyMap) -> dict[str, tuple[str, str]]:
    others = [name for name in done.names if name not in LOOKS]
    more = {name: (tint(MORE[i % len(MORE)].colour, 0.5), MORE[i % len(MORE)].hatch) for i, name in enumerate(others)}
    return LOOKS | more


def _fill(axes: Axes, done: SafetyMap, looks: dict[str, tuple[str, str]]) -> None:
    """Each cell of the grid is cut straight from border to border; counts have a band each, cut where its row is."""
    if done.y.is_time:
        for low, high in pairwise(done.ys):
            for left, right in pairwise(done.xs):
                for name, points in _cell(done, left, right, low, high):
                    _polygon(axes, looks[name], points)
        return
    bounds = [done.ys[0] - 0.5, *((low + high) / 2 for low, high in pairwise(done.ys)), done.ys[-1] + 0.5]
    for y, (bottom, top) in zip(done.ys, pairwise(bounds), strict=True):
        for name, begin, end in done.row(y):
            _polygon(axes, looks[name], [(begin, bottom), (begin, top), (end, top), (end, bottom)])


def _cell(done: SafetyMap, left: int, right: int, low: int, high: int) -> Iterator[tuple[str, list[Point]]]:
    """What is in a cell, by what was found along its four edges: labels, each with its polygon."""
    walk: list[tuple[Point, str]] = []
    for corner, along, at, end in (
        ((left, low), "x", low, right), ((right, low), "y", right, high),
        ((right, high), "x", high, left), ((left, high), "y", left, low),
    ):  # fmt: skip
        begin = corner[0] if along == "x" else corner[1]
        walk.append((corner, done.labels[corner]))
        found = [
            b for b in done.borders if (b.along, b.at) == (along, at) and min(begin, end) <= b.last < max(begin, end)
        ]
        for b in sorted(found, reverse=end < begin):
            middle = (b.last + b.first) / 2
            point = (middle, float(at)) if along == "x" else (float(at), middle)
            walk.append((point, b.before if end < begin else b.after))
    turns = [i for i in range(len(walk)) if walk[i][1] != walk[i - 1][1]]
    if not turns:
        yield walk[0][1], [point for point, _ in walk]
        return
    hub: list[Point] = [] if len(turns) == 2 else [((left + right) / 2, (low + high) / 2)]
    for begin, end in pairwise([*turns, turns[0] + len(walk)]):
        yield walk[begin][1], [*(walk[i % len(walk)][0] for i in range(begin, end + 1)), *hub]


def _polygon(axes: Axes, look: tuple[str, str], points: Sequence[Point]) -> None:
    """The fill overlaps its neighbours by a hair, so that no seam shows; the hatch lies on top."""
    axes.add_patch(Polygon(points, facecolor=look[0], edgecolor=look[0], linewidth=0.4, zorder=2))
    if look[1]:
        axes.add_patch(Polygon(points, facecolor="none", hatch=look[1], edgecolor=PAPER, linewidth=0, zorder=2.1))


def _mark_borders(axes: Axes, done: SafetyMap) -> None:
    across = [((b.last + b.first) / 2, b.at) for b in done.borders if b.along == "x"]
    along = [(b.at, (b.last + b.first) / 2) for b in done.borders if b.along == "y"]
    points = sorted({*across, *along})
    if points:
        xs, ys = zip(*points, strict=True)
        axes.plot(
            xs, ys, linestyle="none", marker="o", markersize=4.5, color=INK, markeredgecolor=PAPER,
            markeredgewidth=0.7, zorder=6, clip_on=False,
        )  # fmt: skip


def _scales(axes: Axes, done: SafetyMap) -> None:
    axes.set_xticks(list(done.xs), [_shown(done.x, value) for value in done.xs], fontsize=8)
    axes.set_yticks(list(done.ys), [_shown(done.y, value) for value in done.ys], fontsize=8)
    axes.set_xlabel(done.x.name, fontsize=9.5, color=INK)
    axes.set_ylabel(done.y.name, fontsize=9.5, color=INK)
    axes.grid(True, color=FAINT, linewidth=0.5, zorder=3)
    for spine in axes.spines.values():
        spine.set_color(SOFT)


def _titles(page: Figure, done: SafetyMap, label: str) -> None:
    fixed = " · ".join([done.dialect, *(_fixed(name, value) for name, value in done.params.items())])
    notes = ["dots: borders, exact to one step", label]
    page.text(0.03, 0.955, f"{done.scenario}, {done.variant}", fontsize=13, weight="bold", color=INK, va="center")
    page.text(0.03, 0.905, fixed, fontsize=8, color=SOFT, va="center")
    page.text(
        0.97, 0.03, "; ".join(filter(None, notes)) + f"; {len(done.labels)} checks", fontsize=7.5, color=SOFT,
        ha="right", va="center",
    )  # fmt: skip


def _shown(axis: Axis, value: int) -> str:
    return duration(value) if axis.is_time else str(value)


def _fixed(name: str, value: str) -> str:
    return f"{name} {duration(int(value)) if name.endswith('_ms') and value.isdecimal() else value}"
