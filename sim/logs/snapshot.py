"""What a stream and its groups were at a moment: XINFO STREAM key FULL COUNT 0, as redis-cli --json prints it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...models.replies import Failure, Map, Reply
from ...models.server import Server
from ..errors import BadInput

WANTED = ("last-generated-id", "entries", "groups")
HOW = "wanted is what 'redis-cli --json XINFO STREAM key FULL COUNT 0' prints"


class Snapshot:
    """One stream, as a server told it."""

    def __init__(self, key: str, info: dict[str, Any], name: str) -> None:
        self.key = key
        self.info = info
        self.name = name

    def commands(self) -> Iterator[tuple[bytes, ...]]:
        """Commands that make the stream what it was, on an empty server that has its release's options."""
        key, info = self.key.encode(), self.info
        for entry_id, pairs in info["entries"]:
            yield (b"XADD", key, _bytes(entry_id), *map(_bytes, pairs))
        groups = info["groups"]
        if not info["entries"]:
            yield (b"XADD", key, _bytes(info["last-generated-id"]), b"-", b"-")
            yield (b"XTRIM", key, b"MAXLEN", b"0")
        added: tuple[bytes, ...] = ()
        if "entries-added" in info:
            deleted = _bytes(info["max-deleted-entry-id"])
            added = (b"ENTRIESADDED", b"%d" % info["entries-added"], b"MAXDELETEDID", deleted)
        yield (b"XSETID", key, _bytes(info["last-generated-id"]), *added)
        for group in groups:
            name, read = _bytes(group["name"]), group.get("entries-read")
            counted = () if read is None else (b"ENTRIESREAD", b"%d" % read)
            yield (b"XGROUP", b"CREATE", key, name, _bytes(group["last-delivered-id"]), *counted)
            for consumer in group["consumers"]:
                for entry_id, at_ms, count in consumer["pending"]:
                    yield (
                        b"XCLAIM", key, name, _bytes(consumer["name"]), b"0", _bytes(entry_id), b"TIME", b"%d" % at_ms,
                        b"RETRYCOUNT", b"%d" % count, b"FORCE", b"JUSTID",
                    )  # fmt: skip

    def ids(self) -> Iterator[str]:
        """The IDs of its entries, and of those that are pending."""
        for entry in self.info["entries"]:
            yield entry[0]
        for group in self.info["groups"]:
            for consumer in group["consumers"]:
                for pending in consumer["pending"]:
                    yield pending[0]

    def differences(self, model: Server, session: int, now_ms: int) -> list[str]:
        """Where the model's stream is not this one, each in a line."""
        reply, _ = model.execute(session, (b"XINFO", b"STREAM", self.key.encode(), b"FULL", b"COUNT", b"0"), now_ms)
        if isinstance(reply, Failure):
            return [f"{self.key}: the log leads to no such stream"]
        mine = _plain(reply)
        found = []
        for what, ours, theirs in (
            ("last ID", mine["last-generated-id"], self.info["last-generated-id"]),
            ("entries", [entry[0] for entry in mine["entries"]], [entry[0] for entry in self.info["entries"]]),
            ("groups", sorted(_groups(mine)), sorted(_groups(self.info))),
        ):
            if ours != theirs:
                found.append(f"{self.key}: {what} {_short(ours)} by the log, {_short(theirs)} on the server")
        for name, group in _groups(self.info).items():
            ours_of = _groups(mine).get(name)
            if ours_of is None:
                continue
            if ours_of["last-delivered-id"] != group["last-delivered-id"]:
                found.append(f"{self.key}: cursor of {name} {ours_of['last-delivered-id']} by the log, "
                             f"{group['last-delivered-id']} on the server")
            if _pending(ours_of) != _pending(group):
                found.append(f"{self.key}: pending of {name} {_short(_pending(ours_of))} by the log, "
                             f"{_short(_pending(group))} on the server")
        return found


def read_snapshot(text: str) -> Snapshot:
    """The snapshot that ``KEY=FILE`` names. ``BadInput`` with what is wrong."""
    key, equals, name = text.partition("=")
    if not key or not equals or not name:
        raise BadInput(f"{text!r} is not KEY=FILE, such as orders=orders.json")
    try:
        info = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read the snapshot {name}: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInput(f"{name} is not JSON: {HOW}") from error
    if not isinstance(info, dict) or any(field not in info for field in WANTED):
        raise BadInput(f"{name} is no snapshot of a stream: {HOW}")
    try:
        snapshot = Snapshot(key, info, name)
        list(snapshot.commands())
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{name} is no whole snapshot of a stream ({error}): {HOW}") from error
    return snapshot


def _groups(info: dict[str, Any]) -> dict[str, Any]:
    return {group["name"]: group for group in info["groups"]}


def _pending(group: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Owner and delivery count by ID. (Times are not compared: MONITOR's clock is read at another moment.)"""
    return {
        entry_id: (consumer["name"], count)
        for consumer in group["consumers"]
        for entry_id, _, count in consumer["pending"]
    }


def _plain(reply: Reply) -> Any:
    match reply:
        case Map():
            return {_plain(key): _plain(value) for key, value in reply.pairs}
        case bytes():
            return reply.decode(errors="surrogateescape")
        case tuple():
            return [_plain(item) for item in reply]
        case int():
            return reply
    return None


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 120 else text[:117] + "..."
