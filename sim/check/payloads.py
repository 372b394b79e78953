"""Payload values that nothing tells apart: a state is brought to the one in which they come in a certain order.

Where a plan declares values to be interchangeable, every exchange of them leads from what can happen to what can
happen. So of all states that differ by which value is which, one is kept: each value has a *view*, where it stands in
the server and in the processes, the others being all alike, and the values are dealt out in the order of their views.
That is sorting, as of processes; where two views are equal, two states that could be one stay two. Entries are never
exchanged: they have an order of their own.

It is off where somebody looks at a value: a property whose code reads what entries hold, a turn that does something
else under other values (each new state of a process is run again under every exchange of them, so there may be few), a
process, a key or a group that is called like one.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from ..plan import Plan
from ..watch import Monitor, Property
from .abstraction import Refined
from .probing import does_the_same
from .renaming import in_names, rebuild
from .scenes import SCENE_AT
from .symmetry import OTHER, SELF, digest

if TYPE_CHECKING:
    from .machine import State
    from .reduced import Reduced

LOOKS = frozenset({"fields", "value", "replies", "reply", "commands", "_asdict"})
"""What code names that looks at what entries hold, or at what was said."""
VALUES_MAX = 4
"""Each new state of a process is run again under every exchange of the values."""
TOLD_APART = "payload values are told apart: "
Values = tuple[bytes, ...]


def why_not(plan: Plan, properties: tuple[Property, ...]) -> str | None:
    """Why the values of a plan are told apart; ``None`` where nothing shows that they are."""
    values = set(plan.values)
    if len(values) > VALUES_MAX:
        return f"there are more than {VALUES_MAX}"
    words = {word for line in plan.setup for word in line}
    words |= {word for process in plan.processes for word in (process.name, process.consumer or process.name)}
    for value in sorted(values):
        if not value.isalpha():
            return f"the value {value!r} is more than a word"
        if value in words:
            return f"{value!r} is a name, too"
    for each in properties:
        if _looks(each.monitor(), values):
            return f"property {each.name!r} looks at what entries hold"
    return None


def _looks(monitor: Monitor, values: set[str]) -> bool:
    return any(
        isinstance(part, FunctionType) and _code_looks(part.__code__, values)
        for kind in type(monitor).__mro__
        if kind not in (Monitor, object)
        for part in vars(kind).values()
    )


def _code_looks(code: CodeType, values: set[str]) -> bool:
    if not LOOKS.isdisjoint(code.co_names):
        return True
    return any(
        _code_looks(part, values) if isinstance(part, CodeType) else part in values or _text(part) in values
        for part in code.co_consts
        if isinstance(part, CodeType | str | bytes)
    )


def _text(part: Any) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else ""


class Payloads:
    """Deals out the values of one machine in order."""

    def __init__(self, machine: Reduced, values: Values) -> None:
        self._machine = machine
        self._values = values
        self._scenes: dict[int, tuple[int, Values]] = {}
        self._wholes: dict[tuple[int, Values], int] = {}
        self._lives: dict[int, tuple[int, ...]] = {}
        self._servers: dict[int, tuple[int, ...]] = {}
        self._renamed: dict[tuple[bool, int, Values], int] = {}

    def canonical(self, state: State) -> State:
        """The state in which the values stand in order."""
        scene = state >> SCENE_AT
        known = self._scenes.get(scene)
        if known is None:
            known = self._scenes[scene] = self._deal(scene)
        there, order = known
        if order == self._values:
            return state
        _, whole, clock, _ = self._machine.unpack(state)
        key = (whole, order)
        if key not in self._wholes:
            watching = self._machine.watching
            self._wholes[key] = watching.moved(whole, 0, in_names(self._names(order)))
        return self._machine.joined(there, self._wholes[key], clock)

    def _deal(self, scene: int) -> tuple[int, Values]:
        server, numbers = self._machine.scenes.unpack(scene)
        views = list(zip(self._server(server), *[self._life(life) for life in numbers], strict=True))
        ranked = sorted(range(len(self._values)), key=lambda at: (views[at], at))
        order = tuple([self._values[at] for at in ranked])
        if order == self._values:
            return scene, order
        lives = [self._rename(False, life, order) for life in numbers]
        return self._machine.scenes.pack(self._rename(True, server, order), lives), order

    def _names(self, order: Values) -> dict[bytes, bytes]:
        """What each value becomes: the first in order becomes the first of all."""
        return dict(zip(order, self._values, strict=True))

    def _seen(self, content: Any) -> tuple[int, ...]:
        alike = dict.fromkeys(self._values, OTHER)
        return tuple([digest(rebuild(content, in_names(alike | {value: SELF}))) for value in self._values])

    def _server(self, number: int) -> tuple[int, ...]:
        known = self._servers.get(number)
        if known is None:
            frozen = self._machine.taking.servers.table[number][0]
            if any(key in self._values for key, _ in frozen[0]):
                self._off("a key is called like one of the values")
            known = self._servers[number] = self._seen(frozen)
        return known

    def _life(self, number: int) -> tuple[int, ...]:
        known = self._lives.get(number)
        if known is None:
            life, plan = self._machine.taking.lives.table[number], self._machine.plan
            for order in permutations(self._values):
                if not does_the_same(life, plan, self._names(order)):
                    self._off(f"process {plan.processes[life.whose].name!r} looks at them")
            known = self._lives[number] = self._seen(life)
        return known

    def _off(self, why: str) -> None:
        abstraction = self._machine.abstraction
        notes = (*abstraction.notes, f"{TOLD_APART}{why}")
        raise Refined(replace(abstraction, values=False, notes=notes))

    def _rename(self, is_server: bool, number: int, order: Values) -> int:
        key = (is_server, number, order)
        known = self._renamed.get(key)
        if known is None:
            taking, atom = self._machine.taking, in_names(self._names(order))
            if is_server:
                frozen, attached = taking.servers.table[number]
                known = taking.server(rebuild(frozen, atom), self._machine.watching.moved_attached(attached, 0, atom))
            else:
                known = taking.life(rebuild(taking.lives.table[number], atom))
            self._renamed[key] = known
        return known
