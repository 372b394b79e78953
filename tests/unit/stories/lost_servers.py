"""What meets a *sometimes* statement of a lost server, and what nearly does."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.sim.events import ServerLost

from .telling import START, A, Case, G, S, acked, added, crashed, created, did, entry, group_removed, read

PENDING_AGAIN = f.Reinstated(S, 1, G, A, entry(1), None, 1, 1000, "failover")
CURSOR_BACK = f.CursorMoved(S, 1, G, 7, entry(1), 0, None, None, "restart")

MEETS = [
    Case("ack-lost", "it is pending again",
         [*START, read(1, 0), acked(1), ServerLost(9, 1009, "failover", 1, (PENDING_AGAIN,))]),
    Case("ack-lost", "the cursor is back before it",
         [*START, read(1, 0), acked(1), ServerLost(9, 1009, "restart", 2, (CURSOR_BACK,))]),
    Case("added-without-group", "the stream came back alone",
         [*START, did(group_removed(cause="FLUSHALL")), did(added(4))]),
    Case("server-lost", "the server restarted, and lost nothing", [*START, ServerLost(9, 1009, "restart", 0, ())]),
    Case("flushed", "the stream went with all the rest", [*START, did(f.StreamRemoved(S, 1, "FLUSHALL"))]),
    Case("flushed", "the server restarted empty",
         [*START, ServerLost(9, 1009, "restart", -1, (f.StreamRemoved(S, 1, "restart"),))]),
]  # fmt: skip

NEARLY_MEETS = [
    Case("ack-lost", "it is gone with its acknowledgment",
         [*START, read(1, 0), acked(1),
          ServerLost(9, 1009, "restart", 3, (f.Deleted(S, 1, (entry(1),), "restart"), CURSOR_BACK))]),
    Case("ack-lost", "a delivery alone was lost",
         [*START, read(1, 0), ServerLost(9, 1009, "restart", 1, (PENDING_AGAIN, CURSOR_BACK))]),
    Case("added-without-group", "the group was made again first",
         [*START, did(group_removed()), did(created(0)), did(added(4))]),
    Case("server-lost", "a process crashed", [*START, crashed("a")]),
    Case("flushed", "the stream was deleted by name", [*START, did(f.StreamRemoved(S, 1, "DEL"))]),
]  # fmt: skip
