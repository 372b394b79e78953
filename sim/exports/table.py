"""A run as rows for a spreadsheet, a data frame or ``grep``: one for each event, nothing left out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from ..errors import BadInput
from ..events import Effect, Served
from ..history import History, fact_out, reply_out
from ..views.words import text

COLUMNS = ("n", "at_ms", "kind", "process", "call", "command", "reply", "facts", "more")
NUMBERS = ("n", "at_ms", "call")
_OWN = frozenset(("at_ms", "process", "call", "commands", "replies", "reply", "facts"))


def table(history: History) -> str:
    """Comma-separated values with a line of names; replies and facts are JSON, and so is what only some events have."""
    out = io.StringIO()
    written = csv.writer(out, lineterminator="\n")
    written.writerow(COLUMNS)
    written.writerows(rows(history))
    return out.getvalue()


def parquet(history: History) -> bytes:
    """The same rows as Parquet: ``n`` and ``at_ms`` are numbers, so is ``call`` (null where there is none)."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise BadInput("Parquet needs pyarrow: pip install 'redelivery[parquet]'") from error
    whole = pa.schema([(name, pa.int64() if name in NUMBERS else pa.string()) for name in COLUMNS])
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows(history)]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(found, schema=whole), out)
    return out.getvalue()


def rows(history: History) -> Iterator[tuple[int | str | None, ...]]:
    """A row for each event, as ``COLUMNS`` names them."""
    for n, event in enumerate(history):
        fields = event._asdict()
        command = " ; ".join(" ".join(text(word) for word in argv) for argv in fields.get("commands", ()))
        facts = [fact_out(fact) for fact in fields.get("facts", ())]
        replies = event.replies if isinstance(event, Effect) else (event.reply,) if isinstance(event, Served) else ()
        more = {name: _plain(value) for name, value in fields.items() if name not in _OWN}
        yield (
            n, event.at_ms, type(event).__name__, fields.get("process", ""), fields.get("call"), command,
            _json([reply_out(reply) for reply in replies]), _json(facts), _json(more),
        )  # fmt: skip


def _plain(value: Any) -> Any:
    return text(value) if isinstance(value, bytes) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""
