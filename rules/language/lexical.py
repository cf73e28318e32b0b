"""Refuses faults in the text of a feature file before its structure is read."""

import re
from collections.abc import Iterator
from typing import Any, Final

from rules.errors import Problem
from rules.model.characters import UNSEEN, code_point

#: Includes a lone carriage return, which ends the line only for some programs.
_UNSEEN: Final = re.compile(rf"{UNSEEN.pattern}|\r(?!$)")
_KEYWORDS = "功能|规则|背景|场景|场景大纲|剧本|剧本大纲|例子"
_FULL_WIDTH_COLON: Final = re.compile(rf"\s*({_KEYWORDS})\s*：")
_SPACED_COLON: Final = re.compile(rf"\s*({_KEYWORDS})\s+:")
_LANGUAGE: Final = "# language: zh-CN"
#: 「Ⅰ」「〔〕“”」 are the law's own signs and stay.
_FULL_WIDTH_DIGITS: Final = re.compile(r"[０-９％．]")
#: Marks what the drafter must still write, in a file from ``tidu rules new``.
TO_WRITE: Final = "待填："
_TO_WRITE: Final = re.compile(rf"{TO_WRITE}([^|”@]+)")


def refused(name: str, text: str) -> Iterator[Problem]:
    """Every fault in the lines of a file that Gherkin tools would ignore in silence."""
    if text.startswith("\ufeff"):
        yield Problem(name, 1, "文件开头有 BOM：请另存为 UTF-8（无 BOM）")
        return
    unseen = [
        Problem(
            name, number, f"第{match.start() + 1}个字符不能显示（{code_point(match[0])}）：请删去"
        )
        for number, line in enumerate(text.split("\n"), 1)
        if (match := _UNSEEN.search(line))
    ]
    if unseen:
        yield from unseen
        return
    lines = text.splitlines()
    if not lines or lines[0].strip() != _LANGUAGE:
        yield Problem(name, 1, f"首行应为「{_LANGUAGE}」：请补上，否则中文关键字不被识别")
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if match := _FULL_WIDTH_COLON.match(line):
            yield Problem(
                name,
                number,
                f"「{match[1]}」后是全角冒号，其后的内容会被悄悄忽略：请改为半角冒号「:」",
            )
        if match := _SPACED_COLON.match(line):
            yield Problem(
                name,
                number,
                f"「{match[1]}」与冒号之间有空格，其后的内容会被悄悄忽略：请删去空格",
            )
        if stripped.startswith("｜"):
            yield Problem(name, number, "表格用了全角竖线「｜」：请改为半角「|」")
        if stripped.startswith("|") and (match := _FULL_WIDTH_DIGITS.search(stripped)):
            yield Problem(name, number, f"表格中有全角字符「{match[0]}」：请改为半角")
        if not stripped.startswith("#"):
            for match in _TO_WRITE.finditer(stripped):
                yield Problem(
                    name, number, f"此处待填：{match[1].strip()}；写好后请删去「{TO_WRITE}」"
                )


def unparsed(name: str, error: Any) -> Problem:
    """A Gherkin parser's error, explained in Chinese."""
    line, text = error.location["line"], str(error)
    if "inconsistent cell count" in text:
        return Problem(name, line, "表格各行的列数不一致：请补齐或删去多余的「|」")
    if "tag may not contain whitespace" in text:
        return Problem(name, line, "标签（如 @id:编号）中不能有空格：请删去空格")
    if "unexpected end of file" in text:
        return Problem(name, line, "文件到此中断，内容不完整：请补齐")
    got = re.search(r"got '(.*)'", text)
    shown = f"「{got[1]}」" if got else text
    return Problem(name, line, f"此处不应出现{shown}：请检查关键字、缩进和冒号")
