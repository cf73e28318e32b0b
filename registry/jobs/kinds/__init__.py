"""The kinds of jobs: what is done, with which arguments, and what comes of it.

A kind is a function of its work, which has the arguments and the desk; the desk's ``watch`` shows
the progress. It may be ended at any moment; begun again with the same arguments, it takes up where
it stopped, and comes to the same result.
"""

from collections.abc import Mapping
from typing import Any, Final

from registry.errors import RecordError
from registry.jobs.kinds.deciding import DECIDE, DecidedMany, Deciding, Remarked
from registry.jobs.kinds.examining import EXAMINE, Examined, Examining
from registry.jobs.kinds.exporting import BUNDLE, BUNDLE_FILE, Exported, Exporting
from registry.jobs.kinds.importing import IMPORT, Importing
from registry.jobs.kinds.kind import WORKBOOK, Kind, Work
from registry.jobs.kinds.replaying import REPLAY, ReplayedAgain, Replaying
from registry.jobs.kinds.screening import SCREEN, Screened, Screening
from registry.jobs.kinds.simulating import IMPACT
from registry.jobs.kinds.surveying import Surveyed
from registry.jobs.kinds.verifying import VERIFY, Verified, Verifying

__all__ = [
    "BUNDLE", "BUNDLE_FILE", "DECIDE", "EXAMINE", "IMPACT", "IMPORT", "KINDS", "REPLAY", "SCREEN", "VERIFY",
    "WORKBOOK", "DecidedMany", "Deciding", "Examined", "Examining", "Exported", "Exporting", "Importing",
    "Kind", "Remarked", "ReplayedAgain", "Replaying", "Screened", "Screening", "Surveyed",
    "Verified", "Verifying", "Work", "kind",
]  # fmt: skip

KINDS: Final[Mapping[str, Kind[Any, Any]]] = {
    kind.name: kind for kind in (VERIFY, REPLAY, EXAMINE, IMPORT, DECIDE, SCREEN, IMPACT, BUNDLE)
}


def kind(name: str) -> Kind[Any, Any]:
    """The kind of that name; ``RecordError`` for one that this release does not know."""
    if name not in KINDS:
        raise RecordError("no-such-kind-of-job", "没有名为「{value}」的任务", value=name)
    return KINDS[name]
