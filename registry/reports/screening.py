"""Reports of a screening: the funnel on the terminal; a workbook, or a file with a row per firm."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from registry.kit.characters import legible
from registry.kit.files import written_whole
from registry.kit.screens import Wrapped
from registry.kit.workbooks import Book, Value, by_heading, harmless, separated, workbook
from registry.reports.verdicts import DOUBTED, doubt_text
from registry.screening.engines import to_parquet
from registry.screening.results import ListedFirm, ScreeningTally
from rules.model.ruleset import Outcome

LABEL: Final = "筛查结果，不是决定"
_OUTCOMES: Final = (Outcome.MET, Outcome.NOT_MET, Outcome.MISSING, Outcome.PENDING)
_COLUMNS: Final = (
    "统一社会信用代码", "企业名称", "省份", "市", "县", "划型行业", "填报日期", "层级", "结论", "持有称号",
    "分组", "不符合的条件", "不能判断的条件", "差距", "数据存疑",
)  # fmt: skip
_WIDE: Final = ("企业名称", "条件", "不符合的条件", "不能判断的条件", "差距", "数据存疑", "内容")
#: The most places and enterprises that the terminal shows.
_FEW: Final = 10


def print_summary(
    heading: Iterable[str], tallies: Sequence[ScreeningTally], console: Console
) -> None:
    """Print each tier's funnel and counts."""
    console.print(f"【{LABEL}】", markup=False)
    for line in heading:
        console.print(line, markup=False, soft_wrap=True)
    for tally in tallies:
        console.print(f"\n■ {tally.tier}：{tally.total}家", markup=False, style="bold")
        if not tally.total:  # a table of noughts would say nothing
            for line in notes(tally):
                console.print(line, markup=False, soft_wrap=True)
            continue
        console.print("，".join(f"{o.text}{tally.outcomes[o]}家" for o in _OUTCOMES), markup=False)
        console.print(_funnel(tally))
        console.print(
            f"持有称号{tally.holders}家，其中失去资格{tally.lost}家；接近{tally.near}家",
            markup=False,
        )
        for name, counted in tally.places.items():
            if len(counted) > 1:
                top = sorted(counted.items(), key=lambda x: (-x[1]["符合"], x[0]))[:_FEW]
                said = "；".join(f"{place} {n['符合']}/{n.total()}" for place, n in top)
                console.print(f"按{name}（符合/合计）：{said}", markup=False, soft_wrap=True)
        for line in notes(tally):
            console.print(line, markup=False, soft_wrap=True)


def notes(tally: ScreeningTally) -> Iterator[str]:
    """What was not screened, what only the engine decided, and how much it decided again."""
    for reason, number in tally.by_engine.items():
        yield f"由规则引擎逐户判定{number}家：{reason}"
    for reason, number in tally.refused.items():
        yield f"未筛查{number}家：{reason}"
    if not tally.total:
        return
    before = f"，另有{tally.agreed}家此前已按此快照复核" if tally.agreed else ""
    yield f"规则引擎复核{tally.checked}家（门槛附近的全部符合企业和随机抽取的企业），逐项一致{before}"


def to_json(heading: Sequence[str], tallies: Sequence[ScreeningTally]) -> dict[str, Any]:
    """The counts as plain JSON values."""
    return {
        "label": LABEL,
        "scope": list(heading),
        "tiers": [
            {
                "tier": t.tier,
                "rulesets": t.rulesets,
                "total": t.total,
                "outcomes": {o.text: t.outcomes[o] for o in _OUTCOMES},
                "funnel": [
                    {
                        "rule": s.rule,
                        "title": s.title,
                        "passed": s.passed,
                        "alone": s.alone,
                        "outcomes": {o.text: s.outcomes[o] for o in _OUTCOMES},
                    }
                    for s in t.steps.values()
                ],
                "by": {k: {n: dict(c) for n, c in v.items()} for k, v in t.places.items()},
                "holders": t.holders,
                "lost": t.lost,
                "near": t.near,
                "by_engine": dict(t.by_engine),
                "refused": dict(t.refused),
                "checked": t.checked,
                "agreed": t.agreed,
            }
            for t in tallies
        ],
    }


def _funnel(tally: ScreeningTally) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("条件", overflow="fold")
    for name in ("依次符合", "符合", "不符合", "材料不足", "待人工认定", "仅此一条"):
        table.add_column(name, justify="right", no_wrap=True)
    for step in tally.steps.values():
        numbers = (step.passed, *(step.outcomes[o] for o in _OUTCOMES), step.alone)
        table.add_row(Wrapped(step.title), *map(str, numbers))
    return table


def print_lists(
    firms: Sequence[ListedFirm], tallies: Sequence[ScreeningTally], console: Console
) -> None:
    """Print the first enterprises that lost a title and the first that are near."""
    named = titles(tallies)
    for group in ("失去资格", "接近"):
        found = [f for f in firms if f.group == group]
        if found:
            console.print(f"\n{group}（列出{len(found)}家）：", markup=False)
            for firm in found:
                said = f"  {firm.name}（{firm.uscc}）{firm.tier}：{why(firm, named)}"
                console.print(said, markup=False, soft_wrap=True)


def why(firm: ListedFirm, titles: Mapping[str, str]) -> str:
    """Why an enterprise stands in a list: by how much it misses what, or at least what it misses."""
    return firm.detail or "；".join(titles.get(rule, rule) for rule in firm.criteria)


def titles(tallies: Iterable[ScreeningTally]) -> dict[str, str]:
    """The titles of the criteria by their ids."""
    return {rule: title for tally in tallies for rule, title in tally.titles.items()}


def write(
    path: Path,
    heading: Sequence[str],
    tallies: Sequence[ScreeningTally],
    firms: Iterable[ListedFirm],
) -> None:
    """Write the file in the format of its suffix."""
    if path.suffix.lower() == ".xlsx":
        with workbook(path) as book:
            _fill(book, heading, tallies, firms)
    elif path.suffix.lower() == ".csv":
        named = titles(tallies)
        _csv(path, (map(harmless, _row(firm, named)) for firm in firms))
    else:
        _parquet(path, tallies, firms)


def _row(firm: ListedFirm, titles: dict[str, str]) -> list[str]:
    criteria, still_open = (
        "；".join(titles.get(r, r) for r in rules) for rules in (firm.criteria, firm.open)
    )
    doubts = "；".join(map(doubt_text, firm.doubts))
    return [
        firm.uscc, firm.name, firm.province, firm.city, firm.county, firm.sector, firm.as_of,
        firm.tier, firm.outcome.text, "是" if firm.holds else "否", firm.group, criteria, still_open,
        firm.detail, doubts and f"{DOUBTED} {doubts}",
    ]  # fmt: skip


def _csv(path: Path, rows: Iterable[Iterable[str]]) -> None:
    with separated(path, _COLUMNS) as write_rows:
        write_rows(rows)


def _parquet(path: Path, tallies: Sequence[ScreeningTally], firms: Iterable[ListedFirm]) -> None:
    named = titles(tallies)
    with written_whole(path) as fresh:
        rows = fresh.with_name("rows.csv")
        _csv(rows, (map(legible, _row(firm, named)) for firm in firms))
        to_parquet(rows, fresh)


def _fill(
    book: Book,
    heading: Sequence[str],
    tallies: Sequence[ScreeningTally],
    firms: Iterable[ListedFirm],
) -> None:
    about = [
        ("性质", f"{LABEL}：不改变任何称号，也不写入决定记录。"),
        *(("范围", x) for x in heading),
        (DOUBTED, "符合的结论所依据的数据存疑，可能填错，请先核对，见“企业”表的“数据存疑”列"),
    ]
    about += [(t.tier, line) for t in tallies for line in notes(t)]
    about += [(t.tier, f"规则集{r} {d}") for t in tallies for r, d in t.rulesets.items()]

    def sheet(name: str, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        book.sheet(name, header, by_heading(header, _WIDE), rows=rows, label=LABEL)

    sheet("说明", ("项目", "内容"), about)
    columns = ("层级", "条件", "规则", "依次符合", *(o.text for o in _OUTCOMES), "仅此一条")
    sheet(
        "漏斗",
        columns,
        (
            (t.tier, s.title, s.rule, s.passed, *(s.outcomes[o] for o in _OUTCOMES), s.alone)
            for t in tallies
            for s in t.steps.values()
        ),
    )
    sheet(
        "地区和行业",
        ("层级", "分类", "名称", *(o.text for o in _OUTCOMES)),
        (
            (t.tier, kind, name, *(counts[o.text] for o in _OUTCOMES))
            for t in tallies
            for kind, counted in t.places.items()
            for name, counts in sorted(counted.items())
        ),
    )
    named = titles(tallies)
    listed = (f for f in firms if f.group)
    sheet("企业", _COLUMNS, (_row(f, named) for f in listed))
