"""Drafting criteria: check feature files, align their tables, and start new ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.desk.positions import Positions
from registry.desk.rulebooks import rulebook
from registry.kit import resources
from registry.kit.files import written_whole
from rules.drafting import check as checker
from rules.drafting.format import aligned
from rules.drafting.scaffold import clauses_of_province, scaffold, scaffold_province
from rules.drafting.soundness import faults
from rules.errors import Problem, RulesError
from rules.language.rulebook import Rulebook
from rules.language.source import DECLARATIONS, feature_files

#: The kinds of definition table by the names that officers read.
KINDS: Final = {"情形": "cases", "分档": "bands", "阶梯": "ladder", "合计": "total"}


@dataclass(frozen=True)
class Checked:
    """What a check of feature files found, and how many rules and examples it read.

    ``notices`` do not count as problems; one names each file beside that has problems of its own.
    """

    problems: tuple[Problem, ...]
    notices: tuple[Problem, ...]
    rules: int
    examples: int


@dataclass(frozen=True)
class Formatted:
    """The number of files that were looked at, and the files that are not (or were not) aligned."""

    files: int
    changed: tuple[Path, ...]


def check(path: Path | None = None) -> Checked:
    """Check a feature file or a folder of them, or the packaged criteria.

    A file is compiled together with its whole folder, and a bureau's own packs together with the
    packaged criteria; only findings about ``path`` are reported. A draft without data maps uses the
    packaged ones. Raises ``RulesError`` if there are no feature files.
    """
    target = _features(path or resources.features())
    root = features_root(target)
    base, own = resources.criteria(root if path else None)
    packs = own is not None and path is not None
    within = f"{root.name}/" if packs else ""
    prefix = within if target == root else within + target.relative_to(root).as_posix()
    only = "" if target == root and not packs else prefix
    found, problems = checker.check(base, own=own, base=resources.features(), only=only)
    clauses = [c for c in found.clauses.values() if c.path.startswith(only)]
    clauses = [c for c in clauses if c.definition.text not in DECLARATIONS]
    positions = Positions(base, own, path)
    return Checked(
        positions.told(problems),
        positions.told(n for n in checker.notices(found) if n.path.startswith(only))
        + positions.told(_beside(found.problems, only)),
        len(clauses),
        sum(s.runs for c in clauses for s in c.scenarios),
    )


def unproved(folder: Path) -> tuple[Problem, ...]:
    """The examples of a draft that fail, and whatever in it cannot be intended.

    A result by such a draft is not what its drafter means, so whoever evaluates it is warned. What
    the packaged criteria contain in the same form is not run again. A draft that does not compile
    has none: whoever evaluates it gets the error.
    """
    root = features_root(folder.resolve())
    base, own = resources.criteria(root)
    try:
        packaged, draft = rulebook(), rulebook(root)
    except (RulesError, OSError):
        return ()
    ids = [id for id in draft.clauses if not _alike(draft, packaged, id)]
    found = {*faults(draft, ids), *checker.check_examples(draft, only=ids)}
    return Positions(base, own, folder).told(sorted(found))


def _alike(draft: Rulebook, packaged: Rulebook, id: str) -> bool:
    """Whether a rule, its examples and all that decides them stand alike in the packaged criteria."""
    if packaged.clauses.get(id) != draft.clauses[id]:
        return False
    if id in draft.rules:
        return draft.ruleset(id) == packaged.ruleset(id)
    return draft.applicability == packaged.applicability


def _beside(problems: Iterable[Problem], only: str) -> Iterator[Problem]:
    """A notice for each file beside the checked ones that does not compile."""
    others = [p for p in problems if not p.path.startswith(only)]
    for path in dict.fromkeys(p.path for p in others):
        mine = [p for p in others if p.path == path]
        message = f"这个文件另有{len(mine)}个问题，不在此次检查之内：请另行检查"
        yield Problem(path, mine[0].line, message)


def format_tables(paths: Iterable[Path], *, write: bool) -> Formatted:
    """Align the tables of feature files by display width; unless ``write``, only look.

    Without ``paths``, the packaged files are taken. Raises ``RulesError`` where a path holds none.
    """
    chosen = tuple(paths) or (resources.features(),)
    for path in chosen:
        _refuse_others(path)
    files = [file for path in chosen for file in feature_files(path)]
    changed = {f: data for f in files if (data := aligned(f)) is not None}
    for file, data in changed.items() if write else ():
        with written_whole(file) as fresh:
            fresh.write_bytes(data)
    return Formatted(len(files), tuple(changed))


def new_rule(id: str, title: str, kind: str) -> str:
    """The text of a new feature file, to be completed; ``kind`` is its table's, as in ``KINDS``."""
    return scaffold(id, title, KINDS[kind])


def new_province(province: str) -> tuple[str, str]:
    """The texts of a province's new feature file and of its list of clauses, to be completed."""
    packaged = rulebook()
    return scaffold_province(province, packaged), clauses_of_province(province, packaged)


def _features(path: Path) -> Path:
    _refuse_others(path)
    target = path.resolve()
    _refuse_others(target)
    return target


def _refuse_others(path: Path) -> None:
    """Raise ``RulesError`` where there is no feature file."""
    if not path.exists():
        raise RulesError("no-such-file", "{value} 不存在：请给出 .feature 文件或其目录", value=path)
    if not feature_files(path) or (path.is_file() and path.suffix != ".feature"):
        raise RulesError(
            "no-feature-files",
            "{where} 不是标准文件，也不含标准文件：请给出 .feature 文件或其目录",
            where=path,
        )


def features_root(path: Path) -> Path:
    """The features folder around a path (a complete one, or a bureau's packs); else the path."""
    folder = path if path.is_dir() else path.parent
    for candidate in (folder, *folder.parents):
        if resources.is_complete(candidate) or resources.is_own(candidate):
            return candidate
    return folder
