"""Verifying the registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from registry.desk import auditing
from registry.jobs.kinds.kind import Kind, Work, taken


@dataclass(frozen=True)
class Verifying:
    """Whether decisions are taken again too."""

    replay: bool = True


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The findings of a verification, as in ``VerificationReport``."""

    integrity: tuple[str, ...]
    completeness: tuple[str, ...]
    correctness: tuple[str, ...]
    size: int
    decisions: int
    replayed: int
    filings: Mapping[str, int]
    head: str
    checkpoints: int
    applications: int = 0
    steps: int = 0


def _verify(work: Work[Verifying]) -> Verified:
    found = auditing.verified(work.desk, auditing.Trust(), replay=work.arguments.replay)
    return taken(
        Verified,
        found,
        integrity=tuple(found.integrity),
        completeness=tuple(found.completeness),
        correctness=tuple(found.correctness),
    )


VERIFY: Final = Kind("verify", "验证登记库", Verifying, Verified, _verify)
