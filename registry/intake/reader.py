"""From a file to filings: every sheet is read, and every row is kept or held back with a reason."""

from collections.abc import Container, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

from openpyxl.utils import get_column_letter

from registry.errors import RegistryError
from registry.filings import FileReading, Heading, Submission
from registry.intake import jsonfile
from registry.intake.cells import not_given, plain
from registry.intake.coverage import Asking, keys, lacking, wanted
from registry.intake.drafts import CellPlace, Drafts, Log
from registry.intake.files.sheets import TEXT_SUFFIXES, FileSheet, Row, refuse_unread, sheets
from registry.intake.forms import FORM_REMEDY, is_form, one_form
from registry.intake.marking import is_list
from registry.intake.tables.headers import Column, Header
from registry.intake.tables.layout import Layout
from registry.intake.tables.mapping import HeaderMapping
from registry.intake.tables.mapping_draft import unachieved
from registry.intake.tables.rows import FilingTable
from registry.intake.template import GUIDE
from registry.kit.files import sha256_of
from registry.kit.progress import Done, ignored
from rules.model.catalogue import Catalogue

_JSON: Final = ".json"
#: The most headings that are named.
_NAMED: Final = 10
_STEP: Final = 200


def read(
    path: str | Path,
    catalogue: Catalogue,
    *,
    as_of: date | None = None,
    mapping: str | Path | None = None,
    asked: Asking | None = None,
    progress: Done = ignored,
    admitted: Container[str] = (),
) -> FileReading:
    """Read a county summary, a filled template, a CSV or a JSON file.

    ``catalogue`` is what may be filed. ``as_of`` overrides the 填报日期 in the file. ``mapping`` is a CSV of further headings (columns 表头,
    填报项, 单位, 说明) that extend or override the packaged ones. With ``asked``, columns that a county
    summary of its day lacks are named. ``admitted`` are codes that are valid although their check
    digit is wrong. Raises ``RegistryError`` for a file that cannot be read as a whole; any fault
    inside it is an issue of the reading.
    """
    path = Path(path)
    refuse(path)
    log = Log()
    drafts = Drafts(log, catalogue, admitted)
    if path.suffix.lower() == _JSON:
        jsonfile.read(path, drafts)
        good, held = drafts.finish(as_of)
        return FileReading(
            file=path.name,
            digest=sha256_of(path),
            submissions=good,
            refused=held,
            issues=tuple(log),
        )
    own = Path(mapping) if mapping is not None else None
    headings = HeaderMapping(catalogue, own)
    reader = _Reader(path, headings, drafts, as_of, progress)
    reader.read()
    good, held = drafts.finish(as_of)
    if asked is not None:
        reader.name_lacking([*good, *held], asked)
    if own is not None:
        log.extend(unachieved(own, reader.headings(), catalogue))
    return FileReading(
        file=path.name,
        digest=sha256_of(path),
        submissions=good,
        refused=held,
        issues=tuple(log),
        headings=reader.headings(),
    )


def refuse(path: Path) -> None:
    """Raise ``RegistryError`` for a file of a kind that is not read, whatever it is called."""
    refuse_unread(path, _JSON)


class NoTableError(RegistryError):
    """A file has no readable table; ``headings`` are those of the most similar rows."""

    @property
    def headings(self) -> tuple[Heading, ...]:
        """The headings for drafting a mapping."""
        return tuple(self.fields["headings"])


class _Reader:
    """Reads the sheets of a file one after another."""

    def __init__(
        self,
        path: Path,
        headings: HeaderMapping,
        drafts: Drafts,
        as_of: date | None,
        progress: Done,
    ) -> None:
        self._path = path
        self._headings = headings
        self._drafts = drafts
        self._as_of = as_of
        self._progress = progress
        self._done = 0
        self._read: list[tuple[str, Header, tuple[Column, ...]]] = []
        self._unread: list[Heading] = []
        self._tables: list[FilingTable] = []
        self._nearest: list[tuple[int, str]] = []
        self._forms: list[str] = []

    def read(self) -> None:
        with closing(sheets(self._path)) as book:
            tables = [self._sheet(sheet) for sheet in book]
        if not any(tables) and self._forms:
            raise NoTableError(
                "form-as-table",
                "{where}：{value}，" + FORM_REMEDY,
                where=self._path.name,
                value=self._forms[0],
                headings=(),
            )
        if not any(tables):
            _, nearest = max(self._nearest, default=(0, ""))
            raise NoTableError(
                "no-table",
                "{where}：没有找到带有“统一社会信用代码”和“企业名称”的表头{nearest}，请核对表头或改用模板",
                where=self._path.name,
                nearest=nearest and f"（{nearest}）",
                headings=tuple(self._unread),
            )
        if all(table.is_yearly for table in self._tables if table.header.record is None):
            for table in self._tables:
                table.declare()
        self._progress(self._done)

    def name_lacking(self, filed: list[Submission], asked: Asking) -> None:
        """Name the requested columns that each county summary lacks on its days."""
        summary = [h.record is None and h.column("year") is None for _, h, _ in self._read]
        known = [keys(header, columns) for _, header, columns in self._read]
        further = {
            key for found, whole in zip(known, summary, strict=True) if not whole for key in found
        }
        for (sheet, _, _), own, whole in zip(self._read, known, summary, strict=True):
            rows = [s for s in filed if s.where.rpartition("!")[0] == sheet] if whole else []
            names = lacking(own, further, wanted(rows, asked))
            if names:
                said = f"表中没有这些栏目，按未填报处理：{'、'.join(names)}"
                self._drafts.log.add("提示", CellPlace(sheet), None, said, "需要时请补上这些栏目")

    def headings(self) -> tuple[Heading, ...]:
        """All headings of the tables that were read."""
        return tuple(heading for table in self._read for heading in _headings(*table))

    def _sheet(self, sheet: FileSheet) -> bool:
        """Read one sheet; False if it has no readable table."""
        log = self._drafts.log
        exact = self._path.suffix.lower() in TEXT_SUFFIXES
        layout = Layout(sheet, self._headings, self._drafts, self._as_of, exact=exact)
        header = layout.look()
        form = header is not None and is_form(header, layout.top, self._headings)
        if header is None or header.missing or form:
            self._pass_over(sheet, layout, header)
            return False
        if sheet.hidden:
            log.add(
                "提示", CellPlace(sheet.name), None, "隐藏的工作表未读取", "需要读取时请取消隐藏"
            )
            return False
        layout.read(header, self._count)
        self._read.extend((sheet.name, f.header, f.columns) for f in layout.found)
        self._tables.extend(f.table for f in layout.found)
        self._tell_hidden(sheet, layout)
        return True

    def _tell_hidden(self, sheet: FileSheet, layout: Layout) -> None:
        """Report rows and columns that people who look at the table do not see, or see struck out."""
        looked_at = sheet.unseen.rows or sheet.unseen.struck
        rows = self._drafts.rows(sheet.name) if looked_at else ()
        columns = [(c.index + 1, c.text) for f in layout.found for c in f.columns]
        if hidden := sheet.hidden_among(rows, columns):
            said = f"{hidden}也已读取"
            self._drafts.log.add(
                "提示", CellPlace(sheet.name), None, said, "不该登记的，请取消隐藏后删去再读"
            )
        if struck := sheet.struck_among(rows):
            said = f"{struck}，也已读取"
            self._drafts.log.add(
                "提示", CellPlace(sheet.name), None, said, "划去不要的，请删去再读"
            )

    def _count(self) -> None:
        self._done += 1
        if self._done % _STEP == 0:
            self._progress(self._done)

    def _pass_over(self, sheet: FileSheet, layout: Layout, header: Header | None) -> None:
        """Report that a sheet is not read, and which row was most similar to a heading."""
        if sheet.hidden or sheet.name == GUIDE or layout.is_blank or is_list(layout.top):
            return
        place = CellPlace(sheet.name)
        if form := one_form(layout.top, self._headings):
            self._forms.append(f"工作表“{sheet.name}”{form}")
            self._drafts.log.add("错误", place, None, form, FORM_REMEDY)
            return
        if header is None or len(header.columns) < 2:
            header = _wordiest(layout.top, self._headings) or header
        nearest = ""
        if header is not None:
            self._unread += _headings(sheet.name, header, ())
        if header is not None and header.columns:
            nearest = f"（{_nearest(header)}）"
            lacks = f"工作表“{sheet.name}”{_nearest(header)}，缺少{'、'.join(header.missing)}"
            self._nearest.append((len(header.columns), lacks))
        if header is not None and len(header.columns) > 1:
            said = f"表头缺少{'、'.join(header.missing)}列，整张工作表未读取{nearest}"
            self._drafts.log.add("错误", place, None, said, "请补上该列")
        else:
            said = f"没有找到表头，整张工作表未读取{nearest}"
            self._drafts.log.add("提示", place, None, said, "需要读取时请核对表头")


def _headings(sheet: str, header: Header, columns: tuple[Column, ...]) -> Iterator[Heading]:
    """The headings of a table; those ignored on purpose count as read."""
    known = {c.index: c.heading.target.role for c in header.columns}
    read = {c.index for c in columns} | {i for i, role in known.items() if role == "ignore"}
    for index, cell in enumerate(header.titles):
        if not not_given(cell):  # nor is a formula without its result
            letter = get_column_letter(index + 1)
            text = plain(cell)
            levels = header.levels[index]
            yield Heading(sheet, letter, header.row, text, index in known, index in read, levels)


def _wordiest(rows: Sequence[Row], headings: HeaderMapping) -> Header | None:
    """The row with the most texts: perhaps a heading that is hardly understood."""
    texts = [sum(isinstance(c, str) and not not_given(c) for c in row) for row in rows]
    if max(texts, default=0) < 2:
        return None
    number = texts.index(max(texts)) + 1
    titles = rows[number - 1]
    found = ((i, plain(c), headings.resolve(plain(c))) for i, c in enumerate(titles))
    columns = tuple(Column(i, text, heading) for i, text, heading in found if heading)
    levels = tuple((plain(cell),) for cell in titles)
    return Header(
        row=number, columns=columns, record=None, first=number, titles=titles, levels=levels
    )


def _nearest(header: Header) -> str:
    """The row most similar to a heading, and the columns of it that are understood."""
    known = {c.index for c in header.columns}
    understood = "、".join(c.text for c in header.columns[:_NAMED])
    others = [
        plain(cell)
        for index, cell in enumerate(header.titles)
        if index not in known and isinstance(cell, str)
    ]
    unknown = f"，看不懂{'、'.join(others[:_NAMED])}" if others else ""
    return f"第{header.row}行最接近：认出{understood}{unknown}"
