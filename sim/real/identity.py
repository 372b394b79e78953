"""Which server it is that answers: what it says itself, not what its file is called."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .connection import Connection, refuse_errors
from .errors import RealServerError
from .values import parse

__all__ = ["Identity", "dialect_of", "identify", "information"]


_LOOKALIKES = ("dragonfly", "garnet", "keydb")
"""Servers that speak the protocol and claim a version of Redis, and have their own streams."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A running server: its line (`redis` or `valkey`), full version, dialect and process id there."""

    line: str
    version: str
    dialect: str
    pid: int


def dialect_of(line: str, version: str) -> str:
    """The dialect's name, from `redis` and `6.2.14` to `redis-6.2`."""
    found = re.match(r"\d+\.\d+", version)
    if found is None:
        raise RealServerError(f"{version!r} is not a server's version")
    return f"{line}-{found[0]}"


def information(connection: Connection, section: str) -> dict[str, str]:
    """One section of INFO, as names and values."""
    value = parse(refuse_errors(connection.address, connection.call(b"INFO", section.encode())))
    if not isinstance(value, bytes):
        raise RealServerError(f"{connection.address} answers INFO with something else; is it a Redis server?")
    lines = (line.partition(":") for line in value.decode(errors="replace").splitlines())
    return {name: text for name, colon, text in lines if colon}


def identify(connection: Connection) -> Identity:
    """Ask a server who it is.

    Raises `RealServerError`, one line, when it asks for a password, runs as a cluster or says no version.
    """
    said = information(connection, "server")
    mode = said.get("redis_mode", said.get("server_mode", "standalone"))
    if mode != "standalone":
        raise RealServerError(f"{connection.address} runs in {mode} mode; give the address of a standalone server")
    for other in _LOOKALIKES:
        if f"{other}_version" in said:
            raise RealServerError(f"{connection.address} is {other.capitalize()}, which is neither Redis nor Valkey")
    # Valkey keeps the name `redis_version` for clients that look for it, with the version it was forked from.
    line, version = "redis", said.get("redis_version")
    if "valkey_version" in said:
        line, version = "valkey", said["valkey_version"]
    if version is None:
        raise RealServerError(f"{connection.address} does not say its version in INFO; is it a Redis server?")
    return Identity(line, version, dialect_of(line, version), int(said.get("process_id", "0")))
