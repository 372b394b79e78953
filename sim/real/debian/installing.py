"""`redelivery servers install`: from a mirror of Debian to servers that start, without root.

A server comes with all of its libraries, down to the loader, so that it runs on whatever this machine has. It is
put together beside its place and moved there when it has said its version. What is interrupted goes on the next
time: packages stay in the cache folder until the server that needs them is there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...errors import RedeliveryError
from ..errors import RealServerError
from ..folders import cache_folder
from ..installed import LAUNCHER, Manifest, read_manifest, servers_folder
from ..servers import ServerBinary, examine
from .closure import closure
from .fetching import Fetch, Gone, download, fetcher, full
from .offers import BENEATH, Offer
from .sources import Mirror, machine_mirror
from .suite import Package, Suite, open_suite
from .unpacking import unpack
from .versions import upstream

__all__ = ["Failure", "Listener", "install"]

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

_UNFINISHED = ".unfinished-"
"""How the folder begins in which a server is put together."""

_SCRIPT = """#!/bin/sh
# Starts this server with the libraries that it was built with, through their own loader.
case $0 in
*/*) here=${{0%/*}} ;;
*) here=$(command -v -- "$0") && here=${{here%/*}} ;;
esac
root=$here/root
exec "$root/{loader}" --library-path "{libraries}" "$root/{program}" "$@"
"""


class Listener(Protocol):
    """Who is told how an installation comes along."""

    def begin(self, what: str, total: int) -> None:
        """So many bytes are to be fetched for this now."""

    def at(self, count: int) -> None:
        """So many of them are here."""

    def say(self, line: str) -> None:
        """Something to read."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A server that could not be installed, and why, in one line."""

    name: str
    reason: str


def install(
    offers: Sequence[Offer], listener: Listener, *, mirror: Mirror | None = None, fetch: Fetch | None = None
) -> tuple[list[ServerBinary], list[Failure]]:
    """Install servers, those that are there already excepted; one that fails does not stop the others.

    Arguments:
        offers: what to install.
        listener: is told what happens.
        mirror: where from; the machine's own, when it is not said.
        fetch: how to fetch.

    Raises `RealServerError`, one line, when nothing can be installed here at all.
    """
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        here = f"{platform.system()} {platform.machine()}"
        raise RealServerError(f"Debian's servers run on Linux on x86-64 or arm64, and this is {here}")
    done: list[ServerBinary] = []
    failed: list[Failure] = []
    try:
        servers_folder().mkdir(parents=True, exist_ok=True)
        with _alone(listener):
            for left in servers_folder().glob(f"{_UNFINISHED}*"):
                shutil.rmtree(left)  # by one that was killed: whoever is alone here is not at work there
            shop: _Shop | None = None
            for offer in offers:
                try:
                    server = _there(offer)
                    if server is None:
                        shop = shop or _Shop(mirror or machine_mirror(), fetch or fetcher(), listener)
                        server = shop.install(offer)
                    done.append(server)
                except RedeliveryError as error:
                    failed.append(Failure(offer.name, str(error)))
    except OSError as error:
        raise RealServerError(_of_the_disk(error)) from None
    return done, failed


@contextmanager
def _alone(listener: Listener) -> Iterator[None]:
    """One installation at a time: another one waits here, and finds what this one has installed."""
    with (servers_folder() / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            listener.say("another installation is at work: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _there(offer: Offer) -> ServerBinary | None:
    """The server, if it is installed and still starts."""
    folder = servers_folder() / offer.name
    if read_manifest(folder) is None:
        return None
    try:
        return examine(folder / LAUNCHER, name=offer.name)
    except RealServerError:
        return None


class _Shop:
    """One mirror, and the suites of it that have been looked into."""

    def __init__(self, mirror: Mirror, fetch: Fetch, listener: Listener) -> None:
        self._mirror, self._fetch, self._listener = mirror, fetch, listener
        self._suites: dict[str, Suite] = {}
        self._cache = cache_folder() / "debian"

    def install(self, offer: Offer) -> ServerBinary:
        suite, package = self._find(offer)
        beneath = BENEATH.get(suite.name)
        suites = [self._suite(beneath), suite] if beneath else [suite]
        packages = closure(package, suites)
        self._fetch_all(offer, packages)
        server = self._assemble(offer, suite, package, packages)
        for deb in packages:
            self._file(deb).unlink(missing_ok=True)
        trust = "" if suite.signed else ", whose signature no key here can judge"
        self._listener.say(f"{offer.name}: {server.line} {server.version} from {suite.name}{trust}")
        return server

    def _find(self, offer: Offer) -> tuple[Suite, Package]:
        """The first suite that has the server in the series that is wanted."""
        seen: list[str] = []
        for name in offer.suites:
            try:
                suite = self._suite(name)
            except Gone as error:
                seen.append(str(error))
                continue
            package = suite.get(offer.package)
            if package is not None and _is_of(offer, package):
                return suite, package
            seen.append(f"{name} has {suite.servers()} now")
        raise RealServerError(f"no {offer.line} {offer.series} on {self._mirror.url}: {'; '.join(seen)}")

    def _suite(self, name: str) -> Suite:
        if name not in self._suites:
            self._listener.begin(f"index of {name}", 0)
            architecture = _ARCHITECTURES[platform.machine()]
            self._suites[name] = open_suite(
                self._mirror, name, architecture, self._cache, self._fetch, self._listener.at
            )
        return self._suites[name]

    def _fetch_all(self, offer: Offer, packages: list[Package]) -> None:
        self._listener.begin(offer.name, sum(package.size for package in packages))
        behind = 0

        def heard(count: int) -> None:
            self._listener.at(behind + count)

        for package in packages:
            target = self._file(package)
            download(self._fetch, package.url, target, size=package.size, sha256=package.sha256, heard=heard)
            behind += package.size

    def _file(self, package: Package) -> Path:
        return self._cache / f"{package.name}_{package.sha256[:16]}.deb"

    def _assemble(self, offer: Offer, suite: Suite, package: Package, packages: list[Package]) -> ServerBinary:
        """Put the server together beside its place, ask it its version, and move it there."""
        with tempfile.TemporaryDirectory(prefix=f"{_UNFINISHED}{offer.name}-", dir=servers_folder()) as place:
            folder = Path(place) / offer.name
            for each in packages:
                unpack(self._file(each), folder / "root")
            launcher = _write_launcher(folder, offer.package)
            server = _must_be(offer, package, examine(launcher, name=offer.name))
            listed = tuple((each.name, each.version.text, each.sha256) for each in packages)
            Manifest(server.line, server.version, suite.name, suite.mirror.url, suite.signed, listed).write(folder)
            target = servers_folder() / offer.name
            if target.exists():
                target.rename(Path(place) / "before")  # not finished, or of another format
            folder.rename(target)
        return ServerBinary(server.name, server.version, target / LAUNCHER, server.line)


def _is_of(offer: Offer, package: Package) -> bool:
    return f"{upstream(package.version.text)}.".startswith(f"{offer.series}.")


def _must_be(offer: Offer, package: Package, server: ServerBinary) -> ServerBinary:
    if (server.line, server.version) != (offer.line, upstream(package.version.text)):
        raise RealServerError(
            f"{package.name} {package.version.text} was unpacked, and what it starts says that it is "
            f"{server.line} {server.version}: it is not installed"
        )
    return server


def _write_launcher(folder: Path, program: str) -> Path:
    """The script that starts the server. Its name, by which the server knows what to be, is that of a link."""
    root = folder / "root"
    loaders = sorted([*root.glob("lib/*/ld-linux-*.so.*"), *root.glob("usr/lib/*/ld-linux-*.so.*")])
    if not loaders or not (root / "usr/bin" / program).exists():
        raise RealServerError(f"the packages for {program} hold no {'program' if loaders else 'loader'} to start")
    libraries = [path for pattern in ("lib/*-linux-gnu", "usr/lib/*-linux-gnu") for path in sorted(root.glob(pattern))]
    text = _SCRIPT.format(
        loader=loaders[0].relative_to(root),
        libraries=":".join(f"$root/{path.relative_to(root)}" for path in libraries),
        program=f"usr/bin/{program}",
    )
    launcher = folder / LAUNCHER
    launcher.write_text(text, encoding="utf-8")
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return launcher


def _of_the_disk(error: OSError) -> str:
    where = Path(os.fsdecode(error.filename)) if error.filename else servers_folder() / "x"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(where)
    return f"{where} cannot be written ({error.strerror}): set XDG_DATA_HOME and XDG_CACHE_HOME to folders that can"
