"""Facts: what a command made true, as values.

Properties, timelines and the checker read facts; nothing outside ``models`` parses a command to learn
what it did. ``stream`` is the key, ``born`` the incarnation of the key (a key that is deleted and made
again is another stream), ``epoch`` the age of a group's cursor (whatever rewinds or skips opens a new one).
IDs are packed integers (``models.ids``), times are milliseconds of the server's clock.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from .lost_facts import NEW_EPOCH as NEW_EPOCH
from .lost_facts import SERVER_LOST as SERVER_LOST
from .lost_facts import Reinstated as Reinstated
from .lost_facts import Restored as Restored


class StreamCreated(NamedTuple):
    """A key became an empty stream."""

    stream: bytes
    born: int


class StreamRemoved(NamedTuple):
    """A stream went, with its entries and groups; ``cause`` is the command."""

    stream: bytes
    born: int
    cause: str


class Added(NamedTuple):
    """An entry was appended; ``fields`` are names and values in turn."""

    stream: bytes
    born: int
    id: int
    fields: tuple[bytes, ...]


class Deleted(NamedTuple):
    """Entries were deleted by name; pending entries that refer to them stay, dangling."""

    stream: bytes
    born: int
    ids: tuple[int, ...]
    cause: str


class Trimmed(NamedTuple):
    """Entries were cut off by MAXLEN or MINID, whoever still needed them; ``cause`` is the command."""

    stream: bytes
    born: int
    ids: tuple[int, ...]
    cause: str


class GroupCreated(NamedTuple):
    """A group came to be; ``>`` will deliver what is greater than ``cursor``.

    ``entries_read`` is what ENTRIESREAD claimed, ``None`` where it was not given.
    """

    stream: bytes
    born: int
    group: bytes
    epoch: int
    cursor: int
    entries_read: int | None = None


class GroupRemoved(NamedTuple):
    """A group went; ``pending`` are the entries that were delivered in it and not acknowledged."""

    stream: bytes
    born: int
    group: bytes
    epoch: int
    pending: tuple[int, ...]
    cause: str


class CursorMoved(NamedTuple):
    """A group's last-delivered-id changed; ``cause`` is ``read``, ``SETID`` or ``LASTID``, ``restart`` or ``failover``.

    ``lag`` and ``entries_read`` are what XINFO would say now (``None`` where it says null, and in
    dialects that do not count). All but reads and LASTID open a new epoch, which ``epoch`` already is.
    """

    stream: bytes
    born: int
    group: bytes
    epoch: int
    before: int
    cursor: int
    entries_read: int | None
    lag: int | None
    cause: str


class ConsumerCreated(NamedTuple):
    """A name entered a group."""

    stream: bytes
    born: int
    group: bytes
    consumer: bytes


class ConsumerRemoved(NamedTuple):
    """A name left a group, and its pending entries with it: nobody will get them by ``>``."""

    stream: bytes
    born: int
    group: bytes
    consumer: bytes
    pending: tuple[int, ...]


class Delivered(NamedTuple):
    """An entry was delivered by ``>``.

    ``noack`` tells that it did not become pending. ``owner_before`` names whoever had it pending from
    an earlier epoch.
    """

    stream: bytes
    born: int
    group: bytes
    epoch: int
    consumer: bytes
    id: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    noack: bool
    owner_before: bytes | None


class Reread(NamedTuple):
    """A consumer read a pending entry of its own again, from its history; ``count`` is the new count."""

    stream: bytes
    born: int
    group: bytes
    consumer: bytes
    id: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls


class Claimed(NamedTuple):
    """A pending entry changed hands (or was renewed, where the owner is the claimer).

    ``idle_ms`` is its idle time just before, ``None`` for an entry that FORCE made pending.
    """

    stream: bytes
    born: int
    group: bytes
    consumer: bytes
    id: int
    owner_before: bytes | None
    idle_ms: int | None
    min_idle_ms: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    delivered_ms: int


class Recounted(NamedTuple):
    """XCLAIM RETRYCOUNT says how often a pending entry is to have been delivered, whatever was counted."""

    stream: bytes
    born: int
    group: bytes
    id: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls


class Acked(NamedTuple):
    """A pending entry was acknowledged; ``owner`` had it (``None``: nobody, after XNACK)."""

    stream: bytes
    born: int
    group: bytes
    id: int
    owner: bytes | None


class Forgotten(NamedTuple):
    """A pending entry was dropped without an acknowledgment.

    ``cause`` is the claim that found its entry gone, or the command that deleted or trimmed with DELREF.
    """

    stream: bytes
    born: int
    group: bytes
    id: int
    owner: bytes | None
    cause: str


class Nacked(NamedTuple):
    """A pending entry was given back to the group by XNACK, and belongs to nobody until it is claimed.

    ``new`` tells that FORCE made it pending only now. ``mode`` is the word of the command, ``count`` the delivery
    count from now on.
    """

    stream: bytes
    born: int
    group: bytes
    id: int
    owner_before: bytes | None
    new: bool
    mode: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls


class Deduplicated(NamedTuple):
    """An idempotent XADD was answered with the entry ``id`` that the same producer had added before."""

    stream: bytes
    born: int
    producer: bytes
    id: int


class LagReported(NamedTuple):
    """XINFO told a group's lag: entries that are still to be delivered, or ``None`` for null."""

    stream: bytes
    born: int
    group: bytes
    cursor: int
    lag: int | None


class LastIdSet(NamedTuple):
    """XSETID changed what the stream remembers of itself."""

    stream: bytes
    born: int
    before: int
    last_id: int


class ListPushed(NamedTuple):
    """Elements came to a list, one after the other, at its ``side``; ``cause`` is the command."""

    key: bytes
    born: int
    elements: tuple[bytes, ...]
    side: str
    cause: str


class ListPopped(NamedTuple):
    """Elements were taken from a list and given to a session: nothing else knows them any more."""

    key: bytes
    born: int
    elements: tuple[bytes, ...]
    side: str
    receiver: int
    cause: str


class ListMoved(NamedTuple):
    """An element went from one list to another, and a session got to know it."""

    key: bytes
    born: int
    to: bytes
    to_born: int
    element: bytes
    receiver: int
    cause: str


class ListEdited(NamedTuple):
    """A list was changed in place: LREM, LTRIM, LSET, LINSERT."""

    key: bytes
    born: int
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]
    cause: str


class ListRemoved(NamedTuple):
    """A list went, with the elements that nobody had popped."""

    key: bytes
    born: int
    elements: tuple[bytes, ...]
    cause: str


class KeyMoved(NamedTuple):
    """A key was renamed, or went to another database: its value is another incarnation there, unchanged.

    ``born`` is 0 for a string. Groups and pending entries of a stream are as they were, under the new ``to_born``.
    """

    key: bytes
    database: int
    born: int
    to: bytes
    to_database: int
    to_born: int
    cause: str


class KeyCopied(NamedTuple):
    """A key was copied: the copy, an incarnation of its own, begins with all that the original has."""

    key: bytes
    database: int
    born: int
    to: bytes
    to_database: int
    to_born: int
    cause: str


class KeyExpired(NamedTuple):
    """A key's time was over; ``cause`` tells who noticed: ``access`` by a command, or the server's ``cycle``."""

    key: bytes
    database: int
    born: int
    deadline_ms: int
    cause: str


class DatabasesSwapped(NamedTuple):
    """Two databases changed places."""

    first: int
    second: int


class Subscribed(NamedTuple):
    """A session gets what is published on a channel, or on those that match a pattern, from now on."""

    session: int
    name: bytes
    pattern: bool


class Unsubscribed(NamedTuple):
    """A session gets it no more; ``cause`` is the command, or what closed its connection."""

    session: int
    name: bytes
    pattern: bool
    cause: str


class Published(NamedTuple):
    """A message went to those who were subscribed; whoever was not will never get it.

    A session that is subscribed in two ways stands among the receivers twice.
    """

    channel: bytes
    message: bytes
    sender: int
    receivers: tuple[int, ...]


class SubscriberDropped(NamedTuple):
    """The server closes a subscriber's connection: it had not read so much that its limit was passed.

    ``limit`` is ``hard`` or ``soft``; what it had not read is lost.
    """

    session: int
    unread_bytes: int
    limit: str


KeyFact: TypeAlias = (
    ListPushed | ListPopped | ListMoved | ListEdited | ListRemoved
    | KeyMoved | KeyCopied | KeyExpired | DatabasesSwapped
    | Subscribed | Unsubscribed | Published | SubscriberDropped
)  # fmt: skip
"""Facts that are not about one stream: they have no ``stream``."""

Fact: TypeAlias = (
    StreamCreated | StreamRemoved | Added | Deleted | Trimmed | GroupCreated | GroupRemoved
    | CursorMoved | ConsumerCreated | ConsumerRemoved | Delivered | Reread | Claimed | Recounted
    | Acked | Forgotten | Nacked | Restored | Reinstated | Deduplicated | LagReported | LastIdSet
    | KeyFact
)  # fmt: skip
