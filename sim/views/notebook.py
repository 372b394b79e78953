"""What runs, findings and checks look like in a notebook: HTML that stands in a page of either colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ..history import History
from .timeline import svg
from .words import counted

if TYPE_CHECKING:
    from ..check.finding import Finding
    from ..check.report import Result, StateGraph

BAD, GOOD, UNSURE = "#C24E00", "#00684A", "#8A6D00"
"""They can be read on white and on black."""
_COLOURS = {"holds": GOOD, "violated": BAD}


def drawn(history: History) -> str:
    """The timeline as SVG, without the line that only a file begins with."""
    text = svg(history)
    return text[text.index("<svg") :]


def finding_html(finding: Finding) -> str:
    """What broke, how to see it again, and its story; its timeline too where its scenario is at hand."""
    lines = [
        _title(f"✗ {finding.property}", BAD),
        f"<p>{escape(finding.message)}</p>",
        _code(f"redelivery replay {finding.tape}"),
        _code("\n".join(finding.story)),
    ]
    return _boxed([*lines, _picture(finding)])


def _picture(finding: Finding) -> str:
    """The timeline of the finding's tape; nothing where that cannot be run here."""
    from ..catalogue import find
    from ..errors import RedeliveryError
    from ..run import simulate

    try:
        return drawn(simulate(find(finding.tape.scenario), tape=finding.tape).history)
    except RedeliveryError as error:
        return f"<p><i>It cannot be drawn here: {escape(str(error))}</i></p>"


def result_html(result: Result) -> str:
    """A check's verdict, what was searched, and the steps to what broke."""
    name = f" {result.property_name}" if result.property_name else ""
    lines = [
        _title(f"{result.scenario}, {result.variant}: {result.verdict}{name}", _COLOURS.get(result.verdict, UNSURE)),
        f"<p>{counted(result.states, 'state')}, {counted(result.transitions, 'step')}, depth {result.depth}, "
        f"{escape(result.dialect)}</p>",
    ]
    if result.unmet:
        lines.append(f"<p>never met: {escape(', '.join(result.unmet))}</p>")
    lines += [f"<p>{escape(note)}</p>" for note in result.notes]
    if result.counterexample is not None:
        lines.append(_code("\n".join(f"{n:3}. {step}" for n, step in enumerate(result.steps, 1))))
        lines.append(_code(f"redelivery replay {result.counterexample.tape}"))
    return _boxed(lines)


def graph_svg(graph: StateGraph) -> str:
    """A state graph as SVG; a large one collapsed to classes of states with equal labels."""
    from ..check.graph_shape import small_enough, with_loops
    from .graph_files import DRAWN_MAX
    from .graph_picture import render

    text = render(small_enough(with_loops(graph), DRAWN_MAX), "svg", len(graph.nodes), len(graph.edges)).decode()
    return text[text.index("<svg") :]


def _boxed(lines: Sequence[str]) -> str:
    return f'<div style="border-left:3px solid #999;padding-left:.8em">{"".join(lines)}</div>'


def _title(text: str, colour: str) -> str:
    return f'<p><b style="color:{colour}">{escape(text)}</b></p>'


def _code(text: str) -> str:
    return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'
