"""What a step asks of the server and of the tape, and where it ends: known steps need no process to run.

A process is a function of the answers that it gets. So the course of its step is a tree: what it asks first, and for
each answer what it asks then, down to what has become of it. The server is asked for real each time; the coroutines
run only where an answer comes that was never given at that point.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from ...models.facts import Fact
from ...models.replies import Reply
from ...models.server import Served, Server
from ..choices import Choices

CHOOSE = "choose"


class Asked(NamedTuple):
    """One question, and what tells its answers apart."""

    what: str
    """The name of a method of the server, or ``CHOOSE``."""
    arguments: tuple[Any, ...]
    answer: Hashable


class Said(NamedTuple):
    """A question to a server, what it said, and the key for that: see ``ask``."""

    what: str
    arguments: tuple[Any, ...]
    said: Any
    answer: Hashable


class End(NamedTuple):
    """What has become of the process of a step."""

    answers: tuple[int, ...]
    life: int
    batch: int
    facts: int
    """The number of what the properties that go with the server hear."""
    added: bool
    sessions: tuple[tuple[int, int], ...]
    """The numbers of its connections, and those that they get."""


class Node:
    """A question with all that has followed it so far."""

    __slots__ = ("after", "arguments", "what")

    def __init__(self, what: str, arguments: tuple[Any, ...]) -> None:
        self.what = what
        self.arguments = arguments
        self.after: dict[Hashable, Node | End] = {}


class Walked(NamedTuple):
    """How far a step is known."""

    end: End | None
    """Its end; ``None`` where it is not known to there."""
    server: Server | None
    """The server then; ``None`` where nothing was asked of it."""
    said: list[Said]
    """What it said."""


class Tap:
    """Stands before a server and the tape while a step is taken, and writes down what is asked.

    What the server has ``said`` to the first questions, it is not asked again.
    """

    __slots__ = ("_at", "_said", "asked", "choices", "server")

    def __init__(self, choices: Choices, said: Sequence[Said] = ()) -> None:
        self.asked: list[Asked] = []
        self.choices = choices
        self.server: Server | None = None
        self._said = said
        self._at = 0

    @property
    def answers(self) -> list[int]:
        """The tape so far."""
        return self.choices.answers

    @answers.setter
    def answers(self, answers: list[int]) -> None:
        self.choices.answers = answers

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """Passed on to the tape."""
        answer = self.choices.choose(n, label, weights)
        if n > 1:
            self.asked.append(Asked(CHOOSE, (n, label), answer))
        return answer

    def begin(self, server: Server, sessions: tuple[int, ...], next_session: int) -> None:
        """The server is there from now on, with these connections beside those that are blocked."""
        self.server = server
        self._ask("begin", (sessions, next_session))

    def execute(self, session: int, argv: Sequence[bytes], now_ms: int) -> tuple[Reply, tuple[Fact, ...]]:
        """Passed on to the server."""
        reply, facts = self._ask("execute", (session, argv, now_ms))
        return reply, facts

    def open(self, resp: int) -> int:
        """Passed on to the server."""
        return int(self._ask("open", (resp,)))

    def close(self, session: int) -> None:
        """Passed on to the server."""
        self._ask("close", (session,))

    def lose(self, cause: str, lacking: int, now_ms: int) -> tuple[Fact, ...]:
        """Passed on to the server."""
        facts: tuple[Fact, ...] = self._ask("lose", (cause, lacking, now_ms))
        return facts

    def evictable(self, keys: tuple[bytes, ...], volatile: bool) -> tuple[bytes, ...]:
        """Passed on to the server."""
        found: tuple[bytes, ...] = self._ask("evictable", (keys, volatile))
        return found

    def lacks_for_sure(self, now_ms: int) -> int:
        """Passed on to the server."""
        return int(self._ask("lacks_for_sure", (now_ms,)))

    def cut_off(self, until_ms: int) -> None:
        """Passed on to the server."""
        self._ask("cut_off", (until_ms,))

    def expire(self, now_ms: int) -> None:
        """Passed on to the server."""
        self._ask("expire", (now_ms,))

    def take_served(self) -> list[Served]:
        """Passed on to the server."""
        served: list[Served] = self._ask("take_served", ())
        return served

    def _ask(self, what: str, arguments: tuple[Any, ...]) -> Any:
        assert self.server is not None
        if self._at < len(self._said):
            its, theirs, said, answer = self._said[self._at]
            self._at += 1
            assert (its, theirs) == (what, arguments), "a process is a function of the answers it gets"
        else:
            said, answer = ask(self.server, what, arguments)
        self.asked.append(Asked(what, arguments, answer))
        return said


def ask(server: Server, what: str, arguments: tuple[Any, ...]) -> tuple[Any, Hashable]:
    """Asks a server: what it says, and a key for that.

    In keys the kinds of facts stand beside them, for to Python facts of two kinds may be equal.
    """
    if what == "execute":
        reply, facts = server.execute(*arguments)
        return (reply, facts), (reply, facts, tuple(map(type, facts))) if facts else (reply, type(reply))
    if what == "take_served":
        served = server.take_served()
        return served, repr(served) if served else None
    if what == "begin":
        sessions, next_session = arguments
        for session in sessions:
            if session not in server.sessions:
                server.adopt(session)
        server.resume(server.counters()[0], next_session)
        return None, None
    said = getattr(server, what)(*arguments)
    return said, said


class Transcripts:
    """The courses of the steps of single processes."""

    def __init__(self) -> None:
        self._roots: dict[Hashable, Node | End] = {}

    def walk(self, step: Hashable, choices: Choices, thaw: Callable[[], Server]) -> Walked:
        """Follows a step as far as it is known."""
        node = self._roots.get(step)
        server: Server | None = None
        told: list[Said] = []
        while type(node) is Node:
            if node.what == CHOOSE:
                n, label = node.arguments
                node = node.after.get(choices.choose(n, label))
            else:
                if server is None:
                    server = thaw()
                said, answer = ask(server, node.what, node.arguments)
                told.append(Said(node.what, node.arguments, said, answer))
                node = node.after.get(answer)
        return Walked(node if type(node) is End else None, server, told)

    def keep(self, step: Hashable, asked: list[Asked], end: End) -> None:
        """Remembers a course."""
        at, key = self._roots, step
        for what, arguments, answer in asked:
            node = at.get(key)
            if node is None:
                node = at[key] = Node(what, arguments)
            assert type(node) is Node
            assert (node.what, node.arguments) == (what, arguments), "a process is a function of the answers it gets"
            at, key = node.after, answer
        at[key] = end
