"""A run written for another tool: which forms there are, and which one a file's ending means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import BadInput, unknown
from ..history import History
from ..views.sequence import mermaid
from .spans import spans
from .table import parquet, table
from .trace_events import trace_events


def _mermaid(history: History) -> str:
    return "".join(line + "\n" for line in mermaid(history))


FORMS: dict[str, tuple[str, Callable[[History], str]]] = {
    "trace": (".json", trace_events),
    "spans": (".json", spans),
    "csv": (".csv", table),
    "mermaid": (".mmd", _mermaid),
}
"""Each form with its ending and what makes it."""
PARQUET = "parquet"
"""The one form that is no text."""
ALL_FORMS = (*FORMS, PARQUET)
_BY_ENDING = {".json": "trace", ".csv": "csv", ".mmd": "mermaid", ".parquet": PARQUET}


def form_of(path: Path, given: str | None) -> str:
    """The form that is asked for, or that the file's ending means."""
    if given is not None:
        if given not in ALL_FORMS:
            raise unknown("form", given, ALL_FORMS)
        return given
    if path.suffix.lower() not in _BY_ENDING:
        known = ", ".join(f"{ending} ({form})" for ending, form in _BY_ENDING.items())
        raise BadInput(f"cannot tell what to write to {str(path)!r}: its ending is none of {known}; or give --form")
    return _BY_ENDING[path.suffix.lower()]


def export(history: History, form: str) -> str:
    """The text of the file; the same history gives the same text."""
    return FORMS[form][1](history)


def write(history: History, path: Path, form: str) -> int:
    """Writes the file; how many bytes it has."""
    data = parquet(history) if form == PARQUET else export(history, form).encode()
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(f"cannot write to {path}: {error.strerror}") from error
    return len(data)
