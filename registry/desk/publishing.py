"""Publishing criteria: they are checked and certified first, then put on record."""

from dataclasses import dataclass, replace
from pathlib import Path

from registry.desk.place import Desk
from registry.desk.positions import Positions
from registry.desk.rulebooks import write_texts
from registry.errors import RegistryError
from registry.kit import resources
from registry.kit.files import folder_written_whole
from registry.kit.progress import Watch, unwatched
from registry.record import calendars, certification, publication
from registry.record.determinations import signed_name
from registry.record.publication import Publication as Publication
from rules.decider import by_both
from rules.drafting import check as checker
from rules.errors import Problem, SourceError
from rules.language.rulebook import Rulebook


@dataclass(frozen=True, kw_only=True)
class PreparedCriteria:
    """Criteria that may be published if they have no ``problems``.

    ``certified`` counts the cases on which both engines agree, for criteria that are not packaged;
    the cases stand for every filing. ``folder`` holds the criteria, ``own`` the bureau's own beside
    them.
    """

    folder: Path
    own: Path | None
    rulebook: Rulebook
    problems: tuple[Problem, ...]
    notices: tuple[Problem, ...] = ()
    certified: int = 0


def prepare(folder: Path | None = None, *, by: str, watch: Watch = unwatched) -> PreparedCriteria:
    """Check criteria with both engines and certify those not packaged; needs no registry.

    Raises ``RecordError`` if nobody signs, and if the engines differ.
    """
    signed_name(by)
    base, own = resources.criteria(folder)
    rulebook, problems = checker.check(base, by_both, own, base=resources.features())
    positions = Positions(base, own, folder)
    if problems:
        told = positions.told(problems)
        return PreparedCriteria(folder=base, own=own, rulebook=rulebook, problems=told)
    rulesets = certification.uncertified(rulebook)
    with watch("核对两个引擎", len(rulesets)) as done:
        cases = certification.certified(rulesets, done)
    return PreparedCriteria(
        folder=base,
        own=own,
        rulebook=rulebook,
        problems=(),
        notices=positions.told(checker.notices(rulebook)),
        certified=cases,
    )


def export(desk: Desk, folder: Path) -> int:
    """Write the files of the criteria in force to a new folder, which opens elsewhere; their number.

    Raises ``RegistryError`` if the folder exists.
    """
    if folder.exists():
        raise RegistryError("folder-exists", "{where} 已存在：请另取文件夹名", where=folder)
    desk.in_force()
    with desk.reading() as session:
        files = publication.sources(session)
    with folder_written_whole(folder) as fresh:
        write_texts(files, fresh)
    return len(files)


def publish(desk: Desk, criteria: PreparedCriteria) -> Publication:
    """Put prepared criteria on record: they govern all decisions from now on."""
    if criteria.problems:
        raise SourceError(list(criteria.problems))
    by = signed_name(desk.by)
    with desk.writing() as session:
        before = calendars.years(session)
        done = publication.publish(
            session,
            criteria.rulebook,
            criteria.folder,
            by=by,
            now=desk.clock(),
            own=criteria.own,
        )
        years = calendars.changed(before, calendars.years(session))
    return replace(done, years=years)
