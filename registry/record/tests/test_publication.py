"""Publications carry what handles a case as well as what judges it."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from registry.database import storage
from registry.kit import resources
from registry.record import publication
from registry.tests.support import Clock
from rules.portable.calendar import Calendar
from rules.portable.canonical import canonical_json
from rules.portable.clocks import Clocks
from rules.portable.workflow import Workflow
from rules.tests import packaged


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_publication_names_every_workflow_and_the_calendar(
    database: sa.Engine, clock: Clock
) -> None:
    rulebook = packaged.rulebook()
    with storage.session(database, write=True) as session:
        publication.publish(session, rulebook, resources.features(), by="张三", now=clock())
        body = publication.latest(session).content  # type: ignore[union-attr]
        table = json.loads(publication.document(session, body["workflows"], "workflows"))
        years = json.loads(publication.document(session, body["calendar"], "calendar"))["years"]
    assert {id: Workflow.of(found) for id, found in table["workflows"].items()} == dict(
        rulebook.workflows
    )
    assert [row["workflow"] for row in table["rows"]] == [
        row.ruleset for row in rulebook.workflow_rows
    ]
    assert Calendar.of(years) == Calendar.of(rulebook.calendar)


def test_what_is_published_tells_each_workflow_and_table_of_clocks_in_the_words_of_its_clause() -> (
    None
):
    rulebook = packaged.rulebook()
    handling = json.loads(publication.workflows_text(rulebook))["workflows"]
    timing = json.loads(publication.clocks_text(rulebook))["clocks"]
    assert {id: Clocks.of(table) for id, table in timing.items()} == dict(rulebook.clocks)
    for id, table in {**handling, **timing}.items():
        clause = rulebook.clauses[id]
        assert (table["title"], table["prose"]) == (clause.title, [*clause.prose])


def test_years_on_record_survive_a_publication_and_texts_of_the_folder_precede_them(
    database: sa.Engine, clock: Clock
) -> None:
    rulebook = packaged.rulebook()
    folder = resources.features()
    year = {"basis": "某通知", "rest": [["2031-01-01", "2031-01-01"]], "work": []}
    with storage.session(database, write=True) as session:
        publication.publish(session, rulebook, folder, by="张三", now=clock())
        known = publication.calendar_text(session, rulebook)
        added = json.loads(known)["years"] | {"2031": year}
        text = canonical_json({"schema": 1, "years": added})
        with_year = replace(rulebook, calendar={**rulebook.calendar, "2031": year})
        publication.publish(session, with_year, folder, by="张三", now=clock())
        assert publication.calendar_text(session, rulebook) == text
        changed = {**year, "basis": "更正的通知"}
        corrected = replace(rulebook, calendar={**rulebook.calendar, "2031": changed})
        assert json.loads(publication.calendar_text(session, corrected))["years"]["2031"] == changed
        # nothing new: publishing the folder again is no second entry
        again = publication.publish(session, rulebook, folder, by="张三", now=clock())
    assert again.seq is None
