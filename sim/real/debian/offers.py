"""Which servers there are to install, and in which suites of Debian each may be found."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import unknown

__all__ = ["OFFERS", "Offer", "chosen"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A server to install: its line, the series of its versions, and the suites to look into, in this order."""

    line: str
    series: str
    suites: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name to install it by, which is its dialect, e.g. `redis-7.0`."""
        return f"{self.line}-{self.series}"

    @property
    def package(self) -> str:
        """The package that holds the server (from Debian 9 on, a link to a program of the tools' package)."""
        return f"{self.line}-server"


BENEATH = {"experimental": "sid"}
"""A suite that is not whole: what it lacks comes from the other."""

OFFERS: dict[str, Offer] = {
    offer.name: offer
    for offer in (
        Offer("redis", "6.0", ("bullseye",)),
        Offer("redis", "7.0", ("bookworm",)),
        Offer("redis", "8.0", ("sid", "trixie")),
        Offer("redis", "8.6", ("experimental", "sid")),
        Offer("valkey", "8.1", ("trixie",)),
        Offer("valkey", "9.1", ("sid", "experimental")),
    )
}


def chosen(names: tuple[str, ...]) -> list[Offer]:
    """The offers of these names, each once; all of them without a name."""
    for name in names:
        if name not in OFFERS:
            raise unknown("server", name, OFFERS)
    return [OFFERS[name] for name in dict.fromkeys(names or OFFERS)]
