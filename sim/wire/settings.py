"""The settings of a server that CONFIG reads and sets: those that have a meaning here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...models.commands.call import integer
from ...models.databases import DATABASES
from ...models.dialect import Dialect
from ...models.glob import matches
from ...models.pubsub import Limits
from ...models.server import Config

if TYPE_CHECKING:
    from .connection import Connection

_UNITS = {b"": 1, b"b": 1, b"k": 1000, b"kb": 1 << 10, b"m": 10**6, b"mb": 1 << 20, b"g": 10**9, b"gb": 1 << 30}
_CLASSES = (b"normal", b"slave", b"pubsub")
_NUMBERS = {
    b"stream-node-max-bytes": 4096, b"stream-node-max-entries": 100, b"stream-idmp-duration": 100,
    b"stream-idmp-maxsize": 100, b"maxclients": 10_000, b"timeout": 0, b"maxmemory": 0, b"hz": 10,
    b"proto-max-bulk-len": 512 << 20, b"client-query-buffer-limit": 1 << 30, b"slowlog-max-len": 128,
}  # fmt: skip
_MEMORY = {b"stream-node-max-bytes", b"maxmemory", b"proto-max-bulk-len", b"client-query-buffer-limit"}
_TEXTS = {
    b"appendonly": b"no", b"appendfsync": b"everysec", b"save": b"", b"maxmemory-policy": b"noeviction",
    b"notify-keyspace-events": b"", b"requirepass": b"", b"loglevel": b"notice", b"dir": b"/",
    b"dbfilename": b"dump.rdb", b"aof-use-rdb-preamble": b"yes",
}  # fmt: skip
_FIXED = {b"databases": b"%d" % DATABASES, b"bind": b"127.0.0.1", b"cluster-enabled": b"no"}
_YES_OR_NO = (b"yes", b"no")
_CHOICES = {
    b"appendonly": _YES_OR_NO, b"aof-use-rdb-preamble": _YES_OR_NO, b"appendfsync": (b"always", b"everysec", b"no"),
}  # fmt: skip
_SETTABLE_TEXTS = {b"appendonly", b"appendfsync", b"save", b"loglevel", b"aof-use-rdb-preamble"}
_BOUNDS = {
    b"maxclients": (1, 2**32 - 1), b"hz": (1, 2**31 - 1), b"stream-idmp-duration": (1, 86_400),
    b"stream-idmp-maxsize": (1, 10_000),
}  # fmt: skip
_ANY_NUMBER = (0, 2**63 - 1)
_MODEL = {
    b"stream-node-max-bytes": "stream_node_max_bytes", b"stream-node-max-entries": "stream_node_max_entries",
    b"stream-idmp-duration": "stream_idmp_duration_s", b"stream-idmp-maxsize": "stream_idmp_maxsize",
}  # fmt: skip


class Wrong(Exception):
    """A setting that cannot be: the reason, as the server words it."""


class Settings:
    """The settings by name, in small letters."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._numbers = {n: v for n, v in _NUMBERS.items() if b"idmp" not in n or dialect.has((8, 6))}
        self._texts = dict(_TEXTS)
        self.output_limits: dict[bytes, tuple[int, int, int]] = {
            b"normal": (0, 0, 0), b"slave": (256 << 20, 64 << 20, 60), b"pubsub": (32 << 20, 8 << 20, 60),
        }  # fmt: skip
        self.limits_output = False
        """Whether clients that are no subscribers have a limit, too, or anybody is past one softly."""
        self._soft_since_ms: dict[int, int] = {}

    def number(self, name: bytes) -> int:
        """A setting that is a number."""
        return self._numbers[name]

    def text(self, name: bytes) -> bytes:
        """A setting that is a text."""
        return self._texts[name]

    def matching(self, patterns: list[bytes], port: int) -> list[tuple[bytes, bytes]]:
        """The settings that any of the patterns means, by name."""
        known = {name: b"%d" % value for name, value in self._numbers.items()} | self._texts | _FIXED
        known[b"port"] = b"%d" % port
        limits = [b"%b %d %d %d" % (name, *self.output_limits[name]) for name in _CLASSES]
        known[b"client-output-buffer-limit"] = b" ".join(limits)
        return [(name, known[name]) for name in sorted(known) if any(matches(p.lower(), name) for p in patterns)]

    def known(self, name: bytes) -> bool:
        """Whether there is such a setting."""
        return name in self._numbers or name in self._texts or name in _FIXED or name in (
            b"port", b"client-output-buffer-limit",
        )  # fmt: skip

    def set(self, name: bytes, text: bytes, config: Config) -> Config:
        """Sets one; the model's own settings come back changed. ``Wrong`` where the value cannot be."""
        if name == b"client-output-buffer-limit":
            self._set_limits(text)
            return self._model_config(config)
        if name in self._numbers:
            value = memory(text) if name in _MEMORY else integer(text)
            if value is None and name in _MEMORY:
                raise Wrong(b"argument must be a memory value")
            if value is None:
                raise Wrong(b"argument couldn't be parsed into an integer")
            least, most = _BOUNDS.get(name, _ANY_NUMBER)
            if not least <= value <= most:
                raise Wrong(b"argument must be between %d and %d inclusive" % (least, most))
            self._numbers[name] = value
            changes: dict[str, Any] = {_MODEL[name]: value} if name in _MODEL else {}
            return replace(config, **changes)
        if name not in _SETTABLE_TEXTS:
            raise Wrong(b"can't set immutable config")
        if name in _CHOICES and text.lower() not in _CHOICES[name]:
            if _CHOICES[name] is _YES_OR_NO:
                raise Wrong(b"argument must be 'yes' or 'no'")
            raise Wrong(b"argument(s) must be one of the following: " + b", ".join(_CHOICES[name]))
        self._texts[name] = text.lower() if name in _CHOICES else text
        return config

    def _set_limits(self, text: bytes) -> None:
        words = text.split()
        if not words or len(words) % 4:
            raise Wrong(b"Wrong number of arguments in buffer limit configuration.")
        wanted = dict(self.output_limits)
        for at in range(0, len(words), 4):
            name = words[at].lower().replace(b"replica", b"slave")
            if name not in wanted:
                raise Wrong(b"Invalid client class specified in buffer limit configuration.")
            hard, soft, seconds = memory(words[at + 1]), memory(words[at + 2]), integer(words[at + 3])
            if hard is None or soft is None or seconds is None or seconds < 0:
                raise Wrong(b"Error in hard, soft or soft_seconds setting in buffer limit configuration.")
            wanted[name] = hard, soft, seconds
        self.output_limits = wanted
        self.limits_output = any(wanted[b"normal"][:2])

    def _model_config(self, config: Config) -> Config:
        return replace(config, pubsub_limits=Limits(*self.output_limits[b"pubsub"]))

    def is_past(self, connection: Connection, now_ms: int) -> bool:
        """Whether a client has left more unread than it may (checkClientOutputBufferLimits)."""
        number = connection.session.id
        kind = b"pubsub" if connection.session.subscriptions else b"slave" if connection.is_monitor else b"normal"
        hard, soft, seconds = self.output_limits[kind]
        unread = connection.unread_bytes()
        if hard and unread >= hard:
            return True
        if not soft or unread < soft:
            self._soft_since_ms.pop(number, None)
            return False
        since_ms = self._soft_since_ms.setdefault(number, now_ms)
        return now_ms - since_ms > 1000 * seconds


def memory(text: bytes) -> int | None:
    """A size such as ``32mb``, in bytes; ``None`` where it is none (memtoull)."""
    digits = text.rstrip(b"bBkKmMgG")
    unit = _UNITS.get(text[len(digits) :].lower())
    return int(digits) * unit if unit is not None and digits.isdigit() else None
