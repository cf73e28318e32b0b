"""The only reader of ``.feature`` files: turns zh-CN Gherkin into documents with positions.

It refuses, with file and line, everything that Gherkin tools ignore in silence: full-width colons,
repeated scenario names, rules without scenarios, prose instead of steps.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from gherkin.errors import CompositeParserException
from gherkin.parser import Parser

from rules.errors import Problem, SourceError
from rules.language.lexical import refused, unparsed

#: Many times the longest text of law, in bytes; the parser needs a hundred times as much.
_LARGEST: Final = 1 << 20
#: The known tags, by where they may be; any other would be ignored in silence.
_FEATURE_TAGS: Final = ("tier", "source")
_RULE_TAGS: Final = ("id", "对象", "用途")
_SCENARIO_TAGS: Final = ("来源",)
#: The sentences that declare what criteria are made of. A declaration decides nothing by itself:
#: the examples of the rules that use it test it.
DECLARATIONS: Final = ("填报项如下", "指标按下式计算", "参数如下", "层级如下")
#: These signs separate parts of result keys, which contain ids.
_NOT_IN_IDS: Final = re.compile(r"[/#:|@]")


@dataclass(frozen=True)
class Row:
    """A table row: its line and its cells."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class GherkinStep:
    """A step sentence without its keyword, and its table, if any."""

    text: str
    line: int
    table: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A scenario or outline; ``examples`` are (header, rows) of each 例子 table."""

    name: str
    line: int
    steps: tuple[GherkinStep, ...]
    examples: tuple[tuple[Row, tuple[Row, ...]], ...] = ()

    @property
    def outline(self) -> bool:
        """Whether the scenario is run once per example row."""
        return bool(self.examples)

    @property
    def runs(self) -> int:
        """The number of tests in the scenario."""
        return sum(len(rows) for _, rows in self.examples) if self.outline else 1

    def expanded(self) -> Iterator[tuple[int, str, tuple[GherkinStep, ...]]]:
        """Each run as (line, name with its values, steps with placeholders filled)."""
        if not self.outline:
            yield self.line, self.name, self.steps
        for header, rows in self.examples:
            for row in rows:
                values = dict(zip(header.cells, row.cells, strict=True))
                name = f"{self.name}［{'、'.join(v or '空' for v in row.cells)}］"
                yield row.line, name, tuple(_filled(s, values) for s in self.steps)


def _filled(step: GherkinStep, values: dict[str, str]) -> GherkinStep:
    def fill(text: str) -> str:
        return re.sub(r"<([^<>]+)>", lambda m: values.get(m[1], m[0]), text)

    table = tuple(Row(r.line, tuple(fill(c) for c in r.cells)) for r in step.table)
    return GherkinStep(fill(step.text), step.line, table)


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A 规则: as written, not yet compiled."""

    id: str
    title: str
    path: str
    line: int
    tags: tuple[str, ...]
    prose: tuple[str, ...]
    definition: GherkinStep
    scenarios: tuple[Scenario, ...]

    def tag(self, name: str) -> str:
        """The value of the tag ``@name:value``, or an empty text."""
        return _tag(self.tags, name)


@dataclass(frozen=True, kw_only=True)
class Document:
    """One feature file; ``path`` is relative to the features folder."""

    path: str
    title: str
    tags: tuple[str, ...]
    prose: tuple[str, ...]
    clauses: tuple[Clause, ...]
    text: str

    @property
    def declaring(self) -> bool:
        """Whether the file only declares what criteria are made of."""
        kinds = {clause.definition.text for clause in self.clauses}
        return bool(kinds) and kinds <= set(DECLARATIONS)

    def tag(self, name: str) -> str:
        """The value of the tag ``@name:value``, or an empty text."""
        return _tag(self.tags, name)


def _tag(tags: tuple[str, ...], name: str) -> str:
    return next((t.removeprefix(f"@{name}:") for t in tags if t.startswith(f"@{name}:")), "")


def feature_files(path: Path) -> list[Path]:
    """The feature files under a folder in a fixed order, or the file itself."""
    return [path] if path.is_file() else sorted(path.rglob("*.feature"))


def syntax_tree(text: str) -> tuple[Any, list[Any]]:
    """The Gherkin tree of a feature (None for an empty text), or the parser's errors."""
    try:
        return Parser().parse(text).get("feature"), []
    except CompositeParserException as error:
        return None, error.errors


def read_file(path: Path, root: Path) -> tuple[Document | None, list[Problem]]:
    """Read a file: the document (None if it does not parse) and all faults."""
    name = path.relative_to(root).as_posix()
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            return None, [Problem(name, 1, f"文件超过{_LARGEST >> 20}MB：请分成几个文件")]
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None, [Problem(name, 1, "文件不是 UTF-8 编码：请另存为 UTF-8（无 BOM）")]
    document, found = _read_text(name, text)
    return document, list(found)


# a pack is laid over the packaged texts, and a draft is a copy of them: most are read again and again
@lru_cache(maxsize=64)
def _read_text(name: str, text: str) -> tuple[Document | None, tuple[Problem, ...]]:
    problems = tuple(refused(name, text))
    if problems:
        return None, problems
    feature, errors = syntax_tree(text)
    if errors:
        first = {e.location["line"]: e for e in reversed(errors)}
        return None, tuple(sorted(unparsed(name, e) for e in first.values()))
    reader = _Reader(name)
    document = reader.document(feature, text)
    return document, tuple(reader.problems)


def read(path: Path, root: Path | None = None) -> list[Document]:
    """Read all feature files under ``path``; ``SourceError`` lists all faults."""
    documents, problems = read_all(path, root)
    if problems:
        raise SourceError(problems)
    return documents


def read_all(path: Path, root: Path | None = None) -> tuple[list[Document], list[Problem]]:
    """Read all feature files under ``path``: those that parse, and all faults."""
    base = root or (path.parent if path.is_file() else path)
    documents, problems = [], []
    files = feature_files(path)
    if not files:
        problems.append(Problem(path.name, 1, "此处没有 .feature 文件：请查对路径"))
    for file in files:
        document, found = read_file(file, base)
        problems += found
        if document is not None:
            documents.append(document)
    return documents, problems


class _Reader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def refuse(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.path, line, message))

    def document(self, feature: dict[str, Any], text: str) -> Document:
        tags = self.tags(feature, _FEATURE_TAGS)
        if not feature["name"]:
            self.refuse(feature["location"]["line"], "功能没有标题：请写在「功能:」之后")
        clauses: list[Clause] = []
        for child in feature["children"]:
            kind, node = next(iter(child.items()))
            if kind != "rule":
                line = node["location"]["line"]
                self.refuse(
                    line, f"「{node['keyword']}」不在任何规则之下：请移到它所属的「规则:」之内"
                )
            elif clause := self.clause(node):
                clauses.append(clause)
        if not clauses and not self.problems:
            self.refuse(feature["location"]["line"], "功能之下没有规则：请至少写一条「规则:」")
        names: dict[str, int] = {}
        for clause in clauses:
            for scenario in clause.scenarios:
                first = names.setdefault(scenario.name, scenario.line)
                if first != scenario.line:
                    self.refuse(
                        scenario.line,
                        f"场景名「{scenario.name}」与第{first}行重复，前一个会被悄悄替换：请改名",
                    )
        return Document(
            path=self.path,
            title=feature["name"],
            tags=tags,
            prose=_prose(feature["description"]),
            clauses=tuple(clauses),
            text=text,
        )

    def clause(self, node: dict[str, Any]) -> Clause | None:
        line = node["location"]["line"]
        tags = self.tags(node, _RULE_TAGS)
        id = _tag(tags, "id")
        if not id:
            self.refuse(line, "规则没有编号：请在上一行写 @id:文号.条款，例如 @id:63.2.1")
        if match := _NOT_IN_IDS.search(id):
            self.refuse(line, f"编号「{id}」中有「{match[0]}」：请改用「.」分隔")
        if not node["name"]:
            self.refuse(line, "规则没有标题：请把条文写在「规则:」之后")
        definition: GherkinStep | None = None
        background = False
        scenarios: list[Scenario] = []
        for child in node["children"]:
            kind, part = next(iter(child.items()))
            if kind == "background":
                self.bare(part, "背景")
                definition = self.definition(part)
                background = True
            else:
                scenarios.append(self.scenario(part))
        if not background:
            self.refuse(line, "规则没有定义表：请在「背景:」下写一句定义和一张表")
        declaring = definition is not None and definition.text in DECLARATIONS
        if declaring and scenarios:
            self.refuse(scenarios[0].line, "声明之下不写场景：请把例子写在使用它的规则之下")
        elif not declaring and not scenarios:
            self.refuse(line, "规则没有场景，不会被测试：请写边界上、略低和略高的例子")
        if definition is None or not id:
            return None
        return Clause(
            id=id,
            title=node["name"],
            path=self.path,
            line=line,
            tags=tags,
            prose=_prose(node["description"]),
            definition=definition,
            scenarios=tuple(scenarios),
        )

    def definition(self, background: dict[str, Any]) -> GherkinStep | None:
        """The only sentence of a background, with its table; None if it has another form."""
        steps = [self.step(s) for s in background["steps"]]
        for step in steps:
            if not step.table:
                self.refuse(
                    step.line, f"「{step.text}」之下没有表：请在下一行起写它的表，或删去这一句"
                )
        if len(steps) == 1 and steps[0].table:
            return steps[0]
        if len(steps) != 1:
            self.refuse(
                background["location"]["line"],
                "规则的背景应恰有一句定义和一张表：请补齐或拆分规则",
            )
        return None

    def scenario(self, node: dict[str, Any]) -> Scenario:
        line = node["location"]["line"]
        self.tags(node, _SCENARIO_TAGS)
        self.bare(node, "场景名")
        if not node["name"]:
            self.refuse(line, "场景没有名称：请写在冒号之后")
        if not node["steps"]:
            self.refuse(line, "场景没有步骤，不会测试任何内容：请写「假如」和「那么」")
        elif not any(s["keywordType"] == "Outcome" for s in node["steps"]):
            self.refuse(line, f"场景「{node['name']}」没有「那么」：请写出应有的结论")
        if node["keyword"].endswith("大纲") and not node["examples"]:
            self.refuse(line, "场景大纲没有例子表，不会运行：请补写「例子:」")
        steps = tuple(self.step(s) for s in node["steps"])
        texts = [t for s in steps for t in ((s.line, s.text), *_cells(s.table))]
        wanted = {m: n for n, t in reversed(texts) for m in re.findall(r"<([^<>]+)>", t)}
        tables = [t for e in node["examples"] if (t := self.examples(e))]
        for header, _ in tables:
            for name in wanted.keys() - header.cells:
                self.refuse(wanted[name], f"例子表中没有列「{name}」：请补列或改正占位名")
            for name in set(header.cells) - wanted.keys():
                self.refuse(
                    header.line, f"例子表的列「{name}」没有用到：请在步骤中写 <{name}>，或删去此列"
                )
        if not node["examples"]:
            for name, number in wanted.items():
                self.refuse(number, f"例子表中没有列「{name}」：请补列或改正占位名")
        return Scenario(node["name"], line, steps, tuple(tables))

    def examples(self, node: dict[str, Any]) -> tuple[Row, tuple[Row, ...]] | None:
        line = node["location"]["line"]
        self.bare(node, "例子")
        rows = tuple(_row(r) for r in node.get("tableBody", ()))
        if not rows:
            self.refuse(line, "例子表没有数据行，场景不会运行：请至少写一行")
            return None
        header = _row(node["tableHeader"])
        for name in _repeated(header.cells):
            self.refuse(header.line, f"例子表有两列「{name}」，前一列会被悄悄替换：请改名")
        seen: dict[tuple[str, ...], int] = {}
        for row in rows:
            first = seen.setdefault(row.cells, row.line)
            if first != row.line:
                self.refuse(row.line, f"此例与第{first}行相同：请删去一行")
        return header, rows

    def tags(self, node: dict[str, Any], known: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(t["name"] for t in node["tags"])
        for tag in node["tags"]:
            name, _, value = tag["name"].removeprefix("@").partition(":")
            if name not in known or not value:
                shown = "、".join(f"@{k}:…" for k in known)
                self.refuse(
                    tag["location"]["line"],
                    f"标签「{tag['name']}」不认识，会被悄悄忽略：{node['keyword']}可用的有{shown}",
                )
        for name in _repeated(tuple(n.partition(":")[0] for n in names)):
            self.refuse(node["tags"][0]["location"]["line"], f"标签「{name}」重复：请只写一个")
        return names

    def bare(self, node: dict[str, Any], place: str) -> None:
        if node["description"].strip():
            self.refuse(
                node["location"]["line"],
                f"{place}之下有说明文字，可能吞掉步骤：说明请写在功能或规则之下",
            )

    def step(self, node: dict[str, Any]) -> GherkinStep:
        if "docString" in node:
            self.refuse(node["location"]["line"], "步骤之下有成段文字，会被悄悄忽略：请改用表格")
        table = tuple(_row(r) for r in node.get("dataTable", {}).get("rows", ()))
        return GherkinStep(node["text"], node["location"]["line"], table)


def _cells(table: tuple[Row, ...]) -> Iterator[tuple[int, str]]:
    """Every cell with its line."""
    return ((row.line, cell) for row in table for cell in row.cells)


def _row(node: dict[str, Any]) -> Row:
    return Row(node["location"]["line"], tuple(c["value"] for c in node["cells"]))


def _repeated(names: tuple[str, ...]) -> list[str]:
    return [n for n in dict.fromkeys(names) if names.count(n) > 1]


def _prose(description: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in description.splitlines() if line.strip())
