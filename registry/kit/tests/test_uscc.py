import pytest

from registry.kit.uscc import check_digit, fault, is_business, tidy

#: Published codes of well-known bodies, typed by hand.
REAL = ["91350100M000100Y43", "9144030071526726XG", "914403001922038216", "91110000802100433B"]


@pytest.mark.parametrize("code", REAL)
def test_codes_in_use_are_valid(code):
    assert fault(code) is None


def test_every_single_wrong_character_is_found():
    code = REAL[0]
    for position in range(17):
        for other in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if other != code[position]:
                assert check_digit(code[:position] + other + code[position + 1 : 17]) != code[17]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("91350100M000100Y4", "应为18位，实为17位"),
        ("913501001000100Y433", "应为18位，实为19位"),
        ("91350100M000100Y433", "前后有多余的文字，其中的代码是 91350100M000100Y43"),
        ("91350100M000100YO3", "含有不允许的字符 O（代码中没有字母 I、O、Z、S、V）"),
        ("91350100M000100Y4?", "含有不允许的字符 ?"),
        ("91A50100M000100Y43", "第3至8位（行政区划码）应为数字"),
        ("91350100M000100Y44", "校验码不符：前17位对应的第18位应为 3"),
    ],
)
def test_what_is_wrong_is_said(code, expected):
    assert fault(code) == expected


def test_codes_are_tidied_as_typed():
    assert tidy("  '９１３５０１００-m000100y43 ") == REAL[0]


def test_other_registration_authorities_are_no_businesses():
    assert is_business(REAL[0])
    assert not is_business("52100000500000000X")
