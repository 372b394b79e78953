"""Which mirror of Debian this machine uses: what its own apt is told, in either of the two formats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import RealServerError

__all__ = ["Mirror", "machine_mirror"]

APT = Path("/etc/apt")
_KEYRINGS = Path("/usr/share/keyrings")

_SUITES = frozenset(
    (
        *("buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid", "experimental", "rc-buggy"),
        *("oldoldstable", "oldstable", "stable", "testing", "unstable"),
    )
)
"""Debian's own: derived distributions name theirs otherwise, and their mirrors do not hold these."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where packages come from, without a slash at the end, and the keyrings that its signatures are judged by."""

    url: str
    keyrings: tuple[Path, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Entry:
    urls: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str


def machine_mirror(apt: Path = APT) -> Mirror:
    """The first source of Debian's main component in the configuration of apt.

    Raises `RealServerError`, one line, where there is no apt or none of its sources is a mirror of Debian.
    """
    if not apt.is_dir():
        raise RealServerError(
            "this machine has no apt whose mirror could be taken: name a mirror of Debian with --mirror URL"
        )
    for entry in _entries(apt):
        if "main" in entry.components and _SUITES.intersection(entry.suites):
            return Mirror(entry.urls[0].rstrip("/"), keyrings(entry.signed_by, apt))
    raise RealServerError(
        f"none of the sources in {apt} is a mirror of Debian's main component: name one with --mirror URL"
    )


def keyrings(signed_by: str = "", apt: Path = APT) -> tuple[Path, ...]:
    """The files of keys that a Debian mirror's signature is judged by: those named, else the machine's."""
    named = [Path(word) for word in signed_by.split() if word.startswith("/")]
    trusted = apt / "trusted.gpg.d"
    own = [*sorted(_KEYRINGS.glob("debian-archive-keyring.*")), *sorted(trusted.glob("*.gpg"))]
    return tuple(path for path in named or own if path.suffix in (".gpg", ".pgp") and path.is_file())


def _entries(apt: Path) -> Iterator[_Entry]:
    lists = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]
    for path in lists:
        for line in _read(path).splitlines():
            if entry := _of_line(line):
                yield entry
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        for paragraph in re.split(r"\n\s*\n", _read(path)):
            if entry := _of_paragraph(paragraph):
                yield entry


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # as apt does, which reads what it can


def _of_line(line: str) -> _Entry | None:
    """`deb [option=value …] URL suite component…`"""
    found = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
    if found is None:
        return None
    options = dict(word.partition("=")[::2] for word in (found[1] or "").split())
    signed_by = options.get("signed-by", "").replace(",", " ")
    return _Entry((found[2],), (found[3],), tuple(found[4].split()), signed_by)


def _of_paragraph(paragraph: str) -> _Entry | None:
    """Fields, each on a line, that go on in lines which start with a space."""
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        else:
            name, _, text = line.partition(":")
            name = name.strip().lower()
            fields[name] = text.strip()
    urls = tuple(fields.get("uris", "").split())
    if "deb" not in fields.get("types", "").split() or not urls or fields.get("enabled", "yes").lower() in _OFF:
        return None
    suites, components = (tuple(fields.get(key, "").split()) for key in ("suites", "components"))
    return _Entry(urls, suites, components, fields.get("signed-by", ""))


_OFF = frozenset({"no", "false", "without", "off", "disable"})
