"""Scenarios: small worlds with named actors, a fault budget and declared verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..models.dialects import DEFAULT, DIALECTS
from .errors import ScenarioError, unknown
from .plan import Params, Plan
from .properties import SERVER_INVARIANTS, named
from .watch import Property

REPAIRED = "repaired"
BROKEN = "broken"
WITHOUT = "-without-"
"""Between a variant and one of its safeguards: the name of the variant that lacks it."""


@dataclass(frozen=True, slots=True)
class Without:
    """A variant that lacks one of its safeguards: how its world is built, and which property breaks there."""

    plan: Callable[[Params], Plan]
    breaks: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a scenario: how its world is built, and what it is declared to show.

    ``violates`` names the property that this variant breaks; ``None`` where all hold.
    """

    summary: str
    plan: Callable[[Params], Plan]
    violates: str | None = None
    properties: Sequence[str | Property] = ()
    """Checked beside those of the scenario and the server invariants."""
    sometimes: Sequence[Property] = ()
    states: int | None = None
    """How many states a check sees, exactly: with the default parameters, dialect and reductions."""
    dialects: Sequence[str] = ()
    """Where its verdict is declared: the dialects of servers that behave so; empty where it does not depend on that."""
    safeguards: Mapping[str, Without] = field(default_factory=dict)
    """What this variant needs in order to hold, by names such as ``kept-cursor``, with what comes of leaving it out.

    ``VARIANT-without-SAFEGUARD`` names the variant that lacks it, wherever a variant is named.
    """

    @property
    def dialect(self) -> str:
        """The dialect in which it is run where none is asked for: the default, if its verdict is declared there."""
        return DEFAULT if not self.dialects or DEFAULT in self.dialects else self.dialects[0]

    @property
    def declared(self) -> str:
        """The declared verdict, in words."""
        return "holds" if self.violates is None else f"violated ({self.violates})"

    def without(self, safeguard: str) -> Variant:
        """This variant as it is when one of its safeguards is left out."""
        lacking = self.safeguards[safeguard]
        return Variant(
            f"{self.summary}; but without {safeguard.replace('-', ' ')}", lacking.plan, lacking.breaks, self.properties,
            dialects=self.dialects,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scenario:
    """A failure, told as a small world that shows it and one that does not have it any more."""

    name: str
    summary: str
    """One sentence of intent."""
    variants: Mapping[str, Variant]
    properties: Sequence[str | Property] = ()
    sometimes: Sequence[Property] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = ""
    """Where real people met it."""
    advice: str = ""
    """What to do about it, in two sentences."""

    def __post_init__(self) -> None:
        if not self.variants:
            raise ScenarioError(f"scenario {self.name!r} has no variants")
        for name, variant in self.variants.items():
            self.properties_of(variant)
            for dialect in variant.dialects:
                if dialect not in DIALECTS:
                    raise unknown("dialect", dialect, DIALECTS)
            for safeguard in variant.safeguards:
                if variant.violates is not None:
                    raise ScenarioError(f"{self.name!r}: variant {name!r} has a safeguard, and is declared to break")
                self.properties_of(variant.without(safeguard))

    @property
    def ablations(self) -> list[tuple[str, str]]:
        """Every variant with each of its safeguards, by name."""
        return [(name, safeguard) for name, variant in self.variants.items() for safeguard in variant.safeguards]

    @property
    def default_variant(self) -> str:
        """``repaired`` where there is one, else the first."""
        return REPAIRED if REPAIRED in self.variants else next(iter(self.variants))

    def variant(self, name: str) -> Variant:
        """A variant by name, also without a safeguard; ``BadInput`` with the nearest name where there is none such."""
        if name in self.variants:
            return self.variants[name]
        lacking = {f"{whole}{WITHOUT}{safeguard}": (whole, safeguard) for whole, safeguard in self.ablations}
        if name not in lacking:
            raise unknown(f"variant of {self.name!r}", name, [*self.variants, *lacking])
        whole, safeguard = lacking[name]
        return self.variants[whole].without(safeguard)

    def properties_of(self, variant: Variant) -> list[Property]:
        """Everything that a run of ``variant`` checks, each property once."""
        found: dict[str, Property] = {}
        for p in (
            *SERVER_INVARIANTS,
            *named(self.properties),
            *named(variant.properties),
            *self.sometimes,
            *variant.sometimes,
        ):
            found.setdefault(p.name, p)
        if variant.violates is not None and variant.violates not in found:
            raise ScenarioError(
                f"scenario {self.name!r} declares a violation of {variant.violates!r}, which it does not check"
            )
        return list(found.values())
