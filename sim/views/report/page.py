"""One HTML file out of a recording and the page's parts; it needs no network and runs nothing but its own script."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib import resources

from ...history import History
from .recording import Recording, record

PARTS = (
    "elements.js", "recording.js", "state.js", "calls.js", "lives.js", "scale.js", "timeline.js", "events.js",
    "tables.js", "search.js", "overview.js", "viewer.js",
)  # fmt: skip
"""What shows a recording, in the order in which it is read."""


def render(history: History) -> bytes:
    """The report of a run; the same history gives the same bytes."""
    recording = record(history)
    return assemble(part("page.html"), [*PARTS, "report.js"], str(recording["title"]), recording)


def assemble(
    template: str, scripts: Sequence[str], title: str, recording: Recording | None, *,
    script: str = "", style: str = "", connects: str = "'none'",
) -> bytes:  # fmt: skip
    """A page with everything in it: its style, its scripts and what it shows; it may connect to ``connects`` alone.

    ``template`` names what it is filled with in double braces. ``script`` and ``style`` come behind the page's parts.
    What pages share stands in parts of its own: their head, and how one steps through a run.
    """
    for shared in ("head", "run"):
        template = template.replace(f"{{{{{shared}}}}}", part(f"{shared}.html").rstrip())
    script, style = "\n".join([*map(part, scripts), script]), part("style.css") + style
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        f"connect-src {connects}; base-uri 'none'; form-action 'none'"
    )
    filled = {
        "policy": policy, "title": html.escape(title), "style": style, "script": script,
        "recording": embedded(recording),
    }  # fmt: skip
    pieces = template.split("{{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        out += [filled[name], rest]
    return "".join(out).encode("utf-8", "backslashreplace")


def embedded(value: object) -> str:
    """A value as JSON that may stand in a script element: what could end it, or begin a comment, is spelled out."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


@cache
def part(name: str) -> str:
    """A part of the page, as it is in the package."""
    return (resources.files(__package__) / "page" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
