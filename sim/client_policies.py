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

SAME, BLOCK_AND, UNLIMITED = "same", "block-and", "unlimited"
"""How long a client waits for a blocked read: as long as for anything; BLOCK and a margin; for ever."""

CLOSES, KEEPS = "closes", "keeps"
"""What a client does with the connection of a read that its program gave up."""


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
    """How many connections at most; ``None``: as many as needed."""
    one_socket: bool = False
    """Whether all commands go over one connection, one behind the other."""
    cancelled_read: str = CLOSES
    """The connection of a blocked read that the program cancelled: ``closes``, or ``keeps`` it, and the server may
    still deliver to it."""
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
        ):
            if value is not None and value < least:
                raise ScenarioError(f"client policy {self.name!r}: {what} is {value}, it must be at least {least}")
        for what, word, known in (
            ("blocking", self.blocking, (SAME, BLOCK_AND, UNLIMITED)),
            ("cancelled_read", self.cancelled_read, (CLOSES, KEEPS)),
        ):
            if word not in known:
                raise ScenarioError(f"client policy {self.name!r}: {what} is {word!r}, it must be one of {known}")
        for word in self.retry_on:
            if word not in (TIMEOUT, RESET, REFUSED):
                raise ScenarioError(f"client policy {self.name!r}: retry_on names {word!r}, which is no error")
        if self.one_socket and self.pool_size not in (None, 1):
            raise ScenarioError(f"client policy {self.name!r}: one_socket, and a pool of {self.pool_size}")

    @property
    def takes_time(self) -> bool:
        """Whether it has timers: it cannot be in a world whose time is frozen."""
        return self.socket_timeout_ms is not None or bool(self.backoff_ms)

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
        if error not in self.retry_on or (self.retries is not None and attempts > self.retries):
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

PRESETS: dict[str, ClientPolicy] = {}
"""Policies of real libraries, with their defaults."""


def preset(name: str) -> ClientPolicy:
    """The policy of a real library by name; ``BadInput`` with the nearest name where there is none such."""
    if name not in PRESETS:
        raise unknown("client policy", name, PRESETS)
    return PRESETS[name]
