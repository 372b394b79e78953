"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import BadInput

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a page.")


def outputs(function: F) -> F:
    """Where a run's history and picture go, and which real server it is held against."""
    for option in (
        json_option,
        click.option("--flush", is_flag=True, help="Let --against empty a database that is not empty."),
        click.option(
            "--against", metavar="SERVER",
            help="Replay the run on a real server and compare every reply: 'embedded', a redis-server, or redis://host:port.",
        ),
        click.option("--history", metavar="FILE", type=Path, help="Write the history, as JSON lines."),
        click.option("--timeline", metavar="FILE", type=Path, help="Draw the run: .svg, .png, .pdf, .txt or .html."),
    ):  # fmt: skip
        function = option(function)
    return function


def pairs(values: tuple[str, ...]) -> dict[str, str]:
    """``K=V`` options as a dictionary."""
    found: dict[str, str] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise BadInput(f"--param {value!r} is not of the form K=V")
        found[key] = text
    return found
