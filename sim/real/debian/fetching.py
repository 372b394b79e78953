"""Bringing files here, whole or not at all: resumed where they stopped, tried again a few times, verified.

Where the machine has apt, its own client fetches (`apt-helper`): so its proxies, passwords and mirror lists
count. Elsewhere it is `urllib`, with the proxies that the environment names.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ..errors import RealServerError

__all__ = ["AptHelper", "Fetch", "Gone", "download", "fetcher", "http_get", "sha256_of"]

Heard: TypeAlias = Callable[[int], None]
"""Is told how many bytes of the file are here."""

Fetch: TypeAlias = Callable[[str, Path, Heard], None]
"""Brings a URL into a file, going on behind what the file holds. Raises `Gone`, or `RealServerError`."""

ATTEMPTS = 4
PAUSE_S = 0.5
_TIMEOUT_S = 30
_CHUNK_BYTES = 1 << 16
_HELPER = Path("/usr/lib/apt/apt-helper")


class Gone(RealServerError):
    """The mirror has no such file: it will not have it the next time either."""


class Full(RealServerError):
    """No space is left: trying again does not help."""


def fetcher() -> Fetch:
    """What fetches on this machine."""
    return AptHelper(_HELPER) if os.access(_HELPER, os.X_OK) else http_get


def download(
    fetch: Fetch, url: str, target: Path, *, size: int | None = None, sha256: str = "",
    heard: Heard = lambda _: None,
) -> None:  # fmt: skip
    """Bring a URL into `target`, which appears when it is whole and has this size and checksum.

    What an earlier run has left beside it (`.part`) is gone on with. Without a checksum nothing is kept: the
    file is fetched anew. Raises `Gone`, or `RealServerError` with one line after `ATTEMPTS`.
    """
    if sha256 and target.is_file() and sha256_of(target) == sha256:
        heard(target.stat().st_size)
        return
    part = target.with_name(target.name + ".part")
    if not sha256:
        part.unlink(missing_ok=True)
    problem: RealServerError | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_S * 2 ** (attempt - 1))
        try:
            fetch(url, part, heard)
            _must_be_whole(url, part, size, sha256)
        except (Gone, Full):
            raise
        except RealServerError as error:
            problem = error
            continue
        part.replace(target)
        return
    assert problem is not None
    raise type(problem)(f"{problem} ({ATTEMPTS} attempts)")


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _must_be_whole(url: str, part: Path, size: int | None, sha256: str) -> None:
    have = part.stat().st_size
    if size is not None and have < size:
        raise RealServerError(f"{url} was cut off: {have} of {size} bytes came")
    if sha256 and (got := sha256_of(part)) != sha256:
        part.unlink()  # nothing to go on with
        raise RealServerError(f"{url} is not what the index lists: its SHA256 is {got[:16]}…, not {sha256[:16]}…")


# ---- urllib ----


def http_get(url: str, part: Path, heard: Heard) -> None:
    """Fetch by `urllib`, which takes proxies from the environment."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            behind = have if answer.status == 206 else 0
            wanted = answer.headers.get("Content-Length")
            got = _store(answer, part, behind, heard)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise Gone(f"{url}: there is no such file") from None
        if error.code == 416:
            part.unlink(missing_ok=True)  # what is here is longer than the file: start again
        raise RealServerError(f"{url}: the mirror answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        reason = error.reason
        text = reason.strerror if isinstance(reason, OSError) else None
        raise RealServerError(f"{url} cannot be reached: {text or reason}") from None
    except ValueError as error:
        raise Gone(f"{url} is not a URL that can be fetched: {error}") from None
    except (http.client.HTTPException, OSError) as error:
        raise _explained(error, part, url) from None
    if wanted is not None and got < int(wanted):
        raise RealServerError(f"{url} was cut off: {got} of {wanted} bytes came")


def _store(answer: http.client.HTTPResponse, part: Path, behind: int, heard: Heard) -> int:
    """Write what comes behind so many bytes of the file; says how many came."""
    got = 0
    with part.open("r+b" if behind else "wb") as file:
        file.seek(behind)
        while chunk := answer.read(_CHUNK_BYTES):
            file.write(chunk)
            got += len(chunk)
            heard(behind + got)
    return got


def _explained(error: Exception, part: Path, url: str) -> RealServerError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Full(full(part))
    if isinstance(error, OSError) and error.filename is not None:
        return Full(f"{error.filename} cannot be written: {error.strerror}")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return RealServerError(f"{url} was cut off: {reason}")


def full(path: Path) -> str:
    """What is said where the disk is full."""
    return f"no space is left in {path.parent}: free some, or set XDG_DATA_HOME and XDG_CACHE_HOME to another disk"


# ---- apt ----


class AptHelper:
    """Fetches by apt's own client, with all that this machine's apt is told."""

    def __init__(self, helper: Path) -> None:
        options = {"Acquire::Retries": "0", "Acquire::http::Timeout": "30", "Acquire::https::Timeout": "30"}
        if os.geteuid() == 0:
            options["APT::Sandbox::User"] = "root"  # the sandbox's own user could not write into our folder
        self._command = [str(helper), *(f"-o{name}={text}" for name, text in options.items()), "download-file"]

    def __call__(self, url: str, part: Path, heard: Heard) -> None:
        """Fetch one file."""
        environment = {**os.environ, "LC_ALL": "C"}
        with subprocess.Popen(
            [*self._command, url, str(part)], env=environment, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        ) as running:  # fmt: skip
            try:
                said = self._watch(running, part, heard)
            except BaseException:
                running.terminate()
                raise
        if running.returncode != 0 or not part.exists():
            raise self._explained(url, part, said)
        heard(part.stat().st_size)

    def _watch(self, running: subprocess.Popen[str], part: Path, heard: Heard) -> str:
        while True:
            try:
                return running.communicate(timeout=0.2)[1]
            except subprocess.TimeoutExpired:
                heard(part.stat().st_size if part.exists() else 0)

    def _explained(self, url: str, part: Path, said: str) -> RealServerError:
        lines = [line.removeprefix("E: ").strip() for line in said.splitlines() if line.startswith("E: ")]
        reason = lines[0].removeprefix(f"Failed to fetch {url}").strip() if lines else "apt-helper says nothing"
        if re.match(r"(404|410)\b", reason) or "File not found" in reason:
            return Gone(f"{url}: there is no such file")
        if "No space left" in reason or "Disk quota" in reason:
            return Full(full(part))
        if re.match(r"416\b", reason):
            part.unlink(missing_ok=True)
        return RealServerError(f"{url} cannot be fetched: {' '.join(reason.split())}")
