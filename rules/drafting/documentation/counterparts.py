"""The requirements of a rule beside those of the text before or after its own."""

from collections.abc import Iterable, Iterator, Mapping

from rules.comparison.rows import Requirement, RequirementChange
from rules.drafting.documentation.values import ComparisonPage, Counterpart
from rules.explanation.wording import plain


def counterparts(pages: Iterable[ComparisonPage]) -> Mapping[str, tuple[Counterpart, ...]]:
    """By the id of a rule: what became of its requirements in the next text, or what they were."""
    found: dict[str, dict[Counterpart, None]] = {}
    for page in pages:
        for id, counterpart in _of_page(page):
            found.setdefault(id, {})[counterpart] = None
    return {id: tuple(those) for id, those in found.items()}


def _of_page(page: ComparisonPage) -> Iterator[tuple[str, Counterpart]]:
    """The requirements of both texts, each by its rule's id beside that of the other text."""
    found = page.comparison
    for row in found.rows:
        texts = tuple(_requirement(r) for r in (row.before, row.after))
        ids = tuple(r.rule.id if r else "" for r in (row.before, row.after))
        yield from _both(page, row.change, row.name, ids, texts, row.details)
    for score in found.scores:
        items = (score.before, score.after)
        texts = tuple(f"{i.rule.title}（满分{plain(i.full)}分）" if i else "" for i in items)
        ids = tuple(i.rule.id if i else "" for i in items)
        name = next(i.rule.title for i in items if i)
        yield from _both(page, score.change, name, ids, texts, score.details)
    for term in found.definitions:
        if term.rules:
            old, new = term.rules[0], term.rules[-1]
            ids = (old if term.before else "", new if term.after else "")
            yield from _both(page, term.change, term.name, ids, (term.before, term.after), ())


def _requirement(requirement: Requirement | None) -> str:
    if requirement is None:
        return ""
    role = f"（{requirement.role}）" if requirement.alternatives else ""
    return f"{requirement.text.replace(' ', '')}{role}"


def _both(
    page: ComparisonPage,
    change: RequirementChange,
    name: str,
    ids: tuple[str, ...],
    texts: tuple[str, ...],
    details: tuple[str, ...],
) -> Iterator[tuple[str, Counterpart]]:
    for mine, other, edition, later in (
        (ids[0], ids[1], page.after, True),
        (ids[1], ids[0], page.before, False),
    ):
        if mine:
            yield (
                mine,
                Counterpart(
                    edition=edition,
                    later=later,
                    rule=other,
                    name=name,
                    change=change,
                    before=texts[0],
                    after=texts[1],
                    details=details,
                ),
            )
