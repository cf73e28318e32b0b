"""Forged courses: the bureau itself changes a step and makes everything agree again; the verifier sees it."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from registry.audit.bundle import export
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests.forger import Forgery
from registry.audit.verify import verify
from registry.database import storage
from registry.portable.verifier import verify_bundle
from registry.tests.busy import apply
from registry.tests.support import CODES, Clock, decide, load, publish, submission


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, SigningKey]:
    """The bundle of a season, and the bureau's key."""
    folder = tmp_path_factory.mktemp("season")
    engine = storage.create_engine(f"sqlite:///{folder}/tidu.db")
    storage.upgrade(engine)
    now = Clock(datetime(2023, 8, 1, 9, tzinfo=UTC))
    publish(engine, now)
    load(engine, now, *(submission(code) for code in CODES[:2]))
    decide(engine, now, "专精特新")
    apply(engine, [*CODES[:2]], now)
    key = SigningKey.create(folder / "key", "示范局")
    with storage.session(engine, write=True) as session:
        assert verify(session).sound
        data = export(session, Selection(first=date(2023, 1, 1)), key, now=now())
    engine.dispose()
    return data, key


def steps(f: Forgery) -> dict[str, int]:
    """The numbers of the steps by what was done."""
    return {f.body(n)["act"]: n for n in f.numbers("step")}


def renamed(f: Forgery, folder: str, change: Callable[[dict[str, object]], None]) -> None:
    """Change every text in a folder, and call it by its new digest."""
    for name in [n for n in f.files if n.startswith(f"{folder}/")]:
        f.rename(folder, name[len(folder) + 1 : -len(".json")], change)


def shorter(table: dict[str, object]) -> None:
    for workflow in table["workflows"].values():  # type: ignore[attr-defined]
        for term in workflow["terms"].values():
            term["number"] = 60


def no_years(calendar: dict[str, object]) -> None:
    calendar["years"] = {}


def of_another_tier(f: Forgery) -> None:
    """The decision of another tier, which was met, takes the place of the step's own."""
    decision = f.numbers("decision")[0]
    f.put(decision, case={**f.body(decision)["case"], "tier": "创新型中小企业"})
    f.line(decision)["header"]["tier"] = "创新型中小企业"


def first_of(kind: str, /, **changes: object) -> Callable[[Forgery], None]:
    return lambda f: f.put(f.numbers(kind)[0], **changes)


def applied_again(f: Forgery) -> None:
    """The second application is the first enterprise's, whose own is still open."""
    first, second = f.numbers("application")
    f.put(second, uscc=f.body(first)["uscc"])


def recorded_later(f: Forgery) -> None:
    """The last step comes after the announcement, not with it."""
    f.line(steps(f)["公告"])["header"]["recorded_at"] = "2023-08-02T09:00:00.000000Z"


def with_more_in_the_header(f: Forgery) -> None:
    f.line(f.numbers("step")[0])["header"]["more"] = "x"


def put(act: str, /, **changes: object) -> Callable[[Forgery], None]:
    return lambda f: f.put(steps(f)[act], **changes)


def dropped(act: str) -> Callable[[Forgery], None]:
    return lambda f: f.drop(steps(f)[act])


FORGERIES: dict[str, tuple[Callable[[Forgery], None], str]] = {
    "a state is skipped": (put("推荐", act="拟认定"), "环节没有“拟认定”"),
    "another level acts": (put("拟认定", level="市级"), "应由省级办理"),
    "a day before the step before": (put("拟认定", day="2023-07-01"), "早于本案的上一步"),
    "a day that has not come": (put("拟认定", day="2023-09-01"), "晚于登记的日期"),
    "the announcement comes too early": (put("公告", day="2023-07-13"), "环节没有“公告”"),
    "another outcome": (put("推荐", outcome="材料不足"), "所写的结论与所依的决定不符"),
    "an outcome of nothing": (put("推荐", decision=None, outcome="符合"), "所写的结论没有决定"),
    "a decision of nowhere": (put("推荐", decision="a" * 64), "所依的决定不在包内"),
    "no announcement": (put("公告", announcement="a" * 64), "公告或所登记的称号不在包内"),
    "a title of nowhere": (put("公告", title="a" * 64), "公告或所登记的称号不在包内"),
    "a step of nothing": (put("拟认定", application="a" * 64), "所属的申报不在记录中"),
    "out of line": (put("拟认定", after="a" * 64), "不是接在本案的上一步之后"),
    "a step is dropped": (dropped("拟认定"), "办理：应在包内而不在，已被删去"),
    "the list is another": (
        lambda f: f.put(f.numbers("announcement")[0], announced="a" * 64),
        "公告的名单与其后的办理不符",
    ),
    "the list is longer": (
        lambda f: f.put(f.numbers("announcement")[0], count=2),
        "公告的名单与包内的办理不符",
    ),
    "the round is another's": (
        lambda f: f.put(f.numbers("round")[0], procedure="复核"),
        "轮次的程序是「复核」",
    ),
    "the round opens later": (
        lambda f: f.put(f.numbers("round")[0], opens="2023-07-31"),
        "不在轮次的受理时间",
    ),
    "a decision of another tier": (of_another_tier, "所依的决定是另一层级或另一程序的"),
    "a decision of another procedure": (
        lambda f: f.put(
            f.numbers("decision")[0],
            case={**f.body(f.numbers("decision")[0])["case"], "procedure": "复核"},
        ),
        "所依的决定是另一层级或另一程序的",
    ),
    "a title of another tier": (
        lambda f: (
            f.put(f.numbers("title")[0], kind="创新型中小企业"),
            f.line(f.numbers("title")[0])["header"].update(tier="创新型中小企业"),
        ),
        "所登记的是创新型中小企业称号",
    ),
    "an announcement of another tier": (
        lambda f: f.line(f.numbers("announcement")[0])["header"].update(tier="创新型中小企业"),
        "所属的公告是另一层级的",
    ),
    "another document announces": (
        first_of("announcement", document="另一公告"),
        "文号、日期或附件不一致",
    ),
    "another day announces": (
        first_of("announcement", dated="2023-07-02"),
        "文号、日期或附件不一致",
    ),
    "another document grants": (first_of("title", document="另一公告"), "文号、日期或附件不一致"),
    "the title is extended": (
        first_of("title", action="extend"),
        "所登记的称号不是这一办理所授予或延续的",
    ),
    "the last step comes alone": (recorded_later, "公告、称号和办理不是先后一并登记的"),
    "an application while another is open": (applied_again, "前一申报"),
    "an application of a day to come": (
        first_of("application", applied_on="2023-08-02"),
        "2023-08-02晚于登记的日期",
    ),
    "an application on a later filing": (
        first_of("application", filed_as_of="2023-07-13"),
        "所写的填报日期晚于申报日期",
    ),
    "a day in another form": (
        first_of("application", applied_on="20230712"),
        "「applied_on」的写法不对",
    ),
    "a number in another form": (first_of("round", lag=0.0), "「lag」的写法不对"),
    "more than is read": (first_of("step", remark="x"), "多出「remark」"),
    "more in the header": (with_more_in_the_header, "记录的格式不为本程序所知"),
    "an objection that is not settled": (
        put("拟认定", objection="a" * 64),
        "不了结异议，却写有异议",
    ),
    "a longer publicity": (lambda f: renamed(f, "workflows", shorter), "环节没有“公告”"),
    "no working day is known": (lambda f: renamed(f, "calendar", no_years), "环节没有“公告”"),
    "another workflow governs": (
        lambda f: f.put(f.numbers("application")[0], workflow="63.办理.部级认定"),
        "应依另一办理程序",
    ),
    "another tier": (
        lambda f: f.line(f.numbers("step")[0])["header"].update(tier="创新型中小企业"),
        "层级与其内容不符",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_course_is_seen(season: tuple[bytes, SigningKey], name: str) -> None:
    data, key = season
    forge, said = FORGERIES[name]
    forged = Forgery(data)
    forge(forged)
    found = verify_bundle(forged.rechained().packed(key), key=str(key.verifier_key))
    assert any(said in problem for problem in found.problems), found.problems


def test_the_bundle_as_exported_holds(season: tuple[bytes, SigningKey]) -> None:
    data, key = season
    found = verify_bundle(data, key=str(key.verifier_key))
    assert found.problems == []
    again = Forgery(data).rechained().packed(key)
    assert verify_bundle(again, key=str(key.verifier_key)).problems == []
    assert len(found.courses) == 2
    names = {n.split("/")[0] for n in Forgery(data).files}
    assert {"workflows", "calendar"} <= names
