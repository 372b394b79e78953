"""Where a state graph's boxes, words and arrows stand: in layers, with room for every word.

Steps between the same two states are one arrow with the words of all. The words of an arrow have a place of their own
between two layers, as a box has in its layer, so that nothing covers anything; an arrow that goes further passes
through places that are kept free for it. Lengths are inches, y goes down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..check.report import Edge, Node, StateGraph

GAP_X, PASS_IN, ROW_GAP_IN = 0.2, 0.1, 0.16
"""Between two boxes beside each other; what an arrow that passes needs; above and below each layer."""
ROUNDS = 8
"""How often the layers are put in order by what they are linked to, and moved towards it."""

Size = tuple[float, float]


@dataclass(slots=True)
class Place:
    """Something that has a place in a layer: a state, the words of an arrow, or an arrow that passes."""

    width: float
    height: float
    node: Node | None = None
    x: float = 0.0
    y: float = 0.0
    """Its middle."""
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)


@dataclass(slots=True)
class Way:
    """An arrow: the steps that it stands for, and the places that it goes through; ``words`` is one of these."""

    edges: tuple[Edge, ...]
    through: list[Place]
    words: Place


@dataclass(slots=True)
class Layout:
    """The whole picture."""

    boxes: dict[str, Place]
    ways: list[Way]
    width: float
    height: float


def layers(graph: StateGraph) -> list[list[Node]]:
    """The states by how many steps they are away, each layer in the order of what it is linked to."""
    places = place(graph, lambda node: (1.0, 1.0), lambda edges: (0.1, 0.1))
    rows: dict[float, list[Place]] = {}
    for box in places.boxes.values():
        rows.setdefault(box.y, []).append(box)
    ordered = [sorted(rows[y], key=lambda box: box.x) for y in sorted(rows)]
    return [[box.node for box in row if box.node is not None] for row in ordered]


def place(
    graph: StateGraph, box_size: Callable[[Node], Size], words_size: Callable[[Sequence[Edge]], Size]
) -> Layout:
    """Lays a graph out; the sizes of boxes and words are the caller's to tell."""
    depth = _depths(graph)
    levels = sorted(set(depth.values()))
    layer = {key: levels.index(at) for key, at in depth.items()}
    rows: list[list[Place]] = [[] for _ in range(2 * len(levels) + 1)]
    boxes: dict[str, Place] = {}
    for node in graph.nodes:
        boxes[node.key] = Place(*box_size(node), node)
        rows[2 * layer[node.key]].append(boxes[node.key])
    between: dict[tuple[str, str], list[Edge]] = {}
    for edge in graph.edges:
        if edge.source != edge.target:
            between.setdefault((edge.source, edge.target), []).append(edge)
    ways = [
        _way(rows, boxes, layer, source, target, tuple(edges), words_size(edges))
        for (source, target), edges in between.items()
    ]  # fmt: skip
    for turn in range(ROUNDS):
        _order(rows, down=turn % 2 == 0)
    return _finished(rows, boxes, ways)


def _depths(graph: StateGraph) -> dict[str, int]:
    """How far each state is from the beginning; one that cannot be reached keeps the depth that it says."""
    after: dict[str, list[str]] = {}
    for edge in graph.edges:
        after.setdefault(edge.source, []).append(edge.target)
    depth = {graph.initial: 0} if any(node.key == graph.initial for node in graph.nodes) else {}
    order = list(depth)
    for key in order:
        for target in after.get(key, ()):
            if target not in depth:
                depth[target] = depth[key] + 1
                order.append(target)
    return {node.key: depth.get(node.key, node.depth) for node in graph.nodes}


def _way(
    rows: list[list[Place]], boxes: Mapping[str, Place], layer: Mapping[str, int], source: str, target: str,
    edges: tuple[Edge, ...], size: Size,
) -> Way:  # fmt: skip
    """Makes the places of an arrow, and links them."""
    start, end = 2 * layer[source], 2 * layer[target]
    words = Place(*size)
    if start == end:
        rows[start + 1].append(words)
        for box in (boxes[source], boxes[target]):
            _link(box, words)
        return Way(edges, [boxes[source], words, boxes[target]], words)
    step = 1 if end > start else -1
    chain = [boxes[source]]
    for at in range(start + step, end, step):
        passing = words if at == start + step else Place(PASS_IN, 0.0)
        rows[at].append(passing)
        chain.append(passing)
    chain.append(boxes[target])
    for upper, lower in pairwise(chain if step > 0 else chain[::-1]):
        _link(upper, lower)
    return Way(edges, chain, words)


def _link(upper: Place, lower: Place) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _order(rows: list[list[Place]], *, down: bool) -> None:
    """Puts each layer in the order of the middle of what it is linked to in the layer before."""
    for row in rows:
        for n, each in enumerate(row):
            each.x = (n + 0.5) / len(row)
    for row in rows if down else rows[::-1]:
        keyed = [(_middle(each.above if down else each.below, each.x), n) for n, each in enumerate(row)]
        row[:] = [row[n] for _, n in sorted(keyed)]
        for n, each in enumerate(row):
            each.x = (n + 0.5) / len(row)


def _middle(linked: Sequence[Place], own: float) -> float:
    return sum(each.x for each in linked) / len(linked) if linked else own


def _finished(rows: list[list[Place]], boxes: dict[str, Place], ways: list[Way]) -> Layout:
    """Gives everything its place: as near to what it is linked to as its neighbours let it."""
    for row in rows:
        _spread(row, [0.0] * len(row))
    for turn in range(2 * ROUNDS):
        for row in rows if turn % 2 == 0 else rows[::-1]:
            _spread(row, [_middle([*each.above, *each.below], each.x) for each in row])
    left = min((each.x - each.width / 2 for row in rows for each in row), default=0.0)
    right = max((each.x + each.width / 2 for row in rows for each in row), default=0.0)
    y = 0.0
    for row in rows:
        high = max((each.height for each in row), default=0.0)
        y += ROW_GAP_IN + high / 2
        for each in row:
            each.x -= left
            each.y = y
        y += high / 2
    return Layout(boxes, ways, right - left, y)


def _spread(row: list[Place], wanted: Sequence[float]) -> None:
    """The places of a layer, in their order, as near to the wanted ones as they have room (least squares).

    Without its distance to the first, each place must not be before the one before it; where it would be, the two
    take the middle (pool adjacent violators).
    """
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (one.width + other.width) / 2 + GAP_X)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        block = (want - offset, 1)
        while blocks and blocks[-1][0] > block[0]:
            value, size = blocks.pop()
            block = ((value * size + block[0] * block[1]) / (size + block[1]), size + block[1])
        blocks.append(block)
    spread = [value for value, size in blocks for _ in range(size)]
    for each, value, offset in zip(row, spread, offsets, strict=False):
        each.x = value + offset
