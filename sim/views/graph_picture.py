"""A state graph on paper: in layers, violations coloured, loops and ends marked, faults dashed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

from ..check.graph_shape import LOOP
from ..check.labelling import FAULTS, NOBODY, NONE, NOTHING
from ..check.report import Edge, Node, StateGraph
from .draw import DOTS_PER_INCH, METADATA, house_style
from .graph_layout import Place, Way, place
from .palette import CURSOR, FAINT, INK, LIGHT, SOFT, TROUBLE, TROUBLE_TINT, Theme
from .sheet import width_of
from .words import counted, short

LINE_IN, PAD_IN = 0.15, 0.07
TEXT_SIZE, STEP_SIZE = 6.5, 6.0
PLAIN_WORD_IN = 0.1
CHARACTERS, STEP_CHARACTERS = 40, 26
NEWBORN = "nothing yet"
"""What stands in a box whose labels all go without saying."""
STEPS_LABELLED_MAX = 60
"""The words of more arrows than this would hide the picture."""
WORDS_LINES_MAX = 3
WIDTH_MIN, MARGIN_IN, HEAD_IN, FOOT_IN = 6.5, 0.35, 0.85, 0.5
PLAIN = (NOBODY, NOTHING, NONE, FAULTS, "no")
"""Values that go without saying."""


def render(graph: StateGraph, form: str, states: int, edges: int, theme: Theme = LIGHT) -> bytes:
    """The picture as the bytes of a file. ``states`` and ``edges`` are those of the whole graph."""
    with house_style():
        out = BytesIO()
        page = paint(graph, states, edges, theme)
        page.savefig(out, format=form, dpi=DOTS_PER_INCH, metadata=METADATA.get(form, {}), facecolor=theme.paper)
    return out.getvalue()


def paint(graph: StateGraph, states: int, edges: int, theme: Theme = LIGHT) -> Figure:
    """The picture as a figure."""
    lines = all_lines(graph)
    worded = len({(edge.source, edge.target) for edge in graph.edges}) <= STEPS_LABELLED_MAX
    with house_style():
        done = place(
            graph, lambda node: _size(lines[node.key], TEXT_SIZE),
            lambda steps: _size([text for text, _ in deeds(steps)], STEP_SIZE) if worded else (PLAIN_WORD_IN, 0.1),
        )  # fmt: skip
        width = max(done.width + 2 * MARGIN_IN, WIDTH_MIN)
        height = done.height + HEAD_IN + FOOT_IN
        page = Figure(figsize=(width, height), facecolor=theme.paper)
        axes = page.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.axis("off")
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        sheet = _Sheet(axes, theme, _colours(graph.edges, theme), (width - done.width) / 2, HEAD_IN)
        _heading(sheet, graph, states, edges)
        for way in done.ways:
            _arrow(sheet, way, worded)
        ends = {node.key for node in graph.nodes} - {edge.source for edge in graph.edges}
        for key, box in done.boxes.items():
            assert box.node is not None
            _state(sheet, box, box.node, lines[key], initial=key == graph.initial, end=key in ends)
        _legend(sheet, height)
    return page


class _Sheet:
    """Axes in inches, with where the graph begins and the colours of processes."""

    def __init__(self, axes: Axes, theme: Theme, colours: Mapping[str, str], left: float, top: float) -> None:
        self.axes = axes
        self.theme = theme
        self.colours = colours
        self.left = left
        self.top = top

    def at(self, where: Place) -> tuple[float, float]:
        """The middle of a place on the paper."""
        return self.left + where.x, self.top + where.y

    def text(self, x: float, y: float, text: str, size: float, colour: str, ha: str = "center", z: float = 5) -> None:
        """One line of text whose middle is at ``y``."""
        self.axes.text(
            x, y, text, ha=ha, va="center", fontsize=size, color=self.theme.of(colour), zorder=z, parse_math=False
        )


def _size(lines: Sequence[str], size: float) -> tuple[float, float]:
    width = max((width_of(line, size) for line in lines), default=0.1)
    return width + 2 * PAD_IN, len(lines) * LINE_IN + PAD_IN


def all_lines(graph: StateGraph) -> dict[str, list[str]]:
    """What stands in each box: what is the same in all of them is left out, and so is what goes without saying."""
    values: dict[str, set[str]] = {}
    for node in graph.nodes:
        for name, value in node.labels:
            values.setdefault(name, set()).add(value)
    telling = {name for name, found in values.items() if len(found) > 1}
    loops: dict[str, list[str]] = {}
    for edge in graph.edges:
        if edge.source == edge.target:
            loops.setdefault(edge.source, []).append(f"↻ {deed(edge)}")
    return {node.key: _lines(node, telling, loops.get(node.key, [])) for node in graph.nodes}


def _lines(node: Node, telling: set[str], loops: Sequence[str]) -> list[str]:
    told = []
    for name, value in node.labels:
        if name == "states":
            told.append(counted(int(value), "state"))
        elif name == LOOP and value not in PLAIN:
            told.append(f"↻ {value}")
        elif name in telling and name != LOOP and value not in PLAIN:
            told.append(f"{name}: {value}")
    told += [*loops[:2], *(f"✗ {name}" for name in node.violated)]
    return [short(line, CHARACTERS) for line in told or [NEWBORN if node.labels else node.key[:8]]]


def _state(sheet: _Sheet, box: Place, node: Node, lines: Sequence[str], *, initial: bool, end: bool) -> None:
    x, y = sheet.at(box)
    bad, loop = bool(node.violated), any(line.startswith("↻ in a") for line in lines)
    edge = TROUBLE if bad else CURSOR if loop else INK
    fill = sheet.theme.of(TROUBLE_TINT) if bad else sheet.theme.tint(FAINT, 0.6) if end else sheet.theme.paper
    style = "round,pad=0,rounding_size=0.05"
    for grown in (0.0, 0.04) if end else (0.0,):
        sheet.axes.add_patch(
            FancyBboxPatch(
                (x - box.width / 2 - grown, y - box.height / 2 - grown), box.width + 2 * grown, box.height + 2 * grown,
                boxstyle=style, facecolor=fill if grown == 0.0 else "none", edgecolor=sheet.theme.of(edge),
                linewidth=1.9 if initial else 0.8, zorder=3,
            )
        )  # fmt: skip
    top = y - (len(lines) - 1) * LINE_IN / 2
    for n, line in enumerate(lines):
        colour = TROUBLE if line.startswith("✗") or "broken)" in line else CURSOR if line.startswith("↻ in a") else INK
        sheet.text(x, top + n * LINE_IN, line, TEXT_SIZE, colour)


def _arrow(sheet: _Sheet, way: Way, worded: bool) -> None:
    """A smooth line through its places, with the words where they have theirs."""
    names = list(dict.fromkeys(edge.process for edge in way.edges))
    bad = any(edge.step.endswith(" broken)") for edge in way.edges)
    colour = sheet.theme.of(TROUBLE) if bad else sheet.colours[names[0]] if len(names) == 1 else sheet.theme.of(SOFT)
    fault = all(edge.fault for edge in way.edges)
    points = _points(sheet, way)
    vertices, codes = [points[0]], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0) * 0.45
        vertices += [(x0, y0 + bend), (x1, y1 - bend), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    sheet.axes.add_patch(
        FancyArrowPatch(
            path=Curve(vertices, codes), arrowstyle="-|>", mutation_scale=7, linestyle="--" if fault else "-",
            linewidth=1.3 if bad else 0.9, color=colour, shrinkA=0, shrinkB=0, zorder=2,
        )
    )  # fmt: skip
    if worded:
        x, y = sheet.at(way.words)
        told = deeds(way.edges)
        paper = {"boxstyle": "square,pad=0.05", "facecolor": sheet.theme.paper, "edgecolor": "none"}
        for n, (text, process) in enumerate(told):
            at = y + (n - (len(told) - 1) / 2) * LINE_IN
            ink = sheet.theme.of(TROUBLE) if text.endswith("broken)") else sheet.colours.get(process, INK)
            sheet.axes.text(
                x, at, text, ha="center", va="center", fontsize=STEP_SIZE, color=ink, zorder=4, bbox=paper,
                parse_math=False,
            )  # fmt: skip


def _points(sheet: _Sheet, way: Way) -> list[tuple[float, float]]:
    """From the edge of the first box to that of the last, through what lies between."""
    first, last = way.through[0], way.through[-1]
    inner = [sheet.at(each) for each in way.through[1:-1]]
    (x0, y0), (x1, y1) = sheet.at(first), sheet.at(last)
    down_out = not inner or inner[0][1] > y0
    down_in = not inner or inner[-1][1] < y1
    reach = 0.35  # arrows leave a box towards where they go, and do not all meet in its middle
    x0 += max(min((inner[0][0] if inner else x1) - x0, first.width * reach), -first.width * reach)
    x1 += max(min((inner[-1][0] if inner else x0) - x1, last.width * reach), -last.width * reach)
    start = (x0, y0 + first.height / 2 * (1 if down_out else -1))
    end = (x1, y1 - (last.height / 2 + 0.02) * (1 if down_in else -1))
    return [start, *inner, end]


def deeds(edges: Sequence[Edge]) -> list[tuple[str, str]]:
    """What is done, each with who does it (who is the colour); what is too much for an arrow is counted."""
    told = list(dict.fromkeys((deed(edge), edge.process) for edge in edges))
    told.sort(key=lambda item: not item[0].endswith("broken)"))
    if len(told) <= WORDS_LINES_MAX:
        return told
    rest = len(told) - WORDS_LINES_MAX + 1
    return [*told[: WORDS_LINES_MAX - 1], (f"and {rest} more", "")]


def deed(edge: Edge) -> str:
    """What is done, without who does it."""
    deed = edge.step.removeprefix(edge.process).removeprefix(":").strip().removeprefix("the server ")
    what, bracket, broken = deed.partition(" (")
    first = what.partition(" ")[0]
    told = first if first.isupper() else short(what, STEP_CHARACTERS)
    return f"{told} ({broken}" if bracket and broken.endswith("broken)") else told


def _colours(edges: Sequence[Edge], theme: Theme) -> dict[str, str]:
    names = list(dict.fromkeys(edge.process for edge in edges))
    named = [name for name in names if name]
    colours = {name: theme.workers[n % len(theme.workers)].colour for n, name in enumerate(named)}
    return {**colours, "": theme.of(SOFT)}


def _heading(sheet: _Sheet, graph: StateGraph, states: int, edges: int) -> None:
    sheet.axes.text(
        0.3, 0.26, f"{graph.scenario}, {graph.variant}", fontsize=12, weight="bold", color=sheet.theme.of(INK),
        va="center", parse_math=False,
    )  # fmt: skip
    sheet.text(0.3, 0.5, heading(graph, states, edges), 8, SOFT, "left")
    broken = broken_by(graph)
    if broken:
        sheet.text(0.3, 0.72, f"✗ {', '.join(broken)}", 8, TROUBLE, "left")


def heading(graph: StateGraph, states: int, edges: int) -> str:
    """How much there is, and how much of it is shown."""
    told = f"{counted(states, 'state')}, {counted(edges, 'step')}"
    if not graph.complete:
        told += " seen; there are more"
    if len(graph.nodes) < states:
        told += f"; drawn as {counted(len(graph.nodes), 'class', 'classes')} of states with equal labels"
    return told


def broken_by(graph: StateGraph) -> list[str]:
    """The properties that some state or step breaks."""
    broken = list(dict.fromkeys(name for node in graph.nodes for name in node.violated))
    said = {edge.step.rpartition(" (")[2].removesuffix(" broken)") for edge in graph.edges if "broken)" in edge.step}
    return broken + sorted(said.difference(broken))


def _legend(sheet: _Sheet, height: float) -> None:
    x, y, ink, soft = 0.3, height - 0.2, sheet.theme.of(INK), sheet.theme.of(SOFT)
    samples = [(name, colour, "-") for name, colour in sheet.colours.items() if name]
    samples += [("a fault", ink, "--"), ("the server, a clock or several", soft, "-")]
    for name, colour, style in samples:
        sheet.axes.plot([x, x + 0.3], [y, y], style, color=colour, linewidth=1.1)
        sheet.text(x + 0.36, y, name, 7, SOFT, "left")
        x += 0.55 + width_of(name, 7)
