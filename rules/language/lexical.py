"""Refuses faults in the text of a feature file before its structure is read."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from rules.errors import Problem
from rules.model.characters import SPACES, TWINS, UNSEEN, code_point

#: Includes a lone carriage return, which ends the line only for some programs.
_UNSEEN: Final = re.compile(rf"{UNSEEN.pattern}|\r(?!$)")
_KEYWORDS = "功能|规则|背景|场景|场景大纲|剧本|剧本大纲|例子"
_FULL_WIDTH_COLON: Final = re.compile(rf"\s*({_KEYWORDS})\s*：")
_SPACED_COLON: Final = re.compile(rf"\s*({_KEYWORDS})\s+:")
_LANGUAGE: Final = "# language: zh-CN"
#: 「Ⅰ」「〔〕“”」 are the law's own signs and stay.
_FULL_WIDTH_DIGITS: Final = re.compile(r"[０-９％．Ａ-Ｚａ-ｚ]")
_FULL_WIDTH: Final = re.compile(r"[０-９Ａ-Ｚａ-ｚ＠．]")
_SPACE: Final = re.compile(f"[{SPACES}]")
_TWIN: Final = re.compile(f"[{TWINS}]")
#: What people leave for later: where it stands as a text of its own, or ends one.
_LEFT: Final = re.compile(
    r"待填|待补|第[xX×]+[条项款章]|(?<![A-Za-z])(?:TODO|FIXME|TBD)(?![A-Za-z])|(?<![A-Za-z0-9])[xX×]{3,}(?![A-Za-z0-9])|[?？]{2,}|＿{2,}|_{3,}"
)
_ELLIPSIS: Final = re.compile(r"(?:…+|\.{3,}|。{3,})\s*\Z")
#: Lines whose words are taken as they are: comments, and notes on the reading of the law.
_FREE: Final = ("#", "解读")
#: Marks what the drafter must still write, in a file from ``tidu rules new``.
TO_WRITE: Final = "待填："
_TO_WRITE: Final = re.compile(rf"{TO_WRITE}([^|”@]+)")


def refused(name: str, text: str) -> Iterator[Problem]:
    """Every fault in the lines of a file that Gherkin tools would ignore in silence."""
    if text.startswith("\ufeff"):
        yield Problem(name, 1, "文件开头有 BOM：请另存为 UTF-8（无 BOM）")
        return
    unseen = [p for n, line in enumerate(text.split("\n"), 1) for p in _unseen(name, n, line)]
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
        if stripped.startswith("@") and (match := _FULL_WIDTH.search(stripped)):
            yield Problem(name, number, f"标签中有全角字符「{match[0]}」：请改为半角")
        if stripped.startswith("|") and (match := _FULL_WIDTH_DIGITS.search(stripped)):
            yield Problem(name, number, f"表格中有全角字符「{match[0]}」：请改为半角")
        if not stripped.startswith(_FREE):
            yield from _left(name, number, stripped)


def _unseen(name: str, number: int, line: str) -> Iterator[Problem]:
    """Every character of a line that people do not see, or take for another."""
    for match in _UNSEEN.finditer(line):
        at = f"第{match.start() + 1}个字符"
        yield Problem(name, number, f"{at}不能显示（{code_point(match[0])}）：请删去")
    for match in _SPACE.finditer(line):
        at = f"第{match.start() + 1}个字符"
        yield Problem(
            name, number, f"{at}不是普通空格（{code_point(match[0])}）：请改为普通空格，或删去"
        )
    for match in _TWIN.finditer(line):
        meant = unicodedata.normalize("NFKC", match[0])
        instead = (
            f"请改为「{meant}」（{code_point(meant)}）" if meant != match[0] else "请改为通用的字"
        )
        at = f"第{match.start() + 1}个字符「{match[0]}」（{code_point(match[0])}）"
        yield Problem(name, number, f"{at}是与常用字同形的另一个字：{instead}")


def _left(name: str, number: int, line: str) -> Iterator[Problem]:
    """Whatever in a line still has to be written."""
    marked = list(_TO_WRITE.finditer(line))
    for match in marked:
        yield Problem(name, number, f"此处待填：{match[1].strip()}；写好后请删去「{TO_WRITE}」")
    if marked:
        return
    parts = line.split("|") if line.startswith("|") else [line]
    for part in parts:
        if found := _LEFT.search(part) or _ELLIPSIS.search(part):
            yield Problem(name, number, f"此处还没有写好（「{found[0].strip()}」）：请补齐")


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
