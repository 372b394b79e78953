"""A state graph on paper: one row for each depth, violations coloured, faults dashed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from ..check.report import Edge, Node, StateGraph
from .draw import DOTS_PER_INCH, METADATA, house_style
from .palette import INK, PAPER, SOFT, TROUBLE, TROUBLE_TINT, WORKERS
from .words import counted, short

BOX_WIDE, BOX_HIGH = 1.75, 0.2
"""Inches that a box takes, and each of its lines."""
GAP_X, GAP_Y = 0.45, 0.75
TEXT_SIZE = 6.5
CHARACTERS = 34
STEP_SIZE = 5.5
STEP_CHARACTERS = 22
WORDS_IN = (0.28, 0.14, 0.42)
"""How far below a state its steps have their words, in turn, so that they do not cover each other."""
STEPS_LABELLED_MAX = 60
"""The words of more steps than this would hide the picture."""
APART_IN = 0.14
"""How far apart arrows between the same two states are."""
ROUNDS = 6
"""How often the rows are put in order by what they are linked to."""
WIDTH_MIN = 6.5


def render(graph: StateGraph, form: str, states: int, edges: int) -> bytes:
    """The picture as the bytes of a file. ``states`` and ``edges`` are those of the whole graph."""
    with house_style():
        out = BytesIO()
        page = paint(graph, states, edges)
        page.savefig(out, format=form, dpi=DOTS_PER_INCH, metadata=METADATA.get(form, {}), facecolor=PAPER)
    return out.getvalue()


def paint(graph: StateGraph, states: int, edges: int) -> Figure:
    """The picture as a figure."""
    rows = layers(graph)
    loops = {edge.source: edge.step for edge in graph.edges if edge.source == edge.target}
    lines = {node.key: _lines(node, loops.get(node.key, "")) for node in graph.nodes}
    high = BOX_HIGH * max(map(len, lines.values()), default=1)
    step_x, step_y = BOX_WIDE + GAP_X, high + GAP_Y
    width = max(max((len(row) for row in rows), default=1) * step_x + 1.6, WIDTH_MIN)
    height = len(rows) * step_y + 1.5
    with house_style():
        page = Figure(figsize=(width, height))
        axes = page.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.axis("off")
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        place: dict[str, tuple[float, float]] = {}
        for at, row in enumerate(rows):
            left = (width - (len(row) - 1) * step_x) / 2
            for n, node in enumerate(row):
                place[node.key] = (left + n * step_x, 1.15 + high / 2 + at * step_y)
        _heading(axes, graph, states, edges)
        colours = _colours(graph.edges)
        turns: Counter[str] = Counter()
        for edge, shift in _apart(graph.edges):
            turns[edge.source] += 1
            worded = len(graph.edges) <= STEPS_LABELLED_MAX
            _arrow(axes, edge, place, high, colours[edge.process], shift, turns[edge.source], worded)
        for node in graph.nodes:
            _state(axes, node, lines[node.key], place[node.key], high, node.key == graph.initial)
        _legend(axes, colours, height)
    return page


def _apart(edges: Sequence[Edge]) -> list[tuple[Edge, float]]:
    """Every arrow, with how far it is moved aside so that those between the same two states can be told apart."""
    between: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        if edge.source != edge.target:
            between.setdefault((edge.source, edge.target), []).append(edge)
    return [
        (edge, (n - (len(group) - 1) / 2) * APART_IN) for group in between.values() for n, edge in enumerate(group)
    ]


def layers(graph: StateGraph) -> list[list[Node]]:
    """The states in rows by depth, each row in the order of what it is linked to, so that fewer arrows cross."""
    by_depth: dict[int, list[Node]] = {}
    for node in graph.nodes:
        by_depth.setdefault(node.depth, []).append(node)
    rows = [by_depth[depth] for depth in sorted(by_depth)]
    linked: dict[str, list[str]] = {node.key: [] for node in graph.nodes}
    for edge in graph.edges:
        linked[edge.source].append(edge.target)
        linked[edge.target].append(edge.source)
    for turn in range(ROUNDS):
        order = range(1, len(rows)) if turn % 2 == 0 else range(len(rows) - 2, -1, -1)
        for at in order:
            beside = rows[at - 1] if turn % 2 == 0 else rows[at + 1]
            rows[at] = _sorted(rows[at], beside, linked)
    return rows


def _sorted(row: Sequence[Node], beside: Sequence[Node], linked: dict[str, list[str]]) -> list[Node]:
    spread = max(len(beside) - 1, 1)
    where = {node.key: n / spread for n, node in enumerate(beside)}
    own = max(len(row) - 1, 1)

    def middle(item: tuple[int, Node]) -> tuple[float, int]:
        n, node = item
        found = [where[key] for key in linked[node.key] if key in where]
        return (sum(found) / len(found) if found else n / own, n)

    return [node for _, node in sorted(enumerate(row), key=middle)]


def _lines(node: Node, loop: str) -> list[str]:
    told = [f"{name}: {value}" for name, value in node.labels] or [node.key[:8]]
    told += [f"↻ {loop}"] if loop else []
    return [short(line, CHARACTERS) for line in [*told, *(f"✗ {name}" for name in node.violated)]]


def _state(
    axes: Axes, node: Node, lines: list[str], at: tuple[float, float], high: float, initial: bool
) -> None:  # fmt: skip
    box = FancyBboxPatch(
        (at[0] - BOX_WIDE / 2, at[1] - high / 2), BOX_WIDE, high, boxstyle="round,pad=0.03,rounding_size=0.05",
        facecolor=TROUBLE_TINT if node.violated else PAPER, edgecolor=TROUBLE if node.violated else INK,
        linewidth=1.8 if initial else 0.7, zorder=3,
    )  # fmt: skip
    axes.add_patch(box)
    top = at[1] - (len(lines) - 1) * BOX_HIGH / 2
    for n, line in enumerate(lines):
        colour = TROUBLE if line.startswith("✗") else INK
        y = top + n * BOX_HIGH
        axes.text(at[0], y, line, ha="center", va="center", fontsize=TEXT_SIZE, color=colour, zorder=4)


def _arrow(
    axes: Axes, edge: Edge, place: dict[str, tuple[float, float]], high: float, colour: str, shift: float, turn: int,
    worded: bool,
) -> None:  # fmt: skip
    (x0, y0), (x1, y1) = place[edge.source], place[edge.target]
    half = high / 2 + 0.04
    if y1 > y0:
        start, end = (x0 + shift, y0 + half), (x1 + shift, y1 - half)
        bend = 0.0 if y1 - y0 < 1.5 * (high + GAP_Y) else 0.12  # around what stands in between
    else:
        # back up, or along the row: a bow, so that it does not hide behind what it passes
        start, end = (x0 + BOX_WIDE / 2, y0 + shift), (x1 + BOX_WIDE / 2, y1 + shift)
        bend = 0.45 if y1 < y0 else -0.35
    arrow = FancyArrowPatch(
        start, end, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>", mutation_scale=6,
        linestyle="--" if edge.fault else "-", linewidth=1.0 if edge.fault else 0.7, color=colour, shrinkA=0, shrinkB=0,
        zorder=2,
    )  # fmt: skip
    axes.add_patch(arrow)
    if worded:
        x, y = _beside(start, end, bend, y1 > y0, turn)
        axes.text(
            x, y, _deed(edge), ha="center", va="center", fontsize=STEP_SIZE, color=colour, zorder=5,
            bbox={"boxstyle": "round,pad=0.08", "facecolor": PAPER, "edgecolor": "none"},
        )  # fmt: skip


def _beside(
    start: tuple[float, float], end: tuple[float, float], bend: float, down: bool, turn: int
) -> tuple[float, float]:
    """Where an arrow's words stand: below where it starts, above the next row, or at the middle of its bow."""
    (x0, y0), (x1, y1) = start, end
    share = (WORDS_IN[turn % len(WORDS_IN)]) / (y1 - y0) if down else 0.5
    bow = 2 * share * (1 - share) * bend  # the quadratic curve of matplotlib's arc3, with y downwards
    return x0 + share * (x1 - x0) - bow * (y1 - y0), y0 + share * (y1 - y0) + bow * (x1 - x0)


def _deed(edge: Edge) -> str:
    """What is done, without who does it: that is the colour."""
    deed = edge.step.removeprefix(edge.process).removeprefix(":").strip().removeprefix("the server ")
    first = deed.partition(" ")[0]
    return first if first.isupper() else short(deed, STEP_CHARACTERS)


def _colours(edges: Sequence[Edge]) -> dict[str, str]:
    names = list(dict.fromkeys(edge.process for edge in edges))
    named = [name for name in names if name]
    colours = {name: WORKERS[n % len(WORKERS)].colour for n, name in enumerate(named)}
    return {**colours, "": SOFT}


def _heading(axes: Axes, graph: StateGraph, states: int, edges: int) -> None:
    axes.text(0.3, 0.3, f"{graph.scenario}, {graph.variant}", fontsize=12, weight="bold", color=INK, va="center")
    told = f"{counted(states, 'state')}, {counted(edges, 'step')}"
    if not graph.complete:
        told += " seen; there are more"
    if len(graph.nodes) < states:
        told += f"; drawn as {counted(len(graph.nodes), 'class', 'classes')} of states with equal labels"
    axes.text(0.3, 0.55, told, fontsize=8, color=SOFT, va="center")
    broken = list(dict.fromkeys(name for node in graph.nodes for name in node.violated))
    if broken:
        axes.text(0.3, 0.78, f"✗ {', '.join(broken)}", fontsize=8, color=TROUBLE, va="center")


def _legend(axes: Axes, colours: dict[str, str], height: float) -> None:
    x = 0.3
    faults = [("a fault", INK, "--"), ("the server, a clock", SOFT, "-")]
    for name, colour, style in [*((name, colour, "-") for name, colour in colours.items() if name), *faults]:
        axes.plot([x, x + 0.3], [height - 0.2] * 2, style, color=colour, linewidth=1.1)
        axes.text(x + 0.36, height - 0.2, name, fontsize=7, color=SOFT, va="center")
        x += 0.55 + 0.062 * len(name)
