"""What all suites have in common: what they are given, and what they find."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settings:
    """How to measure."""

    binary: Path
    wrk: str
    rounds: int
    seconds: float
    """Length of one measurement."""
    overload_seconds: float = 60
    """Length of the overload."""
    part: str | None = None
    """The only part of a suite to measure."""

    def wants(self, part: str) -> bool:
        """Whether this part of a suite is to be measured."""
        return self.part in (None, part)


@dataclass(frozen=True)
class Goal:
    """A figure that is wanted."""

    what: str
    figure: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the figure is on the right side of its limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return f"{self.what}: {self.figure:.2f} {self.unit}, {bound} {self.limit:g} {self.unit} wanted"


@dataclass
class Findings:
    """What a suite has found."""

    goals: list[Goal] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    """Everything that was measured, for JSON."""

    def add(self, other: Findings) -> None:
        """Takes over what another part has found."""
        self.goals += other.goals
        self.record |= other.record
