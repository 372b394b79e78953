"""Where a server listens."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from .errors import RealServerError

__all__ = ["Address", "is_url", "parse_url"]

_PORT_DEFAULT = 6379
_SCHEMES = ("redis", "unix")


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP endpoint (`host`, `port`) or a Unix socket (`path`), the database there, and how to log in."""

    host: str = "127.0.0.1"
    port: int = _PORT_DEFAULT
    path: str | None = None
    db: int = 0
    username: str | None = None
    password: str | None = None

    def __str__(self) -> str:
        """The URL without the password: it goes into messages."""
        if self.path is not None:
            return f"unix://{self.path}" + (f"?db={self.db}" if self.db else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis://{host}:{self.port}/{self.db}"


def is_url(text: str) -> bool:
    """Whether the text is meant as a URL, of whatever scheme."""
    return "://" in text


def parse_url(url: str) -> Address:
    """Read `redis://[[user]:password@]host[:port][/db]` or `unix://[[user]:password@]/path[?db=N]`.

    Raises `RealServerError` with one line that names what is wrong.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RealServerError(f"{url}: {error}") from None
    if parts.scheme == "rediss":
        raise RealServerError(f"{_plain(parts)}: TLS is not supported; give a redis:// or unix:// address")
    if parts.scheme not in _SCHEMES:
        raise RealServerError(f"{_plain(parts)}: a server's URL starts with redis:// or unix://")
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    asked = parse_qs(parts.query).get("db", [])
    if parts.scheme == "unix":
        if not parts.path:
            raise RealServerError(f"{_plain(parts)}: the path of the socket is missing")
        db = _database(parts, asked[0] if asked else "0")
        return Address(path=unquote(parts.path), db=db, username=username, password=password)
    named = parts.path.strip("/") or (asked[0] if asked else "0")
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=_PORT_DEFAULT if port is None else port,
        db=_database(parts, named),
        username=username,
        password=password,
    )


def _database(parts: SplitResult, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise RealServerError(f"{_plain(parts)}: {text!r} is not the number of a database")
    return int(text)


def _plain(parts: SplitResult) -> str:
    """The URL as it was given, without its password."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
