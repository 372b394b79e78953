"""What the page is told of a position: the run so far, what can be decided, and what is known of each answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Condition, Lock, Thread
from typing import Any

from ..check.schedules import Start
from ..errors import BadInput, RedeliveryError
from ..history import History
from ..run import HOLDS, INCOMPLETE, VIOLATED, build
from ..tape import Tape
from ..tape import parse as parse_tape
from ..views.report.recording import record
from .foresight import Foresight, Prospect, Unknown
from .position import Option, Position, Positions
from .states import State

ANSWERS_MAX = 100_000
"""A longer tape nobody has clicked together."""


class Explorer:
    """Answers the page's questions, one at a time. What is asked is in the question: there is no session."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self._positions = Positions(start)
        self._lock = Condition()
        """Held by whoever is at work in worlds; whoever looks ahead leaves it to who asks."""
        self._asking = 0
        self._count = Lock()
        self._foresight: Foresight | None = None
        self._unknown = "the checker is still at work"
        self._visited: set[State] = set()
        self._closing = False
        self._tape = start.tape(())
        _, params = build(start.scenario, start.variant, start.dialect, start.params, record=False)
        self._params = params.as_dict()

    def look_ahead(self) -> Thread:
        """Begins to search the world's states, beside all else."""
        thread = Thread(target=self._look_ahead, daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Lets the search end where it is."""
        self._closing = True

    def _look_ahead(self) -> None:
        with self._lock:
            try:
                self._foresight = Foresight(self.start, self._breathe)
            except RedeliveryError as error:
                self._unknown = str(error)

    def _breathe(self) -> None:
        """The page does not wait for the search."""
        if self._closing:
            raise Unknown("the explorer is closed")
        while self._asking:
            self._lock.wait()

    def tape(self, answers: Sequence[int]) -> Tape:
        """The tape of these answers."""
        return replace(self._tape, choices=tuple(answers))

    def answers(self, text: str, count: int | None) -> tuple[int, ...]:
        """The answers that a tape holds, as many as were given: a tape leaves out zeros at its end.

        ``BadInput`` where it is no tape, or one of another world.
        """
        if not text:
            found: tuple[int, ...] = ()
        else:
            tape = parse_tape(text)
            if replace(tape, choices=()) != self._tape:
                raise BadInput(f"the tape is of another world: this one is {self._tape}")
            found = tape.choices
        wanted = len(found) if count is None else count
        if not 0 <= wanted <= ANSWERS_MAX:
            raise BadInput(f"{wanted} decisions are asked for, there may be {ANSWERS_MAX:,}")
        return (*found, *(0,) * (wanted - len(found)))[:wanted]

    def look(self, text: str = "", count: int | None = None) -> dict[str, Any]:
        """The position that a tape leads to after so many decisions, as a value for JSON."""
        with self._asked():
            position = self._positions.at(self.answers(text, count))
            recording = record(History(self._header(position), list(_history(position))))
            if not position.over:
                recording["notes"] = ["The run is not over."]
                if not _violations(position):
                    recording["badge"], recording["verdict"] = "SO FAR NOTHING IS BROKEN", []
            return {
                "tape": str(self.tape(position.answers)),
                "at": len(position.answers),
                "answers": list(position.answers),
                "over": position.over,
                "label": position.label,
                "within": position.within,
                "test": self._test(position),
                "recording": recording,
                **self._known(position),
            }

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Comes before whoever looks ahead."""
        with self._count:
            self._asking += 1
        with self._lock:
            try:
                yield
            finally:
                with self._count:
                    self._asking -= 1
                self._lock.notify_all()

    def _known(self, position: Position) -> dict[str, Any]:
        """The options, with what the checker knows of each, and how much of the world was seen."""
        foresight, state = self._foresight, None
        unknown = "" if foresight is not None else self._unknown
        if foresight is not None:
            try:
                states = foresight.walk(position.edges)
                self._visited.update(map(foresight.seen_as, states))
                state = states[-1]
            except Unknown as error:
                unknown = str(error)
        options = [self._option(option, position, state) for option in position.options]
        total = None if foresight is None else foresight.states
        return {
            "options": options,
            "known": {"visited": len(self._visited), "states": total, "unknown": unknown},
        }

    def _option(self, option: Option, position: Position, state: State | None) -> dict[str, Any]:
        prospect: Prospect | None = None
        if state is not None and self._foresight is not None:
            try:
                prospect = self._foresight.prospect(state, option.edge)
            except Unknown:
                prospect = None
        value: dict[str, Any] = {"text": option.text, "at_ms": option.at_ms, "fault": option.fault, "known": None}
        if prospect is not None:
            value["known"] = {
                "breaks": list(prospect.breaks),
                "soonest": prospect.soonest,
                "nearest": prospect.nearest,
                "doomed": prospect.doomed,
                "seen": prospect.states <= self._visited,
            }
        return value

    def _test(self, position: Position) -> str:
        """One line for a test: it fails while what was found breaks, and pins what holds."""
        tape, broken = self.tape(position.answers), [each["property"] for each in _violations(position)]
        declared = self.start.scenario.variant(self.start.variant).violates
        name = declared if declared in broken else "".join(broken[:1])
        wanted = f', "{name}"' if name else ""
        return f'redelivery.assert_holds("{tape}"{wanted})'

    def _header(self, position: Position) -> dict[str, Any]:
        scenario, watch = self.start.scenario, position.world.watch
        variant = scenario.variant(self.start.variant)
        assert watch is not None
        unmet, broken = watch.unmet(), {violation.property for violation in watch.violations}
        verdict = VIOLATED if broken else "" if not position.over else INCOMPLETE if unmet else HOLDS
        properties = {
            p.name: ("not met" if p.name in unmet else "met") if p.kind == "sometimes"
            else VIOLATED if p.name in broken else HOLDS
            for p in watch.properties
        }  # fmt: skip
        return {
            "scenario": scenario.name,
            "variant": self.start.variant,
            "summary": f"{scenario.summary} {self.start.variant}: {variant.summary}.",
            "declared": variant.declared,
            "dialect": self.start.dialect,
            "params": self._params,
            "tape": str(self.tape(position.answers)),
            "verdict": verdict,
            "properties": properties,
            "violations": _violations(position),
            "unmet": unmet,
        }


def _history(position: Position) -> History:
    history = position.world.history
    assert history is not None, "an explored world is recorded"
    return history


def _violations(position: Position) -> list[dict[str, Any]]:
    watch = position.world.watch
    assert watch is not None
    return [violation._asdict() for violation in watch.violations]
