"""What a state is, in words: what became of each entry, who works on what, who is down, which faults have struck."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from ...models import ids
from ..events import Handled, HandleFailed
from ..steps import Wake
from .machine import Machine, State
from .servers import LIST, Frozen, is_stream

Labels: TypeAlias = tuple[tuple[str, str], ...]

NOBODY, NOTHING, NONE = "nobody", "nothing", "none"
GONE = "gone"
"""Of an entry that was trimmed or deleted."""
FAULTS = "faults"
"""The phase in which they may strike."""


def labels(machine: Machine, state: State) -> Labels:
    """Names and values, those that tell most first: whoever has room for a few drops the last."""
    server, _, clock, numbers = machine.unpack(state)
    frozen: Frozen = machine.taking.servers.table[server][0]
    time = machine.times.table[clock]
    before = machine.times.table[machine.unpack(machine.first)[2]].budgets
    names = [process.name for process in machine.plan.processes]
    lives = [machine.taking.lives.table[number] for number in numbers]
    entries = Entries(frozen)
    down = [name for name, life in zip(names, lives, strict=True) if life.down and life.incarnation]
    at_work = [
        f"{name}{entries.named(event.handled.stream, event.handled.entry)}"
        for name, life in zip(names, lives, strict=True)
        for _, event in life.events
        if isinstance(event, Wake) and isinstance(event.handled, Handled | HandleFailed)
    ]
    struck = [
        f"{_kind(fault)}{'' if had - left == 1 else f' ×{had - left}'}"
        for fault, had, left in zip(machine.plan.faults, before, time.budgets, strict=True)
        if left < had
    ]
    return (
        *entries.labels,
        ("at work", ", ".join(at_work) or NOBODY),
        ("down", ", ".join(down) or NOBODY),
        ("struck", ", ".join(struck) or NOTHING),
        ("deliveries", ", ".join(entries.deliveries) or NONE),
        ("phase", "over" if time.over else "healed" if time.healed else FAULTS),
    )


class Entries:
    """The entries of a server's streams, by the numbers in which they were added."""

    def __init__(self, frozen: Frozen) -> None:
        streams = [(key, value) for key, value in frozen[0] if is_stream(value)]
        self._alone = len(streams) == 1
        self._numbers: dict[tuple[bytes, bytes], str] = {}
        self.labels: list[tuple[str, str]] = []
        """Of each entry in each group: that it waits, whose it is, that it is settled or gone."""
        self.deliveries: list[str] = []
        """Of each pending entry that was given more than once: how often."""
        for key, value in streams:
            self._read(key, value)
        for key, value in frozen[0]:
            if not isinstance(value, bytes) and value[0] == LIST:
                self.labels.append((_text(key), str(len(value[2]))))
            elif not isinstance(value, bytes) and value[0] is None:
                self.labels.append((_text(key), str(len(value[3]) + len(value[4]))))

    def named(self, stream: bytes, entry: bytes) -> str:
        """Which entry, by its number, and with its stream where there are several; nothing of what is in no stream."""
        number = self._numbers.get((stream, entry))
        return "" if number is None else f" on {number}"

    def _read(self, key: bytes, value: Any) -> None:
        _, nodes, _, _, _, added, groups = value
        slots = {entry: slot for node_ids, slots, _ in nodes for entry, slot in zip(node_ids, slots, strict=True)}
        there = {entry for entry, slot in slots.items() if slot is not None}
        pending = {entry for group in groups for entry, *_ in group[4]}
        known = sorted(slots.keys() | pending)  # a deleted entry keeps its place until its node goes
        gone = max(added - len(known), 0)
        stream = "" if self._alone else f"{_text(key)} "
        number = {entry: f"{stream}{n}" for n, entry in enumerate(known, gone + 1)}
        for entry, called in number.items():
            self._numbers[key, ids.show(entry)] = called
        before = stream or "entry "
        for name, cursor, _, _, pel, _ in groups:
            owners = {entry: (_text(owner), count) for entry, owner, _, count in pel}
            within = "" if len(groups) == 1 else f" in {_text(name)}"
            self.labels += [(f"{before}{n}{within}", GONE) for n in range(1, gone + 1)]
            for entry in known:
                said = GONE if entry not in there else "settled" if entry <= cursor else "waits"
                if entry in owners:
                    owner, count = owners[entry]
                    said = f"pending, {owner}" + (f", {GONE}" if entry not in there else "")
                    if count > 1:
                        self.deliveries.append(f"{number[entry]}{within} ×{count}")
                self.labels.append((f"{before}{number[entry].removeprefix(stream)}{within}", said))
        if not groups:
            self.labels.append((_text(key), str(len(there))))


def _kind(fault: Any) -> str:
    """A fault in a word or two: ``clock jump``."""
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", type(fault).__name__).lower()


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
