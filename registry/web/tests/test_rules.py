"""The criteria in the browser: the pages of the static site, in the frame of this face."""

import pytest

from registry.desk import documenting
from registry.web.addresses import edition, rule
from registry.web.tests.visiting import Visitor


@pytest.mark.parametrize("path", ["/rules", "/applicability", "/indicators"])
def test_a_page_of_the_criteria_stands_in_the_frame(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status == 200
    assert 'href="/rules" aria-current' in page.source
    assert "工作台" in page.words


def test_a_rule_shows_table_examples_and_what_refers_to_it(visitor: Visitor) -> None:
    page = visitor.get(rule("63.2.研发费用"))
    for said in (
        "附件2认定条件第二项",
        "不低于 100万元",
        "全部成立",
        "引用本规则的",
        "何时何地适用",
    ):
        assert said in page.words, said


def test_a_rule_that_there_is_not_names_similar_ones(visitor: Visitor) -> None:
    page = visitor.get(rule("研发费用"))
    assert page.status == 404
    assert "相近的有" in page.words


def test_texts_stand_alone_and_side_by_side(visitor: Visitor) -> None:
    docs = documenting.at_hand().pages
    for text in docs.editions:
        assert visitor.get(edition(text.folder)).status == 200, text.folder
    for before, after in docs.compared:
        assert visitor.get(edition(f"{before}...{after}")).status == 200
    assert visitor.get(edition("nothing")).status == 404
    assert visitor.get(edition("nothing...else")).status == 404


def test_links_from_rules_are_answered(visitor: Visitor) -> None:
    docs = documenting.at_hand().pages
    asked: dict[str, int] = {}
    for id in [*docs.rules][::16]:
        page = visitor.get(rule(id))
        assert page.status == 200, id
        for href in page.links:
            path = href.partition("#")[0]
            if path and path not in asked and not path.startswith("/rules/"):
                asked[path] = visitor.get(path).status
    assert {path: status for path, status in asked.items() if status != 200} == {}


def test_what_is_searched_is_a_script_of_our_own(visitor: Visitor) -> None:
    answer = visitor.raw("/rules/index.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert '"/rules/63.2.' in answer.text
