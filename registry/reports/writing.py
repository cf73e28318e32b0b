"""Explanations written in a format, for a reader: a text, a page, a letter or data, and files of them."""

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
from registry.reports.verdicts import SHORT
from rules.portable.errors import Words, unworded

#: How wide tables are where there is no terminal.
WIDTH: Final = 110
#: How long the name of an enterprise may be in the name of a file.
_LONGEST: Final = 50
#: What no file system takes in a name, and what cannot be seen.
_UNSAFE: Final = re.compile(
    r'[<>:"/\\|?*\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+'
)


@dataclass(frozen=True)
class Form:
    """A format: how its files end, and what one is called."""

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
    """Writes explanations in a format, for a reader; a letter is of an ``office``, a text so wide.

    ``words`` are those of the face for what a reader may do further.
    """

    form: str
    reader: str
    office: str = ""
    width: int = WIDTH
    words: Words = unworded

    def one(self, found: Explanation) -> str:
        """One decision: a whole file, or of a letter its part of one."""
        match self.form:
            case "json":
                return json_text(found.to_json())
            case "letter":
                return letter(found, self.office)
            case "html":
                return html(report(found, self.reader, self.words))
        return text(report(found, self.reader, self.words), self.width)

    def file(self, parts: Sequence[str], seq: int | None = None) -> str:
        """One file of all of them; ``seq`` is the number where one was asked for."""
        match self.form:
            case "json":
                return f"{parts[0]}\n" if seq else f"[{', '.join(parts)}]\n"
            case "letter":
                which = f"　第{seq}号" if seq else f"（{len(parts)}份）"
                return f"{letters(parts, f'决定告知书{which}')}\n"
            case "html":
                return f"{parts[0]}\n"
        return "\n\n".join(parts)


def file_name(entry: Entry, form: str) -> str:
    """What a file of a decision is called: enterprise, tier and number, as every system takes it."""
    name = _UNSAFE.sub("", entry.content["case"]["name"])[:_LONGEST].strip(".")
    what = f"第{entry.seq}号{FORMS[form].name}{FORMS[form].suffixes[0]}"
    return "_".join(filter(None, (name, SHORT.get(entry.tier, entry.tier), what)))
