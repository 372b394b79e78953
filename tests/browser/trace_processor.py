"""Perfetto's trace processor in a page: what it makes of a trace is asked in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Page

PAGE = """<!doctype html><meta charset="utf-8"><title>Trace processor</title>
<script>window.process = {env: {NODE_ENV: "production"}};</script>
<script type="module">
import {EngineBase} from "./engine.mjs";

class Engine extends EngineBase {
  mode = "WASM";
  id = "of the tests";
  constructor(port) {
    super();
    this.port = port;
    port.onmessage = (said) => this.onRpcResponseBytes(said.data);
  }
  rpcSendRequestBytes(bytes) { this.port.postMessage(bytes); }
}

let engine;
window.load = async (text) => {
  if (engine === undefined) {
    const channel = new MessageChannel();
    new Worker("./worker.js").postMessage(channel.port1, [channel.port1]);
    engine = new Engine(channel.port2);
  }
  await engine.resetTraceProcessor({});
  await engine.parse(new TextEncoder().encode(text));
  await engine.notifyEof();
};
window.ask = async (sql) => {
  const result = await engine.query(sql);
  const plain = (value) => typeof value === "bigint" ? Number(value) : value;
  const rows = [];
  for (const row = result.iter({}); row.valid(); row.next()) {
    rows.push(result.columns().map((name) => plain(row.get(name))));
  }
  return rows;
};
</script>
"""
WORKER = """// Of the builds for 32 and 64 bits, one is at hand: the glue must not find that this browser knows both.
const Module = WebAssembly.Module;
WebAssembly.Module = class extends Module {
  constructor(bytes) {
    const memory = 5, of64bits = 4;  // what the glue tries to see whether it can: a module with such a memory alone
    if (bytes[8] === memory && bytes[11] === of64bits) throw new Error("no memory of 64 bits");
    super(bytes);
  }
};
importScripts("./engine_bundle.node.js");
"""
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


class TraceProcessor:
    """The processor, in a page of its own."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        page.goto(address)
        page.wait_for_function("() => window.ask !== undefined")

    def load(self, text: str) -> None:
        """Has a trace read, in place of the one before."""
        self._page.evaluate("(text) => load(text)", text)

    def ask(self, sql: str) -> list[list[Any]]:
        """The rows of the answer."""
        rows: list[list[Any]] = self._page.evaluate("(sql) => ask(sql)", sql)
        return rows


@contextmanager
def served(files: Mapping[str, Path]) -> Iterator[str]:
    """The page's address: no worker runs from files, and 13 MB are much for the way through the browser's driver."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path[1:]
            own = {"": PAGE, "worker.js": WORKER, "favicon.ico": ""}
            data = files[name].read_bytes() if name in files else own[name].encode()
            self.send_response(200)
            self.send_header("Content-Type", KINDS.get(Path(name).suffix, "text/html"))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
