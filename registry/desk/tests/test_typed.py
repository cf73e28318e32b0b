"""Days as people type them: the forms that are clear in a table, and no others."""

from datetime import UTC, date, datetime

import pytest

from registry.desk.typed import day, last_instant


@pytest.mark.parametrize(
    "text",
    [
        "2023-07-04", "2023-7-4", " 2023.7.4 ", "2023/7/4", "20230704", "２０２３－０７－０４", "2023年7月4日",
        "2023年07月04号", "2023–07–04", "二〇二三年七月四日", "2023\u200b-07-04",
    ],
)  # fmt: skip
def test_a_clear_day_is_read_in_any_form(text: str) -> None:
    assert day(text) == date(2023, 7, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "不是日期，请写成 2023-06-30"), ("昨天", "不是日期，请写成"), ("7月4日", "不是日期"), ("23-7-4", "不是日期"),
        ("04/07/2023", "不是日期"), ("45111", "不是日期"), ("无", "不是日期"), ("2023-07-04 10:00", "不是日期"),
        ("2023-07-04 10：00", "不是日期"), ("#N/A", "是公式的错误值"), ("2023-02-30", "没有这一天，请写成"), ("2023-13-01", "没有这一天"),
        ("2023年7月", "日期不完整，缺少日，请写成"), ("2023", "日期不完整"), ("1800-01-01", "的年份应在1900至"),
    ],
)  # fmt: skip
def test_any_other_day_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        day(text)
    assert str(error.value).startswith(f"「{text}」")


def test_a_moment_with_an_impossible_time_is_not_its_day() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="「2023-07-04 25:00」不是日期"):
        last_instant("2023-07-04 25:00", now)
    assert last_instant("2023.7.4", now) == last_instant("2023-07-04", now)
