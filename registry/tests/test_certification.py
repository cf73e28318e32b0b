"""Publishing asks for a certificate first, and says so."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from registry import resources
from registry.cli import criteria, main
from registry.database import storage
from registry.errors import RecordError
from registry.record import publication
from rules.model import Outcome
from rules.rete import compiler
from rules.rulebook import Rulebook, load

Publish = Callable[[], Result]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(resources.features())


@pytest.fixture
def publish(database: sa.Engine, monkeypatch: pytest.MonkeyPatch, rulebook: Rulebook) -> Publish:
    """``tidu rules publish``, the examples being known to hold."""
    url = database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("TIDU_DATABASE_URL", url.replace("+psycopg", ""))
    monkeypatch.setattr(criteria.checker, "check", lambda *_: (rulebook, []))
    return lambda: CliRunner().invoke(main, ["rules", "publish", "--by", "张三"])


def test_publishing_says_on_how_many_cases_the_engines_agree(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "_roots", lambda _: ["63.1"])
    result = publish()
    assert result.exit_code == 0, result.output
    first, second, *_ = result.output.splitlines()
    assert first.startswith("两个引擎在")
    assert first.endswith("个代表情形上一致")
    assert int(first.removeprefix("两个引擎在").partition("个")[0]) > 1000
    assert second.startswith("已发布 63.1")


def test_what_the_engines_decide_differently_is_not_published(
    publish: Publish, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "by_gap", lambda _: Outcome.MET)
    result = publish()
    assert result.exit_code == 1
    assert "错误：两个引擎不一致，没有发布：规则「" in result.output
    assert "规则引擎得“符合”，独立复算得“材料不足”" in result.output
    with storage.session(database) as session:
        assert publication.current(session) is None


def test_the_rule_and_the_case_are_named(
    rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = compiler.cut
    monkeypatch.setattr(compiler, "cut", lambda *a, **k: right(*a, **k) + 1)
    monkeypatch.setattr(publication, "_roots", lambda _: ["63.2.研发费用"])
    with pytest.raises(RecordError) as caught:
        publication.certified(rulebook)
    assert str(caught.value) == (
        "两个引擎不一致，没有发布：规则「63.2.研发费用」在上年度研发费用总额为100万元，"
        "上年度研发费用占比为2.9999999%时，"
        "规则引擎得“不符合”，独立复算得“符合”；请保留标准文件并报告"
    )


def test_the_first_publication_needs_no_certificate(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "certify", lambda *_: pytest.fail("asked for"))
    with storage.session(database, write=True) as session:
        publication.in_force(session, by="", now=datetime(2026, 4, 1, tzinfo=UTC))
        assert publication.current(session) is not None
