"""What the state of a model lends to the commands that are drawn for it: real names and IDs.

Without them hardly a command would have anything to bite on. This is the one file of the generator that looks
into a server.
"""

from __future__ import annotations

from ....models.group import Group
from ....models.lists import List
from ....models.server import Server
from ....models.stream import Stream

__all__ = ["group_at", "known_ids", "known_keys", "stream_at"]


def known_keys(
    server: Server, *, streams: bool = False, grouped: bool = False, lists: bool = False
) -> list[bytes]:
    """The keys that there are: all, those of streams, those of streams that have a group, or those of lists."""
    if lists:
        return [key for key, value in server.keys.items() if isinstance(value, List)]
    if not (streams or grouped):
        return list(server.keys)
    return [
        key for key, value in server.keys.items() if isinstance(value, Stream) and (value.groups or not grouped)
    ]


def stream_at(server: Server, key: bytes) -> Stream | None:
    """The stream at a key, if that is one."""
    value = server.keys.get(key)
    return value if isinstance(value, Stream) else None


def group_at(server: Server, key: bytes, name: bytes) -> Group | None:
    """The group of a stream, if there is such."""
    stream = stream_at(server, key)
    return None if stream is None else stream.groups.get(name)


def known_ids(stream: Stream) -> list[int]:
    """IDs that mean something to a stream: its last ones, those at the ends of its nodes, and the pending ones."""
    known = [stream.last_id, stream.max_deleted_id]
    for node in stream.nodes[:1] + stream.nodes[-2:]:
        known += node.ids[:4] + node.ids[-6:]
    for group in stream.groups.values():
        known.append(group.cursor)
        for entry_id, _ in zip(_ids_of(group), range(8), strict=False):
            known.append(entry_id)
    return known


def _ids_of(group: Group) -> list[int]:
    return list(group.pel.keys()[:8])
