"""The time of real servers, set from outside.

A server that is started with `VirtualClock.environment()` takes its wall clock from a page of shared memory
(`clock.c` says how). So the IDs, idle times and timeouts that it computes are exact, and the same commands
give the same bytes. The page is read at each command; a server that sleeps looks at it at its next event, so
to make a deadline count at once, send it anything (a PING) after the step.
"""

from __future__ import annotations

import hashlib
import importlib.util
import mmap
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from .errors import ClockUnavailable
from .folders import cache_folder

__all__ = ["START_MS", "VirtualClock", "set_clock_command"]

START_MS = 1_700_000_000_000
"""Where a clock starts when nothing else is said: in November 2023."""

IN_BAND_MS_MIN = 1_000_000_000_000
"""The earliest time that can be set from within the command stream; `clock.c` takes less for a sleep."""

_PAGE_BYTES = 4096
_SOURCE = Path(__file__).with_name("clock.c")
_FLAGS = (
    *("-O2", "-fPIC", "-shared", "-nostdlib", "-ffreestanding", "-fno-builtin"),
    # Either would call a libc; some compilers turn them on by default.
    *("-fno-stack-protector", "-fno-sanitize=undefined"),
)


class VirtualClock:
    """A wall clock for any number of servers, which moves only when it is set.

    Raises `ClockUnavailable`, one line, where there is none: elsewhere than on Linux x86-64, and where the
    small library that it needs is not built yet and there is no C compiler.
    """

    def __init__(self, now_ms: int = START_MS) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="redelivery-clock-", ignore_cleanup_errors=True)
        try:
            self._library = library()
            self._file = Path(self._directory.name) / "page"
            self._file.write_bytes(bytes(_PAGE_BYTES))
            with self._file.open("r+b") as file:
                self._map = mmap.mmap(file.fileno(), _PAGE_BYTES)
            # One word, aligned: a store through the view is one instruction, so no server reads half of it.
            self._words = memoryview(self._map).cast("q")
            self.set(now_ms)
        except BaseException:
            self._directory.cleanup()
            raise

    @property
    def now_ms(self) -> int:
        """The time in milliseconds since the epoch, also after a server set it (`set_clock_command`)."""
        return self._words[0] // 1000

    def set(self, now_ms: int) -> None:
        """Set the time, in milliseconds since the epoch, forward or backward."""
        if now_ms < 0:
            raise ValueError(f"a clock cannot show {now_ms} ms: the epoch is its earliest time")
        self._words[0] = now_ms * 1000

    def environment(self) -> dict[str, str]:
        """The variables to start a server with, besides its own environment.

        The server dies with the process that starts it, more exactly with the *thread* (that is how the
        kernel sees a parent): start it from a thread that lives as long as it is needed.
        """
        preloaded = [str(self._library), *filter(None, [os.environ.get("LD_PRELOAD")])]
        return {
            "LD_PRELOAD": ":".join(preloaded),
            "REDELIVERY_CLOCK": str(self._file),
            "REDELIVERY_PARENT": str(os.getpid()),
        }

    def close(self) -> None:
        """Give the page back; a server that still runs keeps the last time. A second time does nothing."""
        self._words.release()
        self._map.close()
        self._directory.cleanup()

    def __enter__(self) -> VirtualClock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def set_clock_command(now_ms: int) -> tuple[bytes, ...]:
    """The command that sets the clock from within the command stream: a pipeline can step through time.

    The server's own `DEBUG SLEEP` brings it; from 7.0 on it must be enabled
    (`SpawnedServer(enable_debug=True)`).
    """
    if now_ms < IN_BAND_MS_MIN:
        raise ValueError(f"{now_ms} ms is too early to be set in band: {IN_BAND_MS_MIN} ms is the earliest")
    return b"DEBUG", b"SLEEP", b"%d.%03d" % divmod(now_ms, 1000)


def library() -> Path:
    """The library to preload; built at the first use, then kept in the user's cache folder."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        here = f"{platform.system()} {platform.machine()}"
        raise ClockUnavailable(f"the virtual clock needs Linux on x86-64, and this is {here}: use real time")
    source = _SOURCE.read_bytes()
    name = hashlib.sha256(b"\0".join([source, *map(str.encode, _FLAGS)])).hexdigest()[:16]
    built = cache_folder() / f"clock-{name}.so"
    if not built.exists():
        _build(built)
    return built


def _compilers() -> list[list[str]]:
    found = [[path] for path in map(shutil.which, ("cc", "gcc", "clang")) if path]
    if importlib.util.find_spec("ziglang") is not None:
        found.append([sys.executable, "-m", "ziglang", "cc"])
    return found


def _build(target: Path) -> None:
    """Compile to a file of its own, then rename: another process sees the whole library or none."""
    compilers = _compilers()
    if not compilers:
        raise ClockUnavailable(
            "the virtual clock needs a C compiler once: install cc, gcc or clang, or `pip install ziglang`"
        )
    complaint = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            output = Path(folder) / target.name
            for compiler in compilers:
                command = [*compiler, *_FLAGS, "-o", str(output), str(_SOURCE)]
                ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
                if ran.returncode == 0 and output.exists():
                    output.replace(target)
                    return
                complaint = complaint or (ran.stderr.strip().splitlines() or [f"status {ran.returncode}"])[0]
    except OSError as error:
        raise ClockUnavailable(
            f"the virtual clock's library cannot be kept in {target.parent} ({error.strerror}): "
            "set XDG_CACHE_HOME to a folder that can be written"
        ) from None
    raise ClockUnavailable(
        f"no C compiler here can build the virtual clock's library ({complaint}): "
        "install another, or `pip install ziglang`"
    )
