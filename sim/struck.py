"""What the faults that strike processes have in common: whom they name, and how they are spoken of."""

from __future__ import annotations

from typing import TypeAlias

from .errors import ScenarioError

Who: TypeAlias = "str | tuple[str, ...]"
"""A process by its name, or several of which any may be struck."""


def names_of(process: Who) -> tuple[str, ...]:
    """The names."""
    return (process,) if isinstance(process, str) else process


class Striking:
    """A fault that strikes processes: one, or several of which any may be struck."""

    __slots__ = ()

    process: Who
    budget: int

    @property
    def names(self) -> tuple[str, ...]:
        """The processes that may be struck."""
        return names_of(self.process)

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self.deed(' or '.join(self.names))}: at most {self.budget}"


def check_least(what: str, process: Who, field: str, value: int) -> None:
    """One clear line where a number is below 1."""
    if value < 1:
        raise ScenarioError(f"a {what} of {process!r}: {field} is {value}, it must be at least 1")
