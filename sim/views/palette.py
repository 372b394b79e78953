"""Colours that the colour-blind can tell apart, with hatches so that they also print in grey."""

from __future__ import annotations

from typing import NamedTuple

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


def looks(lanes: tuple[Lane, ...], owners: frozenset[str]) -> dict[str, Look]:
    """The look of each process; those in ``owners`` get a colour, in the order of the lanes."""
    out = {lane.name: OTHERS for lane in lanes}
    for n, name in enumerate(lane.name for lane in lanes if lane.name in owners):
        out[name] = WORKERS[n % len(WORKERS)]
    return out


def tint(colour: str, share: float) -> str:
    """The colour mixed with paper: 0 is paper, 1 the colour itself."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in parts)
