"""What the desk does without any face: values in and out, nothing printed, and errors as data."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from registry.desk import checking, deciding, screening, simulating
from registry.desk.checking import CaseResult, Inquiry, Refusal, Request
from registry.desk.deciding import Ruling, Target
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.filings import FileReading
from registry.kit.progress import Done
from registry.tests.support import CODES, DAY, Clock, load, submission
from rules.portable.canonical import sha256
from rules.tests.packaged import TITLES

ONE, TWO, STRANGER = CODES[0], CODES[1], "91110105MA00000000"
SHARE = screening.ScreeningRequest().near
SECOND = Request(TITLES[1:2])


@pytest.fixture
def desk(fresh: Callable[..., sa.Engine]) -> Iterator[Desk]:
    engine, clock = fresh("sqlite"), Clock()
    load(engine, clock, submission(ONE), submission(TWO, rd_expense__2022="1000000"))
    url = engine.url.render_as_string(hide_password=False)
    with Desk(url, by="经办人", clock=clock) as found:
        yield found


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


def decided(desk: Desk, *usccs: str, request: Request = SECOND) -> deciding.DecisionTally:
    with deciding.run(desk, usccs or None, request) as run:
        assert [line.tier for line in run] == [*request.tiers] * (len(usccs) or 2)
    return run.tally


def ruling(uscc: str = ONE, **more: Any) -> Ruling:
    given: dict[str, Any] = {"target": Target("自主品牌"), "value": "否", "ground": "现场核查"}
    return Ruling(uscc=uscc, evidence=(sha256("证据"),), **given | more)


def test_cases_are_decided_once_and_counted(desk: Desk) -> None:
    first, again = decided(desk), decided(desk)
    assert first.verdicts == {TITLES[1]: {"符合": 1, "不符合": 1}}
    assert (first.new, first.earlier, first.refused) == (2, 0, 0)
    assert (again.new, again.earlier, again.numbers) == (0, 2, None)


def test_a_determination_holds_by_itself_and_a_withdrawal_ends_a_filing(
    desk: Desk,
) -> None:
    entry = deciding.determine(desk, ruling())
    assert entry.content["evidence"] == [sha256("证据")]
    with pytest.raises(RegistryError) as unasked:
        deciding.confirm(replace(desk, by="另一人"), entry.seq)
    assert unasked.value.slug == "not-waiting"
    deciding.withdraw(desk, TWO, "企业来函撤回申报")
    assert decided(desk, TWO).refused == 1


@pytest.mark.parametrize(
    ("act", "slug", "remedy"),
    [
        (lambda desk: decided(desk, STRANGER), "no-filing", "list-enterprises"),
        (lambda desk: decided(replace(desk, by=" ")), "unsigned", "sign"),
        (
            lambda desk: deciding.determine(desk, ruling(ground=" ")),
            "no-ground",
            "give-ground-and-evidence",
        ),
        (
            lambda desk: deciding.determine(desk, ruling(target=Target("从业人员"))),
            "no-year",
            "give-year",
        ),
        (lambda desk: deciding.withdraw(desk, ONE, ""), "no-ground", "give-ground"),
        (lambda desk: results(desk, usccs=(STRANGER,)), "not-on-record", "list-enterprises"),
    ],
)
def test_what_is_refused_says_as_data_what_may_be_done(
    desk: Desk, act: Callable[[Desk], object], slug: str, remedy: str
) -> None:
    with pytest.raises(RegistryError) as raised:
        act(desk)
    assert raised.value.slug == slug
    assert raised.value.remedy is not None
    assert raised.value.remedy.act == remedy
    assert "--" not in str(raised.value)
    assert "tidu" not in str(raised.value)


def results(desk: Desk, **asked: Any) -> list[CaseResult | Refusal]:
    with checking.run(
        desk, Inquiry(request=asked.pop("request", SECOND), **asked), view=checking.whole
    ) as run:
        found = list(run.results())
    assert len(found) == run.number
    return found


def outcomes(found: list[CaseResult | Refusal]) -> list[str]:
    return [r.cause.name if isinstance(r, Refusal) else r.verdicts[0].outcome for r in found]


def test_everybody_on_record_is_checked_or_those_who_are_named_in_their_order(desk: Desk) -> None:
    assert sorted(outcomes(results(desk))) == ["不符合", "符合"]
    assert outcomes(results(desk, usccs=(TWO, ONE))) == ["不符合", "符合"]
    late = replace(SECOND, as_of=date(2020, 1, 1))
    assert outcomes(results(desk, usccs=(ONE,), request=late)) == ["DAY"]


def test_a_file_is_checked_without_a_registry_and_asks_for_a_day(tmp_path: Path) -> None:
    desk = Desk(f"sqlite:///{tmp_path / 'none.db'}")
    filed = submission(ONE)
    reading = FileReading(
        file="汇总表.xlsx",
        digest="f" * 64,
        submissions=(filed,),
        refused=(replace(filed, name="甲"),),
        issues=(),
    )
    with checking.run(desk, Inquiry(request=SECOND), reading, view=checking.whole) as run:
        assert outcomes(list(run.results())) == ["符合"]
        assert [said.partition("：")[0] for said in run.held_back] == [f"甲（{ONE}）"]
    undated = replace(reading, submissions=(replace(filed, as_of=None),))
    with (
        pytest.raises(RegistryError) as raised,
        checking.run(desk, Inquiry(request=SECOND), undated, view=checking.whole),
    ):
        pass
    assert raised.value.slug == "no-day"
    assert not (tmp_path / "none.db").exists()


def test_a_change_of_text_is_told_to_who_takes_it_and_counted(desk: Desk) -> None:
    taken: list[Any] = []

    class Taker:
        add = refuse = staticmethod(taken.append)

    request = simulating.SimulationRequest(after="63.2", before="63.1", tiers=TITLES)
    run = simulating.simulate(desk, request, [Taker()])
    assert len(taken) == 2
    assert run.scope.procedure == "认定"
    assert sum(t.total for t in run.tallies.values()) == 2


def test_a_screening_names_its_text_its_day_and_whom_it_found(desk: Desk, tmp_path: Path) -> None:
    stages: list[str] = []

    def watch(stage: str, total: int | None) -> Any:
        return _Told(stages, stage)

    taken = screening.take_snapshot(desk, tmp_path / "snapshot", DAY)
    assert taken.filings == 2
    request = screening.ScreeningRequest(
        tiers=TITLES[1:2], snapshot=tmp_path / "snapshot", near=SHARE
    )
    with screening.run(replace(desk, watch=watch), request) as found:
        assert (found.day, found.procedure, found.faults) == (DAY, "认定", 0)
        assert {f.uscc: f.outcome.text for f in found.firms()} == {ONE: "符合", TWO: "不符合"}
    assert any(stage.startswith("筛查") for stage in stages)
    other = replace(request, as_of=date(2023, 8, 1))
    with pytest.raises(RegistryError) as raised, screening.run(desk, other):
        pass
    assert raised.value.slug == "snapshot-of-another-day"


class _Told:
    def __init__(self, stages: list[str], stage: str) -> None:
        stages.append(stage)

    def __enter__(self) -> Done:
        return lambda _done: None

    def __exit__(self, *_: object) -> None:
        pass
