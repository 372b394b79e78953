"""A run as rows for a spreadsheet, a data frame or ``grep``: one for each event, nothing left out."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from ..events import Effect, Served
from ..history import History, fact_out, reply_out
from ..views.words import text

COLUMNS = ("n", "at_ms", "kind", "process", "call", "command", "reply", "facts", "more")
_OWN = frozenset(("at_ms", "process", "call", "commands", "replies", "reply", "facts"))


def table(history: History) -> str:
    """Comma-separated values with a line of names; replies and facts are JSON, and so is what only some events have."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for n, event in enumerate(history):
        fields = event._asdict()
        command = " ; ".join(" ".join(text(word) for word in argv) for argv in fields.get("commands", ()))
        facts = [fact_out(fact) for fact in fields.get("facts", ())]
        replies = event.replies if isinstance(event, Effect) else (event.reply,) if isinstance(event, Served) else ()
        more = {name: _plain(value) for name, value in fields.items() if name not in _OWN}
        rows.writerow(
            (
                n, event.at_ms, type(event).__name__, fields.get("process", ""), fields.get("call", ""), command,
                _json([reply_out(reply) for reply in replies]), _json(facts), _json(more),
            )
        )  # fmt: skip
    return out.getvalue()


def _plain(value: Any) -> Any:
    return text(value) if isinstance(value, bytes) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""
