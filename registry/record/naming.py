"""Finds the enterprise that a name means, by the filings on record and the registered titles."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.versions import ENTERPRISE, chunks
from registry.errors import RecordError
from registry.kit.names import folded, near
from registry.record import journal
from rules.portable.errors import Remedy

#: The most enterprises that are listed if a name may mean several.
_LISTED = 10
#: Full-width brackets, as the typed text may have either width.
_FULL = str.maketrans("()", "（）")
_HALF = str.maketrans("（）", "()")


class Names:
    """The names on record, read once; an enterprise may have several, by filings and titles."""

    def __init__(
        self, session: Session | None = None, among: Mapping[str, str] | None = None
    ) -> None:
        """``among`` (code -> name) asks for no more than what ``unlike`` compares these with."""
        self._found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._last: dict[str, str] = {}
        wanted = None if among is None else set(map(folded, among.values()))
        for code, name in _recorded(session) if session else ():
            if wanted is None or among is None or code in among or folded(name) in wanted:
                self.add(code, name)

    @classmethod
    def by_code(cls, session: Session, codes: Iterable[str]) -> "Names":
        """Only the names in these enterprises' filings, for use without looking up other names."""
        found = cls()
        query = sa.select(ENTERPRISE.c.uscc, ENTERPRISE.c.name)
        for part in chunks(sorted(codes)):
            for code, name in session.execute(query.where(ENTERPRISE.c.uscc.in_(part))):
                found.add(code, name)
        return found

    def add(self, code: str, name: str) -> None:
        """Note an enterprise's name; the one noted last is that of its newest filing."""
        self._found[folded(name)][code] = name
        self._last[code] = name

    def unlike(self, code: str, name: str) -> Iterator[tuple[str, str]]:
        """Reasons to doubt that a filing is from the enterprise on record, each with a remedy."""
        others = {c: n for c, n in self.of(name).items() if c != code}
        for other, same in list(others.items())[:_LISTED]:
            yield (
                f"登记库中有同名的企业（{same}），但信用代码不同：{other}",
                "请核对代码是否填错，或是否重复填报",
            )
        if other := self.other(code, name):
            yield (
                f"这个信用代码登记的名称是「{other}」，与本次填报的不同",
                "确已更名的不必更改；否则请核对代码和名称是否错行",
            )

    def other(self, code: str, name: str) -> str:
        """The enterprise's last name on record if it never had this one; else an empty text."""
        return "" if code in self.of(name) else self._last.get(code, "")

    def of(self, name: str) -> Mapping[str, str]:
        """The enterprises with that name (code -> name on record), however it is typed.

        Brackets, width and blanks do not matter.
        """
        return self._found.get(folded(name), {})

    def containing(self, part: str) -> Mapping[str, str]:
        """The enterprises that have a part of that kind in their names."""
        key = folded(part)
        return {
            code: name
            for full, found in self._found.items()
            if key and key in full
            for code, name in found.items()
        }

    def near(self, name: str) -> list[str]:
        """Names on record that may have been meant, with their codes."""
        every = {n: code for found in self._found.values() for code, n in found.items()}
        return [f"{n}（{every[n]}）" for n in near(name, every)]


def resolve(session: Session, text: str) -> str:
    """The credit code of the enterprise that a text means: its name, or a part no other name has.

    Raises ``RecordError`` with the candidates if several match, and with similar names if none
    does.
    """
    full = text.translate(_FULL)
    spellings = {text, full, full.translate(_HALF)}
    named = ENTERPRISE.c.name.in_(spellings)
    exact = set(session.scalars(sa.select(ENTERPRISE.c.uscc).where(named)))
    if len(exact) == 1:
        return str(exact.pop())
    names = Names(session)
    found = names.of(text) or names.containing(text)
    if len(found) == 1:
        return next(iter(found))
    if found:
        listed = "、".join(f"{name}（{code}）" for code, name in list(found.items())[:_LISTED])
        more = f"……共{len(found)}家" if len(found) > _LISTED else ""
        raise RecordError(
            "unclear-name",
            "「{value}」可能是{expected}：请写全称或信用代码",
            value=text,
            expected=listed + more,
        )
    raise RecordError(
        "unknown-name",
        "登记库中没有名称为「{value}」的企业{near}",
        value=text,
        near=_guessed(names.near(text)),
        remedy=Remedy("check-name"),
    )


def _guessed(near: list[str]) -> str:
    return f"，名称相近的有{'、'.join(near)}" if near else ""


def _recorded(session: Session) -> Iterator[tuple[str, str]]:
    """Codes with names, from titles, renamings, and then filings, which take precedence.

    What was struck out or taken back as entered in error names nobody.
    """
    titles = dict[str, tuple[str, str]]()
    for entry in journal.entries(session, kinds=["title"]):
        if struck := entry.content.get("strikes"):
            titles.pop(struck, None)
        elif entry.subject and (name := entry.content["name"]):
            titles[entry.digest] = entry.subject, name
    for entry in journal.entries(session, kinds=["change"]):
        body = entry.content
        if "revokes" in body:
            titles.pop(body["revokes"], None)
        elif body["renamed"]:
            titles[entry.digest] = body["uscc"], body["renamed"]
    yield from titles.values()
    for code, name in session.execute(sa.select(ENTERPRISE.c.uscc, ENTERPRISE.c.name)):
        yield code, name
