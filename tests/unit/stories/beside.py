"""What breaks the properties beside streams, and what nearly does."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.sim.events import Ended, Event, Handled

from .telling import Case, did

Q = b"jobs"


def popped(*jobs: bytes) -> Event:
    return did(f.ListPopped(Q, 1, jobs, "right", 7, "RPOP"))


def pushed(*jobs: bytes) -> Event:
    return did(f.ListPushed(Q, 1, jobs, "left", "LPUSH"))


def moved_on(job: bytes) -> Event:
    return did(f.ListMoved(Q, 1, b"mine", 2, job, 7, "LMOVE"))


def done(job: bytes, key: bytes = Q) -> Event:
    return Handled(5, "a", key, b"", job)


def subscribed(process: str, session: int, name: bytes = b"news", *, pattern: bool = False) -> Event:
    return did(f.Subscribed(session, name, pattern), process=process)


def unsubscribed(process: str, session: int, name: bytes = b"news", cause: str = "UNSUBSCRIBE") -> Event:
    return did(f.Unsubscribed(session, name, False, cause), process=process)


def published(*receivers: int, channel: bytes = b"news") -> Event:
    return did(f.Published(channel, b"m1", 99, receivers), process="source")


BREAKS = [
    Case("popped-implies-handled", "one of two is not handled",
         [pushed(b"j1", b"j2"), popped(b"j1", b"j2"), done(b"j1"), Ended(9)], ("element j2", "list jobs")),
    Case("popped-implies-handled", "what looks the same was popped twice and handled once",
         [pushed(b"j1", b"j1"), popped(b"j1"), popped(b"j1"), done(b"j1"), Ended(9)], ("element j1",)),
    Case("popped-implies-handled", "none of two is handled, and one of that name in another list",
         [popped(b"j1", b"j2"), done(b"j1", b"other"), Ended(9)], ("element j1", "1 more")),
    Case("published-implies-received", "a subscriber is away",
         [subscribed("a", 1), published(1), unsubscribed("a", 1, cause="QUIT"), published()],
         ("message m1", "on news", "went past a")),
    Case("published-implies-received", "one of two is there",
         [subscribed("a", 1), subscribed("b", 2, b"n*", pattern=True), published(1)], ("went past b",)),
    Case("published-implies-received", "a slow subscriber is dropped",
         [subscribed("a", 1), published(1), did(f.SubscriberDropped(1, 4096, "hard"))], ("hung up on a", "4096 bytes")),
]  # fmt: skip

NEARLY = [
    Case("popped-implies-handled", "all is handled, once without saying from where",
         [pushed(b"j1", b"j2"), popped(b"j1", b"j2"), done(b"j2"), done(b"j1", b""), Ended(9)]),
    Case("popped-implies-handled", "nothing was popped", [pushed(b"j1"), Ended(9)]),
    Case("published-implies-received", "it is back on another connection, and others never wanted it",
         [subscribed("a", 1), published(1), subscribed("a", 2), published(2), published(channel=b"sports")]),
    Case("published-implies-received", "nobody has ever subscribed", [published()]),
    Case("published-implies-received", "it is reached by its pattern",
         [subscribed("a", 1, b"n*", pattern=True), published(1), did(f.SubscriberDropped(5, 1, "soft"))]),
]  # fmt: skip

EXCEPTIONS = [
    Case("popped-implies-handled", "it lies in another list", [pushed(b"j1"), moved_on(b"j1"), Ended(9)],
         exception="what was moved to another list"),
    Case("popped-implies-handled", "it was given back", [popped(b"j1"), pushed(b"j1"), Ended(9)],
         exception="what was pushed back"),
    Case("published-implies-received", "it has said that it goes",
         [subscribed("a", 1), unsubscribed("a", 1), published()], exception="who has unsubscribed"),
]  # fmt: skip
