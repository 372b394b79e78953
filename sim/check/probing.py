"""Is a process what the checker takes it for: a function of its log, that does not look inside IDs?

Each new state of a process is made again from its log, twice: on the same answers, and on answers whose IDs have
other milliseconds in the same order. It must ask for the same things, under those IDs.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ScenarioError
from ..plan import Plan
from ..requests import Command, Request, Scope, Sleep, Work
from ..steps import Arrive, Wake
from ..turn import Path
from .abstraction import Unabstract
from .lives import Life, thaw
from .renaming import in_names, rebuild
from .stretching import stretched
from .symmetry import Names, exchanged_life


def probe(life: Life, plan: Plan) -> None:
    """Raises where the process is not deterministic, or looks inside IDs."""
    if life.down or life.finished:
        return
    asked = _asked(life, plan)
    again = _asked(life, plan)
    name = plan.processes[life.whose].name
    if asked != again or not _agrees(asked, life):
        raise ScenarioError(
            f"process {name!r} is not deterministic: run again on the same answers, its turn asked for other things: "
            f"{_words(again)} and not {_words(asked)}"
        )
    atom = stretched(plan.epoch_ms)
    other = rebuild(life, atom)
    if other != life and _asked(other, plan) != rebuild(asked, atom):
        raise Unabstract(f"process {name!r} looks inside IDs")


def probe_names(life: Life, plan: Plan, names: Names) -> bool:
    """Whether a process does the same where two that may change places have each other's names, itself or others."""
    if life.down or life.finished:
        return True
    for places in names.classes:
        first, second = places[:2]
        if life.whose in places:
            first, second = life.whose, places[0] if life.whose != places[0] else places[1]
        order = list(range(len(plan.processes)))
        order[first], order[second] = second, first
        exchange = tuple(order)
        asked = rebuild(_asked(life, plan), names.exchanged(exchange).atom)
        if asked != _asked(exchanged_life(life, order[life.whose], exchange, names), plan):
            return False
    return True


def does_the_same(life: Life, plan: Plan, names: Mapping[bytes, bytes]) -> bool:
    """Whether a process does the same where texts are other ones."""
    if life.down or life.finished:
        return True
    atom = in_names(names)
    return bool(rebuild(_asked(life, plan), atom) == _asked(rebuild(life, atom), plan))


def _asked(life: Life, plan: Plan) -> dict[Path, Request]:
    running, _ = thaw(life, plan.processes[life.whose])
    turn = running.live()
    asked = {path: request for path, request in turn.waiting.items() if not isinstance(request, Scope)}
    turn.close()
    return dict(sorted(asked.items()))


def _agrees(asked: dict[Path, Request], life: Life) -> bool:
    """Whether what a process asks for is what is under way for it."""
    awaited = dict(life.unanswered)
    under_way: dict[Path, Arrive | Wake] = {}
    for _, event in life.events:
        mine = isinstance(event, Arrive) and awaited.get(event.path) == (event.call, event.session)
        if isinstance(event, Wake) or (isinstance(event, Arrive) and mine):
            under_way[event.path] = event
    blocked = {path for _, path, _ in life.waits}
    for path, request in asked.items():
        found = under_way.get(path)
        if path in blocked or found is None:
            continue
        if isinstance(request, Command) and isinstance(found, Arrive) and found.commands != request.commands:
            return False
        if isinstance(request, Sleep | Work) != isinstance(found, Wake):
            return False
    return True


def _words(asked: dict[Path, Request]) -> str:
    texts = [
        b" ".join(request.commands[0]).decode(errors="replace") if isinstance(request, Command) else repr(request)
        for request in asked.values()
    ]
    return "; ".join(texts) or "nothing"
