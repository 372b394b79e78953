"""A client as CLIENT LIST and CLIENT INFO tell it: one line of ``name=value``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.dialect import Dialect

if TYPE_CHECKING:
    from .connection import Connection

KINDS = {
    b"normal": "normal", b"master": "master", b"replica": "replica", b"slave": "replica", b"pubsub": "pubsub",
}  # fmt: skip
"""The types of clients by the words for them; nobody is a replica or a master here."""


def kind_of(connection: Connection) -> str:
    """The type of a client."""
    return "pubsub" if connection.session.subscriptions else "normal"


def line_of(connection: Connection, now_ms: int, dialect: Dialect) -> bytes:
    """The line, without its end. What is about memory is as of a server that has just begun."""
    session = connection.session
    channels = patterns = 0
    subscriber = connection.server.model.pubsub.subscribers.get(session.id)
    if subscriber is not None:
        channels, patterns = len(subscriber.channels), len(subscriber.patterns)
    unread = connection.transport.get_write_buffer_size()
    words = [
        b"id=%d" % session.id,
        b"addr=" + connection.address,
        *([b"laddr=" + connection.local] if dialect.has((6, 2)) else []),
        b"fd=%d" % connection.transport.get_extra_info("socket").fileno(),
        b"name=" + session.name,
        b"age=%d" % ((now_ms - connection.born_ms) // 1000),
        b"idle=%d" % ((now_ms - connection.last_ms) // 1000),
        b"flags=" + _flags(connection),
        b"db=%d" % session.database,
        b"sub=%d" % channels,
        b"psub=%d" % patterns,
        *([b"ssub=0"] if dialect.has((7, 0)) else []),
        b"multi=%d" % (-1 if session.queue is None else len(session.queue)),
        *([b"watch=%d" % len(session.watched or ())] if dialect.has((7, 4), (8, 0)) else []),
        b"qbuf=%d qbuf-free=%d" % (connection.parser.held, 20474),
        *([b"argv-mem=10"] if dialect.has((6, 0)) else []),
        *([b"multi-mem=0 rbs=1024 rbp=0"] if dialect.has((7, 0)) else []),
        b"obl=0 oll=%d omem=%d" % (bool(unread), unread),
        *([b"tot-mem=%d" % (22298 + unread)] if dialect.has((6, 2)) else []),
        b"events=r",
        b"cmd=" + _command(connection),
        *([b"user=default"] if dialect.has((6, 0)) else []),
        *([b"redir=-1"] if dialect.has((6, 2)) else []),
        *([b"resp=%d" % session.resp] if dialect.has((7, 0)) else []),
    ]
    if dialect.has((7, 2)):
        info = connection.info
        words += [b"lib-name=" + info.get(b"lib-name", b""), b"lib-ver=" + info.get(b"lib-ver", b"")]
    if dialect.has((8, 0)):
        words.append(b"io-thread=0")
    return b" ".join(words)


def _flags(connection: Connection) -> bytes:
    session = connection.session
    flags = b"O" * connection.is_monitor
    flags += b"P" * bool(session.subscriptions)
    flags += b"x" * (session.queue is not None)
    flags += b"b" * (session.wait is not None)
    flags += b"d" * session.dirty
    flags += b"U" * connection.address.endswith(b":0")
    flags += b"e" * ("no-evict" in connection.flags)
    flags += b"T" * ("no-touch" in connection.flags)
    return flags or b"N"


def _command(connection: Connection) -> bytes:
    argv = connection.argv
    if not argv:
        return b"NULL"
    model = connection.server.model
    row = model.commands.get(argv[0].upper())
    if row is None:
        return b"NULL"
    name = argv[0].lower()
    if row.subcommands and len(argv) > 1:
        return name + b"|" + argv[1].lower()
    return name
