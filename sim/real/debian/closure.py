"""Which packages a server needs to start: its own, and the libraries below them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import RealServerError
from .suite import Package, Suite
from .versions import satisfies

__all__ = ["closure"]

_FOLLOWED = re.compile(r"(lib|lua-|redis-|valkey-)")
"""Libraries (those for Lua are named otherwise) and parts of the server itself.

All else prepares a machine to run a service: users, init scripts, a shell.
"""

_RELATION = re.compile(r"([a-z0-9][a-z0-9.+-]*)(?::\w+)?\s*(?:\(\s*(>=|>>|=|<=|<<)\s*([^)\s]+)\s*\))?")


def closure(package: Package, suites: Sequence[Suite]) -> list[Package]:
    """The package and all that it needs, by name.

    Arguments:
        package: what is wanted.
        suites: where to look for the rest, the preferred one first. A package of a later suite is taken where
            the earlier ones have none that is new enough.

    Raises `RealServerError`, one line, when something is missing.
    """
    found = {package.name: package}
    todo = [package]
    while todo:
        needed = todo.pop()
        for alternatives in filter(None, map(str.strip, needed.depends.split(","))):
            if not _FOLLOWED.match(alternatives):
                continue
            best = _best(alternatives, needed, suites)
            if best.name not in found:
                found[best.name] = best
                todo.append(best)
    return [found[name] for name in sorted(found)]


def _best(alternatives: str, needed: Package, suites: Sequence[Suite]) -> Package:
    """The first alternative that some suite has, in a version that fits."""
    for text in alternatives.split("|"):
        relation = _RELATION.match(text.strip())
        if relation is None:
            continue
        name, how, wanted = relation.groups()
        for suite in suites:
            package = suite.get(name)
            if package is not None and (how is None or satisfies(package.version, how, wanted)):
                return package
            for other, version in suite.providers(name):
                if how is None or (version is not None and satisfies(version, how, wanted)):
                    return other
    places = " or ".join(suite.name for suite in suites)
    raise RealServerError(
        f"{needed.name} {needed.version.text} needs {alternatives}, which {places} of {suites[0].mirror.url} lacks now"
    )
