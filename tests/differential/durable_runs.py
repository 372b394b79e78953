"""Runs of the comparison's own generator, with what the model tells; and what a server has, to compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from redelivery.models.append_only_file import encoded
from redelivery.models.journal import EVERYWHERE, Argv, Journal, Unit
from redelivery.models.server import Config, Server
from redelivery.sim.choices import Drawn
from redelivery.sim.real.connection import Connection
from redelivery.sim.real.diff.actions import Action, ClockTo
from redelivery.sim.real.diff.recorder import INSPECTOR, Recorder
from redelivery.sim.real.diff.source import draw_run
from redelivery.sim.real.masks import same_reply
from redelivery.sim.real.script import Script, Send, show_command


@dataclass(frozen=True)
class DurableRun:
    """A script for a real server, the model after it, and what it told."""

    script: Script
    server: Server
    units: list[Unit]
    now_ms: int

    @property
    def config(self) -> Config:
        return self.server.config


def drawn(dialect: str, seed: int, commands: int, target: int = EVERYWHERE, *, forward: bool = False) -> DurableRun:
    """A random run; with ``forward`` its clock never goes back."""
    found = draw_run(Drawn(seed), dialect, commands)
    recorder = Recorder(dialect, found.world.config)
    recorder.server.journal = Journal(target)
    for action in _forward(found.actions) if forward else found.actions:
        recorder.take(action)
    units = recorder.server.journal.take()
    recorder.server.journal = None
    return DurableRun(recorder.script, recorder.server, units, recorder.now_ms)


def _forward(actions: Iterable[Action]) -> Iterable[Action]:
    latest_ms = 0
    for action in actions:
        if isinstance(action, ClockTo):
            if action.at_ms < latest_ms:
                continue
            latest_ms = action.at_ms
        yield action


def meaningful(argvs: Iterable[Argv]) -> list[Argv]:
    """The commands of a stream without what means nothing: transactions that are empty, an EXEC without MULTI.

    Up to 6.2 servers write such where a transaction held nothing but reads from history, or (6.0) took no effect. A
    SELECT stands before the first command that it is about; there may be one in a transaction that is empty else.
    """
    found: list[Argv] = []
    inside = False
    database = selected = b"0"
    for argv in argvs:
        word = argv[0].upper()
        if word == b"SELECT":
            database = argv[1]
            continue
        if word == b"EXEC":
            if inside and found[-1][0].upper() == b"MULTI":
                found.pop()
                inside = False
                continue
            if not inside:
                continue
        inside = word == b"MULTI" or (inside and word != b"EXEC")
        if database != selected and word not in (b"MULTI", b"EXEC"):
            found.append((b"SELECT", database))
            selected = database
        found.append((word, *argv[1:]))  # some keep the letters in which a SET was spelt that they rewrite
    return found


def state(server: Server, now_ms: int, *, resp: int = 2) -> list[tuple[Argv, bytes]]:
    """Commands that look at all that a server has, each with the answer of the model."""
    recorder = Recorder(server.dialect.name, server.config)
    recorder.server = server.fork()
    recorder.now_ms = now_ms
    recorder._inspect(resp)
    recorder._open(INSPECTOR, resp)
    recorder._send(INSPECTOR, (b"SELECT", b"0"))
    recorder._send(INSPECTOR, (b"DBSIZE",))
    found = [step for step in recorder.script if isinstance(step, Send)]
    return [(step.argv, step.reply or b"") for step in found]


_SEEN = re.compile(rb"\r\n(seen-time|active-time|idle|inactive)\r\n:\d+\r\n")


def differences(connection: Connection, expected: list[tuple[Argv, bytes]], *, seen: bool = True) -> list[str]:
    """Where a real server has something else; without ``seen`` it is not compared when consumers were seen."""
    found = []
    for argv, model in expected:
        real = connection.call(*argv)
        if not seen:
            model, real = (_SEEN.sub(rb"\r\n\1\r\n:0\r\n", each) for each in (model, real))
        if not same_reply(argv, model, real):
            found.append(f"{show_command(argv)}\n  model  {model!r}\n  server {real!r}")
    return found


def bytes_of(argvs: Iterable[Argv]) -> bytes:
    """Commands as a file holds them."""
    return b"".join(map(encoded, argvs))
