"""The pages of long work: states in words, progress, results, and an end to asking."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.jobs import kinds
from registry.jobs.store import JobStore, Progress, ResultFile, Trouble
from registry.web.app import application
from registry.web.pages.jobs import SIGNS
from registry.web.tests.visiting import Visitor
from rules.portable.errors import Remedy
from rules.tests.packaged import TITLES

VERIFY = kinds.VERIFY.written(kinds.Verifying())
FOUND = kinds.VERIFY._result.dump_json(
    kinds.Verified(
        integrity=("第3号记录被改动",),
        completeness=(),
        correctness=(),
        size=12,
        decisions=5,
        replayed=5,
        filings={"登记": 3, "已决定": 2, "待决定": 1},
        head="ab" * 32,
        checkpoints=0,
    )
).decode()


@pytest.fixture
def jobs(example: str, tmp_path: Path) -> Iterator[tuple[Visitor, JobStore]]:
    """Somebody who looks at the jobs of a registry of their own."""
    file = copy(example.removeprefix("sqlite:///"), tmp_path / "tidu.db")
    with (
        Desk(f"sqlite:///{file}", by="经办人") as desk,
        Judging(desk) as judging,
        JobStore(desk) as store,
    ):
        yield Visitor(application(desk, judging)), store


def test_where_nobody_asked_for_anything_the_list_says_so(visitor: Visitor) -> None:
    page = visitor.get("/jobs")
    assert page.status == 200
    assert "还没有任务" in page.words
    assert visitor.get("/jobs/7").status == 404


def test_the_list_is_leafed_through(jobs: tuple[Visitor, JobStore]) -> None:
    visitor, store = jobs
    for number in range(51):
        store.ask("verify", f'{{"replay":{["false", "true"][number % 2]}}} {" " * number}', by="甲")
    page = visitor.get("/jobs")
    assert "第51项 验证登记库 甲" in page.words
    assert "第1项" not in page.words.split()
    [older] = [link for link in page.links if "before" in link]
    assert "第1项" in visitor.get(older).words.split()
    assert "没有更早的任务" in visitor.get("/jobs?before=1").words


def test_a_job_is_watched_until_it_ends(jobs: tuple[Visitor, JobStore]) -> None:
    visitor, store = jobs
    id = store.ask("verify", VERIFY, by="经办人")
    page = visitor.get(f"/jobs/{id}")
    assert "… 等待" in page.words
    assert f'hx-get="/jobs/{id}/state" hx-trigger="every 1s"' in page.source
    store.take("进程")
    store.report(id, "进程", Progress("验证", 300, 900, 120))
    part = visitor.get(f"/jobs/{id}/state")
    assert part.status == 200
    assert "▸ 进行" in part.words
    assert "验证：300／900 每秒2项，还需约5分钟" in part.words
    assert "<html" not in part.source
    file = ResultFile("证据包.zip", "application/zip", b"PK")
    store.finish(id, "进程", FOUND, {file.name: file})
    part = visitor.get(f"/jobs/{id}/state")
    assert part.status == 286, "which ends htmx's asking"
    assert "hx-get" not in part.source
    assert "✓ 完成" in part.words
    assert "✗ 未被改动：1个问题" in part.words
    assert "第3号记录被改动" in part.words
    assert "✓ 没有遗漏：成立" in part.words
    assert "3份，其中已决定2份、待决定1份" in part.words
    [link] = [link for link in part.links if "/files/" in link]
    answer = visitor.raw(link)
    assert (answer.content, answer.headers["content-type"]) == (b"PK", "application/zip")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert visitor.get(f"/jobs/{id}/files/x").status == 404


def test_trouble_is_told_with_what_to_do(jobs: tuple[Visitor, JobStore]) -> None:
    visitor, store = jobs
    id = store.ask("replay", '{"since":null}', by="")
    store.take("进程")
    store.fail(id, "进程", Trouble("登记库有误", ("第一处",), Remedy("verify-record")))
    page = visitor.get(f"/jobs/{id}")
    assert "✗ 失败" in page.words
    assert "第一处 登记库有误 请审计人验证登记库" in page.words
    assert "登记库有误" in visitor.get("/jobs").words


def test_a_job_is_stopped_and_goes_on(jobs: tuple[Visitor, JobStore]) -> None:
    visitor, store = jobs
    id = store.ask("verify", VERIFY, by="甲")
    page = visitor.get(f"/jobs/{id}")
    assert f'action="/jobs/{id}/stop"' in page.source
    assert visitor.post(f"/jobs/{id}/stop", page.hidden).place == f"/jobs/{id}"
    page = visitor.get(f"/jobs/{id}")
    assert "！ 中断" in page.words
    assert "已按要求停止" in page.words
    assert "接着做" in page.words
    assert visitor.post(f"/jobs/{id}/again", page.hidden).place == f"/jobs/{id}"
    page = visitor.get(f"/jobs/{id}")
    assert "… 等待" in page.words
    again = visitor.post(f"/jobs/{id}/again", page.hidden)
    assert again.status == 422
    assert "没有中断，不能接着做" in again.words
    store.take("进程")
    visitor.post(f"/jobs/{id}/stop", visitor.get(f"/jobs/{id}").hidden)
    assert "▪ 停止中" in visitor.get(f"/jobs/{id}").words
    assert f'action="/jobs/{id}/stop"' not in visitor.get(f"/jobs/{id}").source
    assert visitor.post("/jobs/99/stop", page.hidden).status == 404
    assert visitor.post(f"/jobs/{id}/stop", {}).status == 403


def test_what_reads_can_be_done_anew_and_what_records_cannot(
    jobs: tuple[Visitor, JobStore],
) -> None:
    visitor, store = jobs
    first = store.ask("verify", VERIFY, by="甲")
    store.take("进程")
    store.finish(first, "进程", FOUND, {})
    page = visitor.get(f"/jobs/{first}")
    assert "再做一次" in page.words
    made = visitor.post(f"/jobs/{first}/again", page.hidden)
    assert made.place == f"/jobs/{first + 1}"
    assert store.job(first + 1).by == "经办人"
    store.stop(first + 1)
    decide = store.ask("decide", kinds.DECIDE.written(kinds.Deciding()), by="甲")
    store.take("进程")
    found = kinds.DecidedMany(
        new=2,
        earlier=1,
        refused=1,
        first=12,
        last=13,
        verdicts={TITLES[0]: {"符合": 2, "不符合": 1, "拒绝": 1}},
        refusals=(kinds.Remarked(uscc="9" * 18, name="甲厂", tier=TITLES[0], reason="没有填报"),),
        doubted=1,
        doubts=(kinds.Remarked(uscc="3", name="丙公司", tier=TITLES[1], reason="收入存疑"),),
        rounds=(),
    )
    store.finish(decide, "进程", kinds.DECIDE._result.dump_json(found).decode(), {})
    page = visitor.get(f"/jobs/{decide}")
    assert "再做一次" not in page.words
    assert "新作出2项决定（ 第12号至 第13号之间），1项此前已有相同的决定，拒绝1项" in page.words
    assert "甲厂" in page.words
    assert "其中1项所依据的数据存疑" in page.words
    assert "丙公司 专精特新 收入存疑" in page.words


@pytest.mark.parametrize("name", kinds.KINDS)
def test_every_kind_has_a_page(jobs: tuple[Visitor, JobStore], name: str) -> None:
    from registry.web.rendering import _environment

    assert f"jobs/{name}.html" in _environment().list_templates()


def test_a_job_of_another_release_is_shown_without_its_result(
    jobs: tuple[Visitor, JobStore],
) -> None:
    visitor, store = jobs
    id = store.ask("later-kind", "{}", by="")
    assert "later-kind" in visitor.get(f"/jobs/{id}").words


def test_every_state_has_a_sign() -> None:
    from registry.jobs.tables import STATES

    assert SIGNS.keys() == STATES.keys()


def test_whether_somebody_does_jobs_is_told_to_machines(visitor: Visitor) -> None:
    answer = visitor.raw("/health")
    assert answer.status_code == 200
    assert answer.json()["jobs"] is False
    assert answer.json()["entries"] > 5
