"""Entries next to each other that fared just the same share a row: ten leases are one fact, not ten."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import groupby

from .picture import Row

ALIKE_MIN = 3
"""Fewer than this stay apart: two rows are read as quickly as one that stands for two."""


def collapsed(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows, with those that differ in nothing but the entry's name as one."""
    out: list[Row] = []
    for _, same in groupby(rows, key=_fate):
        group = list(same)
        if len(group) < ALIKE_MIN:
            out += group
        else:
            out.append(
                replace(group[0], fields=f"{len(group)} alike", also=tuple((row.entry, row.id) for row in group[1:]))
            )
    return tuple(out)


def _fate(row: Row) -> Hashable:
    works = tuple(work._replace(entry="") for work in row.works)
    return (row.segments, works, row.marks, row.idle, row.deliveries, row.outcome, row.by, row.interest)
