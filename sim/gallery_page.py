"""The gallery: what every variant that breaks looks like, in plain characters, so that a page of text holds them all.

Drawn pictures of all of them would be megabytes, and would change with every version of the library that draws. These
are small, the same everywhere, and can be compared line by line: a change of the page is a change of behaviour.
``python -m redelivery.sim.gallery_page`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .catalogue import shipped
from .run import Run, simulate
from .scenario import Scenario
from .views.bars import bars
from .views.layout import layout

TARGET = Path(__file__).resolve().parents[1] / "GALLERY.md"
HEAD = """# The gallery

Every variant that breaks, as its default run shows it: a line for each process, a line for each entry, time to the
right. `redelivery run SCENARIO --variant V --timeline x.svg` draws the same run with the idle clock, the claims and the
verdict; `redelivery show --sheet all.png` (and `--theme dark`) draws the smallest counterexamples of all on one sheet.
This page is written by `python -m redelivery.sim.gallery_page`.

`-` runs, `.` does not run (of an entry: is not delivered yet), `#` or an entry's number: at work, digits on an entry:
delivered or claimed for the so-manyth time. Other letters are explained below each picture.
"""


def page(scenarios: Iterable[Scenario] | None = None) -> str:
    """The whole page."""
    parts = [HEAD]
    for scenario in shipped() if scenarios is None else scenarios:
        broken = [name for name, variant in scenario.variants.items() if variant.violates is not None]
        if broken:
            parts.append(f"## {scenario.name}\n\n{scenario.summary}\n")
        parts += [_drawn(scenario, name) for name in broken]
    return "\n".join(parts)


def _drawn(scenario: Scenario, name: str) -> str:
    run = simulate(scenario, name)
    picture = layout(run.history)
    told = picture.broke or _verdict(run)
    lines = [f"**{name}**: {scenario.variant(name).summary}. {told}", "", "```text", *bars(picture), "```", ""]
    return "\n".join(lines)


def _verdict(run: Run) -> str:
    return f"The run is {run.verdict}."


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8", newline="\n")
