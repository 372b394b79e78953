"""The explorer's pages over HTTP: for this machine alone, and for pages of its own alone."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from socketserver import TCPServer
from urllib.parse import parse_qs, urlsplit

from ..errors import BadInput, RedeliveryError
from ..views.report.page import PARTS, assemble
from .explorer import Explorer

LOOPBACK = "127.0.0.1"
SILENT_S = 10
"""A connection over which nothing comes for so long is closed."""
QUERY_MAX = 1 << 20


class Pages(ThreadingHTTPServer):
    """Listens on the loopback address; ``port`` 0 takes a free one. ``OSError`` where it cannot be had."""

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, explorer: Explorer, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.explorer = explorer

    def server_bind(self) -> None:
        """Listens without asking for this machine's name, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_port


class _Handler(BaseHTTPRequestHandler):
    server: Pages
    timeout = SILENT_S
    server_version = "redelivery"
    sys_version = ""

    def do_GET(self) -> None:
        """The page, or what it asks."""
        url = urlsplit(self.path)
        if not self._is_ours():
            self._send(HTTPStatus.FORBIDDEN, {"error": "this page is for this machine alone"})
        elif url.path == "/":
            self._send_bytes(HTTPStatus.OK, "text/html; charset=utf-8", page())
        elif url.path == "/look":
            self._look(url.query)
        else:
            self._send(HTTPStatus.NOT_FOUND, {"error": f"there is no {url.path}"})

    def _is_ours(self) -> bool:
        """Whether a page of another host asks, or one that another host's name was bent to this machine for."""
        port = self.server.port
        if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            return False
        return self.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")

    def _look(self, query: str) -> None:
        asked = parse_qs(query, max_num_fields=8)
        try:
            text, count = asked.get("tape", [""])[0], asked.get("at", [""])[0]
            if count and not (count.isascii() and count.isdecimal() and len(count) < 8):
                raise BadInput(f"at={count!r} is not a whole number")
            self._send(HTTPStatus.OK, self.server.explorer.look(text, int(count) if count else None))
        except RedeliveryError as error:
            self._send(HTTPStatus.BAD_REQUEST, {"error": " ".join(str(error).split())})

    def _send(self, status: HTTPStatus, value: object) -> None:
        self._send_bytes(status, "application/json", json.dumps(value).encode())

    def _send_bytes(self, status: HTTPStatus, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: who explores looks at the page."""


@cache
def page() -> bytes:
    """The one page, with everything in it but what it asks for."""
    folder = resources.files(__package__) / "page"
    template, script, style = (
        (folder / name).read_text(encoding="utf-8") for name in ("explore.html", "explore.js", "explore.css")
    )
    return assemble(template, PARTS, "redelivery explore", None, script=script, style=style, connects="'self'")
