"""A state graph as a file: GraphML, DOT or JSON for programs, a picture or a page for people, by its ending."""

from __future__ import annotations

import json
from pathlib import Path

from ..check.graph_shape import FAIR, loops, small_enough, statistics, with_loops
from ..check.report import StateGraph
from ..errors import BadInput

VERSION = 1
DATA = (".graphml", ".dot", ".json")
PICTURES = (".svg", ".png", ".pdf")
PAGE = ".html"
ENDINGS = (*DATA, *PICTURES, PAGE)
DRAWN_MAX = 24
"""A picture of more states shows nothing: it is collapsed by labels, and says so."""


def check_ending(path: Path) -> None:
    """Refuses a file that a graph cannot be written to, before anything is run for it."""
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"cannot write a graph to {str(path)!r}: its ending must be one of {', '.join(ENDINGS)}")


def write(graph: StateGraph, path: Path, theme: str = "light") -> None:
    """Writes the graph; the same graph gives the same bytes. The theme is that of pictures."""
    check_ending(path)
    form = path.suffix.lower()
    if form in PICTURES:
        from .graph_picture import render
        from .palette import theme_named

        drawn = small_enough(with_loops(graph), DRAWN_MAX)
        data = render(drawn, form[1:], len(graph.nodes), len(graph.edges), theme_named(theme))
    elif form == PAGE:
        from .graph_html import render as render_page

        data = render_page(graph)
    else:
        text = {".graphml": graphml, ".dot": dot, ".json": as_json}[form](graph)
        data = text.encode()
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(f"cannot write the graph to {path}: {error.strerror}") from error


def as_json(graph: StateGraph) -> str:
    """One JSON object, format-versioned: nodes, edges and the numbers of the graph.

    ``loop`` says of a node whether a run can go round through it for ever, ``end`` that nothing follows.
    """
    in_loops, sources = loops(graph), {edge.source for edge in graph.edges}
    value = {
        "redelivery": "state graph",
        "version": VERSION,
        "scenario": graph.scenario,
        "variant": graph.variant,
        "initial": graph.initial,
        "statistics": statistics(graph),
        "nodes": [
            {
                "key": node.key, "depth": node.depth, "labels": dict(node.labels), "violated": list(node.violated),
                "loop": in_loops.get(node.key, ""), "end": node.key not in sources,
            }
            for node in graph.nodes
        ],
        "edges": [
            {"source": e.source, "target": e.target, "step": e.step, "process": e.process, "fault": e.fault}
            for e in graph.edges
        ],
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def graphml(graph: StateGraph) -> str:
    """GraphML, as networkx, Gephi and yEd read it."""
    import networkx as nx

    net = nx.MultiDiGraph(scenario=_clean(graph.scenario), variant=_clean(graph.variant), complete=graph.complete)
    in_loops, sources = loops(graph), {edge.source for edge in graph.edges}
    for node in graph.nodes:
        marks = {
            "depth": node.depth, "initial": node.key == graph.initial, "end": node.key not in sources,
            "violated": ", ".join(node.violated), "loop": in_loops.get(node.key, ""),
        }  # fmt: skip
        net.add_node(_clean(node.key), **{name: _clean(value) for name, value in node.labels}, **marks)
    for edge in graph.edges:
        net.add_edge(
            _clean(edge.source), _clean(edge.target), step=_clean(edge.step), process=edge.process, fault=edge.fault
        )  # fmt: skip
    return "".join(line + "\n" for line in nx.generate_graphml(net))


def dot(graph: StateGraph) -> str:
    """DOT, as Graphviz reads it: violations in red, fair loops in blue, ends with two lines, faults dashed."""
    number = {node.key: f"s{n}" for n, node in enumerate(graph.nodes)}
    in_loops, sources = loops(graph), {edge.source for edge in graph.edges}
    lines = [f"digraph {_quoted(f'{graph.scenario}, {graph.variant}')} {{", "  rankdir=TB;", '  node [shape=box];']
    for node in graph.nodes:
        label = "\n".join([*(f"{name}: {value}" for name, value in node.labels), *node.violated])
        style = ', style=filled, fillcolor="#FFB499"' if node.violated else ""
        style += ", penwidth=3" if node.key == graph.initial else ""
        style += ', color="#3333CC"' if in_loops.get(node.key) == FAIR else ""
        style += ", peripheries=2" if node.key not in sources else ""
        lines.append(f"  {number[node.key]} [label={_quoted(label or node.key[:8])}{style}];")
    for edge in graph.edges:
        style = ", style=dashed" if edge.fault else ""
        lines.append(f"  {number[edge.source]} -> {number[edge.target]} [label={_quoted(edge.step)}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = _clean(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return "".join(c if c >= " " or c == "\n" else "�" for c in text)
