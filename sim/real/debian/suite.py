"""What a suite of a mirror holds: its signed list of indexes, and its index of packages."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import RealServerError
from .fetching import Fetch, Gone, Heard, download
from .sources import Mirror
from .versions import Version

__all__ = ["Package", "Suite", "open_suite"]

_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----\n"
_PACKAGE = b"\n\nPackage: "
_END = "\n-----BEGIN PGP SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class Package:
    """One package: its version, the file on the mirror, and what it depends on, as the index writes it."""

    name: str
    version: Version
    url: str
    size: int
    sha256: str
    depends: str


class Suite:
    """The packages of one suite. `signed` says whether a key of this machine vouches for its index."""

    def __init__(self, mirror: Mirror, name: str, index: bytes, signed: bool) -> None:
        self.mirror, self.name, self.signed = mirror, name, signed
        self._index = b"\n\n" + index
        self._known: dict[str, Package | None] = {}

    def get(self, name: str) -> Package | None:
        """The latest version of a package, or None."""
        # Tens of thousands of packages, of which a handful is asked for: they are searched, not parsed.
        if name not in self._known:
            found = [self._package(name, stanza) for stanza in self._stanzas(name)]
            self._known[name] = max(found, key=lambda package: package.version, default=None)
        return self._known[name]

    def providers(self, name: str) -> list[tuple[Package, Version | None]]:
        """The packages that stand in for one of this name, and as which version of it, where they say so."""
        found = []
        word = re.escape(name.encode())
        for line in re.finditer(rb"\nProvides: (?:[^\n]*, )?%b(?: \(= ([^)\n]+)\))?(?=[,\n])" % word, self._index):
            at = self._index.rfind(_PACKAGE, 0, line.start())
            package = self.get(self._index[at + len(_PACKAGE) : self._index.find(b"\n", at + len(_PACKAGE))].decode())
            if package is not None:
                found.append((package, Version(line[1].decode()) if line[1] else None))
        return found

    def servers(self) -> str:
        """The servers that it holds, in words."""
        packages = filter(None, map(self.get, ("redis-server", "valkey-server")))
        return ", ".join(f"{package.name} {package.version.text}" for package in packages) or "no server"

    def _stanzas(self, name: str) -> Iterator[bytes]:
        start = b"%b%b\n" % (_PACKAGE, name.encode())
        at = self._index.find(start)
        while at >= 0:
            end = self._index.find(b"\n\n", at + len(start))
            yield self._index[at:] if end < 0 else self._index[at:end]
            at = self._index.find(start, at + len(start))

    def _package(self, name: str, stanza: bytes) -> Package:
        fields = dict(re.findall(r"^([\w-]+): (.*)$", stanza.decode(errors="replace"), re.MULTILINE))
        try:
            depends = ", ".join(filter(None, (fields.get("Pre-Depends"), fields.get("Depends"))))
            url = f"{self.mirror.url}/{fields['Filename']}"
            version = Version(fields["Version"])
            return Package(name, version, url, int(fields["Size"]), fields["SHA256"].lower(), depends)
        except (KeyError, ValueError) as error:
            raise RealServerError(f"{self.name} of {self.mirror.url} lists {name} badly: no {error}") from None


def open_suite(
    mirror: Mirror, name: str, architecture: str, cache: Path, fetch: Fetch, heard: Heard = lambda _: None
) -> Suite:
    """Fetch and verify a suite's index of its main component; an index that is in the cache already is used.

    Raises `Gone` where the mirror has no such suite, `RealServerError` where it cannot be had or trusted.
    """
    base = f"{mirror.url}/dists/{name}"
    cache.mkdir(parents=True, exist_ok=True)
    release = cache / f"{name}.InRelease"
    try:
        download(fetch, f"{base}/InRelease", release)
    except Gone:
        raise Gone(
            f"{mirror.url} has no suite {name!r} (suites that are not supported any more move to Debian's archive): "
            "name another mirror with --mirror URL"
        ) from None
    signed = _is_signed(release, mirror)
    text = _signed_part(release, base)
    size, sha256, path = _best_index(text, f"main/binary-{architecture}/Packages", base)
    held = cache / f"{name}.{Path(path).name}"
    url = f"{base}/{path}"
    if re.search(r"^Acquire-By-Hash: yes$", text, re.MULTILINE):
        # A mirror may change its index between two requests: by its hash the old one can still be had.
        url = f"{base}/{path.rpartition('/')[0]}/by-hash/SHA256/{sha256}"
    download(fetch, url, held, size=size, sha256=sha256, heard=heard)
    return Suite(mirror, name, _unpacked(held), signed)


def _signed_part(release: Path, base: str) -> str:
    text = release.read_text(encoding="utf-8", errors="replace")
    # What stands before or behind the signed part is nobody's word.
    if not text.startswith(_BEGIN):
        if "BEGIN PGP" in text or "SHA256:" not in text:
            raise RealServerError(f"{base}/InRelease is not a list of indexes; is {base} a mirror of Debian?")
        return text
    return text.removeprefix(_BEGIN).partition("\n\n")[2].partition(_END)[0]


def _best_index(text: str, name: str, base: str) -> tuple[int, str, str]:
    """The size, checksum and path of the index in the smallest format that can be read here."""
    listed = text.partition("\nSHA256:")[2]
    for suffix in (".xz", ".gz", ""):
        found = re.search(rf"^ ([0-9a-fA-F]{{64}}) +(\d+) ({re.escape(name + suffix)})$", listed, re.MULTILINE)
        if found is not None:
            return int(found[2]), found[1].lower(), found[3]
    raise RealServerError(f"{base} has no {name} with a SHA256: it does not serve this architecture")


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return {".xz": lzma.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)(data)


def _is_signed(release: Path, mirror: Mirror) -> bool:
    """Whether one of the machine's keys has signed the list; a signature that is wrong is an error."""
    program = shutil.which("gpgv")
    if program is None or not mirror.keyrings or not release.read_bytes().startswith(_BEGIN.encode()):
        return False
    rings = [word for ring in mirror.keyrings for word in ("--keyring", str(ring))]
    ran = subprocess.run(
        [program, "--status-fd", "1", *rings, str(release)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    said = {line.split()[1] for line in ran.stdout.splitlines() if line.startswith("[GNUPG:] ")}
    if "BADSIG" in said:
        raise RealServerError(f"the signature of {release.stem} on {mirror.url} is wrong: nothing is taken from it")
    return "VALIDSIG" in said
