"""``redelivery show``: what a scenario is about, and the story of one run of it."""

from __future__ import annotations

import click

from ..catalogue import find
from ..run import simulate
from . import output
from .options import json_option


@click.command(epilog="Example:  redelivery show crash-before-ack --variant broken")
@click.argument("scenario")
@click.option("--variant", metavar="V", help="The variant whose story is told; 'repaired' where there is one.")
@click.option("--dialect", metavar="D", help="The server line to model; the variant's.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the tape.")
@json_option
def command(scenario: str, variant: str | None, dialect: str | None, seed: int, as_json: bool) -> int:
    """Tell what SCENARIO is about: its intent, its variants, the advice, and one run as a story in words."""
    from ..views.story import tell

    found = find(scenario)
    run = simulate(found, variant, dialect=dialect, seed=seed, reference=scenario)
    story = tell(run.history)
    if as_json:
        output.print_json(
            {
                "name": found.name, "summary": found.summary, "evidence": found.evidence, "advice": found.advice,
                "variant": run.variant_name, "declared": run.variant.declared, "verdict": run.verdict,
                "story": story, "tape": str(run.tape),
            }
        )  # fmt: skip
        return 0
    out = output.console()
    out.print(f"[bold]{found.name}[/]")
    for text in (found.summary, found.evidence and f"Seen: {found.evidence}.", found.advice):
        if text:
            out.print(text, markup=False)
    for name, each in found.variants.items():
        out.print(f"  {name}: {each.summary}; declared: {each.declared}", markup=False)
    out.print(f"\n[bold]The story of {run.variant_name}, seed {seed}[/]")
    for line in story:
        out.print(line, markup=False)
    return 0
