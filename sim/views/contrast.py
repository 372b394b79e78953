"""Two runs side by side: how long they do the same, and where they part first.

Runs are aligned on causal order, not on time: each process's own moves are compared one by one, so that a run in which
the others were quicker is no other run. A move is what changed something, or befell somebody; reads that found
nothing, and when a thing happened, make no difference. Entries are compared by their place in the order of birth.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from ..history import History
from . import moves as m
from . import words
from .reading import Reading, read

Key = tuple[str, ...]
SETTLES_NOTHING = ("changed nothing", "no more faults from here on", "the run is over")
"""Remarks of a chart that are no moves of anybody."""
SHOWN_BEFORE, SHOWN_AFTER = 3, 6
EVERYBODY = "the world"
ROLES_MAX = 5
"""Of more processes than this it is not tried who has whose part."""
ALIGNED_MAX = 300
"""How many moves are looked at for that."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The first move that only one of two runs has: who does something else, and what each does there instead."""

    who: str
    first: m.Move | None
    second: m.Move | None
    """``None`` where the process does nothing more in that run."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """What two runs have in common, and where they part."""

    headers: tuple[dict[str, Any], dict[str, Any]]
    same: int
    """How many moves of the first run the second has too, before they part."""
    renamed: tuple[tuple[str, str], ...]
    """Processes whose part somebody else has in the second run: two workers that do the same may change places."""
    parting: Parting | None
    charts: tuple[tuple[m.Move, ...], tuple[m.Move, ...]]
    """The moves of each around the parting."""
    outcomes: tuple[tuple[str, str, str], ...]
    """(entry, what became of it in the first run, in the second), where that differs."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        parting = self.parting
        return {
            "same": self.same,
            "renamed": dict(self.renamed),
            "parting": None if parting is None else {
                "who": parting.who, "first": _as_dict(parting.first), "second": _as_dict(parting.second),
            },
            "outcomes": [{"entry": entry, "first": one, "second": two} for entry, one, two in self.outcomes],
            "verdicts": [header.get("verdict") for header in self.headers],
            "words": told(self),
        }  # fmt: skip


def contrast(first: History, second: History) -> Contrast:
    """Aligns two runs on causal order."""
    one, two = _moves(first), _moves(second)
    roles = _roles(one, two)
    same, parting = _align(one, two, roles)
    charts: tuple[tuple[m.Move, ...], tuple[m.Move, ...]] = ((), ())
    if parting is not None:
        charts = (_around(one, parting.first, parting.second), _around(two, parting.second, parting.first))
    renamed = tuple((name, other) for name, other in roles.items() if name != other)
    return Contrast(
        (first.header, second.header), same, renamed, parting, charts, _outcomes(read(first), read(second))
    )  # fmt: skip


def _moves(history: History) -> list[m.Move]:
    return [
        move for move in m.moves(history) if not (move.kind == m.NOTE and move.what.endswith(SETTLES_NOTHING))
    ]  # fmt: skip


def _key(move: m.Move) -> Key:
    """What makes a move the same in another run: what is done and what comes of it."""
    if move.kind in (m.ASKS, m.TOLD):
        names = " + ".join(part.split()[0] for part in move.what.split(" + ") if part)
        return ("asks", names, move.answer)  # whether it had to wait for the answer is a matter of time
    return (move.kind, move.what)


def _roles(one: list[m.Move], two: list[m.Move]) -> dict[str, str]:
    """Who of the second run has whose part in the first: themselves, unless others fit for longer."""
    names = [who for who in dict.fromkeys(move.who for move in one) if who]
    there = {move.who for move in two}
    same = [name for name in names if name in there]
    best, roles = -1, {name: name for name in same}
    if len(same) > ROLES_MAX:
        return roles
    for order in permutations(same):  # the first is as they are
        tried = dict(zip(same, order, strict=True))
        agree, parting = _align(one[:ALIGNED_MAX], two[: 2 * ALIGNED_MAX], tried)
        if agree > best:
            best, roles = agree, tried
        if parting is None:
            break
    return roles


def _align(one: list[m.Move], two: list[m.Move], roles: dict[str, str]) -> tuple[int, Parting | None]:
    """How many moves the runs share, and the first that they do not, whichever of them has it."""
    same, first = _unmatched(one, two, roles)
    back = {there: here for here, there in roles.items()}
    same_back, second = _unmatched(two, one, back)
    if first is None and second is None:
        return same, None
    if second is None or (first is not None and first[0].at_ms <= second[0].at_ms):
        assert first is not None
        return same, Parting(first[0].who, first[0], first[1])
    return same_back, Parting(back.get(second[0].who, second[0].who), second[1], second[0])


def _unmatched(
    these: list[m.Move], those: list[m.Move], roles: dict[str, str]
) -> tuple[int, tuple[m.Move, m.Move | None] | None]:
    """How many of these moves are made in order among those too, and the first that is not, with what is instead."""
    theirs: dict[str, list[m.Move]] = {}
    for move in those:
        theirs.setdefault(move.who, []).append(move)
    done: Counter[str] = Counter()
    for same, move in enumerate(these):
        who = roles.get(move.who, move.who)
        others = theirs.get(who, [])
        other = others[done[who]] if done[who] < len(others) else None
        if other is None or _key(other) != _key(move):
            return same, (move, other)
        done[who] += 1
    return len(these), None


def _around(moves: list[m.Move], at: m.Move | None, other: m.Move | None) -> tuple[m.Move, ...]:
    """The moves around one; where it has none, around the time of the other run's."""
    if at is not None:
        place = next(n for n, move in enumerate(moves) if move is at)
    else:
        since_ms = other.at_ms if other is not None else 0
        place = next((n for n, move in enumerate(moves) if move.at_ms >= since_ms), len(moves))
    return tuple(moves[max(place - SHOWN_BEFORE, 0) : place + SHOWN_AFTER])


def _outcomes(one: Reading, two: Reading) -> tuple[tuple[str, str, str], ...]:
    """Entries that fared differently, by stream, group and number."""
    sides = [
        {
            (block.stream, ", ".join(block.groups), row.entry): row.outcome + (f", {row.by}" if row.by else "")
            for block in reading.blocks
            for row in block.rows
        }
        for reading in (one, two)
    ]  # fmt: skip
    several = len({key[:2] for side in sides for key in side}) > 1
    out = []
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        here, there = (side.get(key, "is not there") for side in sides)
        if here != there:
            where = f" of {key[0]} in {key[1]}" if several and key[1] else ""
            out.append((f"entry {key[2]}{where}", here, there))
    return tuple(out)


def names(found: Contrast) -> tuple[str, str]:
    """What to call the two runs: by variant, dialect or seed, whatever tells them apart first."""
    one, two = found.headers
    if words.title(one) != words.title(two):
        return words.title(one), words.title(two)
    for key in ("dialect", "seed", "tape"):
        if one.get(key) != two.get(key) and one.get(key) is not None and two.get(key) is not None:
            return tuple(f"{key} {words.short(str(header[key]), 60)}" for header in found.headers)  # type: ignore[return-value]
    return "the first run", "the second run"


def told(found: Contrast) -> list[str]:
    """The contrast in words: how long they agree, where they part, and what came of it."""
    one, two = names(found)
    lines = [f"A  {one}: {words.badge(found.headers[0]) or 'no verdict'}"]
    lines.append(f"B  {two}: {words.badge(found.headers[1]) or 'no verdict'}")
    lines.append("")
    if found.parting is None:
        return [*lines, f"No difference that means anything: the same {words.counted(found.same, 'move')} in both."]
    moves = words.counted(found.same, "move")
    lines.append(f"Both do the same for {moves}." if found.same else "They part at once.")
    lines += [f"  ({here} in A does what {there} does in B)" for here, there in found.renamed]
    who = found.parting.who or EVERYBODY
    lines.append(f"{'Then' if found.same else 'There'} {who} parts:")
    lines += [f"  in {side}  {_sentence(move)}" for side, move in zip("AB", _both(found.parting), strict=True)]
    for side, chart, move in zip("AB", found.charts, _both(found.parting), strict=True):
        lines += ["", f"Around it, in {side}:"]
        lines += [f"{'  >' if each is move else '   '} {m.at(each):>10}  {_said(each)}" for each in chart]
    if found.outcomes:
        width = max(len(entry) for entry, _, _ in found.outcomes)
        lines += ["", "What became of it:"]
        lines += [f"  {entry:<{width}}  A: {here}; B: {there}" for entry, here, there in found.outcomes]
    return lines


def _both(parting: Parting) -> tuple[m.Move | None, m.Move | None]:
    return parting.first, parting.second


def _sentence(move: m.Move | None) -> str:
    return f"at {m.at(move)}: {_said(move)}" if move is not None else "it does nothing more"


def _said(move: m.Move) -> str:
    """A move in words, with who makes it."""
    who = f"{move.who}: " if move.who else ""
    if move.kind in (m.ASKS, m.TOLD):
        return f"{who}{move.what} → {move.answer}"
    if move.kind in (m.LOST_REPLY, m.LOST_REQUEST):
        what = "reply of " if move.kind == m.LOST_REPLY else "request "
        return f"{who}the {what}{move.what} is lost"
    return f"{who}{move.what}"


def _as_dict(move: m.Move | None) -> dict[str, Any] | None:
    return None if move is None else {"at_ms": move.at_ms, "kind": move.kind, "who": move.who, "words": _said(move)}
