"""A state graph: its file, and its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..check.graph_shape import statistics
from ..check.report import StateGraph
from ..views.words import counted
from . import output


def write_graph(graph: StateGraph, target: Path, theme: str) -> dict[str, Any]:
    """Writes the file; the numbers of the graph."""
    from ..views.graph_files import write

    write(graph, target, theme)
    return statistics(graph)


def print_graph(numbers: dict[str, Any], target: Path | None) -> None:
    """The numbers in words."""
    out, degree, parts = output.console(), numbers["out_degree"], numbers["components"]
    seen = "" if numbers["complete"] else " seen; there are more"
    diameter = "" if numbers["diameter"] is None else f", diameter {numbers['diameter']}"
    out.print(
        f"graph      {counted(numbers['states'], 'state')}, {counted(numbers['edges'], 'step')}{seen}; "
        f"depth {numbers['depth']}{diameter}; steps out of a state {degree['least']} to {degree['most']}, "
        f"mean {degree['mean']:.2f}; {counted(parts['number'], 'component')}, {counted(parts['loops'], 'loop')}, "
        f"{counted(numbers['dead_ends'], 'dead end')}",
        markup=False,
    )
    if target is not None:
        out.print(f"           written to {target}", markup=False)
