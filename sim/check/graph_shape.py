"""What a state graph looks like: its numbers, and a smaller graph of the same shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import takewhile
from math import log2
from typing import Any

from .report import Edge, Node, StateGraph


def statistics(graph: StateGraph) -> dict[str, Any]:
    """The numbers of a graph: states, edges, depth, out-degrees, strongly connected components, dead ends.

    ``depth`` is the longest of the shortest ways from the initial state; ``diameter`` the longest of the shortest ways
    between any two states, where one leads to the other, and ``None`` for graphs of more than 2,000 states.
    """
    import networkx as nx

    net = nx.DiGraph()
    net.add_nodes_from(node.key for node in graph.nodes)
    net.add_edges_from((edge.source, edge.target) for edge in graph.edges)
    degrees = Counter(edge.source for edge in graph.edges)
    out = sorted(degrees.get(node.key, 0) for node in graph.nodes)
    components = [len(part) for part in nx.strongly_connected_components(net)]
    loops = sum(size > 1 for size in components) + nx.number_of_selfloops(net)
    reached = nx.single_source_shortest_path_length(net, graph.initial) if graph.initial in net else {}
    broken = Counter(name for node in graph.nodes for name in node.violated)
    return {
        "states": len(graph.nodes),
        "edges": len(graph.edges),
        "complete": graph.complete,
        "depth": max(reached.values(), default=0),
        "diameter": _diameter(net) if len(net) <= 2000 else None,
        "out_degree": {
            "least": out[0] if out else 0,
            "median": out[len(out) // 2] if out else 0,
            "p95": out[min(len(out) * 95 // 100, len(out) - 1)] if out else 0,
            "most": out[-1] if out else 0,
            "mean": round(sum(out) / len(out), 3) if out else 0.0,
        },
        "components": {"number": len(components), "largest": max(components, default=0), "loops": loops},
        "dead_ends": sum(degree == 0 for degree in out),
        "violated": {name: broken[name] for name in sorted(broken)},
    }


LOOP = "loop"
"""The label of states in loops."""
FAIR, UNFAIR = "in a fair loop", "in a loop"


def with_loops(graph: StateGraph) -> StateGraph:
    """The graph in which states say, first of all, whether a run can go round through them for ever.

    A loop is fair where everybody who could always take a step in it takes one: a run can stay there although nobody
    is held up. Faults are never owed. Where there is no loop the graph is as it was.
    """
    found = loops(graph)
    if not found:
        return graph
    nodes = [replace(node, labels=((LOOP, found.get(node.key, "no")), *node.labels)) for node in graph.nodes]
    return replace(graph, nodes=tuple(nodes))


def loops(graph: StateGraph) -> dict[str, str]:
    """Which states are in loops, and whether in fair ones."""
    import networkx as nx

    net = nx.DiGraph((edge.source, edge.target) for edge in graph.edges)
    able: dict[str, set[str]] = {}
    for edge in graph.edges:
        if not edge.fault and edge.process:
            able.setdefault(edge.source, set()).add(edge.process)
    inner: dict[frozenset[str], set[str]] = {}
    part_of: dict[str, frozenset[str]] = {}
    for part in nx.strongly_connected_components(net):
        if len(part) > 1 or any(net.has_edge(key, key) for key in part):
            keys = frozenset(part)
            inner[keys] = set()
            part_of.update(dict.fromkeys(keys, keys))
    for edge in graph.edges:
        whole = part_of.get(edge.source)
        if whole is not None and edge.target in whole and not edge.fault:
            inner[whole].add(edge.process)
    out = {}
    for node in graph.nodes:
        whole = part_of.get(node.key)
        if whole is not None:
            always = set.intersection(*(able.get(key, set()) for key in sorted(whole)))
            out[node.key] = FAIR if always <= inner[whole] else UNFAIR
    return out


def _diameter(net: Any) -> int:
    import networkx as nx

    return max((max(lengths.values()) for _, lengths in nx.all_pairs_shortest_path_length(net)), default=0)


def collapsed(graph: StateGraph, labels: Sequence[str] | None = None) -> StateGraph:
    """One node for all states with the same labels (those named, by default all), and the same broken properties.

    A node's key tells its labels, its first label how many states it stands for; steps between two nodes that differ
    in nothing but in who took them with which words become one.
    """
    keys: dict[str, str] = {}
    members: dict[str, list[Node]] = {}
    for node in graph.nodes:
        kept = [(name, value) for name, value in node.labels if labels is None or name in labels]
        key = "; ".join([f"{name}: {value}" for name, value in kept] + [f"broken: {name}" for name in node.violated])
        keys[node.key] = key or "all"
        members.setdefault(keys[node.key], []).append(node)
    nodes = []
    for key, group in members.items():
        kept_labels = tuple(pair for pair in group[0].labels if labels is None or pair[0] in labels)
        size = ("states", str(len(group)))
        nodes.append(Node(key, min(node.depth for node in group), (size, *kept_labels), group[0].violated))
    between: dict[tuple[str, str, str, bool, str], Counter[str]] = {}
    for edge in graph.edges:
        ends = (keys[edge.source], keys[edge.target], edge.process, edge.fault, _broken(edge.step))
        between.setdefault(ends, Counter())[edge.step] += 1
    edges = []
    for (source, target, process, fault, broken), steps in between.items():
        if source != target or broken:
            words = _together([step.removesuffix(broken) for step in steps], process)
            edges.append(Edge(source, target, words + broken, process, fault))
    initial = keys.get(graph.initial, "")
    return StateGraph(graph.scenario, graph.variant, initial, tuple(nodes), tuple(edges), graph.complete)


def _broken(step: str) -> str:
    """What a step says that it breaks, with the blank before it."""
    return step[step.index(" (") :] if step.endswith(" broken)") and " (" in step else ""


def _together(steps: list[str], process: str) -> str:
    """What several steps of one process have in common, in words."""
    if len(steps) == 1:
        return steps[0]
    places = zip(*(step.split() for step in steps), strict=False)
    same = [words[0] for words in takewhile(lambda words: len(set(words)) == 1, places)]
    return f"{' '.join(same)} …" if len(same) > 1 else f"{process or 'the server'}: {len(steps)} kinds of steps"


def small_enough(graph: StateGraph, most: int) -> StateGraph:
    """The graph itself if it has at most ``most`` states, else collapsed by as many of its labels as are possible.

    They are tried one after the other, the most telling first; one that would make too many classes is left out.
    """
    if len(graph.nodes) <= most:
        return graph
    named = [dict(node.labels) for node in graph.nodes]
    classes: list[tuple[str | None, ...]] = [node.violated for node in graph.nodes]
    kept: list[str] = []
    for name in _telling(graph):
        finer = [(*before, values.get(name)) for before, values in zip(classes, named, strict=True)]
        if len(set(finer)) <= most:
            classes = finer
            kept.append(name)
    return collapsed(graph, kept)


def _telling(graph: StateGraph) -> list[str]:
    """The names of labels: first those that say most about where things break, else in the order of the labels."""
    fullest = sorted(graph.nodes, key=lambda node: -len(node.labels))
    names = list(dict.fromkeys(name for node in fullest for name, _ in node.labels))
    trouble = {node.key for node in graph.nodes if node.violated} | {e.target for e in graph.edges if _broken(e.step)}
    told = {name: _information(graph, name, trouble) for name in names}
    return sorted(names, key=lambda name: -told[name])


def _information(graph: StateGraph, name: str, trouble: Collection[str]) -> int:
    """How much the value of a label says about whether a state is in trouble, in thousandths of a bit."""
    both = Counter((dict(node.labels).get(name), node.key in trouble) for node in graph.nodes)
    values, states, troubled = Counter[str | None](), len(graph.nodes), Counter[bool]()
    for (value, bad), number in both.items():
        values[value] += number
        troubled[bad] += number
    bits = sum(n / states * log2(n * states / (values[value] * troubled[bad])) for (value, bad), n in both.items())
    return round(bits * 1000)
