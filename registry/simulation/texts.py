"""Finds texts by the names that officers and drafters use: a source folder, a root rule, a draft.

``miit-2026-2`` is a folder of the criteria, ``63.2`` a root rule, ``./our-draft`` a features directory,
``./our-draft/miit-2026-2`` one of its source folders, 随附 the packaged criteria as a whole, and 现行
those in force.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Final

from registry.errors import RegistryError
from registry.judging.judge import Rules
from rules.errors import NoRulesetError
from rules.language.editions import (
    OTHERS,
    RECHECK,
    RECOGNITION,
    ApplicabilityRow,
    governing,
    tiers_asked,
)
from rules.language.rulebook import Rulebook, load
from rules.language.source import feature_files
from rules.model.catalogue import Catalogue
from rules.model.ruleset import Rule, Ruleset
from rules.portable.errors import Remedy

if TYPE_CHECKING:
    from registry.judging.published import Published

#: The name of the packaged criteria as a whole.
PACKAGED: Final = "随附"
#: The name of the criteria in force as a whole.
IN_FORCE: Final = "现行"


class TextError(RegistryError):
    """A name does not identify a text, or two texts cannot be compared."""


@dataclass(frozen=True)
class Text:
    """A text: its rules, and its own rows of the applicability table.

    ``whole`` means a whole set of criteria, whose table says which ruleset governs a case;
    ``single`` means that just one root rule was named.
    """

    label: str
    rules: Rules
    rows: tuple[ApplicabilityRow, ...]
    whole: bool = False
    single: bool = False

    def has(self, root: str) -> bool:
        """Whether the text has a ruleset of that id."""
        return any(r.ruleset == root for r in self.rows)

    def general(self, tier: str, procedure: str) -> str | None:
        """The latest ruleset of a tier for provinces and batches without rules of their own."""
        if self.single:
            row = self.rows[0]
            return row.ruleset if (row.tier, row.procedure) == (tier, procedure) else None
        found = [
            r
            for r in self.rows
            if (r.tier, r.procedure, r.province, r.batch) == (tier, procedure, OTHERS, "")
        ]
        return max(found, key=lambda r: r.start or date.min).ruleset if found else None

    def nearest(
        self, tier: str, procedure: str, day: date, province: str, batch: str
    ) -> ApplicabilityRow | None:
        """The row for a case, as if the text were in force: the one covering the day, or the nearest.

        A row of the case's own province or batch precedes the others, as it does in force.
        """
        rows = [r for r in self.rows if (r.tier, r.procedure) == (tier, procedure)]
        turns = {d for r in rows for d in (r.start, r.end) if d}
        days = [day, *sorted(turns, key=lambda d: (abs((d - day).days), d))]
        for at in days:
            try:
                found = governing(
                    rows, tier=tier, procedure=procedure, day=at, province=province, batch=batch
                )
            except NoRulesetError:
                continue
            return found.row
        return None


@dataclass(frozen=True)
class InForce:
    """The published criteria and, for rulesets that were not published, the packaged ones.

    ``written`` are the criteria in force as they were written.
    """

    published: "Published | None"
    packaged: Rulebook
    written: Rulebook

    @property
    def catalogue(self) -> Catalogue:
        """What may be filed."""
        return (self.published or self.packaged).catalogue

    @property
    def applicability(self) -> tuple[ApplicabilityRow, ...]:
        """The rows that say which ruleset governs when."""
        return (self.published or self.packaged).applicability

    def ruleset(self, root: str) -> Ruleset:
        """The ruleset of a root rule."""
        return self._of(root).ruleset(root)

    def rule(self, id: str) -> Rule:
        """A root rule."""
        return self._of(id).rule(id)

    def _of(self, root: str) -> Rules:
        if self.published is not None and root in self.published.digests:
            return self.published
        return self.written if root in self.written.rules else self.packaged

    def text(self) -> Text:
        """All the criteria, as one text."""
        label = "已发布的标准" if self.published else "随附的标准"
        return Text(label, self, _encoded(self.applicability), whole=True)


def named(name: str, criteria: InForce) -> Text:
    """The text of a name; an unknown name raises ``TextError``, which lists the known ones."""
    packaged, written = criteria.packaged, criteria.written
    sides = {f: book for book in (packaged, written) for f in _folders(book)}
    folders = [f for f in sides if not Path(f).is_absolute()]
    if name == PACKAGED:
        return Text("随附的标准", packaged, _encoded(packaged.applicability), whole=True)
    if name == IN_FORCE:
        return criteria.text()
    if name in folders:
        return _folder(name, name, sides[name], criteria)
    path = Path(name)
    if path.is_dir():
        return _draft(path)
    rows = [r for r in _encoded(criteria.applicability) if r.ruleset == name]
    holder = next((b for b in (written, packaged) if name in b.rules), None)
    if not rows and holder is not None and not holder.rules[name].records:
        rows = [_row_of(name, holder)]
    if rows:
        label = f"{criteria.ruleset(name).source}（{name}）"
        return Text(label, criteria, (rows[0],), single=True)
    roots = "、".join(dict.fromkeys(r.ruleset for r in _encoded(criteria.applicability)))
    raise TextError(
        "no-text",
        "没有名为「{value}」的文本：可用的有文件夹{folders}，根规则{roots}，{whole}，"
        "或一个标准目录（例如 ./draft）",
        value=name,
        folders="、".join(folders),
        roots=roots,
        whole=f"{PACKAGED}，{IN_FORCE}",
    )


def no_ruleset(text: Text, tier: str, procedure: str) -> NoRulesetError:
    """The error for a text that has no ruleset for a tier and procedure."""
    return NoRulesetError(
        "no-ruleset-in-text",
        "{where}没有{tier}{procedure}的规则集",
        where=text.label,
        tier=tier,
        procedure=procedure,
    )


def choices(criteria: InForce) -> Iterator[tuple[str, str]]:
    """The texts that may be named by a folder: each name with its label."""
    both = (*_folders(criteria.written), *_folders(criteria.packaged))
    for folder in dict.fromkeys(both):
        with suppress(TextError):  # a folder that only supplements another one
            yield folder, named(folder, criteria).label


def _folders(rulebook: Rulebook) -> list[str]:
    """The folders of a rulebook that hold feature files, except the top one."""
    found = (Path(d.path).parent.as_posix() for d in rulebook.documents)
    return [f for f in dict.fromkeys(found) if f != "."]


def _row_of(root: str, rulebook: Rulebook) -> ApplicabilityRow:
    """A row for a rule that no applicability table names."""
    rule = rulebook.rule(root)
    tier = rulebook.document(rule).tag("tier")
    procedure = RECHECK if root.endswith(f".{RECHECK}") else RECOGNITION
    return ApplicabilityRow(
        tier=tier,
        procedure=procedure,
        province=OTHERS,
        batch="",
        start=None,
        end=None,
        ruleset=root,
        basis="",
        position=rule.position,
    )


def _draft(path: Path) -> Text:
    """A features directory, or one source folder of such a directory."""
    top = next((p for p in (path, *path.resolve().parents) if _is_criteria(p)), None)
    if top is None or not feature_files(path):
        raise TextError(
            "no-criteria",
            "{where} 不是标准目录：请复制整个 features 目录（含 maps 和 applicability.feature）再修改",
            where=path,
        )
    rulebook = load(top)
    if top == path:
        return Text(f"草案 {path}", rulebook, _encoded(rulebook.applicability), whole=True)
    return _folder(f"草案 {path}", path.resolve().relative_to(top).as_posix(), rulebook, rulebook)


def _is_criteria(path: Path) -> bool:
    return (path / "maps").is_dir() and any(path.glob("*.feature"))


def _folder(label: str, folder: str, rulebook: Rulebook, rules: Rules) -> Text:
    def within(row: ApplicabilityRow) -> bool:
        ruleset = rulebook.ruleset(row.ruleset)
        return ruleset.rule(ruleset.root).position.path.startswith(f"{folder}/")

    rows = tuple(r for r in _encoded(rulebook.applicability) if within(r))
    if not rows:
        raise TextError("no-root", "{where} 中没有适用表所列的根规则", where=label)
    source = rulebook.ruleset(rows[0].ruleset).source.partition("附件")[0]
    return Text(f"{source}（{label}）", rules, rows)


def _encoded(rows: Iterable[ApplicabilityRow]) -> tuple[ApplicabilityRow, ...]:
    return tuple(r for r in rows if r.encoded)


@dataclass(frozen=True)
class Pair:
    """The two rulesets that are compared for a tier."""

    tier: str
    before: str
    after: str


def pairs(before: Text, after: Text, tiers: Sequence[str], procedure: str) -> list[Pair]:
    """The pairs of rulesets to compare, in the order of ``tiers``.

    A whole set of criteria gives the ruleset with the id of the other text's. Otherwise rulesets
    are paired by tier and procedure; a named root rule determines the procedure. Two named root
    rules are paired with each other.
    """
    if before.single and after.single:
        old, new = before.rows[0], after.rows[0]
        return [Pair(new.tier, old.ruleset, new.ruleset)]
    wanted = next((t.rows[0].procedure for t in (before, after) if t.single), procedure)
    found: list[Pair] = []
    for tier in tiers:
        if before.whole and after.whole:
            roots = [r.ruleset for r in before.rows if (r.tier, r.procedure) == (tier, wanted)]
            found += [Pair(tier, id, id) for id in dict.fromkeys(roots) if after.has(id)]
            continue
        old_id, new_id = before.general(tier, wanted), after.general(tier, wanted)
        if before.whole:
            old_id = new_id if new_id and before.has(new_id) else None
        elif after.whole:
            new_id = old_id if old_id and after.has(old_id) else None
        if old_id and new_id:
            found.append(Pair(tier, old_id, new_id))
    if not found:
        raise TextError(
            "nothing-in-common",
            "{before}与{after}没有共同的层级和程序（{value}），无从对照",
            before=before.label,
            after=after.label,
            value=wanted,
        )
    return found


def tiers(names: Sequence[str], *of: Text) -> tuple[str, ...]:
    """The tiers given by name, short name or slug; without any, all of the texts.

    For whole sets of criteria, they are those of ``rules.language.editions.tiers_asked``. Raises
    ``FactsError`` for a tier that no text declares.
    """
    catalogue = reduce(or_, (text.rules.catalogue for text in of))
    if names or all(text.whole for text in of):
        return tiers_asked(names, catalogue, (row for text in of for row in text.rows))
    return tuple(tier.name for tier in catalogue.tiers)


def apart(before: Text, after: Text, tiers: Sequence[str], procedure: str) -> dict[str, str]:
    """The tiers that only one of two texts has, with that text's label."""
    if before.single or after.single:
        return {}
    if before.whole != after.whole:
        return {}

    def has(text: Text, tier: str) -> bool:
        if text.whole:  # its rows may all be of one province
            return any((r.tier, r.procedure) == (tier, procedure) for r in text.rows)
        return text.general(tier, procedure) is not None

    found = {}
    for tier in tiers:
        having = [t for t in (before, after) if has(t, tier)]
        if len(having) == 1:
            found[tier] = having[0].label
    return found


def predecessors(after: Text, criteria: InForce) -> Text:
    """The text that governed the same tiers and procedures just before ``after``."""
    rows = _encoded(criteria.applicability)
    starts: dict[tuple[str, str], date] = {}
    for row in after.rows:
        if row.start and row.province == OTHERS and not row.batch:
            key = row.tier, row.procedure
            starts[key] = min(row.start, starts.get(key, row.start))
    last = {
        key: max((r.end for r in rows if r.end and r.end < start and _is(r, key)), default=None)
        for key, start in starts.items()
    }
    # the last row of a tier brings its whole text, including rows of provinces and batches
    found = tuple(
        r
        for r in rows
        for key, end in last.items()
        if end and _is(r, key) and not after.has(r.ruleset) and (r.start or date.min) <= end
    )
    if not found:
        raise TextError(
            "no-predecessor",
            "{value}之前没有适用过别的文本",
            value=after.label,
            remedy=Remedy("give-before"),
        )
    label = criteria.ruleset(found[0].ruleset).source.partition("附件")[0]
    return Text(f"{label}（此前适用）", criteria, found)


def _is(row: ApplicabilityRow, key: tuple[str, str]) -> bool:
    return (row.tier, row.procedure) == key
