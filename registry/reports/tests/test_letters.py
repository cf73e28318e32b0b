"""Letters and explanations for many decisions in one go, in one file or a folder."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry.cli import main
from registry.intake.tests.counties import code, county, firm, saved
from registry.reports import explaining

Run = Callable[..., Result]
DEBT = "2022年末资产总额（万元）"
#: The name of two firms, which no file system takes as it is.
FACT = ("--fact", "知名度和影响力", "--value", "否", "--ground", "属实")
NAME = "甲/乙:“丙”?\u200b<一>有限公司."


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A registry of three firms with decisions 3 to 8 on two tiers; 10 takes the place of 6."""
    folder = tmp_path_factory.mktemp("letters")
    firms = [firm(1, NAME), firm(2, NAME), firm(3, "丁有限公司", **{DEBT: 0})]
    url = f"sqlite:///{folder / 'tidu.db'}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TIDU_DATABASE_URL", url)
        patched.setenv("TIDU_BY", "李四")
        for command in (
            ("import", str(saved(county(firms), folder))),
            ("decide", "--all", "--tier", "专精特新"),
            ("decide", "--all", "--tier", "小巨人"),
            ("determine", code(1), *FACT, "--evidence", str(folder / "汇总表.xlsx")),
            ("decide", code(1), "--tier", "小巨人"),
        ):
            done = CliRunner().invoke(main, list(command))
            assert done.exit_code == 0, done.output
        yield folder / "tidu.db"


@pytest.fixture
def run(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, in a folder of its own."""
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{database}")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, list(arguments), prog_name="tidu")


LETTER = ("--format", "letter")


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        (("3-5",), [3, 4, 5]),
        (("3", "6至8"), [3, 6, 7, 8]),
        (("1-4",), [3, 4]),
        (("--all",), [3, 4, 5, 7, 8, 10]),
        (("--all", "--tier", "小巨人"), [7, 8, 10]),
        (("--all", "--outcome", "待人工认定"), [8]),
        (("3-8", "--tier", "小巨人", "--outcome", "符合"), [6, 7]),
        ((code(3),), [5, 8]),
    ],
)
def test_letters_for_many_stand_in_one_file_each_on_a_page_of_its_own(
    run: Run, which: tuple[str, ...], numbers: list[int]
) -> None:
    done = run("explain", *which, *LETTER, "-o", "告知书.html")
    assert done.exit_code == 0, done.output
    text = Path("告知书.html").read_text(encoding="utf-8")
    assert [int(n) for n in re.findall('<p class="number">第([0-9]+)号</p>', text)] == numbers
    assert text.count("<html") == 1
    assert "article + article { break-before: page" in text


def test_letters_in_a_folder_are_named_as_what_they_are_and_never_written_over(run: Run) -> None:
    for _ in range(2):
        done = run("explain", "3-8", *LETTER, "-o", "告知书")
    names = sorted(p.name for p in Path("告知书").iterdir())
    safe = "甲乙“丙”一有限公司"
    assert names == [
        "丁有限公司_专精特新_第5号告知书.html",
        "丁有限公司_小巨人_第8号告知书.html",
        *(f"{safe}_专精特新_第{n}号告知书.html" for n in (3, 4)),
        *(f"{safe}_小巨人_第{n}号告知书.html" for n in (6, 7)),
    ]
    assert done.exit_code == 1
    assert "告知书 中已有6个同名文件" in done.output
    assert "<h1>决定告知书</h1>" in (Path("告知书") / names[0]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("3", *LETTER, "-o", "a.docx"), "a.docx：告知书是网页文件（可用浏览器打印），文件名请以 .html 或 .htm 结尾"),
        (("3-4", *LETTER, "-o", "a.pdf"), "a.pdf：告知书是网页文件（可用浏览器打印），文件名请以"),
        (("3", "-o", "a.docx"), "a.docx：文件名请以 .json、.html、.htm 或 .txt 结尾"),
        (("3", "--json", "-o", "a.html"), "a.html：JSON 是数据文件，文件名请以 .json 结尾"),
        (("3", "--format", "text", "-o", "a.html"), "a.html：文字说明是文本文件，文件名请以 .txt 结尾"),
        (("3-4", "-o", "a.html"), "许多项决定的网页说明请写入文件夹"),
        (("1-2",), "第1号至第2号中没有决定"),
        (("3-8", "--outcome", "不符合"), "没有这样的决定：请核对 --tier 和 --outcome"),
        ((code(9),), f"信用代码{code(9)}没有决定"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_so_is_refused_in_one_sentence(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    done = run("explain", *arguments)
    assert done.exit_code == 1
    assert done.output.startswith(f"错误：{said}")
    assert done.output.count("\n") == 1
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("target", ["告知书", "告知书.html"])
def test_a_decision_that_cannot_be_explained_holds_up_no_other(
    run: Run, target: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    known = explaining.explanation

    def explanation(session: object, replayer: object, entry: explaining.journal.Entry) -> object:
        return known(session, replayer, entry) if entry.seq != 4 else 1 // 0  # type: ignore[arg-type]

    monkeypatch.setattr(explaining, "explanation", explanation)
    done = run("explain", "3-5", *LETTER, "-o", target)
    assert done.exit_code == 1
    said = done.output + capfd.readouterr().err
    assert "拒绝 第4号：程序内部出错（test_letters.py:" in said
    assert "1项决定未能说明" in said
    files = [p for p in Path().rglob("*.html") if p.is_file()]
    assert sum(p.read_text(encoding="utf-8").count("<article") for p in files) == 2


@pytest.mark.parametrize(("form", "suffix"), [("text", ".txt"), ("json", ".json")])
def test_other_explanations_of_many_stand_in_one_file_too(run: Run, form: str, suffix: str) -> None:
    assert run("explain", "3-5", "-o", f"说明{suffix}").exit_code == 0
    assert run("explain", "3-5", "--format", form, "-o", "各项").exit_code == 0
    text = Path(f"说明{suffix}").read_text(encoding="utf-8")
    assert [n for n in (3, 4, 5) if f"第{n}号" in text or f'"seq": {n}' in text] == [3, 4, 5]
    assert {p.suffix for p in Path("各项").iterdir()} == {suffix}
