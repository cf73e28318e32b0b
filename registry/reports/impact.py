"""Reports of a simulation: a summary on the terminal, a workbook written row by row, an HTML page.

Every sheet, page and text says that it is a simulation and not a decision.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from registry.kit.jsontext import JsonStream, json_text
from registry.kit.workbooks import Book, by_heading
from registry.reports.pages import page
from registry.simulation.effects import (
    DIMENSIONS,
    FAILS_NOW,
    GAINS,
    GROUPS,
    LABEL,
    LOSES,
    MET_NOW,
    OPEN,
    Effect,
    Tally,
)
from registry.simulation.impact import SimulationRun
from rules.model.catalogue import SUBSTANCE
from rules.model.ruleset import Outcome

_OUTCOMES: Final = (Outcome.MET, Outcome.NOT_MET, Outcome.MISSING, Outcome.PENDING)
#: The most criteria and facts on the terminal and on the page; the most firms on the page.
_FEW, _SOME, _LISTED = 8, 25, 200
_COLUMNS: Final = (
    "统一社会信用代码", "企业名称", "省份", "市", "县", "划型行业", "规模", "层级", "情况截至",
)  # fmt: skip
_STANDINGS_TEXT: Final = (
    "“按已有数据即不符合”指不论补报什么都不符合；“只缺新增事项”指除前一文本从未要求填报的事项外，其余都符合；"
    "“原有事项也不全”指前一文本已要求的事项也有未填报的。"
)
#: The columns of a workbook that hold sentences.
_WIDE: Final = ("企业名称", "内容", "指标", "主要条件", "主要差距", "事项", "原因", "差距")


# -- terminal ------------------------------------------------------------------------------------


def heading(run: SimulationRun) -> list[str]:
    """The lines that say what was simulated."""
    return [
        f"【{LABEL}】{run.sides[0]} → {run.sides[1]}",
        f"范围：{run.scope.text}",
        f"登记库：{run.state}；规则集：{_digests(run)}",
        *(f"注意：{said}" for said in run.told),
    ]


def _digests(run: SimulationRun) -> str:
    sides = ("、".join(f"{r} {d[:12]}" for r, d in side.items()) for side in run.rulesets)
    return " → ".join(sides)


def print_summary(run: SimulationRun, console: Console) -> None:
    """Print the counts of every tier."""
    for line in heading(run):
        console.print(line, markup=False, soft_wrap=True)
    for tally in run.tallies.values():
        console.print(f"\n■ {tally.tier}：{tally.total}家", markup=False, style="bold")
        console.print(_matrix(tally))
        console.print(_counted(tally.groups, GROUPS), markup=False, soft_wrap=True)
        console.print(
            f"后一文本：{_counted(tally.standings, tally.stated)}", markup=False, soft_wrap=True
        )
        if tally.criteria:
            console.print()
            console.print(_criteria(tally))
            more = len(tally.criteria) - _FEW
            if more > 0:
                console.print(f"……另有{more}项，见工作簿或 JSON", markup=False)
        for new, title in ((True, "尚未填报过的新增事项"), (False, "原有但未填报或待认定的事项")):
            if tally.lacks[new]:
                named = _commonest(tally.lacks[new])
                console.print(f"{title}：{named}", markup=False, soft_wrap=True)
        if tally.only_lacks:
            alone = _commonest(tally.only_lacks)
            console.print(f"只差一项即可判断：{alone}", markup=False, soft_wrap=True)
    if run.number_refused:
        console.print(f"\n未能检查{run.number_refused}家：", markup=False)
        for text in run.refused[:_FEW]:
            console.print(f"  {text}", markup=False, soft_wrap=True)


def _matrix(tally: Tally) -> Table:
    table = _table("前＼后")
    shown = [o for o in _OUTCOMES if any(o in pair for pair in tally.matrix)]
    for name in (*(o.text for o in shown), "合计"):
        table.add_column(name, justify="right")
    for before in shown:
        counts = [tally.matrix[before, after] for after in shown]
        if any(counts):
            table.add_row(before.text, *(str(n) if n else "" for n in counts), str(sum(counts)))
    totals = [sum(tally.matrix[b, a] for b in shown) for a in shown]
    table.add_row("合计", *map(str, totals), str(tally.total))
    return table


def _criteria(tally: Tally) -> Table:
    table = _table("后一文本不符合的条件")
    for name in ("家数", "仅此一条", "由此不再符合"):
        table.add_column(name, justify="right")
    table.add_column("条款", overflow="fold")
    for (rule, citation, indicator, threshold), c in tally.ranked()[:_FEW]:
        name = escape(f"{indicator} {threshold}")
        numbers = (str(c.failing), str(c.alone), str(c.losing))
        table.add_row(name, *numbers, escape(f"{rule}，{citation}"))
    return table


def _table(first: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False)
    table.add_column(first, overflow="fold")
    return table


def _commonest(counts: Counter[str]) -> str:
    shown = "；".join(f"{name} {n}家" for name, n in counts.most_common(_FEW))
    more = len(counts) - _FEW
    return f"{shown}；另有{more}项，见网页或 JSON" if more > 0 else shown


def _counted(counts: Any, names: Sequence[str]) -> str:
    return "，".join(f"{name}{counts[name]}家" for name in names if counts[name]) or "0家"


# -- workbook ------------------------------------------------------------------------------------


class WorkbookSink:
    """Writes a workbook as results come; its memory use does not grow with them."""

    _SHEETS: Final = {
        "说明": ("事项", "内容"),
        "汇总": ("层级", "按", "类别", *GROUPS, "合计"),
        "条件": ("层级", "规则", "条款", "指标", "要求", "不符合家数", "其中仅此一条", "其中由此不再符合"),
        "企业": (
            *_COLUMNS, "持有称号", "前一文本", "后一文本", "变化", "实质结论", "主要条件", "主要差距",
            "不符合项数", "缺少事项数", f"{SUBSTANCE}（前）", f"{SUBSTANCE}（后）",
        ),
        "逐项": (*_COLUMNS, "文本", "变化", "规则", "条款", "情形", "指标", "要求", "实际", "差距"),
        "待补材料": (*_COLUMNS, "文本", "变化", "事项", "现状", "是否新增事项"),
        "未能检查": ("原因",),
    }  # fmt: skip

    def __init__(self, book: Book) -> None:
        self._sheets = {
            name: book.sheet(name, header, by_heading(header, _WIDE), label=LABEL)
            for name, header in self._SHEETS.items()
        }

    def add(self, effect: Effect) -> None:
        """Write the rows of one enterprise and tier."""
        firm = effect.firm
        head = [
            firm.uscc, firm.name, firm.province, firm.city, firm.county, firm.sector, firm.size,
            effect.tier, firm.as_of.isoformat(),
        ]  # fmt: skip
        first = effect.after.grounds[:1]
        self._sheets["企业"].add([
            *head, "是" if effect.holds else "否", effect.before.outcome.text,
            effect.after.outcome.text, effect.group, effect.standing,
            *([f"{first[0].indicator} {first[0].threshold}", first[0].distance or first[0].value]
              if first else ["", ""]),
            len(effect.after.grounds), len(effect.after.lacks),
            effect.before.parts.get(SUBSTANCE, ""), effect.after.parts.get(SUBSTANCE, ""),
        ])  # fmt: skip
        for side, standing in (("前", effect.before), ("后", effect.after)):
            for g in standing.grounds:
                self._sheets["逐项"].add(
                    [*head, side, effect.group, g.rule, g.citation, g.case, g.indicator, g.threshold,
                     g.value, g.distance]
                )  # fmt: skip
            for x in standing.lacks:
                new = "新增" if x.new and side == "后" else "原有"
                self._sheets["待补材料"].add([*head, side, effect.group, x.name, x.state, new])

    def refuse(self, text: str) -> None:
        """Write why an enterprise could not be judged."""
        self._sheets["未能检查"].add([text])

    def close(self, run: SimulationRun) -> None:
        """Write the counts."""
        for about in _about(run):
            self._sheets["说明"].add(about)
        for tally in run.tallies.values():
            for dimension, value, counts in _lines(tally):
                row = [tally.tier, dimension, value, *(counts[g] for g in GROUPS), counts.total()]
                self._sheets["汇总"].add(row)
            for key, c in tally.ranked():
                self._sheets["条件"].add([tally.tier, *key, c.failing, c.alone, c.losing])


def _about(run: SimulationRun) -> Iterator[tuple[str, str]]:
    yield "性质", f"{LABEL}。两个文本按同一份填报计算，不改变任何称号，也不写入决定记录。"
    yield "前一文本", run.sides[0]
    yield "后一文本", run.sides[1]
    yield "范围", run.scope.text
    yield "登记库", run.state
    for side, known in zip(("前", "后"), run.rulesets, strict=True):
        for root, digest in known.items():
            yield f"{side}一文本规则集", f"{root} {digest}"
    for tally in run.tallies.values():
        yield tally.tier, f"{tally.total}家：{_counted(tally.groups, GROUPS)}"
        yield "后一文本", _counted(tally.standings, tally.stated)
    yield from (("注意", said) for said in run.told)
    yield "未能检查", f"{run.number_refused}家"
    yield "实质结论", _STANDINGS_TEXT


def _lines(tally: Tally) -> Iterator[tuple[str, str, Any]]:
    yield "全部", "", tally.groups
    for dimension in DIMENSIONS:
        for value, counts in _sorted(tally, dimension):
            yield dimension, value, counts


def _sorted(tally: Tally, dimension: str) -> list[tuple[str, Any]]:
    return sorted(tally.by[dimension].items(), key=lambda x: (-x[1].total(), x[0]))


# -- JSON ----------------------------------------------------------------------------------------


class JsonSink:
    """Keeps results in a temporary file to print them after the counts."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115

    def add(self, effect: Effect) -> None:
        """Keep one result."""
        self.file.write(json_text(effect.to_json()) + "\n")

    def refuse(self, text: str) -> None:
        """Does nothing: the counts include it."""

    def write(self, run: SimulationRun, to: Callable[[str], object]) -> None:
        """Write one JSON document: the counts, then the kept results."""
        stream = JsonStream(to, "enterprises", run.to_json())
        self.file.seek(0)
        for line in self.file:
            stream.put(line.rstrip())
        stream.close()
        self.file.close()


# -- page ----------------------------------------------------------------------------------------


class PageSink:
    """Keeps the first affected enterprises for the page."""

    def __init__(self) -> None:
        self.listed: dict[tuple[str, str], list[Effect]] = {}

    def add(self, effect: Effect) -> None:
        """Keep a result while there is room."""
        kept = self.listed.setdefault((effect.tier, effect.group), [])
        if len(kept) < _LISTED:
            kept.append(effect)

    def refuse(self, text: str) -> None:
        """Does nothing: the counts include it."""

    def html(self, run: SimulationRun) -> str:
        """The page: counts, charts and the first enterprises of each kind."""
        return page(
            "impact.html",
            label=LABEL,
            run=run,
            about=list(_about(run)),
            tiers=[self._tier(tally) for tally in run.tallies.values()],
            groups=GROUPS,
        )

    def _tier(self, tally: Tally) -> dict[str, Any]:
        charts = [
            (d, [(v, c) for v, c in _sorted(tally, d)[:_SOME]])
            for d in DIMENSIONS
            if len(tally.by[d]) > 1
        ]
        return {
            "tally": tally,
            "outcomes": [o for o in _OUTCOMES if any(o in pair for pair in tally.matrix)],
            "charts": [(d, rows, max(c.total() for _, c in rows)) for d, rows in charts],
            "criteria": tally.ranked()[:_SOME],
            "lacks": [
                (name, new, n, tally.only_lacks[name])
                for new in (True, False)
                for name, n in tally.lacks[new].most_common(_SOME)
            ],
            "listed": [
                (group, self.listed[tally.tier, group], tally.groups[group])
                for group in (LOSES, GAINS, MET_NOW, FAILS_NOW, OPEN)
                if (tally.tier, group) in self.listed
            ],
        }
