"""The picture of two runs, one above the other, with a line in each where they part."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from ..errors import BadInput
from ..history import History
from .contrast import Contrast, Parting
from .draw import DOTS_PER_INCH, METADATA, draw_on, house_style
from .layout import layout
from .palette import LIGHT, Theme, theme_named
from .picture import Line, Picture
from .sheet import WIDTH_IN

PARTS = "parts"
ENDINGS = (".svg", ".png", ".pdf")


def check_ending(path: Path) -> None:
    """Refuses a file that the picture cannot be written to, before anything is run for it."""
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"cannot draw {str(path)!r}: its ending must be one of {', '.join(ENDINGS)}")


def draw_pair(first: History, second: History, found: Contrast, path: Path, theme: str = "light") -> None:
    """Writes the picture; the same two runs give the same bytes."""
    check_ending(path)
    form = path.suffix.lower()[1:]
    with house_style():
        out = BytesIO()
        colours = theme_named(theme)
        page = paint_pair(first, second, found, colours)
        page.savefig(out, format=form, dpi=DOTS_PER_INCH, metadata=METADATA.get(form, {}), facecolor=colours.paper)
    try:
        path.write_bytes(out.getvalue())
    except OSError as error:
        raise BadInput(f"cannot write the picture to {path}: {error.strerror}") from error


def paint_pair(first: History, second: History, found: Contrast, theme: Theme = LIGHT) -> Figure:
    """The picture as a figure."""
    pictures = [
        _marked(layout(history), _line(found.parting, number), name)
        for number, (history, name) in enumerate(zip((first, second), "AB", strict=True))
    ]
    with house_style():
        page = Figure(figsize=(WIDTH_IN, 1), facecolor=theme.paper)
        axes = [page.add_axes((0.0, 0.0, 1.0, 1.0), label=name) for name in "AB"]
        heights = [draw_on(each, picture, theme) for each, picture in zip(axes, pictures, strict=True)]
        total = sum(heights)
        page.set_size_inches(WIDTH_IN, total)
        axes[0].set_position((0.0, heights[1] / total, 1.0, heights[0] / total))
        axes[1].set_position((0.0, 0.0, 1.0, heights[1] / total))
    return page


def _line(parting: Parting | None, number: int) -> Line | None:
    """The line in one of the two pictures; where its run does nothing, at the time of the other's move."""
    if parting is None:
        return None
    both = (parting.first, parting.second)
    own, other = both[number], both[1 - number]
    if own is not None:
        return Line(own.at_ms, PARTS, "◆ here the runs part")
    assert other is not None
    return Line(other.at_ms, PARTS, "◆ here only the other run does something")


def _marked(picture: Picture, line: Line | None, name: str) -> Picture:
    """The picture with its letter in the title, and the line where the runs part."""
    lines = picture.lines
    if line is not None:
        lines = (*lines, line._replace(at_ms=min(line.at_ms, picture.axis.end_ms)))
    return replace(picture, title=f"{name}   {picture.title}", lines=lines)
