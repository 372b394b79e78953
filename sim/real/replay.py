"""A recorded run, again, on a real server, to see whether it answers what the model answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from ...models.append_only_file import unit_ends
from ...models.survivors import FAILOVER, FROM_SNAPSHOT
from .address import Address
from .connection import Connection, refuse_errors
from .errors import ClockUnavailable, RealServerError
from .guard import admitted
from .identity import Identity
from .lockstep import Difference, Lockstep, RealTime, VirtualTime
from .script import Fall, Script, Send
from .servers import ServerBinary, locate
from .spawn import SpawnedServer
from .virtual_clock import START_MS, VirtualClock

__all__ = ["Difference", "Outcome", "Target", "replay"]

Target: TypeAlias = "str | ServerBinary | Address | SpawnedServer"

_WATCHDOG_S = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay showed.

    `replies` says how many were compared; the replay ends early where the two do not agree on who waits, or
    after as many differences as were asked for. Without `time_compared` the server's clock was its own;
    `note` says why, where a virtual clock was wanted.
    """

    server: str
    version: str
    dialect: str
    replies: int
    differences: tuple[Difference, ...]
    time_compared: bool
    note: str = ""


def replay(
    script: Script,
    target: Target,
    *,
    virtual: bool = True,
    flush: bool = False,
    differences_max: int = 20,
    watchdog_s: float = _WATCHDOG_S,
) -> Outcome:
    """Send a recorded run's commands to a server, each at its time, and compare the replies.

    Arguments:
        script: the steps, in the order of their effects.
        target: a running server of ours (it is emptied first), an executable to start for this replay, the
            address of a server that is not ours, or what `locate` takes.
        virtual: drive the server's clock, and compare to the byte. It takes a server of ours and Linux on
            x86-64. Elsewhere the replay runs in real time: as long as the script, and no time is compared.
        flush: a server that is not ours may be emptied (its one database). Otherwise it must be empty. After
            the replay that database is emptied of what the script left there.
        differences_max: stop after so many.
        watchdog_s: how long a single step may take on the real clock before the server counts as stuck.

    Raises `RealServerError`, one line, when the server cannot be used, and `ValueError` for a script that
    sends on a connection that is not open or still waits.
    """
    if isinstance(target, str):
        target = locate(target)
    limits = _Limits(differences_max, watchdog_s)
    config = _config(script, target)
    if isinstance(target, SpawnedServer):
        return _on_ours(script, target, target.clock if virtual else None, limits)
    if isinstance(target, Address):
        return _on_theirs(script, target, flush, limits)
    note = ""
    if virtual:
        try:
            start_ms = script[0].at_ms if script else START_MS
            with VirtualClock(start_ms) as clock, SpawnedServer(target, clock=clock, config=config) as server:
                return _on_ours(script, server, clock, limits)
        except ClockUnavailable as error:
            note = str(error)
    with SpawnedServer(target, config=config) as server:
        return _on_ours(script, server, None, limits, note)


def _config(script: Script, target: Target) -> dict[str, str]:
    """What a server needs besides for a script in which it dies."""
    if any(isinstance(step, Send) and step.argv[0].upper() == b"WAIT" and _is_heard(step) for step in script):
        raise RealServerError(
            "a run in which a replica says what it has cannot be replayed on a real server yet: it would take a replica"
        )
    falls = [step for step in script if isinstance(step, Fall)]
    if not falls:
        return {}
    if any(step.cause == FAILOVER for step in falls):
        raise RealServerError(
            "a run with a failover cannot be replayed on a real server yet: it would take a replica that lags by just "
            "so much"
        )
    if any(step.cause == FROM_SNAPSHOT for step in falls):
        raise RealServerError(
            "a run with a restart from a snapshot cannot be replayed on a real server yet: it would have to be taken "
            "at just that time"
        )
    if isinstance(target, SpawnedServer | Address):
        raise RealServerError(
            "a run in which the server restarts is replayed on a server that is started for it alone: give an "
            "executable, or a name such as embedded"
        )
    return {"appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-percentage": "0"}


def _is_heard(step: Send) -> bool:
    """Whether a WAIT was answered at once that some replica has it."""
    return step.reply is not None and step.reply.startswith(b":") and step.reply != b":0\r\n"


def _fall(server: SpawnedServer, timeout_s: float, step: Fall) -> Connection:
    """A server of ours dies and starts again from its file, less the units that the script says are lost."""
    file: bytes | None = None
    if step.lacking >= 0:
        file = server.append_only_file()
        if step.lacking:
            ends = unit_ends(file)
            file = file[: ends[-1 - step.lacking]] if step.lacking < len(ends) else b""
    server.restart(file)
    return server.connect(timeout=timeout_s)


@dataclass(frozen=True, slots=True)
class _Limits:
    differences_max: int
    watchdog_s: float


def _on_ours(
    script: Script, server: SpawnedServer, clock: VirtualClock | None, limits: _Limits, note: str = ""
) -> Outcome:
    with server.connect(timeout=limits.watchdog_s) as control:
        refuse_errors(server.address, control.call(b"FLUSHALL"))
        run: Lockstep
        if clock is None:
            run = RealTime(script, control, limits.watchdog_s, limits.differences_max)
        else:
            run = VirtualTime(script, control, limits.watchdog_s, limits.differences_max, clock=clock)
        run.fall = partial(_fall, server, limits.watchdog_s)
        run.run()
        if run.control is not control:
            run.control.close()
        identity = Identity(server.binary.line, server.version, server.dialect, server.pid)
        return _outcome(server.binary.name, identity, run, clock is not None, note)


def _on_theirs(script: Script, address: Address, flush: bool, limits: _Limits) -> Outcome:
    with Connection(address, timeout=limits.watchdog_s) as control:
        commands = [step.argv for step in script if isinstance(step, Send)]
        identity = admitted(control, commands, flush=flush)
        run = RealTime(script, control, limits.watchdog_s, limits.differences_max)
        try:
            run.run()
        finally:
            # It was empty, so what is there now is ours: leave it as it was found.
            refuse_errors(address, control.call(b"FLUSHDB"))
        return _outcome(str(address), identity, run, False, "")


def _outcome(name: str, identity: Identity, run: Lockstep, time_compared: bool, note: str) -> Outcome:
    differences = tuple(run.differences)
    return Outcome(name, identity.version, identity.dialect, run.replies, differences, time_compared, note)
