"""A history: everything that happened in one run, in order, and its form on disk.

The form is JSON lines. The first line is the header: ``{"redelivery": "history", "version": 1, ...}``
with the scenario, the dialect, the tape and the verdict. Each further line is one event, with its
number ``n``, its ``kind`` (the class name in ``sim.events``) and its fields. IDs are ``ms-seq`` text; bytes
are text where they are UTF-8 and ``{"hex": "..."}`` where they are not; a reply that is not plain is
an object with one key: ``simple``, ``error``, ``nil``, ``map`` or ``blocked``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from ..models import facts as fact_kinds
from ..models import ids
from ..models.replies import (
    BLOCKED,
    NIL,
    NIL_ARRAY,
    Blocked,
    Double,
    Failure,
    Frames,
    Map,
    Members,
    Nil,
    Push,
    Reply,
    Simple,
)
from . import events as event_kinds
from .errors import BadInput
from .events import Event

VERSION = 1

_EVENTS: dict[str, Any] = {kind.__name__: kind for kind in get_args(event_kinds.Event)}
_FACTS: dict[str, Any] = {kind.__name__: kind for kind in get_args(fact_kinds.Fact)}
_ID_FIELDS = frozenset({"id", "cursor", "before", "last_id"})
_ID_TUPLES = frozenset({"ids", "pending"})


@dataclass(slots=True)
class History:
    """Events in order, with a header of plain values that says where they come from."""

    header: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def _repr_svg_(self) -> str:
        """The timeline, for a notebook."""
        from .views.notebook import drawn

        return drawn(self)

    def fork(self) -> History:
        """An independent history with the same past."""
        return History(dict(self.header), self.events.copy())

    def lines(self) -> Iterator[str]:
        """The lines of the file, without their ends."""
        yield _dump({"redelivery": "history", "version": VERSION, **self.header})
        for n, event in enumerate(self.events):
            yield _dump({"n": n, "kind": type(event).__name__, **_event_out(event)})

    def write(self, path: str | Path) -> None:
        """Writes the file; the same run gives the same bytes."""
        text = "".join(line + "\n" for line in self.lines())
        try:
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise BadInput(f"cannot write the history to {path}: {error.strerror}") from error


def read(path: str | Path, *, partial: bool = False) -> History:
    """Reads a history file; ``BadInput`` with the file and the line where it is not one.

    ``partial`` takes one whose last line was cut off in the middle, as far as it goes.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read the history {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not a history: it is not UTF-8 text") from error
    # not splitlines(): it takes U+0085 and U+2028 for ends of lines, and they stand in strings
    lines = text.removesuffix("\n").split("\n") if text else []
    if partial and len(lines) > 1 and not text.endswith("\n") and not _is_json(lines[-1]):
        lines.pop()
    return parse(lines, str(path))


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def parse(lines: Iterable[str], name: str) -> History:
    """The history that the lines of a file spell; ``name`` is used in errors."""
    history: History | None = None
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{name}, line {number}: not JSON") from error
        if history is None:
            history = History(_check_header(value, name))
            continue
        try:
            history.events.append(_event_in(value))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise BadInput(f"{name}, line {number}: not an event of a history") from error
    if history is None:
        raise BadInput(f"{name} is empty: a history starts with a header line")
    return history


def _check_header(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("redelivery") != "history":
        raise BadInput(f"{name}, line 1: not the header of a Redelivery history")
    if value.get("version") != VERSION:
        raise BadInput(
            f"{name} is a history of version {value.get('version')}; this Redelivery reads version {VERSION}"
        )
    return {key: item for key, item in value.items() if key not in ("redelivery", "version")}


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _event_out(event: Event) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in event._asdict().items():
        if name == "commands":
            out[name] = [[_bytes_out(argument) for argument in command] for command in value]
        elif name == "replies":
            out[name] = [reply_out(reply) for reply in value]
        elif name == "reply":
            out[name] = reply_out(value)
        elif name == "facts":
            out[name] = [fact_out(fact) for fact in value]
        else:
            out[name] = _bytes_out(value) if isinstance(value, bytes) else value
    return out


def _event_in(value: dict[str, Any]) -> Event:
    kind = _EVENTS[value["kind"]]
    fields: dict[str, Any] = {}
    for name, hint in kind.__annotations__.items():
        item = value[name]
        if name == "commands":
            item = tuple(tuple(_bytes_in(argument) for argument in command) for command in item)
        elif name == "replies":
            item = tuple(reply_in(reply) for reply in item)
        elif name == "reply":
            item = reply_in(item)
        elif name == "facts":
            item = tuple(_fact_in(fact) for fact in item)
        else:
            item = _plain_in(item, getattr(hint, "__forward_arg__", hint))
        fields[name] = item
    event: Event = kind(**fields)
    return event


_PLAIN: dict[str, tuple[type, ...]] = {
    "int": (int,), "int | None": (int, type(None)), "bool": (bool,), "str": (str,),
}  # fmt: skip
"""What may stand in a field, by its annotation."""


def _plain_in(item: Any, hint: str) -> Any:
    if hint == "bytes" or (hint == "bytes | None" and item is not None):
        return _bytes_in(item)
    if type(item) not in _PLAIN.get(hint, (type(item),)) or hint.startswith("tuple"):
        raise TypeError(item)
    return item


def fact_out(fact: fact_kinds.Fact) -> dict[str, Any]:
    """A fact as a JSON object; ``fact`` names its class."""
    out: dict[str, Any] = {"fact": type(fact).__name__}
    for name, value in fact._asdict().items():
        if name in _ID_FIELDS:
            out[name] = ids.show(value).decode()
        elif name in _ID_TUPLES:
            out[name] = [ids.show(entry_id).decode() for entry_id in value]
        elif isinstance(value, tuple):
            out[name] = [_bytes_out(item) if isinstance(item, bytes) else item for item in value]
        else:
            out[name] = _bytes_out(value) if isinstance(value, bytes) else value
    return out


def _fact_in(value: dict[str, Any]) -> Any:
    kind = _FACTS[value["fact"]]
    fields: dict[str, Any] = {}
    for name, hint in kind.__annotations__.items():
        item = value[name]
        text = getattr(hint, "__forward_arg__", hint)
        if name in _ID_FIELDS:
            item = _id_in(item)
        elif name in _ID_TUPLES:
            item = tuple(_id_in(text) for text in item)
        elif text == "tuple[int, ...]":
            item = tuple(_plain_in(part, "int") for part in item)
        elif isinstance(item, list):
            item = tuple(_bytes_in(part) for part in item)
        else:
            item = _plain_in(item, text)
        fields[name] = item
    return kind(**fields)


def _id_in(text: str) -> int:
    entry_id = ids.parse(text.encode(), 0, strict=True) if isinstance(text, str) else None
    if entry_id is None:
        raise ValueError(text)
    return entry_id


def _bytes_out(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}


def _bytes_in(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else bytes.fromhex(value["hex"])


def reply_out(reply: Reply) -> Any:
    """A reply as a JSON value."""
    if isinstance(reply, int):
        return reply
    if isinstance(reply, bytes):
        return _bytes_out(reply)
    if isinstance(reply, tuple):
        return [reply_out(item) for item in reply]
    if isinstance(reply, Simple):
        return {"simple": _bytes_out(reply.text)}
    if isinstance(reply, Failure):
        return {"error": _bytes_out(reply.text)}
    if isinstance(reply, Nil):
        return {"nil": "bulk" if reply is NIL else "array"}
    if isinstance(reply, Push):
        return {"push": [reply_out(item) for item in reply.items]}
    if isinstance(reply, Frames):
        return {"frames": [reply_out(frame) for frame in reply.frames]}
    if isinstance(reply, Map):
        pairs = [[reply_out(key), reply_out(value)] for key, value in reply.pairs]
        return {"map": pairs, "paired": reply.paired}
    if isinstance(reply, Members):
        return {"members": [reply_out(item) for item in reply.items]}
    if isinstance(reply, Double):
        return {"double": _bytes_out(reply.text)}
    assert isinstance(reply, Blocked)
    return {"blocked": True}


def reply_in(value: Any) -> Reply:
    """The reply that a JSON value stands for."""
    if isinstance(value, list):
        return tuple(reply_in(item) for item in value)
    if isinstance(value, int):
        return value
    if isinstance(value, str) or "hex" in value:
        return _bytes_in(value)
    if "simple" in value:
        return Simple(_bytes_in(value["simple"]))
    if "error" in value:
        return Failure(_bytes_in(value["error"]))
    if "nil" in value:
        return NIL if value["nil"] == "bulk" else NIL_ARRAY
    if "map" in value:
        return Map(tuple((reply_in(k), reply_in(v)) for k, v in value["map"]), paired=value["paired"])
    if "push" in value:
        return Push(tuple(reply_in(item) for item in value["push"]))
    if "frames" in value:
        return Frames(tuple(reply_in(frame) for frame in value["frames"]))
    if "members" in value:
        return Members(tuple(reply_in(item) for item in value["members"]))
    if "double" in value:
        return Double(_bytes_in(value["double"]))
    if "blocked" in value:
        return BLOCKED
    raise ValueError(value)
