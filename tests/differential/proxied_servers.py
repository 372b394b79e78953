"""``redelivery proxy`` before a real server, as a process that tests start and end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ENDS_IN_S = 20


class Running:
    """A proxy that listens on ``port``; after the block ``report`` holds what it said at the end, ``code`` how."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.report: dict[str, Any] = {}
        self.code = -1


@contextmanager
def proxy_to(port: int, *options: str | Path) -> Iterator[Running]:
    """Starts a proxy before the server on a port of this machine, and ends it as Ctrl-C does."""
    command = [sys.executable, "-m", "redelivery", "proxy", "--json", "--port", "0", *map(str, options)]
    command += ["--to", f"redis://127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline().split()
        assert said[:1] == ["ready"], said
        running = Running(process, int(said[1]))
        try:
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=ENDS_IN_S)
            running.code = process.returncode
            assert "Traceback" not in err, err
            running.report = json.loads(out)
