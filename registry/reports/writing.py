"""Explanations for a reader, written as text, page, letter or data; singly or in files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from registry.kit.jsontext import json_text
from registry.record.journal import Entry
from registry.reports.explaining import Explanation
from registry.reports.layout import html, text
from registry.reports.letter import letter, letters
from registry.reports.readers import report
from rules.model.catalogue import Catalogue
from rules.portable.errors import Words, unworded

#: The width of tables if there is no terminal.
WIDTH: Final = 110
#: The most characters of an enterprise's name in a file name.
_LONGEST: Final = 50
#: Characters that file systems refuse in names, and invisible ones.
_UNSAFE: Final = re.compile(
    r'[<>:"/\\|?*\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+'
)


@dataclass(frozen=True)
class Form:
    """A format: the suffix of its files, and what such a file is called."""

    suffixes: tuple[str, ...]
    name: str
    kind: str = ""


FORMS: Final = {
    "text": Form((".txt",), "说明", "文字说明是文本文件，"),
    "json": Form((".json",), "数据", "JSON 是数据文件，"),
    "html": Form((".html", ".htm"), "说明", "网页说明是网页文件，"),
    "letter": Form((".html", ".htm"), "告知书", "告知书是网页文件（可用浏览器打印），"),
}


@dataclass(frozen=True)
class Writer:
    """Writes explanations in a format for a reader; a letter names the ``office``.

    Text is ``width`` columns wide. ``words`` are the face's words for further steps.
    """

    form: str
    reader: str
    office: str = ""
    width: int = WIDTH
    words: Words = unworded

    def one(self, found: Explanation) -> str:
        """One decision: a whole file, or for a letter its part of one."""
        match self.form:
            case "json":
                return json_text(found.to_json())
            case "letter":
                return letter(found, self.office)
            case "html":
                return html(report(found, self.reader, self.words))
        return text(report(found, self.reader, self.words), self.width)

    def file(self, parts: Sequence[str], seq: int | None = None) -> str:
        """All parts as one file; ``seq`` is the number if a single decision was asked for."""
        match self.form:
            case "json":
                return f"{parts[0]}\n" if seq else f"[{', '.join(parts)}]\n"
            case "letter":
                which = f"　第{seq}号" if seq else f"（{len(parts)}份）"
                return f"{letters(parts, f'决定告知书{which}')}\n"
            case "html":
                return f"{parts[0]}\n"
        return "\n\n".join(parts)


def file_name(entry: Entry, form: str, catalogue: Catalogue) -> str:
    """The file name for a decision: enterprise, tier and number, safe on every system."""
    name = _UNSAFE.sub("", entry.content["case"]["name"])[:_LONGEST].strip(".")
    what = f"第{entry.seq}号{FORMS[form].name}{FORMS[form].suffixes[0]}"
    return "_".join(filter(None, (name, catalogue.short(entry.tier), what)))
