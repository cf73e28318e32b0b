"""Forms: who may send one, that it records once, and that it rests on what was seen."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from fastapi.routing import APIRoute

from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.errors import StorageError
from registry.tests.support import CODES, load, submission
from registry.web import forms
from registry.web.app import application
from registry.web.forms import AmissError, Counter
from registry.web.pages import ROUTERS
from registry.web.tests.visiting import HERE, Bureau, Page, Visitor

ROUTES = [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)]
#: What stands in the place of the parts of an address.
PARTS = {
    "uscc": CODES[0],
    "tier": "specialised",
    "seq": "2",
    "digest": "a" * 64,
    "id": "1",
    "number": "1",
    "act": "end",
    "duty": "update",
}
#: Every route that records -> an address of it.
UNSAFE = {
    re.sub(r"{(\w+)[^}]*}", lambda part: PARTS[part[1]], route.path): route.path
    for route in ROUTES
    if not route.methods <= {"GET", "HEAD"}
}
GETS = {route.path for route in ROUTES if "GET" in route.methods}
#: Those that anybody may read, though a form stands on them.
READ = {
    "/admissions",
    "/policy",
    "/checkpoints",
    "/imports",
    "/imports/headings",
    "/imports/{number:int}",
}
WITHDRAW = f"/enterprises/{CODES[0]}/withdraw"
WHY = {"ground": "企业来函撤回申报"}


@pytest.fixture
def unsigned(migrated: dict[str, str], tmp_path: Path) -> Iterator[Visitor]:
    """Somebody who gave no name."""
    file = copy(migrated["sqlite"], tmp_path / "tidu.db")
    with Desk(f"sqlite:///{file}") as desk, Judging(desk) as judging:
        yield Visitor(application(desk, judging))


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"token": "x", "head": "1", "key": "1"},
        {"head": "1", "key": "1"},
        {"token": True, "key": "1"},
        {"token": True, "head": "x", "key": "1"},
        {"token": True, "head": "1"},
        {"token": True, "head": "1", "key": "x" * 65},
    ],
)
def test_what_no_form_of_ours_sends_is_refused(
    visitor: Visitor, token: str, path: str, sent: dict[str, Any]
) -> None:
    page = visitor.post(path, {k: token if v is True else v for k, v in sent.items()})
    assert page.status == 403
    assert "请重新打开本页再办" in page.words


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "http://evil.example", "null"])
def test_another_site_cannot_send_a_form(
    visitor: Visitor, token: str, path: str, origin: str
) -> None:
    sent = {"token": token, "head": "1", "key": "1"}
    assert visitor.post(path, sent, Origin=origin).status == 403
    assert "其他网站" in visitor.post(path, sent, Origin=origin).source


@pytest.mark.parametrize("path", UNSAFE)
def test_without_a_name_nothing_is_recorded_and_the_page_says_how_to_give_one(
    unsigned: Visitor, path: str
) -> None:
    counter = unsigned.app._app.state.office.counter  # type: ignore[attr-defined]
    page = unsigned.post(path, {"token": counter.token, "head": "1", "key": "1"})
    assert page.status == 403
    assert "tidu serve --by 姓名" in page.words
    if UNSAFE[path] in GETS - READ:
        shown = unsigned.get(path)
        assert shown.status == 200
        assert "tidu serve --by 姓名" in shown.words


@pytest.fixture
def token(visitor: Visitor) -> str:
    """The token of the example's site."""
    return str(visitor.app._app.state.office.counter.token)  # type: ignore[attr-defined]


def test_an_act_leads_to_its_result_under_the_name_of_the_bureau(bureau: Bureau) -> None:
    before = len(bureau.entries)
    page = bureau.visitor.send(WITHDRAW, WHY)
    assert page.status == 303
    assert bureau.entries[before:] == [(before + 1, "withdrawal")]
    shown = bureau.visitor.get(page.place)
    assert "企业来函撤回申报" in shown.words
    assert "王某" in shown.words


def test_the_second_click_leads_where_the_first_one_did(
    bureau: Bureau, in_threads: Callable[[Callable[[], Any], int], list[Any]]
) -> None:
    sent = {**bureau.visitor.get(WITHDRAW).hidden, **WHY}
    before = len(bureau.entries)
    pages: list[Page] = in_threads(lambda: bureau.visitor.post(WITHDRAW, sent, Origin=HERE), 6)
    pages.append(bureau.visitor.post(WITHDRAW, sent))
    assert {(page.status, page.place) for page in pages} == {(303, f"/journal/{before + 1}")}
    assert len(bureau.entries) == before + 1


def test_what_is_amiss_is_said_beside_its_field_and_what_was_typed_stays(bureau: Bureau) -> None:
    before = bureau.entries
    empty = bureau.visitor.send(WITHDRAW, {"ground": " "})
    assert empty.status == 422
    assert "✗ 请写明理由，例如 企业来函撤回申报" in empty.words
    assert 'aria-describedby="ground-fault"' in empty.source
    typed = bureau.visitor.send(WITHDRAW, {"ground": "来函<b>\r\n第二行\x01"})
    assert typed.status == 422
    assert "来函&lt;b&gt;\n第二行" in typed.source
    assert bureau.entries == before
    assert bureau.visitor.post(WITHDRAW, typed.hidden | WHY).status == 303


def test_a_page_that_is_out_of_date_comes_again_with_what_changed(bureau: Bureau) -> None:
    first, second = (bureau.visitor.get(WITHDRAW).hidden for _ in range(2))
    load(bureau.desk.database, bureau.clock, submission(CODES[0], rd_expense__2022="1000001"))
    before = bureau.entries
    page = bureau.visitor.post(WITHDRAW, first | WHY)
    assert page.status == 409
    assert "登记簿有了与此有关的记录" in page.words
    assert f"第{before[-1][0]}号" in page.words
    assert "企业来函撤回申报</textarea>" in page.source
    assert bureau.entries == before
    assert bureau.visitor.post(WITHDRAW, page.hidden | WHY).status == 303
    late = bureau.visitor.post(WITHDRAW, second | WHY)
    assert late.status == 409
    assert "撤回" in late.words


def test_what_concerns_others_does_not_hold_up_an_act(bureau: Bureau) -> None:
    sent = bureau.visitor.get(WITHDRAW).hidden
    load(bureau.desk.database, bureau.clock, submission(CODES[1], rd_expense__2022="1000001"))
    bureau.visitor.send(f"/enterprises/{CODES[1]}/withdraw", WHY)
    assert bureau.visitor.post(WITHDRAW, sent | WHY).status == 303


def test_a_refusal_of_the_record_stands_above_the_form(bureau: Bureau) -> None:
    bureau.visitor.send(WITHDRAW, WHY)
    page = bureau.visitor.send(WITHDRAW, WHY)
    assert page.status == 422
    assert "已撤回" in page.words
    assert "企业来函撤回申报</textarea>" in page.source


def test_a_busy_registry_keeps_what_was_typed(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise StorageError("database-busy", "数据库正被其他程序写入")

    sent = bureau.visitor.get(WITHDRAW).hidden
    with monkeypatch.context() as patch:
        patch.setattr("registry.record.decisions.withdraw", lambda *_, **__: busy())
        page = bureau.visitor.post(WITHDRAW, sent | WHY)
    assert page.status == 503
    assert "企业来函撤回申报</textarea>" in page.source
    assert bureau.visitor.post(WITHDRAW, page.hidden | WHY).status == 303


def test_too_much_is_refused_before_it_is_read(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "LARGEST", 10)
    page = visitor.post("/enterprises/1/withdraw", {"ground": "x" * 20})
    assert page.status == 413
    assert "没有登记" in page.words


def test_half_a_form_is_refused_in_words(visitor: Visitor) -> None:
    page = visitor.post(
        "/enterprises/1/withdraw", {}, **{"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert page.status in (400, 403)
    assert "没有登记" in page.words


def test_a_key_is_done_once_and_may_be_tried_again_after_a_failure() -> None:
    counter, done = Counter(), list[str]()

    def fail() -> str:
        raise AmissError({"ground": "没有"})

    def act() -> str:
        done.append("x")
        return "/journal/1"

    with pytest.raises(AmissError):
        counter.once("1", fail)
    assert counter.once("1", act) == counter.once("1", act) == "/journal/1"
    assert counter.once("2", act) == "/journal/1"
    assert len(done) == 2


def test_a_new_run_of_the_program_has_another_token() -> None:
    assert Counter().token != Counter().token


@pytest.mark.parametrize("path", ["/calendar", "/checkpoints", "/imports"])
def test_a_page_that_is_read_without_a_name_has_no_form(unsigned: Visitor, path: str) -> None:
    page = unsigned.get(path)
    assert page.status == 200
    assert "tidu serve --by 姓名" in page.words
    assert not page.hidden
