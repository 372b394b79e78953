"""Runs as text that people read and write: one line an action, in redis-cli's own notation.

::

    ! 0 3                       nodes of any size in bytes, of at most 3 entries
    > XADD k 1-1 name "a b"     a command of connection a
    B> XREAD STREAMS k 0        of connection B: a capital letter speaks RESP3
    c:                          connection c is made now, and not at its first command
    B!                          connection B hangs up
    +100                        the clock goes on by 100 ms; -100 sets it back
    > CLIENT UNBLOCK client:c   what the server calls connection c
    ?                           the state is looked at; ?3 in RESP3
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from ....models.server import Config
from ...errors import BadInput
from ..script import CLIENT, show_command
from ..virtual_clock import START_MS
from .actions import Action, ClockTo, Connect, Do, HangUp, Inspect
from .worlds import config_of_nodes

__all__ = ["actions_of", "config_of", "story_of"]

_SETTINGS = re.compile(r"!\s*(\d+)\s+(\d+)")
_CLOCK = re.compile(r"[+-]\d+")
_LINE = re.compile(r"([A-Za-z]?)>\s*(.*)")
_CONNECTS_OR_HANGS_UP = re.compile(r"([A-Za-z])([:!])")


def config_of(lines: Iterable[str]) -> Config:
    """The settings that a story starts with, Redis's own where it names none."""
    for line in lines:
        if found := _SETTINGS.fullmatch(line.strip()):
            return config_of_nodes(int(found[1]), int(found[2]))
    return config_of_nodes()


def actions_of(lines: Iterable[str]) -> list[Action]:
    """The actions of a story; raises `BadInput`, one line, for a line that is none."""
    actions: list[Action] = []
    now_ms = START_MS
    connected: set[int] = set()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#") or _SETTINGS.fullmatch(text):
            continue
        if text in ("?", "?3"):
            actions.append(Inspect(3 if text == "?3" else 2))
        elif _CLOCK.fullmatch(text):
            now_ms += int(text)
            actions.append(ClockTo(now_ms))
        elif found := _CONNECTS_OR_HANGS_UP.fullmatch(text):
            conn = ord(found[1])
            if found[2] == ":":
                connected.add(conn)
                actions.append(Connect(conn, 3 if found[1].isupper() else 2))
            else:
                connected.discard(conn)
                actions.append(HangUp(conn))
        elif found := _LINE.fullmatch(text):
            conn = ord(found[1] or "a")
            if conn not in connected:
                connected.add(conn)
                actions.append(Connect(conn, 3 if found[1].isupper() else 2))
            actions.append(Do(conn, tuple([_client_in(word) for word in _words(found[2], number)])))
        else:
            raise BadInput(f"line {number} of the story is no action: {line.strip()!r}")
    return actions


def story_of(actions: Sequence[Action], config: Config) -> str:
    """A run as a story: what `actions_of` reads back, with letters for connections."""
    lines = []
    if config != config_of_nodes():
        lines.append(f"! {config.stream_node_max_bytes} {config.stream_node_max_entries}")
    letters: dict[int, str] = {}
    now_ms = START_MS
    for action, following in zip(actions, [*actions[1:], None], strict=True):
        if isinstance(action, Connect):
            if action.conn in letters:
                continue
            letter = ascii_lowercase[action.conn % 26]
            letters[action.conn] = letter.upper() if action.resp == 3 else letter
            if not (isinstance(following, Do) and following.conn == action.conn):
                lines.append(f"{letters[action.conn]}:")
        elif isinstance(action, HangUp):
            if action.conn in letters:
                lines.append(f"{letters.pop(action.conn)}!")
        elif isinstance(action, ClockTo):
            lines.append(f"{action.at_ms - now_ms:+d}")
            now_ms = action.at_ms
        elif isinstance(action, Do):
            if action.conn in letters:
                argv = [_client_out(word, letters) for word in action.argv]
                lines.append(f"{letters[action.conn]}> {show_command(argv)}")
        else:
            lines.append("?3" if action.resp == 3 else "?")
    return "\n".join(lines)


def _client_in(word: bytes) -> bytes:
    name = word.removeprefix(CLIENT)
    return CLIENT + b"%d" % (ord(name) if name.isalpha() else 0) if word.startswith(CLIENT) and len(name) == 1 else word


def _client_out(word: bytes, letters: dict[int, str]) -> bytes:
    number = word.removeprefix(CLIENT)
    return CLIENT + letters.get(int(number), "?").encode() if word.startswith(CLIENT) and number.isdigit() else word


_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]+)')
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"}


def _words(text: str, number: int) -> tuple[bytes, ...]:
    """The arguments of a command line as redis-cli reads it."""
    words, at = [], 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None or not text.isascii():
            raise BadInput(f"line {number} of the story is not as one types it into redis-cli: {text!r}")
        word = found[2] if found[1] is None else _ESCAPE.sub(_escaped, found[1])
        words.append(word.encode("latin-1"))
        at = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip())
    if not words:
        raise BadInput(f"line {number} of the story has no command")
    return tuple(words)


def _escaped(found: re.Match[str]) -> str:
    escape = found[1]
    return chr(int(escape[1:], 16)) if len(escape) == 3 else _ESCAPED.get(escape, escape)
