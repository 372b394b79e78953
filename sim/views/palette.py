"""Colours that the colour-blind can tell apart, and that print: never colour alone."""

from __future__ import annotations

from .picture import Lane

# The qualitative palette of Okabe and Ito; its red (vermilion) is kept for trouble.
PROCESS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D31", "#5B5B9A", "#7F7F7F")
TROUBLE = "#D55E00"
GOOD = "#00724F"
INK = "#222222"
SOFT = "#6B6B6B"
FAINT = "#D9D9D9"
PAPER = "#FFFFFF"
STRIPE = "#F6F6F4"


def colours(lanes: tuple[Lane, ...]) -> dict[str, str]:
    """A colour for each process, in the order of the lanes."""
    return {lane.name: PROCESS[i % len(PROCESS)] for i, lane in enumerate(lanes)}


def tint(colour: str, share: float) -> str:
    """The colour mixed with paper: 0 is paper, 1 the colour itself."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in parts)
