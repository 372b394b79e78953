"""What a client library does when an answer does not come: as data, one record for each library.

How long it waits, whether it sends a command again and after what pause, how many connections it has, what becomes of
a read that the program has cancelled. Times are milliseconds. Backoffs that a library draws by lot are taken at their
largest, so that runs stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ScenarioError, unknown

TIMEOUT, RESET, REFUSED = "timeout", "reset", "refused"
"""Why an answer does not come: the client's patience is over, the connection broke, nobody accepts one."""
CONNECT, EXHAUSTED = "connect", "exhausted"
"""Two more: it could not connect in time (which policies take for a timeout), or all its connections were in use."""

SAME, BLOCK_AND, UNLIMITED = "same", "block-and", "unlimited"
"""How long a client waits for a blocked read: as long as for anything; BLOCK and a margin; for ever."""

CLOSES, KEEPS = "closes", "keeps"
"""What a client does with the connection of a read that was given up."""


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """How a client behaves on a link that is not perfect.

    The plain policy (all defaults) waits for ever, sends nothing again and opens as many connections as it needs.
    """

    name: str = "plain"
    connect_timeout_ms: int | None = None
    socket_timeout_ms: int | None = None
    """How long it waits for the answer to a command; ``None``: for ever."""
    blocking: str = SAME
    """How long for one that blocks: ``same``, ``block-and`` (its BLOCK and ``blocking_margin_ms``), ``unlimited``."""
    blocking_margin_ms: int = 0
    retries: int | None = 0
    """How often it sends a command again before the program hears of the error; ``None``: for ever."""
    retry_on: tuple[str, ...] = (TIMEOUT, RESET, REFUSED)
    retry_blocking: bool = True
    """Whether a blocked read that timed out is sent again, too."""
    backoff_ms: int = 0
    backoff_max_ms: int = 0
    backoff_doubles: bool = True
    """Whether each pause is twice the one before, from twice ``backoff_ms`` on; else they grow by it from it on."""
    pool_size: int | None = None
    """How many connections at most (``None``: as many as needed). A command waits for one, in turn."""
    pool_timeout_ms: int | None = None
    """How long it waits for one before the program hears that there is none (``None``: for ever; 0: not at all)."""
    one_socket: bool = False
    """Whether all commands go over one connection: each takes effect when the one before has been answered."""
    given_up: str = CLOSES
    """The connection of a blocked read that the program cancelled, or that timed out: the client ``closes`` it, or it
    ``keeps`` it, and the server may still deliver to it."""
    resp: int = 3
    """The protocol that it asks for. The world speaks RESP3 to all of them: replies mean the same in both."""

    def __post_init__(self) -> None:
        for what, value, least in (
            ("connect_timeout_ms", self.connect_timeout_ms, 1),
            ("socket_timeout_ms", self.socket_timeout_ms, 1),
            ("blocking_margin_ms", self.blocking_margin_ms, 0),
            ("retries", self.retries, 0),
            ("backoff_ms", self.backoff_ms, 0),
            ("backoff_max_ms", self.backoff_max_ms, 0),
            ("pool_size", self.pool_size, 1),
            ("pool_timeout_ms", self.pool_timeout_ms, 0),
        ):
            if value is not None and value < least:
                raise ScenarioError(f"client policy {self.name!r}: {what} is {value}, it must be at least {least}")
        for what, word, known in (
            ("blocking", self.blocking, (SAME, BLOCK_AND, UNLIMITED)),
            ("given_up", self.given_up, (CLOSES, KEEPS)),
        ):
            if word not in known:
                raise ScenarioError(f"client policy {self.name!r}: {what} is {word!r}, it must be one of {known}")
        for word in self.retry_on:
            if word not in (TIMEOUT, RESET, REFUSED):
                raise ScenarioError(f"client policy {self.name!r}: retry_on names {word!r}, which is no error")
        if self.pool_timeout_ms is not None and self.pool_size is None and not self.one_socket:
            raise ScenarioError(
                f"client policy {self.name!r}: pool_timeout_ms is {self.pool_timeout_ms}, and its pool has no size: "
                f"give it a pool_size"
            )
        if self.one_socket and self.pool_size not in (None, 1):
            raise ScenarioError(f"client policy {self.name!r}: one_socket, and a pool of {self.pool_size}")

    @property
    def takes_time(self) -> bool:
        """Whether it has timers: it cannot be in a world whose time is frozen."""
        waits = self.socket_timeout_ms is not None or bool(self.pool_timeout_ms)
        return waits or self.connect_timeout_ms is not None or bool(self.backoff_ms)

    def patience_ms(self, commands: tuple[tuple[bytes, ...], ...]) -> int | None:
        """How long it waits for the answer to commands from when they are sent; ``None``: for ever."""
        if self.socket_timeout_ms is None:
            return None
        block_ms = None if self.blocking == SAME else block_of(commands[0])
        if block_ms is None:
            return self.socket_timeout_ms
        if self.blocking == UNLIMITED or not block_ms:
            return None
        return block_ms + self.blocking_margin_ms

    def again_ms(self, error: str, attempts: int, commands: tuple[tuple[bytes, ...], ...]) -> int | None:
        """After what pause it sends commands again that were sent ``attempts`` times; ``None``: it does not."""
        kind = TIMEOUT if error == CONNECT else error
        if kind not in self.retry_on or (self.retries is not None and attempts > self.retries):
            return None
        if error == TIMEOUT and not self.retry_blocking and block_of(commands[0]) is not None:
            return None
        grown = self.backoff_ms << min(attempts, 30) if self.backoff_doubles else self.backoff_ms * attempts
        return min(grown, self.backoff_max_ms)


def block_of(argv: tuple[bytes, ...]) -> int | None:
    """For how long a read blocks at most (0: for ever); ``None`` where it does not."""
    name = argv[0].upper()
    try:
        if name in (b"XREAD", b"XREADGROUP"):
            words = [word.upper() for word in argv]
            return int(argv[words.index(b"BLOCK") + 1]) if b"BLOCK" in words else None
        if name in (b"BLPOP", b"BRPOP", b"BLMOVE", b"BRPOPLPUSH"):
            return int(float(argv[-1]) * 1000)
    except (ValueError, IndexError):
        pass
    return None


PLAIN = ClientPolicy()

PRESETS: dict[str, ClientPolicy] = {
    policy.name: policy
    for policy in (
        ClientPolicy(
            "redis-py-7", retries=3, backoff_ms=1000, backoff_max_ms=10_000, resp=2,
        ),
        ClientPolicy(
            "redis-py-8", connect_timeout_ms=5000, socket_timeout_ms=5000, retries=10, backoff_ms=10,
            backoff_max_ms=1000, pool_size=100, pool_timeout_ms=0,
        ),
        ClientPolicy(
            "go-redis", connect_timeout_ms=5000, socket_timeout_ms=5000, blocking=BLOCK_AND, blocking_margin_ms=10_000,
            retries=3, retry_blocking=False, backoff_ms=8, backoff_max_ms=512, pool_size=80, pool_timeout_ms=6000,
        ),
        ClientPolicy(
            "ioredis", connect_timeout_ms=10_000, retries=20, retry_on=(RESET, REFUSED), backoff_ms=25,
            backoff_max_ms=5000, one_socket=True, given_up=KEEPS,
        ),
        ClientPolicy(
            "node-redis", connect_timeout_ms=5000, retries=0, backoff_ms=25, backoff_max_ms=2000, one_socket=True,
            given_up=KEEPS,
        ),
        ClientPolicy(
            "lettuce", connect_timeout_ms=10_000, socket_timeout_ms=60_000, retries=None, retry_on=(RESET, REFUSED),
            backoff_ms=1, backoff_max_ms=30_000, one_socket=True, given_up=KEEPS,
        ),
        ClientPolicy(
            "jedis", connect_timeout_ms=2000, socket_timeout_ms=2000, blocking=UNLIMITED, retries=0, pool_size=8,
            resp=2,
        ),
    )
}  # fmt: skip
"""Policies of real libraries, with their defaults. Where each value was read:

- ``redis-py-7``: redis-py 7.1.0, ``redis/asyncio/client.py`` (``Redis.__init__``: three retries, exponential backoff
  with jitter of base 1 s and cap 10 s, no socket timeout) and ``redis/asyncio/connection.py`` (an unbounded pool,
  RESP2). The backoff is ``redis/backoff.py``: up to ``base * 2 ** failures``.
- ``redis-py-8``: redis-py 8.1.0, ``redis/_defaults.py`` (5 s for sockets, ten retries, base 10 ms, cap 1 s),
  ``redis/utils.py`` (RESP3), ``redis/asyncio/connection.py`` (100 connections). ``redis/asyncio/retry.py`` sends every
  command again after a connection error or a timeout, one that blocks or adds included. Both versions close the
  connection of a read that is cancelled.
- ``go-redis``: go-redis 9.23.0, ``options.go`` (``init``: 5 s to dial and to read, three retries, 8 to 512 ms, ten
  connections for each processor, here eight processors), ``redis.go`` (``cmdTimeout``: BLOCK and 10 s; a read that has
  its own timeout is not sent again for having timed out), ``error.go`` (``shouldRetry``: end of file is retried).
- ``ioredis``: ioredis 6.0.0, ``redis/RedisOptions`` (10 s to connect, ``autoResendUnfulfilledCommands``, 20 retries for
  each request, 50 ms doubled up to 5 s before its jitter, no command timeout).
- ``node-redis``: @redis/client 6.3.1, ``client/socket`` (5 s to connect, no socket timeout, 50 ms doubled up to 2 s
  before its jitter), ``client/index`` (on an error of the socket what waits for a reply is rejected).
- ``lettuce``: Lettuce 7, ``ClientOptions`` and ``TimeoutOptions`` (reconnects by itself, command timeouts are on),
  ``DefaultClientResources`` (``Delay.exponential`` between reconnects, up to 30 s); on reconnect what is in flight is
  sent again. 60 s for a command and 10 s to connect are the documented defaults of its ``RedisURI`` and
  ``SocketOptions``.
- ``jedis``: Jedis 5.0, ``DefaultJedisClientConfig`` (no timeout for commands that block, the protocol is not
  negotiated), ``Connection`` (``setTimeoutInfinite`` around such commands; a broken connection is closed). 2 s for
  sockets and eight connections are the documented defaults of its ``Protocol`` and of commons-pool's
  ``GenericObjectPoolConfig``.
"""


def preset(name: str) -> ClientPolicy:
    """The policy of a real library by name; ``BadInput`` with the nearest name where there is none such."""
    if name not in PRESETS:
        raise unknown("client policy", name, PRESETS)
    return PRESETS[name]
