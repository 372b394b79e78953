"""A breadth-first search that looks at all states of one scene at once, and comes to the numbers of any other.

States of a level that share a scene differ in their pasts alone, which are one mask: a move is made of all of them by
one look-up. Ways cannot be told then; where something is broken, the search is made again state by state. It pays where
scenes have several pasts each; where they have not, the search goes on state by state from where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from ..errors import RedeliveryError
from ..plan import ClockJump
from . import breadth
from .breadth import STOPPED, Frontier, HandOver, Hit, Outcome, Progress, Report, Save, Stop, note
from .pasts import PAST_MASK, Effect, Part, Pasts
from .scenes import EVERYBODY, SCENE_AT, SETTLES, TELLS_BITS, Move
from .taking import PLACE_BITS, Edge

if TYPE_CHECKING:
    from .machine import Found, Machine, State

Lead: TypeAlias = tuple[int, dict[int, int], Effect]
"""To a scene, with the images of what the move does to pasts: no time passes after it, and nothing breaks there."""

STATES_MIN = 1 << 14
"""So many states tell whether it pays to keep them by scene."""
LEADS_MAX = 1 << 18
"""Of so many scenes, about 900 bytes each, it is remembered where they lead; then all are forgotten."""
SCENE_BYTES = 130
"""What a scene takes in memory, with a mask that is narrow."""
STATE_BYTES_MAX = 90
"""What a state may take in memory."""

Masks = dict[int, int]
"""By scene, the mask of its pasts; a scene is written as the state that it is part of, its past left out."""


class Leads:
    """Where the moves of a scene lead."""

    __slots__ = ("many", "may_end", "quick", "slow", "strikes")

    def __init__(self, quick: list[Lead], slow: list[Move], may_end: bool) -> None:
        self.many = len(quick) + len(slow)
        """How many they are."""
        self.quick = tuple(quick)
        self.slow = tuple(slow)
        """All others."""
        self.may_end = may_end
        """Whether a run may be over in this scene."""
        self.strikes: dict[int, Leads] = {}
        """Where faults lead, by the fault and whom it strikes."""


class Spread(Collection["State"]):
    """Scenes with their pasts, as the states that they are."""

    def __init__(
        self, pasts: Pasts, masks: Masks | None = None, level: list[tuple[int, int]] | None = None, at: int = 0
    ) -> None:
        self._pasts = pasts
        self._masks: Masks = {} if masks is None else masks
        self._level: list[tuple[int, int]] = [] if level is None else level
        self._at = at
        """Those before it in the level are not meant: they are not copied away, for mostly nobody asks."""

    def __len__(self) -> int:
        """How many states there are."""
        return count(self._masks.values()) + count([mask for _, mask in islice(self._level, self._at, None)])

    def __iter__(self) -> Iterator[State]:
        """Each state, those of a scene together."""
        for pairs in (self._masks.items(), islice(self._level, self._at, None)):
            for scene, mask in pairs:
                for past in self._pasts.of(mask):
                    yield scene | past

    def __contains__(self, state: object) -> bool:
        """Whether a state is among them."""
        return any(state == each for each in self)

    def clear(self) -> None:
        """Forgets them."""
        self._masks.clear()
        self._level.clear()


def count(masks: Iterable[int]) -> int:
    """How many pasts there are in some masks."""
    return sum([mask.bit_count() for mask in masks])


def gathered(pasts: Pasts, states: Iterable[State]) -> Masks:
    """States by scene."""
    found: Masks = {}
    for state in states:
        past = state & PAST_MASK
        scene = state - past
        found[scene] = found.get(scene, 0) | pasts.bit(past)
    return found


def pays(pasts: Pasts, scenes: int, states: int) -> bool:
    """Whether states take less when they are kept by scene."""
    return states < STATES_MIN or scenes * (SCENE_BYTES + len(pasts.table) / 8) < STATE_BYTES_MAX * states


class Sweep:
    """Looks at scenes, and counts."""

    def __init__(self, machine: Machine, stop: Stop, out: Outcome) -> None:
        self.machine = machine
        self.pasts = Pasts(machine)
        self.out = out
        self.hit = False
        """Whether something was met that ends the search."""
        self._stop = stop
        self._scenes = machine.scenes
        self._plan = machine.plan
        self._leads: dict[int, Leads] = {}
        self._jumps = [isinstance(fault, ClockJump) for fault in self._plan.faults]
        self._asks_who_holds = [getattr(fault, "when", "") == "holding" for fault in self._plan.faults]

    def look(self, scene: int, mask: int, depth: int) -> list[tuple[int, int]]:
        """All that can happen in a scene after these pasts: scenes with masks, one may come up several times."""
        found: list[tuple[int, int]] = []
        out = self.out
        leads = self._leads.get(scene)
        if leads is None:
            leads = self._look(scene)
        for part in self.pasts.parts(mask):
            strikes = 0
            if part.may is None:
                mask ^= part.mask
            elif part.may:
                strikes = self._strike(scene, leads, part, depth, found)
            each = 0 if part.may is None else leads.many + strikes
            out.transitions += each * part.many
            out.degrees[each] = out.degrees.get(each, 0) + part.many
            if not each:
                out.ends += part.many
                self._note(self.pasts.ends(part.mask), depth)
            elif leads.may_end and not strikes:
                self._end(scene, part, depth)
        if mask:
            self._follow(mask, leads, depth, found)
        return found

    def _look(self, scene: int) -> Leads:
        moves = self._scenes.made(scene >> SCENE_AT, True)
        if len(self._leads) >= LEADS_MAX:
            self._leads.clear()
        known = self._leads[scene] = self._leads_of(moves.due, moves.may_end and self._plan.frozen)
        return known

    def _leads_of(self, moves: tuple[Move, ...], may_end: bool) -> Leads:
        quick: list[Lead] = []
        slow: list[Move] = []
        effects = self.pasts.effects
        for move in moves:
            _, there, action, kind, tells, broken = move
            if broken or kind & SETTLES:
                slow.append(move)
            else:
                effect = effects.get(action << TELLS_BITS | tells) or self.pasts.effect(action, tells)
                quick.append((there, effect.images, effect))
        return Leads(quick, slow, may_end)

    def _follow(self, mask: int, leads: Leads, depth: int, found: list[tuple[int, int]]) -> None:
        pasts = self.pasts
        for there, images, effect in leads.quick:
            after = images.get(mask) or pasts.image(effect, mask)
            if after < 0:
                self._note(effect.broken[mask], depth + 1)
                after = -after
            found.append((there, after))
        for _, there, action, kind, tells, broken in leads.slow:
            effect = pasts.effect(action, tells)
            after = effect.images.get(mask) or pasts.image(effect, mask)
            wrong = effect.broken[mask] if after < 0 else ()
            self._note((broken, *wrong), depth + 1)
            if kind & SETTLES:
                self._settle(there >> SCENE_AT, abs(after), depth, found)
            else:
                found.append((there, abs(after)))

    def _note(self, broken: Iterable[tuple[int, ...]], depth: int) -> None:
        for each in broken:
            if each and note(self.out, each, depth, self._stop):
                self.hit = True

    def _end(self, scene: int, part: Part, depth: int) -> None:
        """The states of a scene in which a run may be over though something can happen still."""
        some: Found = [(Edge("due", 0, 0, ()), scene, ())]
        for past in self.pasts.of(part.mask):
            over = self.machine.at_end(scene | past, some)
            if over is not None:
                self.out.ends += 1
                self._note((over,), depth)

    def _strike(self, scene: int, leads: Leads, part: Part, depth: int, found: list[tuple[int, int]]) -> int:
        """All that faults can do; how many steps that is from each state."""
        strikes = 0
        assert part.may is not None
        for fault in part.may:
            if self._jumps[fault]:
                strikes += 1
                self._jump(scene, part, fault, depth, found)
            elif self._asks_who_holds[fault]:
                for place in self._scenes.places[fault]:
                    holding = part.holding[place]
                    strikes += self._hit(scene, leads, part.mask, fault, place, holding, depth, found)
            else:
                strikes += self._hit(scene, leads, part.mask, fault, EVERYBODY, False, depth, found)
        return strikes

    def _jump(self, scene: int, part: Part, fault: int, depth: int, found: list[tuple[int, int]]) -> None:
        there: Found = []
        what = self._plan.faults[fault]
        assert isinstance(what, ClockJump)
        for past in self.pasts.of(part.mask):
            self.machine.jump(scene | past, fault, what, there, True)
        for _, after, broken in there:
            self._note((broken,), depth + 1)
            past = after & PAST_MASK
            found.append((after - past, self.pasts.bit(past)))

    def _hit(
        self, scene: int, leads: Leads, mask: int, fault: int, place: int, holding: bool, depth: int,
        found: list[tuple[int, int]],
    ) -> int:  # fmt: skip
        key = (fault << PLACE_BITS | place) << 1 | holding
        struck = leads.strikes.get(key)
        if struck is None:
            moves = self._scenes.struck(scene >> SCENE_AT, fault, True, place, holding)
            struck = leads.strikes[key] = self._leads_of(moves, False)
        self._follow(mask, struck, depth, found)
        return struck.many

    def _settle(self, scene: int, mask: int, depth: int, found: list[tuple[int, int]]) -> None:
        machine, scenes, pasts = self.machine, self._scenes, self.pasts
        left = scenes.left(scene)
        for rank, after, wrong in pasts.later(mask, left):
            if wrong:
                self._note(wrong, depth + 1)
            there = scene if rank < 0 else machine.scene_later(scene, left, rank)
            if scenes.order.classes:
                there, order = scenes.in_order(there)
                if order >= 0:
                    after = pasts.exchanged(after, order)
            found.append((there << SCENE_AT, after))


def sweep(
    machine: Machine, stop: Stop, report: Report | None, depth_max: int | None, save: Save | None,
    begun: Frontier | None, hand_over: HandOver | None,
) -> Outcome | Frontier | None:  # fmt: skip
    """Searches level by level; ends with the outcome, with ``None`` of whom it was handed over to, or with a frontier.

    From a frontier the search has to go on state by state. The outcome says that something was met that ends a search,
    and does not say how.
    """
    if begun is None:
        begun = Frontier({machine.initial}, [machine.initial], [], 0, Outcome(states=1, levels=[1]))
    out = begun.out
    looking = Sweep(machine, stop, out)
    pasts, look = looking.pasts, looking.look
    states = len(begun.seen)
    level = list(gathered(pasts, begun.level[begun.at :]).items())
    deeper, seen = gathered(pasts, begun.deeper), gathered(pasts, begun.seen)
    of_level, of_deeper = count([mask for _, mask in level]), count(deeper.values())
    del begun

    def frontier(at: int) -> Frontier:
        return Frontier(Spread(pasts, seen), Spread(pasts, None, level, at), Spread(pasts, deeper), 0, out)

    try:
        while True:
            if hand_over is not None and of_level + of_deeper >= breadth.WIDE:
                return hand_over(frontier(0))
            if not pays(pasts, len(seen), states):
                at_hand = frontier(0)
                return Frontier(set(at_hand.seen), list(at_hand.level), list(at_hand.deeper), 0, out)
            for at, (scene, mask) in enumerate(level):
                of_level -= mask.bit_count()
                for there, after in look(scene, mask, out.depth):
                    old = seen.get(there, 0)
                    new = after & ~old
                    if new:
                        seen[there] = old | new
                        deeper[there] = deeper.get(there, 0) | new
                        many = new.bit_count()
                        states += many
                        of_deeper += many
                if looking.hit:
                    out.hit = Hit((), (), at_end=False)
                    return out
                if not at % breadth.EVERY:
                    if save is not None:
                        save(frontier(at + 1))
                    if report is not None:
                        report(Progress(states, out.transitions, of_level + of_deeper, out.depth))
            if not deeper:
                break
            if depth_max is not None and out.depth >= depth_max:
                out.bounded = True
                break
            out.depth += 1
            out.levels.append(of_deeper)
            level, deeper = list(deeper.items()), {}
            of_level, of_deeper = of_deeper, 0
    except KeyboardInterrupt:
        out.cut = STOPPED
    except RedeliveryError as error:
        error.so_far = out
        raise
    finally:
        out.states = states
    return out
