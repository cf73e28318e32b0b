"""Lists and searches answer what looking at every name would, on both databases."""

from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from registry.database import projection, storage
from registry.database.models import Enterprise
from registry.database.projection import CASE_STATE
from registry.errors import RecordError
from registry.kit import names
from registry.record import finding
from registry.record.finding import Asked
from registry.tests.history import code

MANY = 10_000
_typed = cache(names.typed)
_PLACES = ("云溪", "青禾", "石桥", "江东", "示范")
_MIDDLES = "华信远达精密智能新材电子轴承泵阀光学生物医药食品机械𠮷"
_KINDS = ("科技有限公司", "有限责任公司", "股份有限公司", "机械厂", "研究院（有限合伙）")
_ODD = (
    "100%纯净水%有限公司", "甲_乙_丙公司", "O'Neil \"云溪\" 公司", "ＡＢＣ　科技（云溪）公司", "abc tech co., ltd.",
    "É clair 公司", "《书》社", "𠮷野家𠮷", "甲", "\\反斜\\公司", "*星*", "Ⅷ号工厂", "１２３四五",
)  # fmt: skip


def _made_up(number: int) -> list[str]:
    """Names as in a province, with the odd ones among them."""
    random = Random(7)
    made = list(_ODD)
    while len(made) < number:
        middle = "".join(random.choices(_MIDDLES, k=random.choice((2, 2, 3, 4))))
        made.append(f"{random.choice(_PLACES)}{middle}{random.choice(_KINDS)}")
    return made


@pytest.fixture
def stocked(database: sa.Engine) -> Iterator[tuple[Session, dict[str, str]]]:
    """A registry with many enterprises, and their names by code."""
    held = {code(n): name for n, name in enumerate(_made_up(MANY))}
    with storage.session(database, write=True) as session:
        rows = [{"id": n, "uscc": c, "name": name} for n, (c, name) in enumerate(held.items(), 1)]
        session.execute(sa.insert(Enterprise), rows)
        projection.refresh(session.connection(), range(1, MANY + 1))
    if database.dialect.name == "postgresql":
        # what the server does by itself a little later; until then it reads the table, not the index
        with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE) case_state")
    with storage.session(database, write=True) as session:
        yield session, held


def _scan(held: dict[str, str], query: str) -> list[str]:
    """The codes of the names that contain a text, and of those that it begins."""
    text, code = names.typed(query), query.upper()
    named = [c for c, name in held.items() if text in _typed(name)]
    return sorted({*named, *(c for c in held if c.startswith(code))} if code.isascii() else named)


def _walk(session: Session, asked: Asked, limit: int) -> tuple[list[str], int]:
    """The codes on all pages, and the number that the first one states."""
    after, found, count = "", list[str](), None
    while True:
        page = finding.page(session, asked, after=after, limit=limit)
        assert not page.told
        count = page.count if count is None else count
        found += [line.uscc for line in page.lines]
        if not (after := page.after):
            return found, count


def _queries(held: dict[str, str]) -> Iterator[str]:
    """Parts of names of one to six characters, of odd names all; and what no name has."""
    random = Random(3)
    everyday = list(held.values())[len(_ODD) :]
    for name in [*_ODD, *random.sample(everyday, 25)]:
        for length in range(1, 7):
            starts = range(max(len(name) - length + 1, 1))
            for start in starts if name in _ODD else random.sample(starts, 1):
                part = name[start : start + length]
                yield part
                yield from (f" {part.upper()} ",) if name in _ODD and start % 4 == 0 else ()
    yield from ("％", "(", "91", "9135010", code(5), code(5)[:-1], "91z", "没有的", "'; --", '"', "AND", "云溪 OR", "*", "z02", "4e91")  # fmt: skip


def test_a_search_finds_what_looking_at_every_name_finds(
    stocked: tuple[Session, dict[str, str]],
) -> None:
    session, held = stocked
    asked = {q for q in _queries(held) if names.typed(q)}
    assert len(asked) > 400
    for query in sorted(asked):
        expected = _scan(held, query)
        page = finding.page(session, Asked(query=query), limit=50)
        assert [line.uscc for line in page.lines] == expected[:50], query
        assert page.count == len(expected), query
        assert page.after == (expected[49] if len(expected) > 50 else ""), query


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(RecordError, match="没有代码为「440」的地区"):
        Asked(place="440")


def test_pages_follow_one_another_without_gap_or_repetition(
    stocked: tuple[Session, dict[str, str]],
) -> None:
    session, held = stocked
    for query in ("", "科技", "司", "91350100M0000099"):
        found, count = _walk(session, Asked(query=query), 999)
        assert found == _scan(held, query)
        assert count == len(found)


def test_pairs_that_too_many_names_bear_ask_for_one_more(
    stocked: tuple[Session, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, held = stocked
    monkeypatch.setattr(finding, "MOST", 1_000)
    page = finding.page(session, Asked(query="有限"))
    assert (page.lines, page.count) == ((), 1_001)
    assert "再写一个字" in page.told
    among = CASE_STATE.c.uscc < code(900)
    region = {"province": "440300", "city": "440100", "county": "990101"}
    session.execute(sa.update(CASE_STATE).where(among).values(**region))
    expected = [c for c in _scan(held, "有限") if c < code(900)]
    for place in region.values():
        page = finding.page(session, Asked(query="有限", place=place), limit=5)
        assert [line.uscc for line in page.lines] == expected[:5]
        assert page.count == len(expected)
    assert finding.page(session, Asked(place="110000")).count == 0
    assert finding.page(session, Asked()).count == 1_001
