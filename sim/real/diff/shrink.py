"""From a run that differs to the few actions that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ....models.server import Config
from ..errors import NoReply
from ..lockstep import Difference
from .actions import Action, Connect, Do
from .recorder import Recorder, record

__all__ = ["Judge", "shrink", "smallest"]

WATCHDOG_S = 0.2
PATIENT_S = 2.0


class Judge(Protocol):
    """Whoever says how a real server differs from a recorded run, such as `bench.Bench`."""

    dialect: str

    def differences(self, recorder: Recorder, *, watchdog_s: float = ...) -> tuple[Difference, ...]:
        """Where the server does not follow the script."""
        ...


def shrink(bench: Judge, config: Config, actions: Sequence[Action]) -> list[Action]:
    """The actions without those that the difference does not need; what comes after the first goes at once.

    It has little patience with a reply that does not come, as most of its attempts end so. On a busy machine
    that alone may look like a difference; where none is left with more patience, it begins anew with that.
    """

    def differs(some: Sequence[Action], watchdog_s: float) -> bool:
        try:
            return bool(bench.differences(record(bench.dialect, config, some), watchdog_s=watchdog_s))
        except NoReply:
            if watchdog_s >= PATIENT_S:
                raise
            return differs(some, PATIENT_S)

    beginning = _up_to_the_first(bench, config, actions)
    left = smallest(beginning, lambda some: differs(some, WATCHDOG_S))
    if differs(left, PATIENT_S):
        return left
    return smallest(beginning, lambda some: differs(some, PATIENT_S))


def smallest(actions: Sequence[Action], shows: Callable[[Sequence[Action]], bool]) -> list[Action]:
    """The actions without those that are not needed to show something.

    Halves, quarters and so on down to single actions are left out for as long as it shows.
    """
    left = list(actions)
    size = max(len(left) // 2, 1)
    while True:
        at, fewer = 0, False
        while at < len(left):
            without = left[:at] + left[at + size :]
            if shows(without):
                left, fewer = without, True
            else:
                at += size
        if size == 1 and not fewer:
            plainer = _connected_at_first_use(left)
            return plainer if shows(plainer) else left
        size = max(size // 2, 1)


def _connected_at_first_use(actions: Sequence[Action]) -> list[Action]:
    """The same with each connection made right before its first command, as one reads it most easily."""
    made: dict[int, Connect] = {}
    plainer: list[Action] = []
    for action in actions:
        if isinstance(action, Connect):
            made[action.conn] = action
            continue
        if isinstance(action, Do) and action.conn in made:
            plainer.append(made.pop(action.conn))
        plainer.append(action)
    return plainer


def _up_to_the_first(bench: Judge, config: Config, actions: Sequence[Action]) -> list[Action]:
    """The shortest beginning that holds the step that differs first."""
    recorder = record(bench.dialect, config, actions)
    found = bench.differences(recorder, watchdog_s=PATIENT_S)
    if not found:
        return list(actions)
    first = min(difference.index for difference in found)
    again = Recorder(bench.dialect, config)
    for taken, action in enumerate(actions, 1):
        again.take(action)
        if len(again.script) > first:
            beginning = list(actions[:taken])
            # A reply that should not have come may be seen only later.
            return beginning if bench.differences(again, watchdog_s=PATIENT_S) else list(actions)
    return list(actions)
