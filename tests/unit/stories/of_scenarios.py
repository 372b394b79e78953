"""What breaks the properties that scenarios bring of their own, and what nearly does."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.models.replies import Failure
from redelivery.sim.events import Crashed, Effect, Ended, Event, Handled

from .telling import START, Case, G, S, added, crashed, created, deleted, did, entry, handled, read, started, trimmed


def lag_told(lag: int | None, cursor: int) -> Event:
    return did(f.LagReported(S, 1, G, entry(cursor), lag))


def answered(command: bytes, reply: bytes | Failure) -> Event:
    return Effect(7, "sensor", 1, 1, 7, 1007, ((command, S, b"5-0", b"k", b"v"),), (reply,), ())


NODES = [started("node-a", "a"), started("node-b", "b"), started("source", "source")]

BREAKS = [
    Case("every-node-hears", "one of two is never told of the second change",
         [*NODES, handled(1, "node-a"), handled(1, "node-b"), handled(2, "node-b"), Ended(5)],
         ("node-a", "change 2-0")),
    Case("every-node-hears", "one is told of nothing", [*NODES, handled(1, "node-a"), Ended(5)], ("node-b", "1-0")),
    Case("lag-is-true", "it counts what was trimmed", [*START, read(1, 0), trimmed(1, 2), lag_told(2, 1)],
         ("2 entries are left", "there is 1")),
    Case("lag-is-true", "it is below 0", [*START, lag_told(-2, 3)], ("-2", "there are none")),
    Case("pushed-implies-handled", "one of two jobs is not handled",
         [did(f.ListPushed(b"jobs", 1, (b"j1", b"j2"), "left", "LPUSH")), Handled(5, "a", b"jobs", b"", b"j2"),
          Ended(9)],
         ("nobody handled j1",)),
    Case("rest-is-handled", "one of two that are left is not handled",
         [*START, deleted(1), handled(2), Ended(5)], ("entry 3-0", "group g")),
    Case("xadd-accepted", "an ID is too small",
         [answered(b"XADD", b"5-0"), answered(b"xadd", Failure(b"ERR The ID is too small"))],
         ("sensor", "too small")),
    Case("no-error-when-idle", "it ends with a timeout",
         [started("worker", "worker"), Crashed(60_000, "worker", "raised", "TimeoutError: Timeout reading from redis")],
         ("worker", "TimeoutError")),
]  # fmt: skip

NEARLY = [
    Case("every-node-hears", "all are told of all, one twice, and others of more",
         [*NODES, handled(1, "node-a"), handled(1, "node-b"), handled(1, "node-b"), handled(2, "source"), Ended(5)]),
    Case("lag-is-true", "it is right, or null",
         [*START, lag_told(3, 0), read(1, 0), deleted(2), lag_told(1, 1), lag_told(None, 1)]),
    Case("pushed-implies-handled", "it is handled, and what is pushed elsewhere does not count",
         [did(f.ListPushed(b"jobs", 1, (b"j1",), "left", "LPUSH")), Handled(5, "a", b"", b"", b"j1"),
          did(f.ListPushed(b"mine", 2, (b"j2",), "left", "LPUSH")), Ended(9)]),
    Case("rest-is-handled", "what was deleted is not handled, and the rest is",
         [*START, handled(1), deleted(2), handled(3), Ended(5)]),
    Case("rest-is-handled", "the group starts after it", [did(added(1)), did(created(1)), Ended(5)]),
    Case("xadd-accepted", "other commands fail",
         [answered(b"XADD", b"5-0"), answered(b"XTRIM", Failure(b"ERR syntax"))]),
    Case("no-error-when-idle", "it crashes, which is another matter", [started("worker", "worker"), crashed("worker")]),
]  # fmt: skip

EXCEPTIONS: list[Case] = []
