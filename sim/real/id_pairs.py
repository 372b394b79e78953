"""Which of the server's stream IDs stands for which of the model's.

Two clocks generate different IDs, and never the same number of them in a millisecond. So a generated ID is
paired with the server's at the place where both are first seen, and from then on each stands for the other.
The pairs belong to a stream: two streams can hold the same ID in the model and not on the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .script import Reply, Script, Send

__all__ = ["IdPairs", "is_id"]

_ID = re.compile(rb"\d{1,20}-\d{1,20}")
_ID_STRING = re.compile(rb"\$\d+\r\n(\d{1,20}-\d{1,20})(?=\r\n)")


def is_id(text: bytes) -> bool:
    """Whether the text is a whole ID, such as `1-1`."""
    return _ID.fullmatch(text) is not None


class IdPairs:
    """The pairs that one replay has learnt.

    Only what the model generated is paired: its milliseconds are a time of the script's clock, and no command
    spelled it out before a reply showed it. Every other ID is the same on both sides.
    """

    def __init__(self, script: Script) -> None:
        self._times = {b"%d" % step.at_ms for step in script}
        self._spelled = _spelled_ids(script)
        self._streams = {s.argv[1] for s in script if isinstance(s, Send) and _adds(s.argv)}
        self._server_id: dict[tuple[bytes, bytes], bytes] = {}
        self._given: set[tuple[bytes, bytes]] = set()  # (stream, the server's ID)
        self._anywhere: dict[bytes, list[bytes]] = {}  # by the model's ID, in the order of learning

    def arguments(self, argv: Sequence[bytes]) -> tuple[bytes, ...]:
        """A command with the server's IDs in the place of the model's, also in an exclusive end, `(1-1`."""
        return tuple(self._argument(text, streams) for text, streams in self._with_streams(argv))

    def _argument(self, text: bytes, streams: Sequence[bytes]) -> bytes:
        bare = text.removeprefix(b"(")
        candidates = self._candidates(bare, streams)
        return text[: len(text) - len(bare)] + candidates[-1] if candidates else text

    def same_id(self, argv: Sequence[bytes], model: bytes, server: bytes) -> bool:
        """Whether two IDs, at the same place in the replies to a command, stand for each other."""
        if _adds(argv):
            return self._added(argv[1], model, server)
        candidates = self._candidates(model, self._named(argv))
        if candidates or not self._is_generated(model):
            return server in (candidates or [model])
        # Generated where its stream is not named: by a script, or before a RENAME.
        if server in self._spelled:
            return False
        self._anywhere.setdefault(model, []).append(server)
        return True

    def _added(self, stream: bytes, model: bytes, server: bytes) -> bool:
        """The same for what XADD answers: a new ID, and then a pair, or one that it repeats (IDMP)."""
        if self._server_id.get((stream, model)) == server or not self._is_generated(model):
            return server == self._server_id.get((stream, model), model)
        # A pair that is known may still be replaced: a stream that was deleted and filled again in the same
        # millisecond repeats its IDs. But no stream of the server's generates an ID twice.
        if server in self._spelled or (stream, server) in self._given:
            return False
        self._server_id[stream, model] = server
        self._given.add((stream, server))
        self._anywhere.setdefault(model, []).append(server)
        return True

    def _is_generated(self, model: bytes) -> bool:
        return model.partition(b"-")[0] in self._times and model not in self._spelled

    def in_text(self, argv: Sequence[bytes], model: bytes) -> bytes:
        """A text of the model, an error perhaps that repeats an argument, with the server's IDs."""
        streams = self._named(argv)
        return _ID.sub(lambda found: self._argument(found[0], streams), model)

    def _candidates(self, model: bytes, streams: Sequence[bytes]) -> list[bytes]:
        """What the ID may stand for: in these streams if it is known there, else (RENAME, EVAL) anywhere."""
        known = [self._server_id[stream, model] for stream in streams if (stream, model) in self._server_id]
        return known or self._anywhere.get(model, [])

    def _named(self, argv: Sequence[bytes]) -> list[bytes]:
        return [argument for argument in argv if argument in self._streams]

    def _with_streams(self, argv: Sequence[bytes]) -> Iterator[tuple[bytes, Sequence[bytes]]]:
        """Each argument with the streams that it can be an ID of: those of XREAD belong one to one."""
        named = self._named(argv)
        upper = [argument.upper() for argument in argv]
        keys_at = upper.index(b"STREAMS") + 1 if upper[0] in (b"XREAD", b"XREADGROUP") and b"STREAMS" in upper else 0
        ids_at = keys_at + (len(argv) - keys_at) // 2 if keys_at else len(argv)
        for index, argument in enumerate(argv):
            yield argument, named if index < ids_at else [argv[index - ids_at + keys_at]]


def _adds(argv: Sequence[bytes]) -> bool:
    return len(argv) > 1 and argv[0].upper() == b"XADD"


def _spelled_ids(script: Iterable[object]) -> set[bytes]:
    """The IDs that commands spell out before any reply has shown them, and 0-0, which stands for none."""
    spelled, shown = {b"0-0"}, set[bytes]()
    for step in script:
        if isinstance(step, Send):
            bare = (argument.removeprefix(b"(") for argument in step.argv)
            spelled.update(text for text in bare if is_id(text) and text not in shown)
        if isinstance(step, Send | Reply) and step.reply is not None:
            shown.update(_ID_STRING.findall(step.reply))
    return spelled
