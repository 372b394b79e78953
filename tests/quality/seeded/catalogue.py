"""All the bugs, family by family."""

from __future__ import annotations

from . import answers, beside, claims, counting, delivery, entries, following, references, waiting
from .faults import Bug

FAMILIES: dict[str, tuple[Bug, ...]] = {
    "claims": claims.BUGS,
    "delivery": delivery.BUGS,
    "IDs and acknowledgments": entries.IDS,
    "trimming": entries.TRIM,
    "lag": counting.BUGS,
    "blocking and transactions": waiting.BUGS,
    "replies": answers.REPLIES,
    "groups": answers.GROUPS,
    "XINFO": answers.XINFO,
    "references, reads that claim, idempotent additions": references.BUGS,
    "lists and Pub/Sub": beside.BUGS,
    "waiting for those who follow": following.BUGS,
}

BUGS = tuple(bug for bugs in FAMILIES.values() for bug in bugs)
