"""The pages that tell of all scenarios and properties, written from what these declare.

`python -m redelivery.sim.catalogue_page` writes `CATALOGUE.md`, and the tables between the markers of `README.md`, in
the current folder. What scenarios declare is proved elsewhere: each verdict and count of states by `redelivery check
--all`, each line of the table of safeguards by `redelivery check --all --ablate`. A test sees to it that the pages are
what this gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..models.dialects import DIALECTS
from .atlas import MAPS
from .catalogue import shipped
from .properties import BUILT_IN, SERVER_INVARIANTS
from .scenario import Scenario, Variant
from .watch import Property

HEAD = """\
# The catalogue

This page is written from what the scenarios declare: `python -m redelivery.sim.catalogue_page`. `redelivery check
--all` proves every verdict and every number of states, in the dialect in which a variant is run by default; `redelivery
check --all --ablate` proves the table of safeguards. `redelivery show SCENARIO` tells one of them as a story. *Any*
dialect means any that has the commands.
"""

SAFEGUARDS = """\
## Safeguards

What each variant that holds needs: one safeguard left out, and the property that breaks then. `redelivery run SCENARIO
--variant VARIANT-without-SAFEGUARD` shows it, and every other verb takes that name, too.
"""

MAPS_HEAD = """\
## Maps

Where it is safe as two parameters change. Every point of a map is a check of everything that can happen there, and the
borders are exact to a millisecond, or to one. Each picture carries its numbers in its description.
"""


def page(scenarios: Sequence[Scenario] | None = None) -> str:
    """The whole catalogue as Markdown."""
    told = shipped() if scenarios is None else scenarios
    lines = [HEAD, *_contents(told), "", SAFEGUARDS, *_safeguards(told), "", MAPS_HEAD, *_maps()]
    for scenario in told:
        lines += ["", *_story(scenario)]
    return "\n".join(lines) + "\n"


def scenario_table(scenarios: Sequence[Scenario] | None = None) -> str:
    """One line for each scenario: what it is about, what breaks, and which variants hold."""
    lines = [_row("scenario", "what it is about", "broken, it violates", "variants that hold"), _row(*["---"] * 4)]
    for scenario in shipped() if scenarios is None else scenarios:
        breaks = dict.fromkeys(f"`{v.violates}`" for v in scenario.variants.values() if v.violates is not None)
        holds = [f"`{name}`" for name, v in scenario.variants.items() if v.violates is None]
        lines.append(_row(f"`{scenario.name}`", scenario.summary, ", ".join(breaks), ", ".join(holds)))
    return "\n".join(lines) + "\n"


def property_table() -> str:
    """One line for each built-in property: its statement, and its exceptions."""
    lines = [_row("property", "statement"), _row("---", "---")]
    for p in BUILT_IN.values():
        server = " †" if p in SERVER_INVARIANTS else ""
        lines.append(_row(f"`{p.name}`{server}", f"*{p.kind}*: {p.statement}{_exceptions(p)}"))
    return "\n".join(lines) + "\n"


def filled(text: str, marker: str, table: str) -> str:
    """A page with ``table`` between ``<!-- marker -->`` and ``<!-- /marker -->``; ``ValueError`` where it has none."""
    before, opens, rest = text.partition(f"<!-- {marker} -->\n")
    _, closes, after = rest.partition(f"<!-- /{marker} -->\n")
    if not opens or not closes:
        raise ValueError(f"the page has no <!-- {marker} --> with a <!-- /{marker} --> behind it")
    return f"{before}{opens}{table}{closes}{after}"


def readme(text: str) -> str:
    """The README with its tables as they are now."""
    return filled(filled(text, "scenarios", scenario_table()), "properties", property_table())


def _contents(scenarios: Sequence[Scenario]) -> Iterator[str]:
    variants = sum(len(scenario.variants) for scenario in scenarios)
    states = sum(v.states or 0 for scenario in scenarios for v in scenario.variants.values())
    yield f"{len(scenarios)} scenarios, {variants} variants, {states:,} states."
    yield ""
    yield _row("scenario", "variant", "declared", "states", "dialects")
    yield _row("---", "---", "---", "---:", "---")
    for scenario in scenarios:
        for name, variant in scenario.variants.items():
            states_told = "" if variant.states is None else f"{variant.states:,}"
            link = f"[{scenario.name}](#{scenario.name})"
            yield _row(link, f"`{name}`", _declared(variant), states_told, _dialects(variant))


def _safeguards(scenarios: Sequence[Scenario]) -> Iterator[str]:
    yield _row("scenario", "variant", "without", "breaks")
    yield _row(*["---"] * 4)
    for scenario in scenarios:
        for name, safeguard in scenario.ablations:
            breaks = scenario.variants[name].safeguards[safeguard].breaks
            yield _row(f"[{scenario.name}](#{scenario.name})", f"`{name}`", f"`{safeguard}`", f"`{breaks}`")


def _maps() -> Iterator[str]:
    for number, kept in enumerate(MAPS):
        if number:
            yield ""
        yield f"![{kept.title}]({kept.path})"
        yield ""
        yield f"**{kept.title}.** {kept.says}"
        yield f"`{kept.command}` draws it."


def _story(scenario: Scenario) -> Iterator[str]:
    yield f"## {scenario.name}"
    yield ""
    yield scenario.summary
    yield ""
    for name, variant in scenario.variants.items():
        where = f" ({_dialects(variant)})" if variant.dialects else ""
        yield f"- `{name}`: {variant.summary}. {_declared(variant).capitalize()}{where}."
    yield ""
    yield f"*Seen*: {scenario.evidence}."
    yield ""
    yield f"*Advice*: {scenario.advice}"
    if scenario.params:
        yield ""
        yield "*Parameters*: " + ", ".join(f"`{key}={value}`" for key, value in scenario.params.items()) + "."


def _declared(variant: Variant) -> str:
    return "holds" if variant.violates is None else f"violates `{variant.violates}`"


def _dialects(variant: Variant) -> str:
    """Where the verdict is declared: whole lines of servers in a word or two."""
    if not variant.dialects:
        return "any"
    told = []
    for line in dict.fromkeys(name.partition("-")[0] for name in variant.dialects):
        known = [name for name in DIALECTS if name.startswith(f"{line}-")]
        named = [name for name in known if name in variant.dialects]
        newest = named == known[-len(named) :] and len(named) > 1
        told.append(f"{named[0]} and later" if newest else ", ".join(named))
    return "; ".join(told)


def _exceptions(p: Property) -> str:
    return f" ({'; '.join(p.exceptions)})" if p.exceptions else ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    Path("CATALOGUE.md").write_text(page(), encoding="utf-8")
    _readme = Path("README.md")
    _readme.write_text(readme(_readme.read_text(encoding="utf-8")), encoding="utf-8")
