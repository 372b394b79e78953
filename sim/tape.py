"""A tape as one line of text: format version, scenario, variant, dialect, parameters, choices.

``redelivery-1:SCENARIO:VARIANT:DIALECT:K=V,...:CHOICES`` needs no quotes in a shell. Choices are
separated by dots, runs are written ``12x0``; zeros at the end are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import quote, unquote

from .errors import BadInput

PREFIX = "redelivery-1"
CHOICES_MAX = 10_000_000
"""A longer tape is a mistake, not a run."""
DIGITS_MAX = 9
"""Nor has any decision so many answers; and what is larger by far Python refuses to read."""


@dataclass(frozen=True, slots=True)
class Tape:
    """Everything that a run depends on."""

    scenario: str
    variant: str
    dialect: str
    params: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[int, ...] = ()

    def __str__(self) -> str:
        params = ",".join(f"{_quoted(key)}={_quoted(value)}" for key, value in sorted(self.params.items()))
        parts = (_quoted(self.scenario), _quoted(self.variant), _quoted(self.dialect), params)
        return ":".join((PREFIX, *parts, _show_choices(self.choices)))

    @staticmethod
    def parse(text: str) -> Tape:
        """Reads the one line; ``BadInput`` says what is wrong with it."""
        return parse(text)


def parse(text: str) -> Tape:
    """Reads the one line; ``BadInput`` says what is wrong with it."""
    text = text.strip()
    if not text:
        raise BadInput("the tape is empty")
    parts = text.split(":")
    if parts[0] != PREFIX:
        if parts[0].startswith("redelivery-"):
            raise BadInput(f"the tape has format {parts[0]!r}; this Redelivery reads {PREFIX!r}")
        raise BadInput(f"not a tape: it starts with {text[:20]!r}, a tape starts with '{PREFIX}:'")
    if len(parts) != 6:
        raise BadInput(f"the tape has {len(parts)} parts between colons, a tape has 6; was it cut?")
    params: dict[str, str] = {}
    for item in filter(None, parts[4].split(",")):
        key, equals, value = item.partition("=")
        if not equals:
            raise BadInput(f"the tape's parameter {item!r} is not of the form K=V")
        params[unquote(key)] = unquote(value)
    return Tape(unquote(parts[1]), unquote(parts[2]), unquote(parts[3]), params, _read_choices(parts[5]))


def _quoted(text: str) -> str:
    return quote(text, safe="/")


def _show_choices(choices: Sequence[int]) -> str:
    end = len(choices)
    while end and choices[end - 1] == 0:
        end -= 1
    runs = []
    for answer, group in groupby(choices[:end]):
        length = len(list(group))
        runs.append(str(answer) if length == 1 else f"{length}x{answer}")
    return ".".join(runs)


def _read_choices(text: str) -> tuple[int, ...]:
    choices: list[int] = []
    for run in filter(None, text.split(".")):
        length, times, answer = run.rpartition("x")
        if not run.isascii() or not answer.isdecimal() or (times and not length.isdecimal()):
            raise BadInput(f"the tape's choices hold {run!r}, which is neither a number nor a run such as 12x0")
        if (digits := max(len(answer), len(length))) > DIGITS_MAX:
            raise BadInput(f"the tape's choices hold a number of {digits} digits")
        times_n = int(length) if times else 1
        if len(choices) + times_n > CHOICES_MAX:
            raise BadInput(f"the tape holds more than {CHOICES_MAX:,} choices")
        choices.extend([int(answer)] * times_n)
    return tuple(choices)
