"""A state graph as one HTML page: moved, zoomed and searched; of a state it tells its labels and its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..check.graph_shape import LOOP, small_enough, with_loops
from ..check.report import Edge, Node, StateGraph
from .graph_layout import Place, place
from .graph_picture import all_lines, broken_by, deed, deeds, heading
from .report.page import assemble, part

CLASSES_MAX = 120
"""So many a reader finds a way in who can move and search; more states are collapsed."""
LETTER_IN, LINE_IN, PAD_IN = 0.072, 0.167, 0.1
"""What a letter and a line take in the page, whose inch is 96 pixels."""
PIXELS = 96


def render(graph: StateGraph) -> bytes:
    """The page as the bytes of a file; the same graph gives the same bytes."""
    drawn = small_enough(with_loops(graph), CLASSES_MAX)
    title = f"{graph.scenario}, {graph.variant}: states"
    value = content(drawn, len(graph.nodes), len(graph.edges)) | {"title": title}
    return assemble(part("graph.html"), ["elements.js", "graph.js"], title, value, style=part("graph.css"))


def content(drawn: StateGraph, states: int, edges: int) -> dict[str, Any]:
    """What the page shows; ``states`` and ``edges`` are those of the whole graph. Lengths are pixels."""
    lines = all_lines(drawn)
    done = place(drawn, lambda node: _size(lines[node.key]), lambda steps: _size([text for text, _ in deeds(steps)]))
    number = {key: n for n, key in enumerate(done.boxes)}
    sources = {edge.source for edge in drawn.edges}
    return {
        "summary": heading(drawn, states, edges),
        "broken": broken_by(drawn),
        "processes": list(dict.fromkeys(edge.process for edge in drawn.edges if edge.process)),
        "width": _pixels(done.width), "height": _pixels(done.height),
        "initial": number.get(drawn.initial),
        "states": [
            _state(key, box, lines[key]) | {"end": key not in sources} for key, box in done.boxes.items()
        ],
        "ways": [
            {
                "from": number[way.edges[0].source], "to": number[way.edges[0].target],
                "through": [_at(each) for each in way.through[1:-1]], "words": _at(way.words),
                "deeds": deeds(way.edges),
                "steps": [_step(edge) for edge in way.edges], "fault": all(edge.fault for edge in way.edges),
            }
            for way in done.ways
        ],
    }  # fmt: skip


def _state(key: str, box: Place, lines: Sequence[str]) -> dict[str, Any]:
    node = box.node
    assert isinstance(node, Node)
    labels = dict(node.labels)
    return {
        "at": _at(box), "size": [_pixels(box.width), _pixels(box.height)], "lines": lines, "key": key,
        "labels": [[name, value] for name, value in node.labels if name not in ("states", LOOP)],
        "stands": int(labels.get("states", "1")), "loop": labels.get(LOOP, ""), "violated": list(node.violated),
        "depth": node.depth,
    }  # fmt: skip


def _step(edge: Edge) -> dict[str, Any]:
    return {"words": edge.step, "deed": deed(edge), "process": edge.process, "fault": edge.fault}


def _size(lines: Sequence[str]) -> tuple[float, float]:
    longest = max((len(line) for line in lines), default=1)
    return longest * LETTER_IN + 2 * PAD_IN, len(lines) * LINE_IN + PAD_IN


def _at(where: Place) -> list[int]:
    return [_pixels(where.x), _pixels(where.y)]


def _pixels(inches: float) -> int:
    return round(inches * PIXELS)
