"""Real servers out of Debian's packages: what is fetched, what goes wrong, what is left."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput
from redelivery.sim.real.debian import fetching
from redelivery.sim.real.debian.fetching import AptHelper, Fetch, download, http_get
from redelivery.sim.real.debian.installing import Failure, install
from redelivery.sim.real.debian.offers import OFFERS, chosen
from redelivery.sim.real.debian.sources import Mirror
from redelivery.sim.real.errors import RealServerError
from redelivery.sim.real.installed import installed, servers_folder
from redelivery.sim.real.servers import ServerBinary, at_hand, locate

from .debian_mirror import LIBC, LIBRARIES, FakeMirror, deb, server, serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Debian's servers run on Linux")

HELPER = Path("/usr/lib/apt/apt-helper")
FETCHES = [http_get, *([AptHelper(HELPER)] if HELPER.exists() else [])]


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.began: list[tuple[str, int]] = []
        self.count = 0

    def begin(self, what: str, total: int) -> None:
        self.began.append((what, total))

    def at(self, count: int) -> None:
        self.count = count

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("REDELIVERY_SERVERS", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fetching, "PAUSE_S", 0.001)
    return tmp_path


@pytest.fixture
def mirror() -> Iterator[FakeMirror]:
    with serving() as mirror:
        yield mirror


@pytest.fixture(params=FETCHES, ids=["urllib", "apt"][: len(FETCHES)])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    found: Fetch = request.param
    return found


def stock(mirror: FakeMirror, suite: str = "bookworm", version: str = "7.0.15", line: str = "redis") -> str:
    """A server in a suite, with all that it needs; gives the path of the server's package."""
    mirror.add_package(suite, "libc6", "2.36-9", deb(LIBC))
    needs = "libc6 (>= 2.34), adduser, init | sysvinit"
    return mirror.add_package(suite, f"{line}-server", f"5:{version}-1", deb(server(line, version)), needs)


def bring(
    mirror: FakeMirror, *names: str, fetch: Fetch = http_get, heard: Heard | None = None
) -> tuple[list[ServerBinary], list[Failure]]:
    return install(chosen(names), heard or Heard(), mirror=Mirror(mirror.url), fetch=fetch)


def why_not(mirror: FakeMirror, name: str = "redis-7.0", fetch: Fetch = http_get) -> str:
    """The one line that says why a server is not installed; nothing of it may be left in its place."""
    done, failed = bring(mirror, name, fetch=fetch)
    assert (done, len(failed), failed[0].name) == ([], 1, name)
    assert [path.name for path in servers_folder().iterdir()] == [".lock"]
    assert "\n" not in failed[0].reason
    return failed[0].reason


def test_a_server_is_installed_once_and_found_by_its_name(mirror: FakeMirror, fetch: Fetch, home: Path) -> None:
    stock(mirror)
    heard = Heard()
    done, failed = bring(mirror, "redis-7.0", fetch=fetch, heard=heard)
    assert failed == []
    assert [(s.name, s.version, s.line, s.dialect) for s in done] == [("redis-7.0", "7.0.15", "redis", "redis-7.0")]
    assert done[0].path == home / "data/redelivery/servers/redis-7.0/run"
    assert done[0] in list(at_hand())
    assert locate("redis-7.0") == done[0]
    assert heard.lines == ["redis-7.0: redis 7.0.15 from bookworm, whose signature no key here can judge"]
    assert heard.began[-1] == ("redis-7.0", heard.count)
    manifest, _ = installed()["redis-7.0"]
    assert [name for name, _, _ in manifest.packages] == ["libc6", "redis-server"]
    assert not list((home / "cache").rglob("*.deb"))

    mirror.asked.clear()
    assert bring(mirror, "redis-7.0", fetch=fetch) == (done, [])
    assert mirror.asked == []


def test_a_launcher_works_wherever_it_is_called_from(mirror: FakeMirror, home: Path) -> None:
    stock(mirror)
    (server,), _ = bring(mirror, "redis-7.0")
    folder = server.path.parent
    (home / "moved and named").mkdir()
    folder.rename(home / "moved and named" / "it")
    for command, cwd in (
        ([str(home / "moved and named/it/run")], home),
        (["./run"], home / "moved and named/it"),
        (["it/run"], home / "moved and named"),
    ):
        said = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout
        assert said == "Redis server v=7.0.15 sha=0\n"


def test_a_server_that_does_not_start_any_more_is_installed_again(mirror: FakeMirror) -> None:
    stock(mirror)
    (server,), _ = bring(mirror, "redis-7.0")
    for broken in (server.path, server.path.parent / "root/usr/bin/redis-server", server.path.parent / "manifest.json"):
        broken.write_text("")
        assert bring(mirror, "redis-7.0") == ([server], [])
        assert subprocess.run([server.path], capture_output=True, check=True).stdout


def test_what_a_server_needs_is_followed_and_nothing_else(mirror: FakeMirror) -> None:
    needs = "libc6, libone (>= 1.2~) | libother, liblua5.1-0, lua-cjson (>= 2), adduser, redis-tools (= 5:7.0.15-1)"
    files = {name: {f"{LIBRARIES}/{name}.so": b"x"} for name in ("libone", "libnew", "lua-cjson", "libold", "libgone")}
    mirror.add_package("bookworm", "libc6", "2", deb(LIBC))
    mirror.add_package("bookworm", "redis-server", "5:7.0.15-1", deb({}), needs)
    mirror.add_package("bookworm", "redis-tools", "5:7.0.15-1", deb(server("redis", "7.0.15")))
    mirror.add_package("bookworm", "libone", "1.1", deb(files["libold"]))
    mirror.add_package("bookworm", "libone", "1.2-3", deb(files["libone"]), "libc6")
    mirror.add_package("bookworm", "lua-cjson", "2.1+dfsg-1", deb(files["lua-cjson"]))
    mirror.add_package("bookworm", "libnew", "7", deb(files["libnew"]), Provides="libx, liblua5.1-0 (= 5.1)")
    mirror.add_package("bookworm", "adduser", "1", deb(files["libgone"]))
    (server_,), failed = bring(mirror, "redis-7.0")
    assert failed == []
    there = {path.name for path in (server_.path.parent / "root" / LIBRARIES).iterdir()}
    assert there == {"ld-linux-fake.so.2", "libc.so.6", "libone.so", "libnew.so", "lua-cjson.so"}


def test_a_suite_that_is_not_whole_stands_on_another(mirror: FakeMirror) -> None:
    mirror.add_package("sid", "libc6", "2.43", deb(LIBC))
    mirror.add_package("sid", "libnew", "1", deb({f"{LIBRARIES}/libold.so": b"x"}))
    mirror.add_package("experimental", "libc6", "2.44", deb({f"{LIBRARIES}/too-new.so": b"x"}))
    mirror.add_package("experimental", "libnew", "2", deb({f"{LIBRARIES}/libnew.so": b"x"}))
    files = deb(server("redis", "8.6.3"))
    mirror.add_package("experimental", "redis-server", "5:8.6.3-1", files, "libc6 (>= 2.38), libnew (>> 1)")
    (server_,), failed = bring(mirror, "redis-8.6")
    assert failed == []
    there = {path.name for path in (server_.path.parent / "root" / LIBRARIES).iterdir()}
    assert there == {"ld-linux-fake.so.2", "libc.so.6", "libnew.so"}


def test_an_index_is_asked_for_by_its_hash_where_the_mirror_offers_that(mirror: FakeMirror, fetch: Fetch) -> None:
    stock(mirror)
    mirror.publish("bookworm", by_hash=True)
    assert bring(mirror, "redis-7.0", fetch=fetch)[1] == []
    assert any("/by-hash/SHA256/" in path for path, _ in mirror.asked)


# ---- what goes wrong on the way ----


def test_a_download_that_is_cut_off_goes_on_where_it_stopped(mirror: FakeMirror, fetch: Fetch) -> None:
    path = stock(mirror)
    mirror.cut[path] = (100, 2)
    assert bring(mirror, "redis-7.0", fetch=fetch)[1] == []
    starts = [start for asked, start in mirror.asked if asked == path]
    assert starts[0] == 0
    assert len(starts) == 3
    if fetch is http_get:  # apt goes on only where the file on the mirror is surely the same
        assert starts == [0, 100, 100]


def test_a_download_that_is_always_cut_off_ends_and_the_next_run_goes_on(mirror: FakeMirror, home: Path) -> None:
    path = stock(mirror)
    mirror.cut[path] = (100, 99)
    size = len(mirror.files[path])
    reason = why_not(mirror)
    assert reason == f"{mirror.url}/{path} was cut off: 0 of {size - 100} bytes came (4 attempts)"
    assert [p.stat().st_size for p in (home / "cache").rglob("*.part")] == [100]
    mirror.cut.clear()
    mirror.asked.clear()
    assert bring(mirror, "redis-7.0")[1] == []
    # Neither the index nor the package that was whole is fetched again.
    assert mirror.asked == [("dists/bookworm/InRelease", 0), (path, 100)]


def test_what_is_left_of_another_file_is_not_gone_on_with(mirror: FakeMirror, fetch: Fetch, tmp_path: Path) -> None:
    mirror.files["file"] = b"0123456789" * 50
    (tmp_path / "file.part").write_bytes(b"another" * 200)
    sha256 = hashlib.sha256(mirror.files["file"]).hexdigest()
    download(fetch, f"{mirror.url}/file", tmp_path / "file", size=500, sha256=sha256)
    assert (tmp_path / "file").read_bytes() == mirror.files["file"]


def test_a_package_with_another_checksum_is_refused(mirror: FakeMirror, fetch: Fetch) -> None:
    path = stock(mirror)
    mirror.files[path] = mirror.files[path][:-1] + b"!"
    reason = why_not(mirror, fetch=fetch)
    assert f"{path} is not what the index lists: its SHA256 is " in reason


def test_an_index_with_another_checksum_is_refused(mirror: FakeMirror) -> None:
    stock(mirror)
    index = next(path for path in mirror.files if path.endswith("Packages.xz"))
    mirror.files[index] = mirror.files[index][:-1] + b"!"
    assert f"{index} is not what the index lists" in why_not(mirror)


def test_a_package_that_is_gone_is_named(mirror: FakeMirror, fetch: Fetch) -> None:
    path = stock(mirror)
    del mirror.files[path]
    assert why_not(mirror, fetch=fetch) == f"{mirror.url}/{path}: there is no such file"
    assert [asked for asked, _ in mirror.asked].count(path) == 1  # it will not be there the next time


def test_a_library_that_is_missing_is_named(mirror: FakeMirror) -> None:
    mirror.add_package("bookworm", "libc6", "2.31-1", deb(LIBC))
    mirror.add_package("bookworm", "redis-server", "5:7.0.15-1", deb(server("redis", "7.0.15")), "libc6 (>= 2.34)")
    line = f"redis-server 5:7.0.15-1 needs libc6 (>= 2.34), which bookworm of {mirror.url} lacks now"
    assert why_not(mirror) == line


def test_a_suite_that_has_moved_on_says_what_it_has_now(mirror: FakeMirror) -> None:
    stock(mirror, version="7.2.5")
    stock(mirror, version="8.1.1", line="valkey")
    line = f"no redis 7.0 on {mirror.url}: bookworm has redis-server 5:7.2.5-1, valkey-server 5:8.1.1-1 now"
    assert why_not(mirror) == line


def test_a_suite_that_is_gone_is_named(mirror: FakeMirror, fetch: Fetch) -> None:
    reason = why_not(mirror, "redis-6.0", fetch)
    assert reason.startswith(f"no redis 6.0 on {mirror.url}: {mirror.url} has no suite 'bullseye'")
    assert reason.endswith("name another mirror with --mirror URL")


def test_the_next_suite_is_looked_into(mirror: FakeMirror) -> None:
    stock(mirror, "sid", "8.2.1")
    stock(mirror, "trixie", "8.0.2")
    (server_,), _ = bring(mirror, "redis-8.0")
    assert server_.version == "8.0.2"
    assert installed()["redis-8.0"][0].suite == "trixie"
    mirror.drop("trixie")
    _, (failure,) = bring(mirror, "valkey-8.1")
    assert "has no suite 'trixie'" in failure.reason


def test_a_server_that_says_another_version_is_not_installed(mirror: FakeMirror) -> None:
    mirror.add_package("bookworm", "libc6", "2", deb(LIBC))
    mirror.add_package("bookworm", "redis-server", "5:7.0.15-1", deb(server("redis", "7.0.14")), "libc6")
    reason = why_not(mirror)
    assert reason == (
        "redis-server 5:7.0.15-1 was unpacked, and what it starts says that it is redis 7.0.14: it is not installed"
    )


def test_a_server_that_does_not_start_is_not_installed(mirror: FakeMirror) -> None:
    mirror.add_package("bookworm", "libc6", "2", deb(LIBC))
    script = {"usr/bin/redis-server": b"echo libssl.so.3: not found >&2; exit 127\n"}
    path = mirror.add_package("bookworm", "redis-server", "5:7.0.15-1", deb(script), "libc6")
    assert "libssl.so.3: not found" in why_not(mirror)
    mirror.files[path] = b""
    mirror._stanzas.clear()
    mirror.add_package("bookworm", "redis-server", "5:7.0.15-1", deb(server("redis", "7.0.15")))
    assert why_not(mirror) == "the packages for redis-server hold no loader to start"


def test_one_that_fails_does_not_stop_the_others(mirror: FakeMirror) -> None:
    stock(mirror)
    done, failed = bring(mirror)
    assert [server.name for server in done] == ["redis-7.0"]
    assert [failure.name for failure in failed] == [name for name in OFFERS if name != "redis-7.0"]


def test_a_mirror_that_is_not_there_is_named(fetch: Fetch) -> None:
    nobody = FakeMirror("http://127.0.0.1:9")
    reason = why_not(nobody, fetch=fetch)
    assert reason.startswith("http://127.0.0.1:9/dists/bookworm/InRelease cannot be ")
    assert "Connection refused" in reason
    assert "(4 attempts)" in reason


def test_a_mirror_that_is_something_else_is_named(mirror: FakeMirror) -> None:
    mirror.files["dists/bookworm/InRelease"] = b"<html>Welcome</html>"
    assert "InRelease is not a list of indexes" in why_not(mirror)


def test_a_disk_that_is_full_is_named(mirror: FakeMirror, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def no_space(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    stock(mirror)
    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_store", no_space)
        assert why_not(mirror).startswith(f"no space is left in {home}/cache/redelivery/debian: free some")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", no_space)
        with pytest.raises(RealServerError, match=r"no space is left in .*servers: free some"):
            bring(mirror, "redis-7.0")
    assert [path.name for path in servers_folder().iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_is_named(mirror: FakeMirror, home: Path) -> None:
    (home / "data").write_text("")
    with pytest.raises(RealServerError, match="set XDG_DATA_HOME"):
        bring(mirror, "redis-7.0")


def test_a_second_installation_waits_for_the_first(mirror: FakeMirror) -> None:
    stock(mirror)
    heard = Heard()
    servers_folder().mkdir(parents=True)
    with (servers_folder() / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=bring, args=(mirror, "redis-7.0"), kwargs={"heard": heard})
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert heard.lines == ["another installation is at work: waiting for it"]
        assert not installed()
    thread.join(20)
    assert "redis-7.0" in installed()


def test_what_a_killed_installation_left_is_taken_up_and_cleared(mirror: FakeMirror, home: Path) -> None:
    path = stock(mirror)
    # A loader that waits: the installation is killed while it asks the server for its version.
    waits = b"#!/bin/sh\necho $$ > %b/waiting\nexec sleep 60\n" % bytes(home)
    mirror.add_package("bookworm", "libc6", "2.36-10", deb({**LIBC, f"{LIBRARIES}/ld-linux-fake.so.2": waits}))
    command = [sys.executable, "-m", "redelivery", "servers", "install", "redis-7.0", "--mirror", mirror.url]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        limit = time.monotonic() + 60
        while not (home / "waiting").exists() and time.monotonic() < limit:
            time.sleep(0.02)
        running.kill()
    left = sorted(file.name.partition("redis")[0] for file in servers_folder().iterdir())
    assert left == [".lock", ".unfinished-"]
    assert not installed()
    os.kill(int((home / "waiting").read_text()), signal.SIGKILL)
    mirror.add_package("bookworm", "libc6", "2.36-11", deb(LIBC))
    mirror.asked.clear()
    assert bring(mirror, "redis-7.0")[1] == []
    assert path not in [asked for asked, _ in mirror.asked]  # the package that was here is not fetched again
    assert sorted(file.name for file in servers_folder().iterdir()) == [".lock", "redis-7.0"]


# ---- signatures ----


@pytest.mark.parametrize(("status", "signed"), [("VALIDSIG 1", True), ("ERRSIG 1", False), ("BADSIG 1", None)])
def test_a_signature_is_judged_by_the_machines_keys(
    mirror: FakeMirror, home: Path, monkeypatch: pytest.MonkeyPatch, status: str, signed: bool | None
) -> None:
    stock(mirror)
    release = mirror.files["dists/bookworm/InRelease"].decode()
    mirror.files["dists/bookworm/InRelease"] = (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{release}-----BEGIN PGP SIGNATURE-----\n=\n"
    ).encode()
    (home / "bin").mkdir()
    (home / "keys.gpg").write_text("")
    gpgv = home / "bin/gpgv"
    gpgv.write_text(f'#!/bin/sh\necho "$@" > "{home}/asked"\necho "[GNUPG:] {status}"\n')
    gpgv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}/bin{os.pathsep}{os.environ['PATH']}")
    heard = Heard()
    _, failed = install(
        chosen(("redis-7.0",)), heard, mirror=Mirror(mirror.url, (home / "keys.gpg",)), fetch=http_get
    )
    assert (home / "asked").read_text().startswith(f"--status-fd 1 --keyring {home}/keys.gpg {home}/cache")
    if signed is None:
        assert failed[0].reason == f"the signature of bookworm on {mirror.url} is wrong: nothing is taken from it"
    else:
        assert failed == []
        assert installed()["redis-7.0"][0].signed is signed
        assert ("no key here" in heard.lines[0]) is not signed


def test_what_stands_before_a_signed_list_is_not_believed(mirror: FakeMirror) -> None:
    stock(mirror)
    release = mirror.files["dists/bookworm/InRelease"]
    mirror.files["dists/bookworm/InRelease"] = release + b"-----BEGIN PGP SIGNED MESSAGE-----\n"
    assert "InRelease is not a list of indexes" in why_not(mirror)


# ---- the command ----


def redelivery(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    out, err = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, out, err


def test_the_command_installs_and_lists(mirror: FakeMirror, capsys: pytest.CaptureFixture[str]) -> None:
    stock(mirror)
    code, out, err = redelivery(capsys, "servers", "install", "redis-7.0", "--mirror", f"{mirror.url}/", "--json")
    assert code == 0
    row = json.loads(out)["servers"][0]
    assert (row["name"], row["version"], row["dialect"]) == ("redis-7.0", "7.0.15", "redis-7.0")
    assert "redis-7.0: redis 7.0.15 from bookworm" in err
    code, out, _ = redelivery(capsys, "servers", "--json")
    assert code == 0
    assert row in json.loads(out)["servers"]
    code, out, _ = redelivery(capsys, "servers")
    assert f"redis 7.0.15     {row['path']}" in out


def test_the_command_says_in_a_line_what_it_could_not_install(
    mirror: FakeMirror, capsys: pytest.CaptureFixture[str]
) -> None:
    stock(mirror)
    code, out, err = redelivery(capsys, "servers", "install", "redis-7.0", "redis-6.0", "--mirror", mirror.url)
    assert code == 2
    assert out.startswith("redis-7.0: redis 7.0.15 at ")
    assert err.splitlines()[-1].startswith(f"redelivery servers install: redis-6.0: no redis 6.0 on {mirror.url}: ")
    code, _, err = redelivery(capsys, "servers", "install", "redis-7.1")
    assert (code, err) == (2, "redelivery: unknown server 'redis-7.1'; did you mean 'redis-7.0'?\n")


def test_an_offer_is_named_as_its_dialect() -> None:
    assert all(name == offer.name == f"{offer.line}-{offer.series}" for name, offer in OFFERS.items())
    with pytest.raises(BadInput, match="unknown server 'sqlite'"):
        chosen(("sqlite",))
