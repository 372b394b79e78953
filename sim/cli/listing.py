"""``redelivery list``: the scenarios."""

from __future__ import annotations

import click

from ..catalogue import shipped
from . import output
from .options import json_option


@click.command(epilog="Example:  redelivery list --json")
@json_option
def command(as_json: bool) -> int:
    """List the scenarios that come with Redelivery, with the verdict that each variant is declared to show."""
    scenarios = shipped()
    if as_json:
        rows = [
            {
                "name": scenario.name,
                "summary": scenario.summary,
                "variants": [{"name": name, "declared": v.declared} for name, v in scenario.variants.items()],
            }
            for scenario in scenarios
        ]
        output.print_json({"scenarios": rows})
        return 0
    out = output.console()
    for scenario in scenarios:
        out.print(f"[bold]{scenario.name}[/]")
        out.print(f"  {scenario.summary}", markup=False)
        width = max(map(len, scenario.variants))
        for name, variant in scenario.variants.items():
            out.print(f"    {name:<{width}}  {variant.declared:<32}  {variant.summary}", markup=False)
    return 0
