"""Filed values as people write them; what is refused is told in ``test_refused_steps``."""

from fractions import Fraction

import pytest

from rules.language.values import exact_decimal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(12), "12"),
        (Fraction(1, 8), "0.125"),
        (Fraction(-3, 2), "-1.5"),
        (Fraction(1, 1000), "0.001"),
    ],
)
def test_exact_decimals(value: Fraction, text: str) -> None:
    assert exact_decimal(value) == text
