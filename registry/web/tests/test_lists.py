"""The desk and the list of enterprises: what waits, search, filters, pages, and the workbook."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from registry.desk import auditing, deciding, finding
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.record.determinations import Target
from registry.record.finding import MOST
from registry.tests.support import CODES, Clock, decide, determine, load, publish, submission
from registry.web.addresses import asked
from registry.web.app import application
from registry.web.tests.test_case import NARROW, SECOND
from registry.web.tests.visiting import Page, Visitor


def firms(page: Page) -> list[str]:
    return re.findall(r'<td><a href="/enterprises/(\w+)">', page.source)


def test_what_waits_is_counted_and_each_count_leads_to_its_list(visitor: Visitor) -> None:
    page = visitor.get("/")
    assert "全部42家" in page.words
    counts = re.findall(r'href="(/enterprises\?[^"]*outcome=[^"]*)">.*?(\d+)家', page.source)
    assert len(counts) >= 4
    for href, number in counts:
        listed = visitor.get(href.replace("&amp;", "&"))
        assert listed.status == 200
        if int(number):
            assert f"共{number}家" in listed.words, href


@pytest.mark.parametrize(
    ("query", "found"),
    [({"q": "四号"}, [NARROW]), ({"q": NARROW[:17]}, [NARROW]), ({"q": "火星"}, [])],
)
def test_an_enterprise_is_found_by_a_part_of_its_name_or_the_beginning_of_its_code(
    visitor: Visitor, query: dict[str, str], found: list[str]
) -> None:
    page = visitor.get(asked("/enterprises", **query))
    assert set(found) <= set(firms(page))
    assert bool(firms(page)) == bool(found)
    assert ("没有找到这样的企业" in page.words) == (not found)


def test_the_list_is_leafed_through_with_its_filters(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = finding.find
    monkeypatch.setattr(finding, "find", lambda *a, **k: find(*a, **{**k, "limit": 2}))
    href, seen = asked("/enterprises", tier="specialised"), list[str]()
    while href:
        page = visitor.get(href)
        seen += firms(page)
        found = re.search(r'href="([^"]*)">下一页', page.source)
        href = found[1].replace("&amp;", "&") if found else ""
        assert not href or "tier=" in href
    assert len(seen) == len({*seen}) == 5


def test_all_that_is_found_is_exported_as_a_workbook(visitor: Visitor) -> None:
    page = visitor.get(asked("/enterprises", outcome="不符合"))
    [href] = [link for link in page.links if ".xlsx" in link]
    book = load_workbook(BytesIO(visitor.raw(href).content))
    rows = list(book["企业"].values)
    assert [row[0] for row in rows[1:]] == firms(page) == [NARROW]
    decided = rows[0].index("专精特新")
    assert rows[1][decided] == "不符合"
    assert isinstance(rows[1][decided + 1], int)


@pytest.mark.parametrize("query", [{"tier": "火星"}, {"outcome": "好"}])
def test_a_filter_that_there_is_not_is_refused(visitor: Visitor, query: dict[str, str]) -> None:
    page = visitor.get(asked("/enterprises", **query))
    assert page.status == 422
    assert f"「{next(iter(query.values()))}」" in page.words


def test_more_than_can_be_listed_is_refused(
    office: tuple[Desk, Judging], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding.finding, "MOST", 3)
    assert MOST > 3
    with pytest.raises(RecordError, match="请先选定条件"):
        finding.every(office[0])


def test_an_empty_list_says_what_to_do(newcomer: Visitor) -> None:
    assert "还没有企业" in newcomer.get("/enterprises").words


@pytest.fixture
def two(migrated: dict[str, str], tmp_path: Path) -> Iterator[tuple[Desk, Visitor]]:
    """A registry in which a second person must confirm, and its reader."""
    clock = Clock()
    (tmp_path / "tidu.db").write_bytes(Path(migrated["sqlite"]).read_bytes())
    with Desk(f"sqlite:///{tmp_path / 'tidu.db'}", by="负责人", clock=clock) as desk:
        publish(desk.database, clock)
        load(desk.database, clock, submission(revenue__2022=None))
        auditing.set_four_eyes(desk, True)
        decide(desk.database, clock, SECOND)
        (tmp_path / "证据.txt").write_text("据实", encoding="utf-8")
        target = Target("营业收入总额", 2022)
        determine(desk.database, clock, target, "5000万元", tmp_path / "证据.txt")
        with Judging(desk) as judging:
            yield desk, Visitor(application(desk, judging))


def test_what_a_second_person_must_confirm_stands_first(two: tuple[Desk, Visitor]) -> None:
    desk, visitor = two
    [waiting] = auditing.unconfirmed(desk)
    page = visitor.get("/")
    assert f"第{waiting.seq}号认定" in page.words
    assert CODES[0] in page.words
    deciding.confirm(desk, waiting.seq)
    assert auditing.unconfirmed(desk) == []
    assert "现场核查" not in re.sub(r"最近的记录.*", "", visitor.get("/").words)


def test_a_place_narrows_the_list_and_one_that_is_unclear_is_refused(visitor: Visitor) -> None:
    assert firms(visitor.get(asked("/enterprises", place="深圳市"))) == []
    page = visitor.get(asked("/enterprises", place="火星"))
    assert page.status == 422
    assert "不能确定是哪个地区" in page.words
