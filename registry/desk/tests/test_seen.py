"""What was seen before an act: later entries that concern it refuse it, and all others do not."""

from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from registry.desk import auditing, deciding, notices
from registry.desk.notices import Firms, Notice, Validity
from registry.desk.place import Desk, Seen
from registry.errors import MovedOnError
from registry.judging.case import Request
from registry.tests.support import CODES, Clock, load, submission
from rules.tests.packaged import TITLES

FIRST, SECOND = CODES[:2]
NOTICE = Notice("某公告1号", date(2023, 7, 1))


@pytest.fixture
def desk(database: sa.Engine) -> Iterator[Desk]:
    """A registry with two filings and criteria."""
    clock = Clock()
    load(database, clock, *(submission(code) for code in (FIRST, SECOND)))
    url = database.url.render_as_string(hide_password=False)
    with Desk(url, by="王某", clock=clock) as desk:
        desk.in_force()
        yield desk


def concerned(desk: Desk, seen: Seen) -> bool:
    """Whether something came after what was seen that concerns an act."""
    told = [f"第{line.seq}号" for line in auditing.since(desk, seen)]
    refused: list[str] = []
    try:
        with desk.after(seen).writing():
            pass
    except MovedOnError as error:
        refused = error.fields["value"].split("、")
    assert refused == told
    return bool(told)


def filed(desk: Desk, code: str, **changes: str) -> None:
    load(desk.database, desk.clock, submission(code, **changes))  # type: ignore[arg-type]


def held(desk: Desk, code: str, holder: str) -> None:
    notices.hold(desk, code, holder, "51%", NOTICE, Validity())


ACTS = {
    "a filing": lambda desk, code: filed(desk, code, rd_expense__2022="1900000"),
    "a decision": lambda desk, code: deciding.decide(desk, code, Request(TITLES[1:2])),
    "a withdrawal": lambda desk, code: deciding.withdraw(desk, code, "来函"),
    "a title": lambda desk, code: notices.grant(
        desk, Firms((code,)), TITLES[0], NOTICE, Validity()
    ),
    "a holding": lambda desk, code: held(desk, code, "某自然人"),
}


@pytest.mark.parametrize("what", ACTS)
def test_what_is_recorded_of_an_enterprise_concerns_its_acts_alone(desk: Desk, what: str) -> None:
    head = desk.head()
    own, other = Seen(head, (FIRST,)), Seen(head, (SECOND,))
    assert not concerned(desk, own)
    ACTS[what](desk, FIRST)
    assert concerned(desk, own)
    assert not concerned(desk, other)
    assert concerned(desk, Seen(head))
    assert not concerned(desk, Seen(desk.head(), (FIRST,)))


def test_what_an_enterprise_comes_to_hold_concerns_both(desk: Desk) -> None:
    head = desk.head()
    held(desk, FIRST, SECOND)
    assert concerned(desk, Seen(head, (FIRST,)))
    assert concerned(desk, Seen(head, (SECOND,)))


def test_two_pairs_of_eyes_concern_everybody_and_kinds_whoever_asks(desk: Desk) -> None:
    head = desk.head()
    assert not concerned(desk, Seen(head, (), ("title",)))
    notices.grant(desk, Firms((FIRST,)), TITLES[0], NOTICE, Validity())
    assert concerned(desk, Seen(head, (), ("title",)))
    assert not concerned(desk, Seen(head, (), ("holding",)))
    auditing.set_four_eyes(desk, True)
    assert concerned(desk, Seen(head, (SECOND,)))
    assert not concerned(desk, Seen(head, (), ()))


def test_a_rehearsal_comes_to_the_same_result_and_keeps_nothing(desk: Desk) -> None:
    before = desk.head()
    tried = notices.grant(desk.rehearsal(), Firms((FIRST,)), TITLES[0], NOTICE, Validity())
    assert desk.head() == before
    done = notices.grant(desk, Firms((FIRST,)), TITLES[0], NOTICE, Validity())
    assert [e.seq for e in tried.entries] == [e.seq for e in done.entries] == [before + 1]
    assert tried.entries[0].content["kind"] == done.entries[0].content["kind"]
