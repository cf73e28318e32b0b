"""Publishing asks for a certificate first, and says so."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from registry.cli import main
from registry.database import storage
from registry.desk import publishing
from registry.errors import RecordError
from registry.kit import resources
from registry.record import certification, publication
from rules.engine import compiler
from rules.language.rulebook import Rulebook, load
from rules.model.ruleset import Outcome
from rules.tests import packaged

Publish = Callable[[], Result]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return packaged.rulebook()


@pytest.fixture
def publish(database: sa.Engine, monkeypatch: pytest.MonkeyPatch, rulebook: Rulebook) -> Publish:
    """``tidu rules publish``, the examples being known to hold."""
    url = database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("TIDU_DATABASE_URL", url.replace("+psycopg", ""))
    monkeypatch.setattr(publishing.checker, "check", lambda *_, **__: (rulebook, []))
    ours = [rulebook.ruleset("63.3.研发投入")]
    monkeypatch.setattr(certification, "uncertified", lambda _: ours)
    return lambda: CliRunner().invoke(main, ["rules", "publish", "--by", "张三"])


def test_publishing_says_on_how_many_cases_the_engines_agree(publish: Publish) -> None:
    result = publish()
    assert result.exit_code == 0, result.output
    said = next(line for line in result.output.splitlines() if "代表情形" in line)
    found = re.fullmatch("两个引擎在新规则集的([0-9]+)个代表情形上一致", said)
    assert found is not None, said
    assert int(found[1]) > 1000


def test_what_is_packaged_needs_no_certificate_again(tmp_path: Path) -> None:
    assert certification.uncertified(packaged.rulebook()) == []
    draft = shutil.copytree(resources.features(), tmp_path / "draft")
    file = draft / "miit-2022-63" / "innovative.feature"
    text = file.read_text(encoding="utf-8")
    changed = re.sub(r"(评价得分不低于|\| )60分", r"\g<1>61分", text)
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    roots = [ruleset.root for ruleset in certification.uncertified(load(draft))]
    assert roots
    assert set(roots) <= {"63.1", "63.1.复核"}


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
    rulesets = [rulebook.ruleset("63.2.研发费用")]
    with pytest.raises(RecordError) as caught:
        certification.certified(rulesets)
    assert str(caught.value) == (
        "两个引擎不一致，没有发布：规则「63.2.研发费用」在上年度研发费用总额为100万元，"
        "上年度研发费用占比为2.9999999%时，"
        "规则引擎得“不符合”，独立复算得“符合”；请保留标准文件并报告"
    )


def test_the_first_publication_needs_no_certificate(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certification, "certify", lambda *_: pytest.fail("asked for"))
    with storage.session(database, write=True) as session:
        publication.in_force(session, by="", now=datetime(2026, 4, 1, tzinfo=UTC))
        assert publication.current(session) is not None
