"""Whether a server may be used: asked once, before anything is simulated, drawn or sent.

One gate for all that hold the model against a real server. It looks and touches nothing: a server that cannot
be reached, asks for a password, runs as a cluster, follows another, is of a line or version that the model does
not know, or holds data of somebody else is refused in one line. That a server follows the virtual clock can
only be seen of one that was started: `SpawnedServer` looks after that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...models.dialects import DIALECTS
from .address import Address
from .connection import Connection, refuse_errors
from .errors import RealServerError
from .identity import Identity, identify, information
from .servers import ServerBinary, locate

__all__ = ["Admitted", "admit", "admitted", "closest_dialect"]

_BEYOND_ONE_DATABASE = frozenset({b"FLUSHALL", b"SELECT", b"SWAPDB", b"MOVE", b"COPY"})


@dataclass(frozen=True, slots=True)
class Admitted:
    """A server that may be used, and the dialect to hold it against; `note` says where that is not its own."""

    target: ServerBinary | Address
    dialect: str
    note: str = ""


def admit(server: str | ServerBinary | Address, *, dialect: str | None = None, flush: bool = False) -> Admitted:
    """Look at a server before it is used.

    Arguments:
        server: what `locate` takes, or what it gave.
        dialect: what to model, whatever the server says that it is.
        flush: a server that we did not start may hold data, since it may be emptied (later).

    Raises `RealServerError`, one line, when it cannot be used.
    """
    target = locate(server) if isinstance(server, str) else server
    if isinstance(target, Address):
        with Connection(target) as connection:
            found = identify(connection).dialect
            _must_be_primary(connection)
            if not flush:
                _must_be_free(connection)
    else:
        found = target.dialect
    if dialect is not None:
        return Admitted(target, dialect)
    return Admitted(target, *closest_dialect(found, target.name if isinstance(target, ServerBinary) else str(target)))


def closest_dialect(found: str, who: str, known: Iterable[str] = DIALECTS) -> tuple[str, str]:
    """The dialect to model a server by: its own, else the nearest older one of its line, and a note about that.

    Raises `RealServerError`, one line, for a line that is not modelled and for a version older than all.
    """
    dialects = list(known)
    if found in dialects:
        return found, ""
    line, version = _parts(found)
    older = [(number, name) for name in dialects for its, number in [_parts(name)] if its == line and number < version]
    if not older:
        of_the_line = any(_parts(name)[0] == line for name in dialects)
        why = "which is older than all that is modelled" if of_the_line else "a line that is not modelled"
        raise RealServerError(
            f"{who} is {found}, {why}; give --dialect to compare it with one of: {', '.join(dialects)}"
        )
    nearest = max(older)[1]
    return nearest, f"{who} is {found}, which is not modelled: compared with {nearest}, the nearest older dialect"


def _must_be_primary(connection: Connection) -> None:
    """Refuse a replica: it takes no writes, and what it holds is its primary's."""
    said = information(connection, "replication")
    if said.get("role") not in (None, "master"):
        primary = f"{said.get('master_host', '?')}:{said.get('master_port', '?')}"
        raise RealServerError(f"{connection.address} is a replica of {primary}: give the address of a primary")


def _must_be_free(connection: Connection, commands: Iterable[Sequence[bytes]] = ()) -> None:
    """Refuse a database that holds keys, and others beside it that these commands could reach.

    Raises `RealServerError`, one line: what is there is not ours, and could not be given back.
    """
    address = connection.address
    keys = int(refuse_errors(address, connection.call(b"DBSIZE"))[1:-2])
    if keys:
        raise RealServerError(
            f"{address} is not empty ({keys} keys), and it was not started here, so its data may be somebody's: "
            "give an empty database, or --flush to empty this one"
        )
    beyond = _BEYOND_ONE_DATABASE & {argv[0].upper() for argv in commands}
    others = information(connection, "keyspace") if beyond else {}
    if others:
        raise RealServerError(
            f"{address} has keys in {', '.join(others)}, which the run can reach by "
            f"{b', '.join(sorted(beyond)).decode()}: give it a server of its own"
        )


def admitted(connection: Connection, commands: Iterable[Sequence[bytes]], *, flush: bool) -> Identity:
    """Look again at a server that is not ours, right before it is used; with `flush`, empty its one database."""
    identity = identify(connection)
    _must_be_primary(connection)
    if flush:
        refuse_errors(connection.address, connection.call(b"FLUSHDB"))
    _must_be_free(connection, commands)
    return identity


def _parts(dialect: str) -> tuple[str, tuple[int, ...]]:
    line, _, version = dialect.rpartition("-")
    return line, tuple(map(int, version.split(".")))
