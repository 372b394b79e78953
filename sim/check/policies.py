"""Policies: a random walk, priorities with change points (PCT), a swarm of fault sets, a tape as far as it fits.

All but the last draw from their own seed, and pick among the steps that a simulation has; the same seed gives the
same tape on every Python. None keeps anything from run to run.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..choices import Drawn
from ..steps import Due, Expire, Step, Strike
from ..world import World

STRIKE_RATES = (1.0, 0.3, 0.1, 0.03)
"""How eager a swarm's faults are, against the odds of a random walk; one of these for each run."""
NO_LIMIT = 1 << 30


class RandomWalk:
    """Every enabled step may come next; where faults may strike, one does in every third draw.

    With seed N and no limit it takes the very run of ``redelivery run --seed N``. At most ``faults_max`` faults strike.
    """

    def __init__(self, seed: int, faults_max: int = NO_LIMIT) -> None:
        self.chance = Drawn(seed)
        self.answers: list[int] = []
        self.faults_left = faults_max

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """What is open within a step is drawn."""
        if n == 1:
            return 0
        answer = self.chance.choose(n, label, weights)
        self.answers.append(answer)
        return answer

    def pick(self, world: World, steps: Sequence[Step], weights: Sequence[int] | None) -> int:
        """Draws a step."""
        allowed = range(len(steps)) if self.faults_left else plain(steps)
        odds = None if weights is None else [weights[at] for at in allowed]
        at = allowed[self.chance.choose(len(allowed), "next step", odds)]
        return self._picked(at, steps[at])

    def _picked(self, at: int, step: Step) -> int:
        self.answers.append(at)
        self.faults_left -= isinstance(step, Strike)
        return at


def plain(steps: Sequence[Step]) -> Sequence[int]:
    """The places of the steps that are no faults. There is always one: a fault strikes before what is due."""
    return [at for at, step in enumerate(steps) if not isinstance(step, Strike)]


class Lenient:
    """The answers of a tape where they fit, and the plain course where they do not.

    For tapes of a world that has changed since, or that somebody has cut pieces from. ``answers`` is what fits.
    """

    def __init__(self, tape: Sequence[int]) -> None:
        self.answers: list[int] = []
        self.sizes: list[int] = []
        """How many answers each decision had."""
        self._tape = tape

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """The tape's answer, if the decision has it."""
        if n == 1:
            return 0
        at = len(self.answers)
        answer = self._tape[at] if at < len(self._tape) else 0
        answer = answer if 0 <= answer < n else 0
        self.answers.append(answer)
        self.sizes.append(n)
        return answer

    def pick(self, world: World, steps: Sequence[Step], weights: Sequence[int] | None) -> int:
        """A step by the tape."""
        return self.choose(len(steps), "next step")


class Swarm(RandomWalk):
    """A random walk in which only some faults happen, and more or less eagerly, as the run's seed decides.

    A fault that may strike several processes counts once for each of them: runs in which only ``a`` may crash are
    among them. Half of all kinds are off in a run, so that one fault does not drown what another shows.
    """

    def __init__(self, seed: int, faults_max: int = NO_LIMIT) -> None:
        super().__init__(seed, faults_max)
        self.eagerness = STRIKE_RATES[self.chance.choose(len(STRIKE_RATES), "rate")]
        self._on: dict[tuple[int, int], bool] = {}

    def pick(self, world: World, steps: Sequence[Step], weights: Sequence[int] | None) -> int:
        """Draws a step, faults that are switched off left out."""
        allowed = [at for at, step in enumerate(steps) if not isinstance(step, Strike) or self._strikes(step)]
        strikes = [at for at in allowed if isinstance(steps[at], Strike)]
        if strikes and int(self.chance.choose(3000, "strike")) < 1000 * self.eagerness:
            at = strikes[self.chance.choose(len(strikes), "fault")]
        else:
            calm = plain(steps)
            at = calm[self.chance.choose(len(calm), "next step")]
        return self._picked(at, steps[at])

    def _strikes(self, strike: Strike) -> bool:
        kind = (strike.fault, strike.process)
        if kind not in self._on:
            self._on[kind] = self.chance.choose(2, "kind") == 1
        return self._on[kind] and self.faults_left > 0


class Priorities(RandomWalk):
    """PCT: whoever has the highest priority goes on, and ``depth - 1`` times on the way loses it.

    Processes and the server's clock get their priorities by lot when they first have something to do. A bug of
    depth d (d steps whose order matters) among n of them is hit with a chance of at least 1/(n·k^(d-1)) in a run
    of k steps. Each unit of a fault's budget gets a step by lot, or none, from which on it strikes as soon as it can.
    """

    def __init__(self, seed: int, depth: int, steps_expected: int, units: int, faults_max: int = NO_LIMIT) -> None:
        super().__init__(seed, faults_max)
        self.steps_n = 0
        spread = max(steps_expected, 1)
        self._changes = sorted(self.chance.choose(spread, "change point") for _ in range(depth - 1))
        self._strikes = sorted(
            self.chance.choose(spread, "strike point") for _ in range(units) if self.chance.choose(2, "strikes")
        )
        self._priorities: dict[int, tuple[int, int]] = {}
        self._lowered = 0

    def pick(self, world: World, steps: Sequence[Step], weights: Sequence[int] | None) -> int:
        """The step of the highest priority; first come first served within a process."""
        self.steps_n += 1
        faults = [at for at, step in enumerate(steps) if isinstance(step, Strike)]
        if faults and self.faults_left and self._strikes and self._strikes[0] < self.steps_n:
            self._strikes.pop(0)
            at = faults[self.chance.choose(len(faults), "fault")]
            return self._picked(at, steps[at])
        at = self._highest(steps)
        while self._changes and self._changes[0] < self.steps_n:
            self._changes.pop(0)
            self._lowered += 1
            self._priorities[_actor(steps[at])] = (0, -self._lowered)
            at = self._highest(steps)
        return self._picked(at, steps[at])

    def _highest(self, steps: Sequence[Step]) -> int:
        return max(plain(steps), key=lambda at: (self._priority(_actor(steps[at])), -at))

    def _priority(self, actor: int) -> tuple[int, int]:
        if actor not in self._priorities:
            self._priorities[actor] = (1, self.chance.choose(1 << 30, "priority"))
        return self._priorities[actor]


CLOCK = -1


def _actor(step: Step) -> int:
    """Whose step it is: a process by its index, or the server's clock."""
    if isinstance(step, Expire):
        return CLOCK
    assert isinstance(step, Due), "faults have no priority"
    return step.scheduled.event.process
