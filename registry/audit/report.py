"""What a verification of the record found."""

from dataclasses import dataclass, field
from typing import Any

from registry.kit.jsontext import fields_of
from registry.portable.chain import GENESIS


@dataclass(kw_only=True)
class VerificationReport:
    """The findings of a verification; a verdict holds if its list is empty.

    ``filings`` counts versions of filings by their state. ``root`` and ``head`` are those that a
    checkpoint signed now would state.
    """

    integrity: list[str] = field(default_factory=list)
    completeness: list[str] = field(default_factory=list)
    correctness: list[str] = field(default_factory=list)
    size: int = 0
    decisions: int = 0
    replayed: int = 0
    applications: int = 0
    steps: int = 0
    duties: int = 0
    filings: dict[str, int] = field(default_factory=dict)
    root: bytes = b""
    head: str = GENESIS
    checkpoints: int = 0

    @property
    def sound(self) -> bool:
        """Whether all three verdicts hold."""
        return not (self.integrity or self.completeness or self.correctness)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {**fields_of(self), "root": self.root.hex()}
