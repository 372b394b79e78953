"""What ``redelivery check --ablate`` does and prints: each safeguard left out in turn, and what then breaks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from time import perf_counter
from typing import Any

import click

from ..catalogue import find
from ..check.everything import FAILED, OK, Row, ablations, check_all
from ..errors import BadInput
from ..run import VIOLATED, build
from ..scenario import WITHOUT
from . import output

HEADS = ("scenario", "variant", "without")


def run_ablations(
    references: Sequence[str], variant: str | None, dialect: str | None, reduce: tuple[str, ...], workers: int | None,
    params: Mapping[str, str], as_json: bool,
) -> int:  # fmt: skip
    """Checks what is left of a variant without each of its safeguards; the exit code is 1 where one is idle.

    Without ``references`` that is every scenario's, without ``variant`` every variant's.
    """
    todo = ablations(references, dialect)
    if variant is not None:
        for reference in references:
            find(reference).variant(variant)
        todo = [(name, lacking) for name, lacking in todo if lacking.startswith(variant + WITHOUT)]
    if not todo:
        raise BadInput(f"{' '.join((*references, variant or '')).strip()} declares no safeguard that could be left out")
    _refuse(*todo[0], dialect, params)
    began_s = perf_counter()

    def tell(row: Row) -> None:
        click.echo(f"{row.scenario} {row.variant}: {row.property or row.verdict}", err=True)

    rows = check_all(todo, dialect, reduce, workers or os.cpu_count() or 1, perf_counter, tell, dict(params))
    seconds = perf_counter() - began_s
    if as_json:
        output.print_json({"ablations": [_as_json(row) for row in rows], "seconds": round(seconds, 3)})
    else:
        _print_rows(rows, seconds)
    if any(row.outcome not in (OK, FAILED) for row in rows):
        return 1
    return 2 if any(row.outcome == FAILED for row in rows) else 0


def _refuse(reference: str, variant: str, dialect: str | None, params: Mapping[str, str]) -> None:
    """What is wrong with the dialect or a parameter is said before anything else."""
    scenario = find(reference)
    build(scenario, variant, dialect or scenario.variant(variant).dialect, params, record=False)


def _as_json(row: Row) -> dict[str, Any]:
    whole, _, safeguard = row.variant.partition(WITHOUT)
    return asdict(row) | {"variant": whole, "safeguard": safeguard, "idle": row.verdict != VIOLATED}


def _print_rows(rows: list[Row], seconds: float) -> None:
    out = output.console()
    table = [HEADS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    heads = [f"{head:<{width}}" for head, width in zip(HEADS, widths, strict=True)]
    out.print("  ".join(heads) + "  what breaks", markup=False)
    for row in rows:
        cells = "  ".join(f"{cell:<{width}}" for cell, width in zip(_cells(row), widths, strict=True))
        out.print(cells, end="  ", markup=False)
        style = "green" if row.outcome == OK else "bold red"
        said = row.property or ("nothing: it is idle" if row.outcome != FAILED else row.message)
        wanted = "" if row.outcome == OK else f" (declared: {row.declared})"
        out.print(f"[{style}]{said}[/]{wanted}, {row.states:,} states")
    out.print(f"{len(rows)} safeguards in {seconds:.1f} s")


def _cells(row: Row) -> tuple[str, str, str]:
    whole, _, safeguard = row.variant.partition(WITHOUT)
    return row.scenario, whole, safeguard
