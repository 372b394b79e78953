"""Debian's own things: its versions, the sources of apt, and what is inside a package."""

from __future__ import annotations

import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
from redelivery.sim.real.debian.sources import machine_mirror
from redelivery.sim.real.debian.unpacking import unpack
from redelivery.sim.real.debian.versions import Version, satisfies, upstream
from redelivery.sim.real.errors import RealServerError

from .debian_mirror import deb

ASCENDING = [
    "0~~", "0~", "0", "0a", "0+b1", "0.1", "1.0~rc1-1", "1.0-1~deb12u1", "1.0-1", "1.0-1+deb12u2", "1.0-1+deb12u10",
    "1.0-2", "1.0a-1", "1.0.1", "1.9", "1.10", "2.3-alpha-1", "1:0.1", "5:7.0.15-1~deb12u7", "5:8.0.6-3",
]  # fmt: skip


def test_versions_are_ordered_as_by_dpkg() -> None:
    for one, other in combinations(ASCENDING, 2):
        assert Version(one) < Version(other), (one, other)
        assert not Version(other) < Version(one)
    assert Version("1.0") == Version("0:1.0-0") == Version("1.00")
    assert satisfies(Version("2.36-9"), ">=", "2.34")
    assert not satisfies(Version("1.2~rc1"), ">=", "1.2")
    assert satisfies(Version("1.2~rc1"), ">=", "1.2~")
    assert [satisfies(Version("2"), how, "2") for how in ("<<", "<=", "=", ">=", ">>")] == [
        False, True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "version"),
    [("5:7.0.15-1~deb12u7", "7.0.15"), ("8.1.1+dfsg1-3+deb13u3", "8.1.1"), ("5:6.0.16-1+deb11u2", "6.0.16")],
)
def test_the_version_of_the_program_is_in_that_of_the_package(text: str, version: str) -> None:
    assert upstream(text) == version


# ---- the sources of apt ----

LINES = """
# deb http://no/debian bookworm main
deb-src http://no/debian bookworm main
deb http://other.example/packages stable-extra main
deb http://no/debian-security bookworm-security main
deb [arch=amd64 signed-by={key}] http://yes/debian/ bookworm main contrib # ours
"""

PARAGRAPHS = """
Types: deb
URIs: http://no/debian
Suites: bookworm
Components: main
Enabled: no

# A comment
Types: deb deb-src
# another, inside
URIs: http://yes/debian/ http://second/debian
Suites: bookworm
  bookworm-updates
Components: non-free
 main
Signed-By: {key}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("sources.list", LINES), ("sources.list.d/a.list", LINES), ("sources.list.d/debian.sources", PARAGRAPHS)],
)
def test_the_mirror_is_that_of_apt(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/broken.sources").write_bytes(b"\xff: \n ::\n")
    key = tmp_path / "key.gpg"
    key.write_text("")
    (tmp_path / name).write_text(text.format(key=key))
    mirror = machine_mirror(tmp_path)
    assert mirror.url == "http://yes/debian"
    assert mirror.keyrings == (key,)


def test_where_apt_knows_no_mirror_the_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(RealServerError, match=r"has no apt .* --mirror URL"):
        machine_mirror(tmp_path / "none")
    (tmp_path / "sources.list").write_text("deb http://archive.example/ubuntu noble main\n")
    with pytest.raises(RealServerError, match=r"none of the sources .* --mirror URL"):
        machine_mirror(tmp_path)


# ---- packages ----


@pytest.fixture(params=["dpkg-deb", "python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    if name == "python":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif shutil.which(name) is None:
        pytest.skip("dpkg-deb is part of Debian")
    return name


def stored(folder: Path, data: bytes) -> Path:
    (folder / "it.deb").write_bytes(data)
    return folder / "it.deb"


@pytest.mark.parametrize("compression", ["xz", "gz", "bz2"])
@pytest.mark.usefixtures("way")
def test_programs_and_libraries_are_unpacked(tmp_path: Path, compression: str) -> None:
    files = {
        "usr/bin/check": b"#!/bin/sh\necho $0\n", "usr/lib/x/libz.so.1": b"z" * 99, "lib/x/liby.so": b"y",
        "etc/redis.conf": b"", "usr/share/doc/README": b"", "usr/lib/x/gconv/A.so": b"",
    }  # fmt: skip
    links = {"usr/bin/server": "check", "usr/lib/x/libz.so": "libz.so.1", "usr/lib/out": "../../../../etc/passwd"}
    unpack(stored(tmp_path, deb(files, compression, links)), tmp_path / "root")
    there = {str(p.relative_to(tmp_path / "root")) for p in (tmp_path / "root").rglob("*") if not p.is_dir()}
    assert there == {"usr/bin/check", "usr/bin/server", "usr/lib/x/libz.so.1", "usr/lib/x/libz.so", "lib/x/liby.so"}
    assert (tmp_path / "root/usr/lib/x/libz.so").read_bytes() == b"z" * 99
    said = subprocess.run([tmp_path / "root/usr/bin/server"], capture_output=True, text=True, check=True).stdout
    assert said == f"{tmp_path / 'root' / 'usr' / 'bin' / 'server'}\n"


@pytest.mark.usefixtures("way")
def test_a_package_that_would_write_elsewhere_is_refused(tmp_path: Path) -> None:
    for name in ("../outside", "usr/bin/../../../outside", "/outside"):
        with pytest.raises(RealServerError, match="lies outside of the package"):
            unpack(stored(tmp_path, deb({name: b"x"})), tmp_path / "root")
    assert not (tmp_path / "outside").exists()


def test_a_link_does_not_lead_a_file_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    unpack(stored(tmp_path, deb({}, links={"usr/lib/x": str(outside)})), tmp_path / "root")
    unpack(stored(tmp_path, deb({"usr/lib/x/file": b"x"})), tmp_path / "root")
    assert list(outside.iterdir()) == []


@pytest.mark.usefixtures("way")
def test_a_package_that_is_damaged_is_named(tmp_path: Path) -> None:
    data = deb({"usr/bin/x": bytes(range(256)) * 99})
    for broken in (b"", b"no archive at all", data[: len(data) // 2], data[:70]):
        with pytest.raises(RealServerError, match=r"it\.deb (is damaged|is no Debian package)") as raised:
            unpack(stored(tmp_path, broken), tmp_path / "root")
        assert "\n" not in str(raised.value)


def test_a_compression_that_is_not_known_needs_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(RealServerError, match=r"holds data\.tar\.zst, which needs dpkg-deb to unpack: install dpkg"):
        unpack(stored(tmp_path, deb({}, "zst")), tmp_path / "root")
