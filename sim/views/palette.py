"""Colours that the colour-blind can tell apart, with hatches so that they also print in grey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import unknown
from .picture import Lane


class Look(NamedTuple):
    """How a process is drawn: its colour, the hatch over it, and the colour of text on it."""

    colour: str
    hatch: str
    on: str


INK = "#222222"
SOFT = "#5E5E5E"
FAINT = "#D9D9D9"
PAPER = "#FFFFFF"
STRIPE = "#F6F6F4"

# The qualitative palette of Okabe and Ito; its vermilion is kept for trouble, its black for text.
TROUBLE = "#C24E00"
TROUBLE_TINT = "#FFF3EA"
GOOD = "#00684A"
CURSOR = "#5B5B9A"

WORKERS = (
    Look("#0072B2", "", PAPER),
    Look("#E69F00", "\\\\\\\\", INK),
    Look("#009E73", "....", INK),
    Look("#CC79A7", "||||", INK),
    Look("#56B4E9", "----", INK),
    Look("#F0E442", "++", INK),
)
"""For processes that own or handle entries; more of them than this share looks, and names tell them apart."""
OTHERS = Look("#7A7A7A", "", PAPER)
"""For processes that never own an entry, such as producers."""


@dataclass(frozen=True, slots=True)
class Theme:
    """What the colours above become on a certain paper."""

    name: str
    becomes: Mapping[str, str] = field(default_factory=dict)
    """A colour of the light theme, and what stands for it."""
    workers: tuple[Look, ...] = WORKERS
    others: Look = OTHERS

    def of(self, colour: str) -> str:
        """What stands for a colour; one that is not known stays as it is."""
        return self.becomes.get(colour, colour)

    @property
    def paper(self) -> str:
        """What everything stands on."""
        return self.of(PAPER)

    def tint(self, colour: str, share: float) -> str:
        """The colour mixed with paper: 0 is paper, 1 the colour itself."""
        return tint(self.of(colour), share, self.paper)


LIGHT = Theme("light")
_NIGHT = "#14171B"
DARK = Theme(
    "dark",
    {
        INK: "#E9E7E3", SOFT: "#A9ADB3", FAINT: "#3B4046", PAPER: _NIGHT, STRIPE: "#1C2026", TROUBLE: "#FF8B4D",
        TROUBLE_TINT: "#3A2419", GOOD: "#4FC98E", CURSOR: "#A9A9F2",
    },
    (
        Look("#4DA9EA", "", _NIGHT), Look("#F2B33D", "\\\\\\\\", _NIGHT), Look("#33C79A", "....", _NIGHT),
        Look("#E59CC8", "||||", _NIGHT), Look("#93D3F7", "----", _NIGHT), Look("#F4EA6B", "++", _NIGHT),
    ),
    Look("#9CA1A8", "", _NIGHT),
)  # fmt: skip
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def theme_named(name: str) -> Theme:
    """The theme with this name."""
    if name not in THEMES:
        raise unknown("theme", name, THEMES)
    return THEMES[name]


def looks(lanes: tuple[Lane, ...], owners: frozenset[str], theme: Theme = LIGHT) -> dict[str, Look]:
    """The look of each process; those in ``owners`` get a colour, in the order of the lanes."""
    out = {lane.name: theme.others for lane in lanes}
    for n, name in enumerate(lane.name for lane in lanes if lane.name in owners):
        out[name] = theme.workers[n % len(theme.workers)]
    return out


def tint(colour: str, share: float, paper: str = PAPER) -> str:
    """The colour mixed with paper: 0 is paper, 1 the colour itself."""
    pairs = [(int(colour[i : i + 2], 16), int(paper[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(under + (part - under) * share):02x}" for part, under in pairs)
