"""What holds for every page: who may ask, what is sent along, and pages for what does not succeed."""

import re
from collections import Counter
from collections.abc import Callable
from inspect import isfunction
from typing import Any
from urllib.parse import urljoin

import pytest

from registry.desk import finding
from registry.errors import RecordError, StorageError
from registry.web import addresses
from registry.web.addresses import Addresses
from registry.web.security import POLICY
from registry.web.tests.visiting import HERE, Visitor
from rules.errors import DisagreementError
from rules.portable.errors import Remedy


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_without_a_form_takes_none(visitor: Visitor, method: str) -> None:
    page = visitor.get("/", method)
    assert page.status == 405
    assert "本页不收表单" in page.words


@pytest.mark.parametrize(
    ("headers", "answered"),
    [
        ({"Host": "127.0.0.1:8765"}, True),
        ({"Host": "localhost:1"}, True),
        ({"Host": "[::1]:8765"}, True),
        ({"Host": "127.0.0.1.example.org:8765"}, False),
        ({"Host": "registry.example.org"}, False),
        ({"Host": "["}, False),
        ({"Host": ""}, False),
        ({"Origin": HERE}, True),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "https://127.0.0.1:8765"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_only_this_machine_and_this_site_are_answered(
    visitor: Visitor, headers: dict[str, str], answered: bool
) -> None:
    page = visitor.get("/", **headers)
    assert page.status == (200 if answered else 403)
    assert ("工作台" in page.source) == answered


@pytest.mark.parametrize("path", ["/", "/nowhere", "/enterprises/1"])
def test_every_page_loads_nothing_from_elsewhere_and_is_not_kept(
    visitor: Visitor, path: str
) -> None:
    headers = visitor.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "unsafe" not in POLICY


def test_an_address_without_a_page_says_so(visitor: Visitor) -> None:
    page = visitor.get("/nowhere/<b>")
    assert page.status == 404
    assert "/nowhere/<b>" in page.words


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (StorageError("database-busy", "数据库正被其他程序写入"), 503, "再试一次"),
        (StorageError("disk-full", "磁盘已满"), 503, "磁盘已满"),
        (DisagreementError("x", "第一条不一致"), 500, "两次计算不一致，没有结论"),
        (
            RecordError("not-on-record", "没有登记甲", remedy=Remedy("list-enterprises")),
            404,
            "没有登记甲 在企业一览中查找",
        ),
        (RecordError("x", "不能显示", details=("第一处",)), 422, "第一处 不能显示"),
        (ZeroDivisionError("零"), 500, "程序内部出错"),
    ],
)
def test_what_does_not_succeed_is_said_on_a_page(
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    said: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(finding, "tally", fail)
    page = visitor.get("/")
    assert page.status == status
    assert said in page.words
    assert page.headers["content-security-policy"] == POLICY


def test_a_registry_without_enterprises_says_what_to_do_first(newcomer: Visitor) -> None:
    assert "还没有企业" in newcomer.get("/").words


def test_many_ask_at_once(visitor: Visitor, in_threads: Callable[..., list[Any]]) -> None:
    assert {page.status for page in in_threads(lambda: visitor.get("/"), 16)} == {200}


def test_every_link_on_every_kind_of_page_is_answered(visitor: Visitor) -> None:
    waiting, asked = ["/"], dict[str, int]()
    kinds = Counter[str]()
    while waiting:
        path = waiting.pop()
        page = visitor.get(path)
        asked[path] = page.status
        for href in page.links:
            found = urljoin(path, href).partition("#")[0]
            kind = re.sub(r"\d\w*|%[^/]*|=[^&]*", "", found)
            if found not in asked and found not in waiting and kinds[kind] < 2:
                kinds[kind] += 1
                waiting.append(found)
    assert len(asked) > 25
    assert {path: status for path, status in asked.items() if status != 200} == {}


def test_templates_can_make_every_address() -> None:
    made = {
        name: found
        for name, found in vars(addresses).items()
        if isfunction(found) and found.__module__ == addresses.__name__
    }
    assert made
    assert {name: getattr(Addresses, name, None) for name in made} == made


@pytest.mark.parametrize(
    ("path", "bare"),
    [
        ("/enterprises?place=火星", "/enterprises"),
        ("/rules?criteria=甲", "/rules"),
        ("/rules/没有?criteria=1", "/rules/%E6%B2%A1%E6%9C%89"),
        ("/decisions/1", None),
    ],
)
def test_what_an_address_asks_in_vain_can_be_left_out(
    visitor: Visitor, path: str, bare: str | None
) -> None:
    page = visitor.get(path)
    assert page.status in (404, 422)
    assert (bare in page.links) if bare else ("去掉地址中的条件" not in page.words)
