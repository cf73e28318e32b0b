"""Exact quantities: reading, mentions in a clause, and showing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import QuantityError
from rules.model.facts import check_value
from rules.model.quantities import UNITS, Quantity, mentions, parse, show
from rules.tests.packaged import catalogue


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("100万元", Fraction(1_000_000), "金额"),
        ("1.5亿元", Fraction(150_000_000), "金额"),
        ("0.01元", Fraction(1, 100), "金额"),
        ("2.9999%", Fraction(29999, 1_000_000), "比例"),
        ("10个百分点", Fraction(1, 10), "比例"),
        ("-5%", Fraction(-1, 20), "比例"),
        ("+2年", Fraction(2), "年"),
        (" 60分 ", Fraction(60), "分"),
        ("3名", Fraction(3), "名"),
        ("0项", Fraction(0), "项"),
    ],
)
def test_parse(text: str, value: Fraction, dimension: str) -> None:
    assert parse(text) == Quantity(value, dimension)


@pytest.mark.parametrize(
    "text", ["", "100", "万元", "1,000万元", "一百万元", "100 万元", "1e3元", "3％", "１元", ".5%", "100万元以上", "5月"]
)  # fmt: skip
def test_not_a_quantity(text: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse(text)
    assert str(caught.value) == (
        f"「{text}」不是可识别的数量：请写成数字加单位，例如 100万元、3%、2年、20分"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("近两年", {Quantity(Fraction(2), "年")}),
        ("前三名", {Quantity(Fraction(3), "名")}),
        ("一项以上", {Quantity(Fraction(1), "项")}),
        ("三百零五人", {Quantity(Fraction(305), "人")}),
        ("一千二百人", {Quantity(Fraction(1200), "人")}),
        ("十五分、二十分", {Quantity(Fraction(15), "分"), Quantity(Fraction(20), "分")}),
        ("二〇二二年", {Quantity(Fraction(2022), "年")}),
        ("1,000万元", {Quantity(Fraction(10_000_000), "金额")}),
        ("５０％", {Quantity(Fraction(1, 2), "比例")}),
        ("3 年", {Quantity(Fraction(3), "年")}),
        ("上年度研发费用总额", set()),
        ("第3条", set()),
    ],
)
def test_mentions(text: str, expected: set[Quantity]) -> None:
    assert mentions(text) == expected


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Fraction(28, 1000), "%", "2.8%"),
        (Fraction(1, 3), "%", "约33.3333%"),
        (Fraction(-1, 2), "%", "-50%"),
        (Fraction(1_000_000), "万元", "100万元"),
        (Fraction(999_999), "万元", "99.9999万元"),
        (Fraction(1), "亿元", "约0亿元"),
        (Fraction(0), "项", "0项"),
    ],
)
def test_show(value: Fraction, unit: str, text: str) -> None:
    assert show(value, unit) == text


@given(st.decimals(-(10**9), 10**9, places=4), st.sampled_from(sorted(UNITS)))
def test_what_is_shown_reads_back(number: object, unit: str) -> None:
    quantity = parse(f"{number:f}{unit}")
    assert parse(show(quantity.value, unit)) == quantity
    if quantity.value >= 0:
        assert quantity in mentions(f"不低于{number:f}{unit}。")


@given(st.fractions(), st.sampled_from(sorted(UNITS)))
def test_a_cut_decimal_is_marked(value: Fraction, unit: str) -> None:
    shown = show(value, unit)
    assert (parse(shown.removeprefix("约")).value == value) is not shown.startswith("约")


@given(st.text())
def test_any_text_reads_or_is_refused(text: str) -> None:
    mentions(text)
    try:
        found = parse(text)
    except QuantityError:
        return
    assert found.dimension in {dimension for dimension, _ in UNITS.values()}


@pytest.mark.parametrize(
    "text", ["1e999999999万元", f"{'9' * 5000}万元", f"0.{'1' * 5000}%", f"-{'9' * 41}人"]
)
def test_numbers_that_no_text_states_are_no_quantities(text: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse(text)
    assert len(str(caught.value)) < 120
    assert all(q.value < 10**45 for q in mentions(text))


@pytest.mark.parametrize(
    "text", ["1e999999999", "1e-999999999", "1E+100", "9" * 5000, "1/" + "9" * 99]
)
def test_numbers_that_no_filing_states_are_no_values(text: str) -> None:
    assert check_value(catalogue().fact("revenue"), text) == "应为数字"
