"""Stories of what must outlive the server: each property, what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.models.replies import NIL_ARRAY, Failure, Reply
from redelivery.sim.events import Effect, Ended, Projected, Served, ServerLost

from .telling import START, A, Case, G, S, acked, added, deleted, did, entries, entry, handled, handling, read

NOGROUP = Failure(b"NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option")


def fell(*facts: f.Fact, cause: str = "failover", at: int = 0) -> ServerLost:
    return ServerLost(at, 1000 + at, cause, 1, facts)


def asked(reply: Reply, command: bytes = b"XREADGROUP", *, process: str = "a") -> Effect:
    return Effect(0, process, 1, 1, 0, 1000, ((command,),), (reply,), ())


def promised(n: int) -> Projected:
    return Projected(0, "shop", "promised", str(n), b"%d-0" % n)


AGAIN = f.Reinstated(S, 1, G, A, entry(1), None, 1, 1000, "failover")
BACK = f.CursorMoved(S, 1, G, 7, entry(1), 0, None, None, "failover")

BREAKS = [
    Case("acked-never-handled-again", "the acknowledgment was lost with the server, and it is read again",
         [*START, read(1, 0), handling(1), handled(1), acked(1), fell(AGAIN), handling(1)], ("a handles", "1-0", "g")),
    Case("acked-never-handled-again", "another handles it after it was acknowledged, with no failover at all",
         [*START, read(1, 0), acked(1), handling(1, "b")], ("b handles", "1-0")),
    Case("promised-implies-handled", "it was promised, and is gone with the server",
         [*START, promised(3), fell(f.Deleted(S, 1, entries(3), "failover")), Ended(9)], ("3-0", "promised")),
    Case("promised-implies-handled", "one of two is handled",
         [*START, promised(1), promised(2), handled(1), Ended(9)], ("2-0",)),
    Case("what-is-left-is-handled", "it is in the stream, and nobody has it",
         [*START, handled(1), handled(2), Ended(9)], ("3-0", "nobody")),
    Case("what-is-left-is-handled", "its removal was lost with the server",
         [did(added(1)), deleted(1), fell(f.Restored(S, 1, entries(1), "restart"), cause="restart"), Ended(9)],
         ("1-0",)),
    Case("progress-after-nogroup", "the last answer is NOGROUP", [*START, asked(()), asked(NOGROUP), Ended(9)],
         ("a was told NOGROUP",)),
    Case("progress-after-nogroup", "a blocked read ends with it, and only another gets to read again",
         [Served(0, "a", 1, 1, 1000, NOGROUP, ()), asked((), process="b"), Ended(9)], ("a was told",)),
]  # fmt: skip

NEARLY = [
    Case("acked-never-handled-again", "it is handled twice before it is acknowledged",
         [*START, read(1, 0), handling(1), handled(1), fell(AGAIN), handling(1), handled(1), acked(1)]),
    Case("acked-never-handled-again", "the acknowledgment was lost, and it is only acknowledged again",
         [*START, read(1, 0), handling(1), handled(1), acked(1), fell(AGAIN, BACK), acked(1)]),
    Case("promised-implies-handled", "it was promised and handled, in the last moment",
         [*START, promised(1), handled(1), Ended(0)]),
    Case("promised-implies-handled", "what was never promised is lost",
         [*START, fell(f.Deleted(S, 1, entries(3), "failover")), Ended(9)]),
    Case("what-is-left-is-handled", "what nobody handled is gone",
         [*START, handled(1), deleted(2), fell(f.Deleted(S, 1, entries(3), "failover")), Ended(9)]),
    Case("progress-after-nogroup", "it gets to read again", [*START, asked(NOGROUP), asked(()), Ended(9)]),
    Case("progress-after-nogroup", "XINFO says NOGROUP, which reads nothing",
         [asked(NOGROUP, b"XINFO"), Ended(9)]),
]  # fmt: skip

EXCEPTIONS = [
    Case("progress-after-nogroup", "there is the group again, and nothing in it",
         [asked(NOGROUP), asked(NIL_ARRAY), Ended(9)], exception="an answer that says that there is nothing"),
]  # fmt: skip
