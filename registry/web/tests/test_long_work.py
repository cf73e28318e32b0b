"""Long work asked for on a page: it is done behind it, and its files are those of the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from time import monotonic, sleep
from typing import Any

import pytest
from click.testing import CliRunner

from registry.cli import main
from registry.desk import auditing
from registry.desk.auditing import Trust
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.jobs.store import JobStore
from registry.jobs.supervisor import Supervisor
from registry.web.addresses import job_file
from registry.web.app import application
from registry.web.tests.visiting import Page, Visitor
from rules.tests.packaged import TITLES

FORMS = ("/screen", "/impact", "/replay", "/audit")


@pytest.fixture
def url(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a copy of the example registry, for pages and for the command line."""
    made = f"sqlite:///{copy(example.removeprefix('sqlite:///'), tmp_path / 'tidu.db')}"
    monkeypatch.setenv("TIDU_DATABASE_URL", made)
    monkeypatch.setenv("TIDU_AUDIT_KEY", str(tmp_path / "审计.key"))
    return made


@contextmanager
def opened(url: str) -> Iterator[Visitor]:
    """Somebody who opens the pages of a registry; nobody does jobs there."""
    with Desk(url, by="经办人") as desk, Judging(desk) as judging:
        yield Visitor(application(desk, judging))


@contextmanager
def at_work(url: str) -> Iterator[JobStore]:
    """A process that does the jobs of a registry."""
    with Desk(url) as desk, JobStore(desk) as store, Supervisor(desk, store):
        yield store


def ended(store: JobStore, page: Page, seconds: float = 300) -> int:
    """The number of the job to which a page leads, once it is done."""
    assert page.status == 303, page.words
    id = int(page.place.removeprefix("/jobs/"))
    end = monotonic() + seconds
    while store.job(id).is_open:
        assert monotonic() < end
        sleep(0.2)
    assert store.job(id).word == "完成", store.job(id).trouble
    return id


def tidu(*arguments: object) -> None:
    done = CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def file(visitor: Visitor, id: int, name: str) -> bytes:
    """A file of a job, to which its page leads."""
    assert job_file(id, name) in visitor.get(f"/jobs/{id}").links
    return visitor.raw(job_file(id, name)).content


def test_what_is_asked_for_on_a_page_is_done_after_the_browser_is_closed(
    url: str, tmp_path: Path
) -> None:
    screening, study, printed = (tmp_path / name for name in ("a.xlsx", "b.xlsx", "c.html"))
    where = ("--as-of", "2023-06-30", "--region", "示范")
    tidu("screen", "--tier", TITLES[1], *where, "-o", screening)
    tidu("impact", "--to", "miit-2026-2", "--tier", TITLES[1], "-o", study, "-o", printed)
    with opened(url) as visitor:
        sent: dict[str, dict[str, Any]] = {
            "/screen": {"tier": TITLES[1], "as_of": "2023-06-30", "regions": "示范"},
            "/impact": {"after": "miit-2026-2", "tier": TITLES[1]},
            "/replay": {"since": "2023-07-01"},
            "/audit": {},
        }
        asked = {path: visitor.send(path, typed) for path, typed in sent.items()}
        auditing.new_key("某市中小企业局")
        bundle = {**visitor.get("/audit").hidden, "numbers": "3、4", "masked": "1"}
        asked["/audit/bundle"] = visitor.post("/audit/bundle", bundle)
        assert "… 等待" in visitor.get("/screen").words
    with at_work(url) as store:
        done = {path: ended(store, page) for path, page in asked.items()}
    with opened(url) as visitor:
        for path in FORMS:
            assert f"第{done[path]}项" in visitor.get(path).words
            assert "✓ 完成" in visitor.get(path).words

        screened = visitor.get(f"/jobs/{done['/screen']}")
        assert "筛查结果，不是决定" in screened.words
        assert "专精特新中小企业：42家" in screened.words
        assert "接近" in screened.words
        assert [link for link in screened.links if link.startswith("/enterprises/")]
        assert file(visitor, done["/screen"], "筛查.xlsx") == screening.read_bytes()

        studied = visitor.get(f"/jobs/{done['/impact']}")
        assert "前后两个文本的结论，家数" in studied.words
        assert "后一文本拦住企业的条件" in studied.words
        assert file(visitor, done["/impact"], "摸底.xlsx") == study.read_bytes()
        assert file(visitor, done["/impact"], "摸底.html") == printed.read_bytes()

        assert "全部一致" in visitor.get(f"/jobs/{done['/replay']}").words
        verified = visitor.get(f"/jobs/{done['/audit']}").words
        assert "✓ 没有遗漏：成立" in verified
        assert "– 决定正确：没有验证" in verified

        data = file(visitor, done["/audit/bundle"], "证据包.zip")
        assert auditing.verified_bundle(data, Trust()).problems == []
        assert "2份" in visitor.get(f"/jobs/{done['/audit/bundle']}").words


@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        ("/screen", {"as_of": "昨天"}, "昨天"),
        ("/screen", {"tier": "火星"}, "没有名为「火星」的层级"),
        ("/screen", {"draft": "/没有/这个"}, "本机没有文件夹「/没有/这个」"),
        ("/impact", {}, "请选择后一文本"),
        ("/replay", {"since": "x"}, "x"),
        ("/audit/bundle", {}, "请写决定的编号，或用层级和记录日期选定范围"),
        ("/audit/bundle", {"numbers": "3", "first": "2023-07-01"}, "二者择一"),
        ("/audit/bundle", {"numbers": "三"}, "「三」不是决定的编号"),
    ],
)
def test_what_is_amiss_is_said_beside_its_field_and_nothing_is_asked_for(
    url: str, path: str, typed: dict[str, str], said: str
) -> None:
    with opened(url) as visitor:
        hidden = visitor.get(path.removesuffix("/bundle")).hidden
        page = visitor.post(path, {**hidden, **typed})
        assert page.status == 422
        assert said in page.words
        assert "还没有任务" in visitor.get("/jobs").words


def test_the_second_click_asks_for_nothing_more(url: str) -> None:
    with opened(url) as visitor:
        sent = {**visitor.get("/screen").hidden, "tier": TITLES[0]}
        assert {visitor.post("/screen", sent).place for _ in range(3)} == {"/jobs/1"}


def test_a_text_is_chosen_by_what_it_is_called(url: str) -> None:
    with opened(url) as visitor:
        page = visitor.get("/impact")
        assert '<option value="miit-2026-2">工信部企业〔2026〕2号' in page.source
        assert 'value="."' not in page.source
