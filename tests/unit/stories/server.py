"""Stories of servers: each invariant, what breaks it, what nearly does, and its documented exceptions."""

from __future__ import annotations

from typing import Any, NamedTuple

from redelivery.models import facts as f
from redelivery.models import ids
from redelivery.sim.events import Effect, Event, Served

S, G, A, B = b"s", b"g", b"a", b"b"


def entry(n: int) -> int:
    return ids.make(n, 0)


def entries(*numbers: int) -> tuple[int, ...]:
    return tuple(entry(n) for n in numbers)


def did(*facts: f.Fact, at: int = 0, clock: int = 0) -> Effect:
    """A command of which only its facts matter."""
    return Effect(at, "p", 1, 1, at, clock or 1000 + at, ((b"X",),), (0,), facts)


def added(n: int, *, born: int = 1) -> f.Added:
    return f.Added(S, born, entry(n), (b"k", b"v"))


def created(cursor: int = 0, *, group: bytes = G, entries_read: int | None = None) -> f.GroupCreated:
    return f.GroupCreated(S, 1, group, 1, entry(cursor), entries_read)


def delivered(
    n: int, to: bytes = A, *, epoch: int = 1, group: bytes = G, born: int = 1, noack: bool = False, owner: Any = None
) -> f.Delivered:
    return f.Delivered(S, born, group, epoch, to, entry(n), 1, noack, owner)


def moved(before: int, cursor: int, cause: str = "read", *, lag: int | None = None, epoch: int = 1) -> f.CursorMoved:
    return f.CursorMoved(S, 1, G, epoch, entry(before), entry(cursor), None, lag, cause)


def read(n: int, before: int, to: bytes = A, *, at: int = 0, noack: bool = False) -> Effect:
    """``XREADGROUP ... COUNT 1 >`` that gets entry ``n``."""
    return did(delivered(n, to, noack=noack), moved(before, n), at=at)


def acked(n: int, owner: bytes = A, *, group: bytes = G) -> f.Acked:
    return f.Acked(S, 1, group, entry(n), owner)


def claimed(
    n: int, by: bytes = B, *, of: bytes | None = A, idle: int | None = 0, min_idle: int = 0, since: int = 1000,
    count: int = 2,
) -> f.Claimed:  # fmt: skip
    return f.Claimed(S, 1, G, by, entry(n), of, idle, min_idle, count, since)


def forced(n: int, by: bytes = B, *, since: int = 1000, count: int = 2) -> f.Claimed:
    return claimed(n, by, of=None, idle=None, since=since, count=count)


def reread(n: int, by: bytes = A) -> f.Reread:
    return f.Reread(S, 1, G, by, entry(n), 2)


def nacked(n: int, owner: bytes | None = A, *, new: bool = False, count: int = 1) -> f.Nacked:
    return f.Nacked(S, 1, G, entry(n), owner, new, "FAIL", count)


def forgotten(n: int, owner: bytes = A) -> f.Forgotten:
    return f.Forgotten(S, 1, G, entry(n), owner, "XAUTOCLAIM")


def consumer_removed(consumer: bytes, *pending: int) -> f.ConsumerRemoved:
    return f.ConsumerRemoved(S, 1, G, consumer, entries(*pending))


def group_removed(*pending: int) -> f.GroupRemoved:
    return f.GroupRemoved(S, 1, G, 1, entries(*pending), "XGROUP DESTROY")


def deleted(*numbers: int) -> f.Deleted:
    return f.Deleted(S, 1, entries(*numbers), "XDEL")


def trimmed(*numbers: int) -> f.Trimmed:
    return f.Trimmed(S, 1, entries(*numbers), "XTRIM")


def lag_is(lag: int | None, cursor: int, *, group: bytes = G) -> f.LagReported:
    return f.LagReported(S, 1, group, entry(cursor), lag)


def last_id_set(before: int, last_id: int) -> f.LastIdSet:
    return f.LastIdSet(S, 1, entry(before), entry(last_id))


START = [did(added(1)), did(added(2)), did(added(3)), did(created(0))]
"""Three entries, and a group that starts before them."""


class Case(NamedTuple):
    """A story, and what the message has to name where the story's last event breaks the property."""

    property: str
    story: str
    events: list[Event]
    names: tuple[str, ...] = ()
    exception: str = ""
    """The documented exception that it shows: how its text starts."""


BREAKS = [
    Case("accounted-for", "a read passes an entry", [*START, read(2, 0)], ("group g", "entry 1-0", "without")),
    Case("accounted-for", "a read passes an entry between two that it delivers",
         [*START, did(delivered(1), delivered(3), moved(0, 3))], ("entry 2-0",)),
    Case("accounted-for", "the cursor is said to have been further than it was",
         [*START, read(1, 0), did(delivered(3), moved(2, 3))], ("entry 2-0",)),
    Case("accounted-for", "the first read is said to have begun further on than the group did",
         [*START, did(delivered(3), moved(2, 3))], ("entry 1-0",)),
    Case("accounted-for", "an entry is acknowledged twice",
         [*START, read(1, 0), did(acked(1)), did(acked(1))], ("entry 1-0", "acknowledged", "not pending", "group g")),
    Case("accounted-for", "what was given with NOACK is acknowledged",
         [*START, read(1, 0, noack=True), did(acked(1))], ("entry 1-0", "not pending")),
    Case("accounted-for", "an entry is claimed that was never delivered",
         [*START, did(claimed(1))], ("entry 1-0", "claimed", "not pending")),
    Case("accounted-for", "what was not pending is forgotten", [*START, did(forgotten(1))], ("1-0", "XAUTOCLAIM")),
    Case("accounted-for", "what was not pending is given back",
         [*START, did(nacked(1))], ("entry 1-0", "given back", "group g")),
    Case("acked-stays-acked", "an acknowledged entry is given back",
         [*START, read(1, 0), did(acked(1)), did(nacked(1))], ("entry 1-0", "given back")),
    Case("one-owner", "an entry is given back by somebody else",
         [*START, read(1, 0), did(nacked(1, B))], ("entry 1-0", "belongs to a", "says b")),
    Case("accounted-for", "DELCONSUMER drops what was not pending",
         [*START, did(consumer_removed(A, 1))], ("1-0", "DELCONSUMER")),
    Case("accounted-for", "a group goes with less than was pending",
         [*START, read(1, 0), read(2, 1), did(group_removed(1))], ("group g",)),
    Case("delivered-once", "an entry is delivered again",
         [*START, read(1, 0), did(delivered(1, B))], ("entry 1-0", "twice", "group g")),
    Case("delivered-once", "an entry given with NOACK is delivered again",
         [*START, read(1, 0, noack=True), did(delivered(1, B))], ("entry 1-0",)),
    Case("delivery-in-order", "an older entry comes after a newer one",
         [*START, read(2, 1), read(1, 0)], ("group g", "1-0 after 2-0")),
    Case("delivery-in-order", "the same entry comes again", [*START, read(1, 0), read(1, 0)], ("1-0 after 1-0",)),
    Case("ids-increase", "an ID is given twice", [did(added(2)), did(added(2))], ("stream s", "2-0 after 2-0")),
    Case("ids-increase", "an ID falls behind", [did(added(2)), did(added(1))], ("1-0 after 2-0",)),
    Case("ids-increase", "an ID falls behind that of an entry that was deleted",
         [did(added(2)), did(deleted(2)), did(added(1))], ("1-0 after 2-0",)),
    Case("acked-stays-acked", "an acknowledged entry is delivered",
         [*START, read(1, 0), did(acked(1)), did(delivered(1, B))], ("entry 1-0", "delivered", "group g")),
    Case("acked-stays-acked", "an acknowledged entry is claimed",
         [*START, read(1, 0), did(acked(1)), did(claimed(1))], ("entry 1-0", "claimed")),
    Case("acked-stays-acked", "an acknowledged entry is read from history",
         [*START, read(1, 0), did(acked(1)), did(reread(1))], ("entry 1-0", "history")),
    Case("acked-stays-acked", "what FORCE brought back and was acknowledged again is claimed",
         [*START, read(1, 0), did(acked(1)), did(forced(1)), did(acked(1, B)), did(claimed(1))], ("entry 1-0",)),
    Case("acked-stays-acked", "what was acknowledged past the cursor is delivered a second time",
         [*START, did(forced(1)), did(acked(1, B)), read(1, 0), did(acked(1)), did(delivered(1))], ("entry 1-0",)),
    Case("one-owner", "an entry is claimed from one who did not have it",
         [*START, read(1, 0), did(claimed(1, B, of=b"c"))], ("entry 1-0", "belongs to a", "says c")),
    Case("one-owner", "an entry is claimed from nobody, and somebody had it",
         [*START, read(1, 0), did(forced(1))], ("belongs to a", "says nobody")),
    Case("pending-is-owned", "the old owner still has it in its history",
         [*START, read(1, 0), did(claimed(1, B)), did(reread(1, A))], ("entry 1-0", "belongs to b", "says a")),
    Case("one-owner", "it is acknowledged from the wrong list",
         [*START, read(1, 0), did(claimed(1, B)), did(acked(1, A))], ("belongs to b", "says a")),
    Case("one-owner", "it is forgotten from the wrong list",
         [*START, read(1, 0), did(claimed(1, B)), did(forgotten(1, A))], ("belongs to b", "says a")),
    Case("one-owner", "it is acknowledged from a list that it has left",
         [*START, read(1, 0), did(acked(1)), did(acked(1))], ("belongs to nobody", "says a")),
    Case("one-owner", "it is forgotten from a list that it has left",
         [*START, read(1, 0), did(forgotten(1)), did(forgotten(1))], ("belongs to nobody", "says a")),
    Case("pending-is-owned", "a consumer leaves with less than it owned",
         [*START, read(1, 0), read(2, 1), did(consumer_removed(A, 1))], ("consumer a",)),
    Case("pending-is-owned", "a consumer leaves with what another has claimed",
         [*START, read(1, 0), did(claimed(1, B)), did(consumer_removed(A, 1))], ("consumer a",)),
    Case("one-owner", "the redelivery after a SETID does not say whose it was",
         [*START, read(1, 0), did(moved(1, 0, "SETID", epoch=2)), did(delivered(1, B, epoch=2))], ("says nobody",)),
    Case("cursor-monotone", "a read takes it back", [*START, read(2, 1), read(1, 0)], ("group g", "2-0 to 1-0")),
    Case("cursor-monotone", "LASTID takes it behind where the group starts",
         [did(created(2)), did(moved(2, 1, "LASTID"))], ("2-0 to 1-0",)),
    Case("count-monotone", "a claim counts from 1 again",
         [*START, read(1, 0), did(claimed(1)), did(claimed(1, A, of=B, count=1))],
         ("entry 1-0", "2 times", "counts 1")),
    Case("count-monotone", "a read of history counts from 1 again",
         [*START, read(1, 0), did(reread(1)), did(f.Reread(S, 1, G, A, entry(1), 1))], ("entry 1-0", "2 times")),
    Case("count-monotone", "a claim forgets what XNACK said",
         [*START, read(1, 0), did(nacked(1, count=7)), did(claimed(1, of=None))], ("7 times", "counts 2")),
    Case("claim-respects-idle", "a claim comes a millisecond too early",
         [*START, read(1, 0, at=100), did(claimed(1, min_idle=500, idle=500), at=599)],
         ("b claimed entry 1-0", "499 ms", "min-idle 500 ms")),
    Case("claim-respects-idle", "a claim does not see that the owner read it again",
         [*START, read(1, 0), did(reread(1), at=400), did(claimed(1, min_idle=500, idle=600), at=600)], ("200 ms",)),
    Case("claim-respects-idle", "a claim does not see that the clock of the server was set back",
         [*START, read(1, 0, at=100), did(claimed(1, min_idle=500, idle=900), at=1000, clock=1300)], ("200 ms",)),
    Case("claim-respects-idle", "the second claim does not wait for the idle time of the first",
         [*START, read(1, 0), did(claimed(1, idle=600, min_idle=500, since=1600), at=600),
          did(claimed(1, A, of=B, idle=500, min_idle=500), at=700)], ("a claimed", "100 ms")),
    Case("claim-respects-idle", "what a blocked read was served is claimed too early",
         [*START, Served(100, "p", 1, 1, 1100, 0, (delivered(1), moved(0, 1))),
          did(claimed(1, min_idle=500, idle=500), at=300)], ("200 ms",)),
    Case("lag-exact-or-null", "the lag after a read is one too large",
         [*START, did(delivered(1), moved(0, 1, lag=3))], ("group g", "lag", "is 3", "2 entries")),
    Case("lag-exact-or-null", "the lag that XINFO tells is one too small",
         [*START, did(lag_is(2, 0))], ("is 2", "3 entries")),
    Case("lag-exact-or-null", "a group that starts at the end has a lag at once",
         [did(added(1)), did(created(1)), did(lag_is(1, 1))], ("is 1", "0 entries")),
]  # fmt: skip

NEARLY = [
    Case("accounted-for", "every entry is delivered, in two reads",
         [*START, did(delivered(1), delivered(2), moved(0, 2)), read(3, 2)]),
    Case("accounted-for", "a read passes what was deleted and trimmed before",
         [*START, did(trimmed(1)), did(deleted(2)), read(3, 0)]),
    Case("accounted-for", "SETID and LASTID pass entries, which is no read",
         [*START, did(moved(0, 1, "LASTID")), did(moved(1, 2, "SETID", epoch=2)), read(3, 2)]),
    Case("accounted-for", "an entry given with NOACK is accounted for", [*START, read(1, 0, noack=True), read(2, 1)]),
    Case("accounted-for", "FORCE makes an entry pending, which is then acknowledged",
         [*START, did(forced(2)), did(acked(2, B))]),
    Case("accounted-for", "pending entries leave by every name that there is",
         [*START, did(delivered(1), delivered(2, B), delivered(3), moved(0, 3)), did(deleted(1)), did(forgotten(1)),
          did(consumer_removed(B, 2)), did(group_removed(3))]),
    Case("accounted-for", "a group of the same name starts anew",
         [*START, read(1, 0), did(group_removed(1)), did(created(1)), read(2, 1)]),
    Case("accounted-for", "the stream goes, and another takes its name",
         [*START, did(group_removed(), f.StreamRemoved(S, 1, "DEL")), did(added(9, born=2))]),
    Case("delivered-once", "SETID opens a new epoch", [*START, read(1, 0), did(delivered(1, epoch=2))]),
    Case("delivered-once", "another group gets it too", [*START, read(1, 0), did(delivered(1, group=b"h"))]),
    Case("delivered-once", "another stream of that name has such an ID", [read(1, 0), did(delivered(1, born=2))]),
    Case("delivered-once", "reading one's history is no delivery by '>'", [*START, read(1, 0), did(reread(1))]),
    Case("delivery-in-order", "there are gaps, and a new epoch starts over",
         [*START, read(1, 0), read(3, 2), did(delivered(1, epoch=2))]),
    Case("delivery-in-order", "another group is further behind", [*START, read(3, 2), did(delivered(1, group=b"h"))]),
    Case("ids-increase", "another incarnation of the stream starts over", [did(added(2)), did(added(1, born=2))]),
    Case("ids-increase", "the first ID is the smallest that there is", [did(f.Added(S, 1, 1, (b"k", b"v")))]),
    Case("ids-increase", "only the sequence grows",
         [did(added(2)), did(f.Added(S, 1, ids.make(2, 1), (b"k", b"v")))]),
    Case("acked-stays-acked", "another group still has it",
         [*START, read(1, 0), did(acked(1, group=b"h")), did(reread(1)), did(claimed(1))]),
    Case("acked-stays-acked", "a new group of that name gets it again",
         [*START, read(1, 0), did(acked(1)), did(group_removed()), did(created(0)), read(1, 0)]),
    Case("one-owner", "it changes hands as the server says",
         [*START, read(1, 0), did(claimed(1, B)), did(reread(1, B)), did(claimed(1, A, of=B)), did(acked(1, A))]),
    Case("pending-is-owned", "NOACK after a SETID leaves it with its owner",
         [*START, read(1, 0), did(moved(1, 0, "SETID", epoch=2)), did(delivered(1, B, epoch=2, noack=True, owner=None)),
          did(reread(1, A))]),
    Case("pending-is-owned", "a consumer leaves with exactly what it owned",
         [*START, read(1, 0), read(2, 1), did(claimed(2, B)), did(consumer_removed(A, 1)), did(acked(2, B))]),
    Case("pending-is-owned", "after the group went nobody owns anything",
         [*START, read(1, 0), did(group_removed(1)), did(created(0)), read(1, 0, B)]),
    Case("pending-is-owned", "the new owner has it in its history",
         [*START, read(1, 0), did(claimed(1, B)), did(reread(1, B)), did(claimed(1, A, of=B)), did(reread(1, A))]),
    Case("cursor-monotone", "it stays, and that of another group is further behind",
         [*START, read(2, 0), did(moved(2, 2)), did(f.CursorMoved(S, 1, b"h", 1, 0, entry(1), None, None, "read"))]),
    Case("cursor-monotone", "a group of that name starts anew",
         [*START, read(2, 0), did(group_removed(2)), did(created(0)), read(1, 0)]),
    Case("count-monotone", "JUSTID does not count, and what is acknowledged is counted anew",
         [*START, read(1, 0), did(claimed(1)), did(claimed(1, A, of=B, count=2)), did(acked(1)),
          did(forced(1, count=1))]),
    Case("count-monotone", "what went with its consumer, was forgotten, or went with its group is counted anew",
         [*START, read(1, 0), did(reread(1)), did(consumer_removed(A, 1)), did(forced(1, count=1)), did(claimed(1)),
          did(forgotten(1, B)), did(forced(1, count=1)), did(claimed(1)), did(group_removed(1)), did(created(0)),
          did(forced(1, count=1))]),
    Case("claim-respects-idle", "a claim comes just in time",
         [*START, read(1, 0, at=100), did(claimed(1, min_idle=500, idle=500), at=600)]),
    Case("claim-respects-idle", "the first claim set the idle time by hand, so that the second need not wait",
         [*START, read(1, 0), did(claimed(1, idle=600, min_idle=500, since=600), at=600),
          did(claimed(1, A, of=B, idle=500, min_idle=500), at=601)]),
    Case("lag-exact-or-null", "the lag is exact, in two groups",
         [*START, did(created(0, group=b"h")), did(delivered(1), moved(0, 1, lag=2)), did(lag_is(2, 1)),
          did(lag_is(3, 0, group=b"h"))]),
    Case("lag-exact-or-null", "the lag is null",
         [*START, did(delivered(1), moved(0, 1, lag=None)), did(lag_is(None, 1))]),
    Case("lag-exact-or-null", "a new entry makes it grow",
         [*START, did(delivered(3), moved(0, 3, lag=0)), did(added(4)), did(lag_is(1, 3))]),
]  # fmt: skip

EXCEPTIONS = [
    Case("ids-increase", "XSETID sets it back",
         [did(added(2)), did(last_id_set(2, 0)), did(added(1))], exception="XSETID says"),
    Case("acked-stays-acked", "FORCE brings it back",
         [*START, read(1, 0), did(acked(1)), did(forced(1)), did(reread(1, B)), did(claimed(1, A, of=B))],
         exception="XCLAIM FORCE"),
    Case("acked-stays-acked", "SETID goes back, and all comes again",
         [*START, read(1, 0), did(acked(1)), did(moved(1, 0, "SETID", epoch=2)), did(delivered(1, epoch=2))],
         exception="SETID opens"),
    Case("acked-stays-acked", "FORCE was ahead of '>', which comes to the acknowledged entry later",
         [*START, did(forced(1)), did(acked(1, B)), read(1, 0)], exception="what was acknowledged past"),
    Case("acked-stays-acked", "SETID goes back, it is acknowledged there, and '>' comes to it",
         [*START, read(1, 0), did(moved(1, 0, "SETID", epoch=2)), did(acked(1)), did(delivered(1, epoch=2))],
         exception="what was acknowledged past"),
    Case("acked-stays-acked", "XNACK FORCE brings it back, for nobody",
         [*START, read(1, 0), did(acked(1)), did(nacked(1, None, new=True)), did(claimed(1, B, of=None))],
         exception="XCLAIM FORCE and XNACK FORCE"),
    Case("pending-is-owned", "XNACK took it from one who leaves with nothing",
         [*START, read(1, 0), did(nacked(1)), did(consumer_removed(A))], exception="after XNACK"),
    Case("cursor-monotone", "SETID takes it back", [*START, read(2, 0), did(moved(2, 0, "SETID", epoch=2))],
         exception="SETID opens"),
    Case("count-monotone", "XCLAIM RETRYCOUNT sets it back",
         [*START, read(1, 0), did(reread(1)), did(f.Recounted(S, 1, G, entry(1), 0), claimed(1, count=0))],
         exception="RETRYCOUNT"),
    Case("count-monotone", "XNACK SILENT takes the delivery back",
         [*START, read(1, 0), did(reread(1)), did(nacked(1, count=1)), did(claimed(1, of=None, count=1))],
         exception="XNACK says"),
    Case("count-monotone", "SETID went back, and the pending entry is delivered again",
         [*START, read(1, 0), did(reread(1)), did(moved(1, 0, "SETID", epoch=2)),
          did(delivered(1, B, epoch=2, owner=A)), did(claimed(1, B, count=1))], exception="'>' counts"),
    Case("one-owner", "XNACK takes it from its owner, and the next claim finds it with nobody",
         [*START, read(1, 0), did(nacked(1)), did(claimed(1, B, of=None)), did(acked(1, B))], exception="after XNACK"),
    Case("claim-respects-idle", "what XNACK gave back is claimed at once",
         [*START, read(1, 0, at=5), did(nacked(1), at=5), did(claimed(1, of=None, idle=5, min_idle=500), at=6)],
         exception="what XNACK gave back"),
    Case("claim-respects-idle", "the clock went back, and XREADGROUP CLAIM takes what it had not come to",
         [*START, read(1, 0, at=50), did(claimed(1, idle=-45, min_idle=500), at=5)],
         exception="XREADGROUP CLAIM takes"),
    Case("claim-respects-idle", "min-idle is 0",
         [*START, read(1, 0, at=5), did(claimed(1), at=5)], exception="min-idle 0"),
    Case("claim-respects-idle", "FORCE takes what was not pending",
         [*START, did(f.Claimed(S, 1, G, B, entry(1), None, None, 500, 2, 1000))], exception="FORCE"),
    Case("lag-exact-or-null", "XSETID told the stream what it had",
         [*START, did(last_id_set(3, 9)), did(lag_is(7, 0))], exception="after XSETID"),
    Case("lag-exact-or-null", "SETID took the cursor elsewhere",
         [*START, did(moved(0, 2, "SETID", lag=9, epoch=2)), did(lag_is(9, 2))], exception="after XSETID"),
    Case("lag-exact-or-null", "LASTID took the cursor elsewhere",
         [*START, did(moved(0, 2, "LASTID", lag=9)), did(lag_is(9, 2))], exception="after XSETID"),
    Case("lag-exact-or-null", "entries were deleted", [*START, did(deleted(2)), did(lag_is(3, 0))],
         exception="after XDEL"),
    Case("lag-exact-or-null", "entries were trimmed", [*START, did(trimmed(1)), did(lag_is(3, 0))],
         exception="after XDEL"),
    Case("lag-exact-or-null", "the group was made with ENTRIESREAD",
         [did(added(1)), did(created(1, entries_read=0)), did(lag_is(1, 1))], exception="a group that starts inside"),
    Case("lag-exact-or-null", "the group starts inside the stream",
         [did(added(1)), did(added(2)), did(created(1)), did(lag_is(2, 1))], exception="a group that starts inside"),
]  # fmt: skip
