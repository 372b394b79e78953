"""What a run is made with: connections, node sizes, and what its commands are fond of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ....models.server import Config
from .draws import Draws

__all__ = ["TASTES", "WEIGHTS", "Taste", "World", "config_of_nodes", "draw_world"]

WEIGHTS: Mapping[str, float] = {
    "XADD": 24, "XREADGROUP": 17, "XREAD": 7, "XACK": 5, "XCLAIM": 8, "XAUTOCLAIM": 5, "XPENDING": 6,
    "XRANGE": 3, "XREVRANGE": 2, "XDEL": 5, "XTRIM": 4, "XSETID": 2, "XGROUP": 12, "XINFO": 9, "XLEN": 1,
    "DEL": 0.7, "EXISTS": 0.5, "TYPE": 0.5, "FLUSHALL": 0.3, "SET": 0.7, "GET": 0.6, "TIME": 0.5, "PING": 0.6,
    "MULTI": 2, "EXEC": 1, "DISCARD": 0.6, "WATCH": 0.3, "UNWATCH": 0.25, "ECHO": 0.25,
    "LPUSH": 0.4, "RPUSH": 0.5, "LPUSHX": 0.25, "RPUSHX": 0.25, "LPOP": 0.3, "RPOP": 0.3, "LLEN": 0.2, "LRANGE": 0.3,
    "LINDEX": 0.25, "LSET": 0.25, "LREM": 0.25, "LTRIM": 0.25, "LINSERT": 0.25, "LPOS": 0.2, "RPOPLPUSH": 0.2,
    "LMOVE": 0.2, "LMPOP": 0.2, "BLPOP": 0.3, "BRPOP": 0.2, "BRPOPLPUSH": 0.2, "BLMOVE": 0.2, "BLMPOP": 0.2,
    "UNLINK": 0.2, "RENAME": 0.4, "RENAMENX": 0.2, "COPY": 0.3, "MOVE": 0.2, "EXPIRE": 0.25, "PEXPIRE": 0.25,
    "EXPIREAT": 0.25, "PEXPIREAT": 0.25, "TTL": 0.25, "PTTL": 0.25, "EXPIRETIME": 0.25, "PEXPIRETIME": 0.25,
    "PERSIST": 0.25, "SELECT": 0.15, "SWAPDB": 0.15, "FLUSHDB": 0.1, "DBSIZE": 0.2,
    "SUBSCRIBE": 0.05, "PSUBSCRIBE": 0.05, "UNSUBSCRIBE": 0.2, "PUNSUBSCRIBE": 0.2, "PUBLISH": 0.3, "PUBSUB": 0.2,
    "QUIT": 0.05, "RESET": 0.15, "HELLO": 0.15, "CLIENT": 0.3,
}  # fmt: skip
"""How often each command is drawn; one that stands not here, `USUAL`."""
USUAL = 2.0

SUBCOMMAND_WEIGHTS: Mapping[str, float] = {
    "CREATE": 6, "SETID": 3, "DESTROY": 1, "CREATECONSUMER": 2, "DELCONSUMER": 2, "HELP": 1,
    "CHANNELS": 2, "NUMSUB": 2, "NUMPAT": 2, "ID": 0.5, "GETNAME": 1, "SETNAME": 1, "UNBLOCK": 5,
    "STREAM": 5, "GROUPS": 3, "CONSUMERS": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taste:
    """How often something is so, of 1000 cases, and which commands are preferred."""

    weights: Mapping[str, float] = field(default_factory=dict)
    """Instead of the usual ones."""

    focus: int = 500
    """Keys, groups and consumers are some that there are."""

    damaged: int = 80
    """A command line is damaged in one place."""

    wrong: int = 80
    """An ID or a number is borderline or malformed."""

    block: int = 350
    """A read that may block does."""

    long_values: int = 50
    """A value is long."""

    timeless: bool = False
    """No reply is to depend on the time of the server: IDs are explicit, times are 0 or past all that there are."""

    def weight(self, command: str) -> float:
        """How often a command is drawn, against the others."""
        return self.weights.get(command, WEIGHTS.get(command, USUAL))


READING = {"XREADGROUP": 30, "XREAD": 15, "XGROUP": 6, "DEL": 2, "SET": 1.5, "MULTI": 4, "EXEC": 4, "XINFO": 3}
ADDING = {"XADD": 80, "XREADGROUP": 10, "DEL": 0.05, "FLUSHALL": 0.0, "SET": 0.05}
REMOVING = {"XSETID": 15, "XDEL": 20, "XTRIM": 15, "XADD": 40, "XRANGE": 8, "XREVRANGE": 8}
CLAIMING = {"XCLAIM": 30, "XAUTOCLAIM": 20, "XREADGROUP": 30, "XDEL": 10, "XPENDING": 15, "XNACK": 10}
REFERRING = {
    "XADD": 40, "XREADGROUP": 30, "XACK": 15, "XDELEX": 15, "XACKDEL": 15, "XTRIM": 15, "XGROUP": 6, "XCFGSET": 0.3,
}  # fmt: skip

QUEUING = {
    **dict.fromkeys((name for name in WEIGHTS if name.startswith("X")), 0.3),
    "XADD": 2, "XREADGROUP": 2, "LPUSH": 12, "RPUSH": 14, "LPUSHX": 2, "RPUSHX": 2, "LPOP": 5, "RPOP": 5, "LLEN": 2,
    "LRANGE": 6, "LINDEX": 3, "LSET": 3, "LREM": 3, "LTRIM": 3, "LINSERT": 3, "LPOS": 5, "RPOPLPUSH": 4, "LMOVE": 4,
    "LMPOP": 4, "BLPOP": 14, "BRPOP": 10, "BRPOPLPUSH": 8, "BLMOVE": 8, "BLMPOP": 8, "MULTI": 5, "EXEC": 4,
    "RENAME": 2, "SET": 1, "DEL": 1,
}  # fmt: skip
KEEPING = {
    **dict.fromkeys((name for name in WEIGHTS if name.startswith("X")), 1),
    "XADD": 10, "XREADGROUP": 10, "XGROUP": 8, "XREAD": 3, "RPUSH": 4, "BLPOP": 4, "BLMOVE": 2, "SET": 3, "GET": 2,
    "DEL": 2, "UNLINK": 2, "EXISTS": 2, "TYPE": 2, "RENAME": 6, "RENAMENX": 3, "COPY": 6, "MOVE": 4, "EXPIRE": 3,
    "PEXPIRE": 6, "EXPIREAT": 3, "PEXPIREAT": 3, "TTL": 3, "PTTL": 2, "EXPIRETIME": 2, "PEXPIRETIME": 2, "PERSIST": 2,
    "SELECT": 4, "SWAPDB": 2, "FLUSHDB": 0.5, "DBSIZE": 3, "MULTI": 8, "EXEC": 6, "WATCH": 10, "UNWATCH": 1,
    "DISCARD": 1,
}  # fmt: skip

LISTENING = {
    **dict.fromkeys((name for name in WEIGHTS if name.startswith("X")), 0.2),
    "SUBSCRIBE": 8, "PSUBSCRIBE": 8, "UNSUBSCRIBE": 6, "PUNSUBSCRIBE": 6, "PUBLISH": 40, "PUBSUB": 10, "QUIT": 1,
    "RESET": 6, "HELLO": 6, "CLIENT": 10, "PING": 4, "GET": 2, "MULTI": 3, "EXEC": 3, "BLPOP": 5, "RPUSH": 4,
}  # fmt: skip

TASTES = (
    Taste(),
    Taste(focus=900, damaged=10, wrong=10),
    Taste(damaged=400, wrong=400),
    Taste(focus=900, long_values=500),
    Taste(weights=READING, focus=950, damaged=10, wrong=20, block=850),
    Taste(weights=READING, focus=990, damaged=0, wrong=0, block=950),
    Taste(weights=ADDING, focus=950, damaged=10, wrong=10),
    Taste(weights=REMOVING, focus=950, damaged=10),
    Taste(weights=CLAIMING, focus=950, damaged=30),
    Taste(weights=QUEUING, focus=700, damaged=20, wrong=20, block=850),
    Taste(weights=QUEUING, focus=700, damaged=50),
    Taste(weights=KEEPING, focus=800, damaged=10, wrong=20, block=850),
    Taste(weights=KEEPING, focus=800, damaged=50),
    Taste(weights=LISTENING, focus=800, damaged=0, wrong=50),
    Taste(weights=REFERRING, focus=970, damaged=10, wrong=20),
)

NODE_SIZES = (
    (4096, 100), (0, 1), (0, 3), (0, 2), (0, 0), (120, 0), (300, 5), (4096, 2), (60, 100), (4096, 100),
)  # fmt: skip
"""Bytes and entries that a node may have."""


IDMP_DURATION_S = 86_400
"""How long records of idempotent XADDs last: a server forgets them by its real clock, so no run is to see that."""


def config_of_nodes(node_bytes: int = 4096, node_entries: int = 100) -> Config:
    """The settings of a run, of which only the sizes of nodes differ."""
    return Config(node_bytes, node_entries, stream_idmp_duration_s=IDMP_DURATION_S)


@dataclass(frozen=True, slots=True)
class World:
    """What a run is made with."""

    config: Config = field(default_factory=config_of_nodes)
    taste: Taste = field(default_factory=Taste)
    connections: int = 5

    clock: int = 250
    """The clock moves next, of 1000 cases."""

    stay: int = 970
    """The next command comes on the connection that the last one came on, of 1000 cases.

    Only commands of one connection can be sent in one go, so this is what the speed of a run depends on.
    """


def draw_world(draws: Draws) -> World:
    """A world of the tape's choice."""
    node_bytes, node_entries = draws.pick(NODE_SIZES, "node size")
    taste = draws.pick(TASTES, "taste")
    if draws.happens(300, "nobody blocks"):
        taste = replace(taste, block=0)
    clock = 250 if taste.block < 500 else 50
    stay = draws.pick((970, 900, 500), "stay") if taste.block < 500 else 700
    return World(config_of_nodes(node_bytes, node_entries), taste, draws.pick((2, 5, 8), "connections"), clock, stay)
