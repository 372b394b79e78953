"""The programs and libraries inside a `.deb`, put into a folder.

A `.deb` is an `ar` archive that holds a compressed tar archive called `data.tar.*`.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import RealServerError

__all__ = ["unpack"]

_WANTED = ("lib/", "usr/lib/", "usr/bin/")
_NOT_WANTED = ("/gconv/", "/systemd/", "/audit/")
_AR = b"!<arch>\n"
_AR_HEADER_BYTES = 60
_READABLE = (".xz", ".gz", ".bz2", "")


def unpack(deb: Path, folder: Path) -> None:
    """Put what a program needs at run time below the folder: programs and libraries, no scripts, no documents.

    Raises `RealServerError`, one line, for a file that is no package or that would write elsewhere.
    """
    try:
        with _data(deb) as stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
            for member in archive:
                _put(archive, member, folder, deb)
    except (tarfile.TarError, EOFError) as error:
        raise RealServerError(f"{deb.name} is damaged: {error}") from None


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, deb: Path) -> None:
    name = posixpath.normpath(member.name)
    if name.startswith(("/", "..")):
        raise RealServerError(f"{deb.name} holds {member.name!r}, which lies outside of the package")
    if not name.startswith(_WANTED) or any(part in name for part in _NOT_WANTED):
        return
    target = folder / name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if member.issym():
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        if not aim.startswith(("/", "..")):
            os.symlink(member.linkname, target)
    elif member.islnk():
        os.link(folder / posixpath.normpath(member.linkname), target)
    elif member.isreg():
        source = archive.extractfile(member)
        assert source is not None
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)


@contextmanager
def _data(deb: Path) -> Iterator[IO[bytes]]:
    """The tar archive with the files, as `dpkg-deb` unpacks it; without that program, as far as Python can."""
    program = shutil.which("dpkg-deb")
    if program is None:
        with _member(deb) as stream:
            yield stream
        return
    with subprocess.Popen(
        [program, "--fsys-tarfile", str(deb)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stderr is not None
        yield running.stdout
        while running.stdout.read(1 << 16):  # what stands behind the end of the archive
            pass
        said = running.stderr.read().decode(errors="replace").split()
    if running.returncode != 0:
        raise RealServerError(f"{deb.name} is damaged: {' '.join(said)}")


@contextmanager
def _member(deb: Path) -> Iterator[IO[bytes]]:
    """The part `data.tar.*` of an `ar` archive."""
    with deb.open("rb") as file:
        if file.read(len(_AR)) != _AR:
            raise RealServerError(f"{deb.name} is no Debian package")
        while len(header := file.read(_AR_HEADER_BYTES)) == _AR_HEADER_BYTES:
            name = header[:16].decode(errors="replace").strip().rstrip("/")
            if name.startswith("data.tar"):
                if name.removeprefix("data.tar") not in _READABLE:
                    raise RealServerError(f"{deb.name} holds {name}, which needs dpkg-deb to unpack: install dpkg")
                yield file
                return
            size = int(header[48:58])
            file.seek(size + size % 2, os.SEEK_CUR)
    raise RealServerError(f"{deb.name} is damaged: it holds no data.tar")
