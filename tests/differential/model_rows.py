"""Short stories with their exact answers: what models of Redis often get wrong.

They are pinned in ``model_rows.txt`` (streams), ``key_rows.txt`` (lists, and keys of any type) and
``pubsub_rows.txt`` (channels, and connections).

Each file is read line by line::

    # a title, which begins a new server
    ! 0 3                       nodes of any size in bytes, of at most 3 entries
    > XADD k 1-1 name "a b"     a command of connection a
    B> XREAD STREAMS k 0        of connection B: a capital letter speaks RESP3
    +100                        the clock goes on by 100 ms

Indented lines are the answers, as ``sim.real.values.show`` tells replies apart to the byte: of every
dialect, or of those that are named first. ``(b)`` begins the answer of a connection that had been waiting.
``answered`` writes a story with the model's answers; the servers have to agree to them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from redelivery.models.dialects import DIALECTS
from redelivery.sim.real.diff.actions import ClockTo, Connect, Do
from redelivery.sim.real.diff.recorder import Recorder
from redelivery.sim.real.diff.worlds import config_of_nodes
from redelivery.sim.real.frames import FrameScanner
from redelivery.sim.real.script import Close, Open, Reply, Send
from redelivery.sim.real.values import parse, show

ROWS = [Path(__file__).with_name(name) for name in ("model_rows.txt", "key_rows.txt", "pubsub_rows.txt")]
"""Streams first, then lists and keys of any type."""


@dataclass(frozen=True, slots=True)
class Row:
    """One story: its title and its lines, answers included."""

    title: str
    lines: tuple[str, ...]

    def steps(self) -> Iterator[str]:
        """The lines without the answers."""
        return (line for line in self.lines if not line.startswith(" "))


def rows(text: str) -> list[Row]:
    """The stories of a file."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("# "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return [Row(title, tuple(lines)) for title, lines in found]


def all_rows() -> list[Row]:
    """The stories of all files."""
    return [row for path in ROWS for row in rows(path.read_text())]


def played(row: Row, dialect: str) -> tuple[Recorder, list[list[str]]]:
    """A story on the model, and the answers that each of its steps brought."""
    steps = list(row.steps())
    config = config_of_nodes()
    if steps[0].startswith("!"):
        node_bytes, node_entries = map(int, steps[0][1:].split())
        config = config_of_nodes(node_bytes, node_entries)
    recorder = Recorder(dialect, config)
    return recorder, [_answers(recorder, step) for step in steps]


def answered(row: Row) -> str:
    """The story as the file has it, with the model's answers."""
    lines = [f"# {row.title}"]
    answers = {dialect: played(row, dialect)[1] for dialect in DIALECTS}
    for at, step in enumerate(row.steps()):
        lines.append(step)
        lines += _grouped({dialect: tuple(answers[dialect][at]) for dialect in DIALECTS})
    return "\n".join(lines) + "\n"


def _grouped(answers: dict[str, tuple[str, ...]]) -> Iterable[str]:
    if len(set(answers.values())) == 1:
        return [f"    {line}" for line in next(iter(answers.values()))]
    lines: list[str] = []
    for said in dict.fromkeys(answers.values()):
        lines.append(f"  {', '.join(dialect for dialect in answers if answers[dialect] == said)}:")
        lines += [f"    {line}" for line in said]
    return lines


def _answers(recorder: Recorder, step: str) -> list[str]:
    start = len(recorder.script)
    if step.startswith("+"):
        recorder.take(ClockTo(recorder.now_ms + int(step[1:])))
    elif step.startswith("-"):
        recorder.take(ClockTo(recorder.now_ms - int(step[1:])))
    elif not step.startswith("!"):
        name, _, command = step.partition(">")
        conn = ord(name or "a")
        recorder.take(Connect(conn, 3 if name.isupper() else 2))
        assert recorder.is_free(conn), f"connection {name} still waits"
        recorder.take(Do(conn, tuple(_argument(text) for text in shlex.split(command))))
    return [_shown(found) for found in recorder.script[start:] if not isinstance(found, Open | Close)]


def _argument(text: str) -> bytes:
    if text.startswith("client:"):  # the connection of that letter
        return b"client:%d" % ord(text[-1])
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _shown(step: object) -> str:
    if isinstance(step, Send):
        return "(blocks)" if step.reply is None else _each(step.reply)
    assert isinstance(step, Reply)
    return f"({chr(step.conn)}) {_each(step.reply)}"


def _each(replies: bytes) -> str:
    """Replies, one after the other: SUBSCRIBE has several."""
    scanner = FrameScanner()
    scanner.feed(replies)
    return " then ".join(show(parse(frame)) for frame in iter(scanner.next, None))
