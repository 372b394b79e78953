"""A recorded run, again, on a real server, to see whether it answers what the model answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ...models.journal import FILE, REPLICA, SNAPSHOT
from .address import Address
from .connection import Connection, refuse_errors
from .errors import ClockUnavailable, RealServerError
from .falling import FILE_CONFIG, File, Follower, Snapshots
from .guard import admitted
from .identity import Identity
from .lockstep import Difference, Lockstep, RealTime
from .replica import REPLICATION, Replica
from .script import Fall, Follow, Script, Send
from .servers import ServerBinary, locate
from .spawn import SpawnedServer
from .virtual_clock import START_MS, VirtualClock
from .virtual_time import VirtualTime

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
            with (
                VirtualClock(start_ms) as clock,
                SpawnedServer(target, clock=clock, config=config, enable_debug=True) as server,
            ):
                return _on_ours(script, server, clock, limits)
        except ClockUnavailable as error:
            note = str(error)
    with SpawnedServer(target, config=config) as server:
        return _on_ours(script, server, None, limits, note)


def _config(script: Script, target: Target) -> dict[str, str]:
    """What a server needs besides for a script in which it dies, or in which somebody follows it."""
    followed = {step.who for step in script if isinstance(step, Follow)}
    if not followed and not any(isinstance(step, Fall) for step in script):
        return {}
    if isinstance(target, SpawnedServer | Address):
        raise RealServerError(
            "a run in which the server is lost, or followed by a replica, is replayed on a server that is started for "
            "it alone: give an executable, or a name such as embedded"
        )
    if REPLICA in followed:
        return dict(REPLICATION)
    words = {step.argv[0].upper() for step in script if isinstance(step, Send)}
    if b"WAITAOF" not in words:
        return dict(FILE_CONFIG)
    if SNAPSHOT in followed:
        raise RealServerError(
            "a run with a restart from a snapshot cannot be replayed on a real server where WAITAOF is asked: an "
            "append-only file counts there what each snapshot lacks, and WAITAOF would tell of it"
        )
    return {**FILE_CONFIG, "appendfsync": "always"}


_FOLLOWERS = {REPLICA: Replica, FILE: File, SNAPSHOT: Snapshots}


def _follower(script: Script, server: SpawnedServer, clock: VirtualClock | None, timeout_s: float) -> Follower:
    kinds = [_FOLLOWERS[step.who] for step in script if isinstance(step, Follow)]
    return (kinds[0] if kinds else Follower)(server, clock, timeout_s)


@dataclass(frozen=True, slots=True)
class _Limits:
    differences_max: int
    watchdog_s: float


def _on_ours(
    script: Script, server: SpawnedServer, clock: VirtualClock | None, limits: _Limits, note: str = ""
) -> Outcome:
    identity = Identity(server.binary.line, server.version, server.dialect, server.pid)
    follower = _follower(script, server, clock, limits.watchdog_s)
    control = server.connect(timeout=limits.watchdog_s)
    run: Lockstep
    if clock is None:
        run = RealTime(script, control, limits.watchdog_s, limits.differences_max)
    else:
        run = VirtualTime(script, control, limits.watchdog_s, limits.differences_max, clock=clock)
    run.follower = follower
    try:
        refuse_errors(server.address, control.call(b"FLUSHALL"))
        run.run()
    finally:
        run.control.close()
        follower.close()
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
