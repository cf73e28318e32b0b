"""What was known at a moment gives the same answer whenever it is asked."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from registry.database import storage
from registry.errors import RegistryError
from registry.filings import Submission
from registry.judging.case import Known, Request
from registry.judging.judge import Judge
from registry.judging.verdicts import Checker
from registry.kit import resources
from registry.record import journal, known, publication
from registry.record.determinations import Target
from registry.tests.history import FILED, LATER, History, code
from registry.tests.support import submission
from rules.errors import RulesError
from rules.language.rulebook import Rulebook, load

SPECIALISED = "专精特新中小企业"
FIRMS = (1, 2)
DAYS = (FILED, LATER)
Answer = dict[str, Any]


def filed(number: int, day: date = FILED, place: str = "", **values: Any) -> Submission:
    """A filing on the edge of 专精特新; the year after, the same figures a year on."""
    stated = submission(code(number), day, **values)
    moved = {
        f"{name}@{int(year) + day.year - 2023}" if year else name: value
        for (name, _, year), value in ((k.partition("@"), v) for k, v in stated.values.items())
    }
    identity = {"province": place} if place else {}
    return replace(stated, values=moved, identity=identity)


class Asked:
    """Asks what a registry knows, now or at a moment; keeps what it compiled."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.checkers: dict[str, Checker] = {}

    def __call__(self, known_at: datetime | None, as_of: date | None = None) -> Answer:
        """Everything that is known and follows from it, by credit code."""
        with storage.session(self.engine) as session:
            try:
                rules = known.rules(session, known_at)
            except RegistryError as error:
                return {"": str(error)}
            digest = rules.applicability_digest
            checker = self.checkers.setdefault(digest, Checker(Judge(rules)))
            ids = known.stock(session, as_of=as_of, known_at=known_at)
            found = list(known.fetch(session, ids, known_at=known_at))
        return {k.case.uscc: self.verdict(checker, k, as_of) for k in found}

    @staticmethod
    def verdict(checker: Checker, k: Known, as_of: date | None) -> Any:
        try:
            return checker.check(k, Request((SPECIALISED,), as_of=as_of)).to_json()
        except (RegistryError, RulesError) as error:
            return str(error)


@pytest.fixture(scope="module")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Rulebook, Path]]:
    """The packaged criteria, and a copy of them that asks for more research."""
    folder = tmp_path_factory.mktemp("drafts") / "features"
    shutil.copytree(resources.features(), folder)
    file = folder / "miit-2022-63" / "specialised.feature"
    text = file.read_text(encoding="utf-8")
    row, title = "| 上年度研发费用总额 | 不低于 | 100万元 |", "上年度研发费用总额不低于100万元"
    for line in (row, title):
        assert line in text
        text = text.replace(line, line.replace("100万元", "190万元"))
    file.write_text(text, encoding="utf-8")
    return [(load(f), f) for f in (resources.features(), folder)]


#: What may happen: (what, which firm, which of two ways).
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("load", "correct", "file later", "undo", "determine", "confirm", "policy"),
                *("publish", "grant", "end", "strike"),
            ]
        ),
        st.sampled_from(FIRMS),
        st.booleans(),
    ),
    min_size=3,
    max_size=8,
)


def happen(
    told: History, drafts: list[tuple[Rulebook, Path]], step: tuple[str, int, bool], done: list[int]
) -> None:
    """Let one thing happen, where it can; ``done`` are the loads that can be taken back."""
    what, number, way = step
    loaded = None
    match what:
        case "load":
            loaded = told.load(filed(number, place="" if way else "山东省"))
        case "correct":
            expense = "1950000" if way else "1700000"
            loaded = told.load(filed(number, rd_expense__2022=expense), file="更正.xlsx")
        case "file later":
            loaded = told.load(filed(number, LATER, "广东省" if way else "江苏省"), file="后.xlsx")
        case "undo":
            told.undo(done.pop() if done else None)
        case "determine":
            value = "180万元" if way else "99万元"
            told.determine(number, Target("研发费用总额", 2022), value, as_of=FILED)
        case "confirm":
            with storage.session(told.engine) as session:
                entries = list(journal.entries(session, kinds=["determination"]))
            told.confirm(entries[-1].seq if entries else 0)
        case "policy":
            told.four_eyes(way)
        case "publish":
            rulebook, folder = drafts[way]
            with storage.session(told.engine, write=True) as session:
                publication.publish(session, rulebook, folder, by="乙", now=told.now())
        case "grant":
            told.grant(number, date(2022, 10, 1) if way else date(2023, 7, 1))
        case "end":
            told.end(number, date(2023, 5, 1) if way else date(2023, 12, 1))
        case "strike":
            told.strike(number)
    if loaded is not None and loaded.import_id is not None:
        done.append(loaded.import_id)


def tell(
    engine: sa.Engine, drafts: list[tuple[Rulebook, Path]], steps: list[tuple[str, int, bool]]
) -> None:
    """Write a history, asking after every step; then ask for every moment again."""
    told, asked, done = History(engine), Asked(engine), list[int]()
    answers: dict[tuple[datetime, date | None], Answer] = {}
    try:
        for step in steps:
            # not everything can happen at any time; nothing is written then
            with suppress(RegistryError, AssertionError):
                happen(told, drafts, step, done)
            for as_of in (None, *DAYS):
                answers[told.moment, as_of] = asked(None, as_of)
        for (moment, as_of), answer in answers.items():
            assert asked(moment, as_of) == answer
            assert asked(moment + timedelta(seconds=59), as_of) == answer
    finally:
        for checker in asked.checkers.values():
            checker.judge.close()


#: A failure is told at once, not made smaller: each step takes a tenth of a second.
FEW = settings(
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
BEGUN = [("load", 1, True), ("publish", 1, False)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_known_gives_the_same_answer_whenever_it_is_asked(
    kind: str, fresh: Callable[..., sa.Engine], drafts: list[tuple[Rulebook, Path]]
) -> None:
    @settings(FEW, max_examples=6 if kind == "sqlite" else 2)
    @example([*BEGUN, ("determine", 1, False), ("determine", 1, True), ("publish", 1, True)])
    @example([*BEGUN, ("policy", 1, True), ("determine", 1, False), ("confirm", 1, True)])
    @example([*BEGUN, ("grant", 1, True), ("end", 1, True), ("strike", 1, True)])
    @example([*BEGUN, ("correct", 1, True), ("file later", 1, True), ("undo", 1, True)])
    @given(STEPS)
    def hold(steps: list[tuple[str, int, bool]]) -> None:
        tell(fresh(kind), drafts, steps)

    hold()
