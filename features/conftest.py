"""The step sentences of all features: filed facts go to ``rules``, results are compared as text.

The sentences themselves are a closed set in ``rules.drafting.examples``; a definition table in a 背景 is
compiled by ``rules.language.source`` and is not run as a step.
"""

from functools import lru_cache
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, then, when
from pytest_bdd.parser import Scenario

from rules.decider import Decider
from rules.drafting.examples import Given, actual, read_indicator, take
from rules.language.rulebook import Rulebook, load
from rules.language.source import GherkinStep, Row
from rules.language.tables import COLUMNS
from rules.model.decode import decode
from rules.model.facts import Profile
from rules.model.ruleset import Ruleset, Trace


@lru_cache(maxsize=8)
def decider(text: str) -> Decider:
    """One for each ruleset: to compile it takes longer than to decide an example by it."""
    return Decider(decode(text))


def by_both(ruleset: Ruleset, profile: Profile) -> Trace:
    """What both evaluators say."""
    return decider(ruleset.canonical()).decide(profile).trace


RULE = pytest.StashKey[str]()


def pytest_bdd_apply_tag(tag: str, function: object) -> bool:
    """Tags are labels of the law here, never pytest marks."""
    return True


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return load(Path(__file__).parent)


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, scenario: Scenario) -> None:
    """Remember the rule that a scenario stands under."""
    assert scenario.rule is not None
    request.node.stash[RULE] = next(
        t.removeprefix("id:") for t in scenario.rule.tags if t.startswith("id:")
    )


@pytest.fixture
def example(request: pytest.FixtureRequest, rulebook: Rulebook) -> Given:
    return Given(rule=request.node.stash[RULE], catalogue=rulebook.catalogue)


def step(text: str, table: list[list[str]] | None) -> GherkinStep:
    return GherkinStep(text, 0, tuple(Row(0, tuple(cells)) for cells in table or ()))


@given(parsers.re("(?P<text>.+)"))
@when(parsers.re("(?P<text>.+)"))
def file(example: Given, text: str, datatable: list[list[str]] | None = None) -> None:
    if text not in COLUMNS:
        assert take(example, step(text, datatable)) is None, f"「{text}」应写在「那么」之下"


@then(parsers.re("(?P<text>.+)"))
def expect(example: Given, rulebook: Rulebook, text: str) -> None:
    expectation = take(example, step(text, None))
    assert expectation is not None, f"「{text}」应写在「假如」之下"
    found = actual(rulebook, example, expectation, by_both, read_indicator)
    assert found == expectation.text
