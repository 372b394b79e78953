"""What models of Redis often get wrong: each row of ``model_rows.txt``, answered by the model to the byte.

``tests/differential/test_model_differential.py`` asks real servers for the same.
"""

from __future__ import annotations

import pytest
from redelivery.models.commands.table import commands_of
from redelivery.models.dialects import DIALECTS

from ..differential.model_rows import Row, all_rows, answered

ALL = all_rows()


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.title)
def test_the_model_answers_as_the_row_says(row: Row) -> None:
    assert answered(row).splitlines() == [f"# {row.title}", *row.lines]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_command_has_a_row(dialect: str) -> None:
    lines = (line for row in ALL for line in row.steps() if ">" in line.split()[0])
    used = {line.partition(">")[2].split()[0].upper() for line in lines}
    assert {name.decode() for name in commands_of(DIALECTS[dialect])} <= used
