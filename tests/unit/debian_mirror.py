"""A mirror of Debian on the loopback interface, with packages of a few bytes, that fails as it is told."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import platform
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")
LIBRARIES = f"usr/lib/{platform.machine()}-linux-gnu"

# What starts programs here is a shell, so that the programs may be scripts.
LOADER = b'#!/bin/sh\n[ "$1" = --library-path ] || exit 9\nlibraries=$2\nexport libraries\nshift 2\nexec /bin/sh "$@"\n'


def server(line: str, version: str) -> dict[str, bytes]:
    """The files of a package that holds a server which only says its version."""
    text = f"#!/bin/sh\necho '{line.capitalize()} server v={version} sha=0'\n"
    return {f"usr/bin/{line}-server": text.encode()}


LIBC = {f"{LIBRARIES}/ld-linux-fake.so.2": LOADER, f"{LIBRARIES}/libc.so.6": b"library"}


def deb(files: Mapping[str, bytes], compression: str = "xz", links: Mapping[str, str] = {}) -> bytes:
    """A package with these files, and symbolic links by name."""
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": _tar({"control": b""}, "xz"),
        f"data.tar.{compression}": _tar(files, compression, links),
    }
    out = b"!<arch>\n"
    for name, data in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


_COMPRESS: dict[str, Callable[[bytes], bytes]] = {"xz": lzma.compress, "gz": gzip.compress, "bz2": bz2.compress}


def _tar(files: Mapping[str, bytes], compression: str, links: Mapping[str, str] = {}) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"./{name}" if not name.startswith(("/", "..")) else name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
        for name, aim in links.items():
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.linkname = tarfile.SYMTYPE, aim
            archive.addfile(member)
    return _COMPRESS.get(compression, bytes)(out.getvalue())


@dataclass
class FakeMirror:
    """What is served, by path; `cut` holds how many bytes of a path come before the connection ends, and how often.

    `asked` are the requests in order: the path, and where in the file it begins.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def add_package(self, suite: str, name: str, version: str, data: bytes, depends: str = "", **fields: str) -> str:
        """Put a package into a suite, and its path into the answer."""
        path = f"pool/{name}_{version.replace(':', '%3a')}.deb"
        self.files[path] = data
        stanza = {
            "Package": name, "Version": version, "Depends": depends, "Filename": path, "Size": str(len(data)),
            "SHA256": hashlib.sha256(data).hexdigest(), **fields,
        }  # fmt: skip
        self._stanzas.setdefault(suite, []).append("".join(f"{k}: {v}\n" for k, v in stanza.items() if v))
        self.publish(suite)
        return path

    def publish(self, suite: str, by_hash: bool = False) -> None:
        """Write the index of a suite anew."""
        folder = f"main/binary-{ARCHITECTURE}"
        index = lzma.compress("\n".join(self._stanzas.get(suite, [])).encode())
        digest = hashlib.sha256(index).hexdigest()
        self.files[f"dists/{suite}/{folder}/Packages.xz"] = index
        text = f"Suite: {suite}\nSHA256:\n {digest} {len(index)} {folder}/Packages.xz\n"
        if by_hash:
            self.files[f"dists/{suite}/{folder}/by-hash/SHA256/{digest}"] = index
            del self.files[f"dists/{suite}/{folder}/Packages.xz"]
            text = f"Acquire-By-Hash: yes\n{text}"
        self.files[f"dists/{suite}/InRelease"] = text.encode()

    def drop(self, suite: str) -> None:
        """Take a suite away."""
        self.files = {path: data for path, data in self.files.items() if not path.startswith(f"dists/{suite}/")}

    _stanzas: dict[str, list[str]] = field(default_factory=dict)


@contextmanager
def serving() -> Iterator[FakeMirror]:
    """A mirror that answers for as long as the block runs."""
    mirror = FakeMirror()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            data = mirror.files.get(path)
            asked_for = self.headers.get("Range", "bytes=0-")
            start = int(asked_for.removeprefix("bytes=").partition("-")[0])
            mirror.asked.append((path, start))
            if data is None:
                self._answer(404, b"")
            elif start and start >= len(data):
                self._answer(416, b"")
            else:
                total = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
                self._answer(206 if start else 200, data[start:], total, cut=self._cut(path, start))

        def _cut(self, path: str, start: int) -> int | None:
            at, times = mirror.cut.get(path, (0, 0))
            if times == 0:
                return None
            mirror.cut[path] = (at, times - 1)
            return max(0, at - start)

        def _answer(self, status: int, body: bytes, more: Mapping[str, str] = {}, cut: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT")
            for name, text in more.items():
                self.send_header(name, text)
            if cut is not None:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield mirror
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
