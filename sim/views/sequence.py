"""A run as a sequence chart: in text, one lane for each process and one for the server, and for Mermaid."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadInput
from ..history import History
from . import moves as m
from . import words

LANE = 12
"""Columns that a lane takes in the text chart."""
SERVER = "redis"
ENDINGS = (".txt", ".mmd")
LINES_MAX = 200


def draw(history: History, path: Path) -> None:
    """Writes the chart: text for ``.txt``, Mermaid for ``.mmd``."""
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"cannot write a sequence to {str(path)!r}: its ending must be one of {', '.join(ENDINGS)}")
    lines = chart(history) if path.suffix.lower() == ".txt" else mermaid(history)
    try:
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput(f"cannot write the sequence to {path}: {error.strerror}") from error


def chart(history: History, lines_max: int = LINES_MAX) -> list[str]:
    """The sequence as lines of text: ``─>`` asks the server, ``<─`` is told by it, ``x`` is lost, ``#`` is at work.

    Of more than ``lines_max`` moves the last are told, and the first line says so.
    """
    names = m.people(history)
    told = m.moves(history)
    left_out, told = told[:-lines_max], told[-lines_max:]
    lanes = _Lanes(names)
    lines = [lanes.heading()]
    for move in left_out:
        lanes.note(move)
    if left_out:
        lines.append(f"({words.counted(len(left_out), 'earlier move')} left out)")
    lines += [lanes.line(move) for move in told]
    return lines


class _Lanes:
    """Where each lane is, who is down and who is at work."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.width = max([LANE, *(len(name) + 2 for name in names)])
        self.column = {name: self.width * n for n, name in enumerate(names)}
        self.server = self.width * len(names)
        self.down: set[str] = set()
        self.busy: dict[str, int] = {}

    def heading(self) -> str:
        row = "".join(name.ljust(self.width) for name in self.names)
        return f"{'time':>12}  {row}{SERVER}"

    def note(self, move: m.Move) -> None:
        """Follows who is down and who is at work."""
        if move.kind == m.DOWN:
            self.down.add(move.who)
            self.busy.pop(move.who, None)
        elif move.kind == m.UP:
            self.down.discard(move.who)
        elif move.kind in (m.WORKS, m.DONE):
            busy = self.busy.get(move.who, 0) + (1 if move.kind == m.WORKS else -1)
            self.busy[move.who] = max(busy, 0)

    def line(self, move: m.Move) -> str:
        """One row, with the words to the right."""
        row = [" "] * (self.server + 1)
        for name in self.names:
            row[self.column[name]] = " " if name in self.down else "#" if self.busy.get(name) else "│"
        row[self.server] = "│"
        at = self.column.get(move.who, 0)
        if move.kind in _ARROWS and move.who:
            left, fill, right = _ARROWS[move.kind]
            for column in range(at + 1, self.server):
                row[column] = fill
            row[at + 1], row[self.server - 1] = left, right
        elif move.kind in _SIGNS:
            row[at] = _SIGNS[move.kind]
        self.note(move)
        return f"{m.at(move):>12}  {''.join(row)}  {_words(move)}".rstrip()


_ARROWS = {
    m.ASKS: ("─", "─", ">"), m.TOLD: ("<", "─", "─"), m.LOST_REPLY: ("x", "╌", "╌"), m.LOST_REQUEST: ("╌", "╌", "x"),
}  # fmt: skip
_SIGNS = {m.WORKS: "#", m.DONE: "#", m.DOWN: "X", m.UP: "o"}


def _words(move: m.Move) -> str:
    if move.kind == m.ASKS:
        return f"{move.what} → {move.answer}"
    if move.kind == m.TOLD:
        return f"{move.what} → {move.answer}, after it waited"
    if move.kind == m.LOST_REPLY:
        return f"the reply of {move.what} to {move.who} is lost"
    if move.kind == m.LOST_REQUEST:
        return f"{move.what} of {move.who} is lost on its way"
    return f"{move.who} {move.what}" if move.who else f"({move.what})"


def mermaid(history: History) -> list[str]:
    """The sequence as a Mermaid diagram, for a page or an issue."""
    names = m.people(history)
    alias = {name: f"p{n}" for n, name in enumerate(names, 1)}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {alias[name]} as {_plain(name)}" for name in names]
    lines.append(f"    participant {SERVER}")
    everybody = f"{alias[names[0]]},{SERVER}" if names else SERVER
    for move in m.moves(history):
        who, what, when = alias.get(move.who, ""), _plain(move.what), m.at(move)
        if move.kind == m.ASKS:
            lines.append(f"    {who}->>{SERVER}: {when} {what}")
            told = f"{SERVER}-->>{who}" if move.heard else f"Note over {SERVER}"
            lines.append(f"    {told}: {_plain(move.answer)}")
        elif move.kind == m.TOLD:
            lines.append(f"    {SERVER}-->>{who}: {when} {what} → {_plain(move.answer)}")
        elif move.kind == m.LOST_REPLY:
            lines.append(f"    {SERVER}--x{who}: {when} reply of {what} lost")
        elif move.kind == m.LOST_REQUEST:
            lines.append(f"    {who}-x{SERVER}: {when} {what} lost")
        else:
            lines.append(f"    Note over {who or everybody}: {when} {what}")
    return lines


def _plain(text: str) -> str:
    """Text that ends no statement of Mermaid: its own signs as entities."""
    return "".join(f"#{ord(c)};" if c in "#;:<>{}" else c for c in text)
