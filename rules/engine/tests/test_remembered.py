"""What is remembered is what would be compiled, or it is compiled; a forged program decides nothing."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rules.decider import Decider
from rules.engine import remembered
from rules.engine.remembered import compile_and_keep, recall
from rules.language.rulebook import load
from rules.model.facts import Profile, RecordList
from rules.model.ruleset import Ruleset
from rules.portable.canonical import sha256

FEATURES = Path(__file__).parents[3] / "features"
AS_OF = date(2023, 6, 30)


class Kept(dict[str, str]):
    """Texts kept in memory."""

    def read(self, name: str) -> str | None:
        return self.get(name)

    def write(self, name: str, text: str) -> None:
        self[name] = text


@cache
def rulesets() -> dict[str, Ruleset]:
    rulebook = load(FEATURES)
    roots = dict.fromkeys(row.ruleset for row in rulebook.applicability if row.encoded)
    return {root: rulebook.ruleset(root) for root in roots}


def small() -> Ruleset:
    """A ruleset with scores, a ladder, records and codes."""
    return rulesets()["63.2"]


def filings() -> Iterator[Profile]:
    yield Profile(AS_OF)
    values = {
        "revenue@2022": "30000000", "revenue@2021": "20000000", "main_revenue@2022": "29000000",
        "rd_expense@2022": "3000000", "rd_expense@2021": "2500000", "staff@2022": "80",
    }  # fmt: skip
    yield Profile(AS_OF, values, {"titles": RecordList((), True)})


def test_what_is_remembered_is_what_was_compiled_in_the_same_order() -> None:
    store = Kept()
    for ruleset in rulesets().values():
        made = compile_and_keep(ruleset, store)
        found = recall(ruleset, store)
        assert found == made
        for scope, program in made.items():
            assert list(found[scope].outcomes) == list(program.outcomes)
            assert list(found[scope].points) == list(program.points)
    assert len(store) == len(rulesets())


def test_another_ruleset_and_another_compiler_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Kept()
    compile_and_keep(small(), store)
    assert recall(rulesets()["63.1"], store) is None
    monkeypatch.setattr(remembered, "_compiler", lambda: "another")
    assert recall(small(), store) is None


def sealed(body: str) -> str:
    return f"{sha256(body)}\n{body}"


def plainly(change: Callable[[Any], object]) -> Callable[[str], str]:
    """A change of the plain programs, under a seal that is right."""

    def changed(body: str) -> str:
        plain = json.loads(body)
        change(plain)
        return sealed(json.dumps(plain))

    return changed


def first_network(plain: Any) -> Any:
    return next(stage[0][0] for stage in plain[""][3] if stage[0])


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: "",
        lambda body: body,
        lambda body: sealed(body)[:-1],
        lambda body: sealed(body).replace("0", "1", 1),
        lambda body: sealed(body[:-1]),
        lambda body: sealed("[" * 100_000),
        lambda body: sealed("null"),
        lambda body: sealed("{}"),
        plainly(lambda p: p.pop("")),
        plainly(lambda p: p.update(other=p[""])),
        plainly(lambda p: p[""].pop()),
        plainly(lambda p: p[""].append({})),
        plainly(lambda p: p[""].__setitem__(2, True)),
        plainly(lambda p: p[""].__setitem__(2, "1")),
        plainly(lambda p: p[""][0].append(1.5)),
        plainly(lambda p: p[""][1].append([0, 0])),
        plainly(lambda p: p[""][1].append(["1/0", 0, 0])),
        plainly(lambda p: p[""][3][0][1].append(["Program", 1])),
        plainly(lambda p: p[""][3][0][1].append([])),
        plainly(lambda p: first_network(p).__setitem__(0, "{}")),
        plainly(lambda p: first_network(p).__setitem__(0, '{"000":{"all":[]}}')),
        plainly(lambda p: first_network(p).__setitem__(1, [0] * 300)),
    ],
)
def test_what_is_damaged_or_of_another_shape_or_unsafe_is_compiled_anew(
    damage: Callable[[str], str],
) -> None:
    store = Kept()
    compile_and_keep(small(), store)
    [(name, whole)] = store.items()
    store[name] = damage(whole.partition("\n")[2])
    assert recall(small(), store) is None
    with Decider(small(), store=store):
        assert store[name] == whole


def leaves(plain: Any) -> Iterator[tuple[Any, Any]]:
    """Where whole numbers stand."""
    for key in range(len(plain)) if isinstance(plain, list) else plain:
        if isinstance(plain[key], list | dict):
            yield from leaves(plain[key])
        elif isinstance(plain[key], int):
            yield plain, key


def test_a_forged_program_never_makes_a_verdict() -> None:
    """Whatever number in it is another, each filing comes out as if nothing were remembered."""
    cases = list(filings())
    with Decider(small()) as decider:
        expected = [decider.decide(case).trace for case in cases]
    store = Kept()
    compile_and_keep(small(), store)
    [(name, whole)] = store.items()
    chance = random.Random(17)
    used = 0
    for _ in range(15):
        plain = json.loads(whole.partition("\n")[2])
        for place, key in chance.sample(list(leaves(plain)), 25):
            place[key] += chance.choice([-1, 1, 7, 1 << 70])
        store[name] = sealed(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
        used += recall(small(), store) is not None
        with Decider(small(), store=store) as decider:
            assert [decider.decide(case).trace for case in cases] == expected
            assert store[name] == whole or recall(small(), store) is not None
    assert used > 7  # that many would have been believed without the other evaluator


def test_who_speaks_unchecked_remembers_nothing() -> None:
    store = Kept()
    with Decider(small(), alone=True, store=store):
        assert not store
