"""A safety map on paper: a colour for each kind of outcome, and every border where it was found."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..check.mapping import SAFE, Axis, SafetyMap
from .draw import DOTS_PER_INCH, METADATA, house_style
from .palette import FAINT, GOOD, INK, PAPER, SOFT, TROUBLE, WORKERS, tint
from .words import duration

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
    """The picture as the bytes of an svg, png or pdf file."""
    with house_style():
        out = BytesIO()
        page = paint(done)
        page.savefig(out, format=form, dpi=DOTS_PER_INCH, metadata=METADATA.get(form, {}), facecolor=PAPER)
    return out.getvalue()


def paint(done: SafetyMap) -> Figure:
    """The picture as a figure."""
    looks = _looks(done)
    with house_style():
        page = Figure(figsize=SIZE_IN)
        axes = page.add_axes((0.13, 0.13, 0.84, 0.68))
        axes.set_xlim(done.x.low, done.x.high)
        axes.set_ylim(done.y.low, done.y.high)
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
    """Between two rows: straight from border to border where they have the same ones, else half and half."""
    for low, high in pairwise(done.ys):
        below, above = done.row(low), done.row(high)
        if [part[0] for part in below] == [part[0] for part in above]:
            for (name, begin, end), (_, left, right) in zip(below, above, strict=True):
                _polygon(axes, looks[name], (low, begin, end), (high, left, right))
            continue
        middle = (low + high) / 2
        for name, begin, end in below:
            _polygon(axes, looks[name], (low, begin, end), (middle, begin, end))
        for name, begin, end in above:
            _polygon(axes, looks[name], (middle, begin, end), (high, begin, end))


def _polygon(
    axes: Axes, look: tuple[str, str], low: tuple[float, float, float], high: tuple[float, float, float]
) -> None:
    ys = [low[0], high[0]]
    left, right = [low[1], high[1]], [low[2], high[2]]
    axes.fill_betweenx(ys, left, right, facecolor=look[0], hatch=look[1], edgecolor=PAPER, linewidth=0, zorder=2)


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
    fixed = " · ".join([done.dialect, *(f"{name} {value}" for name, value in done.params.items())])
    notes = ["dots: borders, exact to one step", label]
    page.text(0.03, 0.955, f"{done.scenario}, {done.variant}", fontsize=13, weight="bold", color=INK, va="center")
    page.text(0.03, 0.905, fixed, fontsize=8, color=SOFT, va="center")
    page.text(
        0.97, 0.03, "; ".join(filter(None, notes)) + f"; {len(done.labels)} checks", fontsize=7.5, color=SOFT,
        ha="right", va="center",
    )  # fmt: skip


def _shown(axis: Axis, value: int) -> str:
    return duration(value) if axis.is_time else str(value)
