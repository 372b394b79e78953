"""The timeline of a run as a file: a picture, or a story in words, by the file's ending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..events import Ended
from ..history import History
from .words import stops

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png", ".pdf", ".txt", ".html")


def check_ending(path: Path) -> None:
    """Refuses a file that a timeline cannot be written to, before anything is run for it."""
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"cannot draw {str(path)!r}: its ending must be one of {', '.join(ENDINGS)}")


def draw(history: History, path: str | Path, theme: str = "light") -> None:
    """Writes the timeline of a run; the same history gives the same bytes. ``theme`` is ``light`` or ``dark``."""
    path = Path(path)
    check_ending(path)
    if path.suffix.lower() == ".txt":
        data = "".join(line + "\n" for line in text(history)).encode()
    elif path.suffix.lower() == ".html":
        from .report.page import render as render_page

        data = render_page(history)
    else:
        from .draw import render
        from .palette import theme_named

        data = render(history, path.suffix.lower()[1:], theme_named(theme))
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(f"cannot write the timeline to {path}: {error.strerror}") from error


def text(history: History) -> list[str]:
    """The timeline in plain characters, small enough for an issue: bars for processes and entries, then the story."""
    from .bars import bars
    from .layout import layout
    from .story import tell

    story = tell(history)
    head = story.index("") if "" in story else len(story)
    drawn = ["", *bars(layout(history))] if len(history) else []
    end_ms = max((event.at_ms for event in history), default=0)
    cut = [] if not history.events or isinstance(history.events[-1], Ended) else ["", stops(len(history), end_ms)]
    return [*story[:head], *drawn, *cut, *story[head:]]


def svg(history: History, theme: str = "light") -> str:
    """The timeline as SVG text, for a notebook or a page."""
    from .draw import render
    from .palette import theme_named

    return render(history, "svg", theme_named(theme)).decode()


def figure(history: History, theme: str = "light") -> Figure:
    """The timeline as a matplotlib figure."""
    from .draw import paint
    from .palette import theme_named

    return paint(history, theme_named(theme))
