"""Writing the criteria as pages: into a new folder or over an earlier site, whole or not at all."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.cli import main
from registry.desk import documenting
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.errors import RegistryError
from registry.kit import resources
from registry.record import publication
from registry.reports import site
from rules.errors import SourceError

PACK = Path("docs/examples/shifan").resolve()
FEATURE = """\
# language: zh-CN
@tier:示例 @source:示例文件
功能: 示例标准

  @id:示例.研发费用
  规则: 上年度研发费用总额不低于100万元
    依据: 示例第一条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛    |
        | 一   | 上年度研发费用总额 | 不低于 | 100万元 |

    场景: 门槛
      假如 企业填报
        | 上年度研发费用总额 | 100万元 |
      那么 结论为“符合”
"""


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    folder = tmp_path / "draft"
    folder.mkdir()
    (folder / "a.feature").write_text(FEATURE, "utf-8")
    return folder


def written(draft: Path, folder: Path) -> documenting.WrittenSite:
    return documenting.write(documenting.documented(str(draft)), folder)


def test_a_draft_is_written_whole_with_the_digests_of_its_files(
    draft: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "标准"
    found = written(draft, folder)
    assert (found.rules, found.examples, found.failed) == (1, 1, 0)
    lines = (folder / documenting.SUMS).read_text().splitlines()
    named = dict(reversed(line.split("  ")) for line in lines)
    assert {p.name for p in folder.iterdir()} == {documenting.SUMS, *named}
    assert all(sha256((folder / n).read_bytes()).hexdigest() == d for n, d in named.items())
    assert "草案 draft，没有发布" in (folder / "index.html").read_text("utf-8")


def test_an_earlier_site_is_replaced_and_nothing_of_it_stays(draft: Path, tmp_path: Path) -> None:
    folder = tmp_path / "标准"
    written(draft, folder)
    file = draft / "a.feature"
    file.write_text(FEATURE.replace("示例.研发费用", "示例.另一条"), "utf-8")
    before = {p.name for p in folder.iterdir()}
    # a folder's criteria are compiled once in a process
    other = shutil.copytree(draft, tmp_path / "other")
    written(other, folder)
    assert len({p.name for p in folder.iterdir()}) == len(before)
    assert {p.name for p in folder.iterdir()} != before


@pytest.mark.parametrize("name", ["公文.docx", "index.html", "rule-63.2.html"])
def test_a_folder_with_other_things_is_left_alone(draft: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "标准"
    folder.mkdir()
    (folder / name).write_text("别的")
    with pytest.raises(RegistryError, match=f"里有别的内容（{name}），不会覆盖"):
        written(draft, folder)
    assert [p.name for p in folder.iterdir()] == [name]


def test_a_strange_file_or_folder_in_an_earlier_site_is_kept(draft: Path, tmp_path: Path) -> None:
    folder = tmp_path / "标准"
    written(draft, folder)
    (folder / "附件").mkdir()
    with pytest.raises(RegistryError, match="附件"):
        written(draft, folder)


def test_somebody_elses_folder_with_a_list_of_digests_is_left_alone(
    draft: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "发布包"
    folder.mkdir()
    for name in ("a.zip", "index.js"):
        (folder / name).write_text("别的")
    (folder / documenting.SUMS).write_text("0  a.zip\n0  index.js\n")
    with pytest.raises(RegistryError, match="不会覆盖"):
        written(draft, folder)
    assert len(list(folder.iterdir())) == 3


def test_a_file_of_that_name_is_left_alone(draft: Path, tmp_path: Path) -> None:
    file = tmp_path / "标准"
    file.write_text("别的")
    with pytest.raises(RegistryError, match="不会覆盖"):
        written(draft, file)
    assert file.read_text() == "别的"


def test_what_is_interrupted_leaves_the_earlier_site(
    draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "标准"
    written(draft, folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def interrupted(*_: object) -> object:
        yield "index.html", b"half"
        raise KeyboardInterrupt

    monkeypatch.setattr(site, "static", interrupted)
    with pytest.raises(KeyboardInterrupt):
        written(draft, folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["draft", "标准"]


def test_one_text_of_the_criteria_is_written_by_the_name_of_its_folder() -> None:
    made = documenting.documented("rounds/2026-batch-8", with_mutants=False)
    [own] = [e for e in made.pages.editions if e.roots]
    assert own.folder == "rounds/2026-batch-8"
    assert "63.8.中小企业" in made.pages.rules
    names = {name for name, _ in site.static(made.pages, made.site)}
    assert f"rule-{site.slug('63.2')}.html" not in names


def test_an_unknown_text_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(RegistryError, match="没有名为「没有」的文本：可用的有miit-2022-63"):
        documenting.documented("没有")


def test_a_folder_without_criteria_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="不含标准文件"):
        documenting.documented(str(tmp_path))


def test_criteria_that_do_not_compile_are_refused_with_their_faults(draft: Path) -> None:
    file = draft / "a.feature"
    file.write_text(FEATURE.replace("| 100万元 |\n\n", "| 120万元 |\n\n", 1), "utf-8")
    with pytest.raises(SourceError, match="条文写有100万元，定义表中没有"):
        documenting.documented(str(draft))


def test_the_command_writes_tells_and_refuses(draft: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["rules", "site", *arguments], prog_name="tidu")
        return done.exit_code, done.output

    folder = tmp_path / "标准"
    code, said = run(str(draft), "-o", str(folder))
    assert (code, said) == (
        0,
        f"1条规则、1个例子已写入 {folder}：请打开 {folder}/index.html\n",
    )
    code, said = run(str(draft), "-o", str(folder), "--no-mutants", "--json")
    assert code == 0
    assert json.loads(said)["rules"] == 1
    (folder / "公文.docx").write_text("别的")
    code, said = run(str(draft), "-o", str(folder))
    assert (code, "不会覆盖" in said) == (1, True)
    code, said = run(str(draft), "-o", str(draft / "标准"))
    assert (code, "请写到别处" in said) == (1, True)


def test_the_command_fails_if_an_example_does(draft: Path, tmp_path: Path) -> None:
    file = draft / "a.feature"
    file.write_text(FEATURE.replace("“符合”", "“不符合”"), "utf-8")
    folder = tmp_path / "标准"
    done = CliRunner().invoke(main, ["rules", "site", str(draft), "-o", str(folder)])
    assert done.exit_code == 1
    assert "有1个例子不成立，已在每一页写明" in done.output
    assert (folder / "index.html").exists()


@pytest.fixture(scope="module")
def altered(tmp_path_factory: pytest.TempPathFactory) -> documenting.Documented:
    """A draft with another threshold in one rule, and other words in another."""
    folder = tmp_path_factory.mktemp("altered") / "draft"
    shutil.copytree(resources.features(), folder)
    file = folder / "miit-2022-63/specialised.feature"
    text = file.read_text("utf-8").replace(
        "规则: 上年度研发费用总额不低于100万元", "规则: 上年度研发费用总额不低于120万元"
    )
    text = text.replace("不低于 | 100万元 |", "不低于 | 120万元 |", 1)
    file.write_text(text, "utf-8")
    file = folder / "rounds/2026-batch-8/little-giant.feature"
    text = file.read_text("utf-8").replace("规则: 第八批", "规则: 本轮（第八批）", 1)
    file.write_text(text, "utf-8")
    return documenting.documented(str(folder), with_mutants=False)


def test_a_draft_is_compared_with_the_packaged_criteria(
    altered: documenting.Documented, tmp_path: Path
) -> None:
    desk = Desk(url=f"sqlite:///{tmp_path / 'tidu.db'}")
    made = documenting.since(desk, altered)
    assert not (tmp_path / "tidu.db").exists()
    assert (made.site.earlier, made.site.published) == ("随附的标准", False)
    found = {c.id: c for c in made.pages.changed}
    assert {"63.2", "第八批.3"} <= set(found)
    assert "63.1" not in found
    assert (found["63.2"].worded, found["第八批.3"].worded) == (False, True)
    pages = dict(site.static(made.pages, made.site))
    told = pages["changes.html"].decode()
    assert "与随附的标准相比" in told
    assert "门槛提高（从严）" in told
    assert "只改了文字" in told
    assert made.pages.gone == ()


def test_what_is_no_longer_there_is_told(tmp_path: Path) -> None:
    with Desk(url=f"sqlite:///{tmp_path / 'tidu.db'}", by="李四") as desk:
        folder, own = resources.criteria(PACK)
        with desk.writing() as session:
            publication.publish(
                session, rulebook(PACK), folder, by=desk.by, now=desk.clock(), own=own
            )
        whole = documenting.since(desk, documenting.at_hand())
        part = documenting.since(desk, documenting.documented("miit-2022-63", with_mutants=False))
    assert (whole.pages.changed, whole.pages.gone) == ((), ("示范",))
    assert part.pages.gone == ()
    told = dict(site.static(whole.pages, whole.site))
    assert "少了1个规则集：示范" in told["index.html"].decode()
    assert "少了的规则集" in told["changes.html"].decode()


def test_where_there_is_a_registry_all_is_compared_with_what_was_published(
    altered: documenting.Documented, tmp_path: Path
) -> None:
    with Desk(url=f"sqlite:///{tmp_path / 'tidu.db'}", by="李四") as desk:
        desk.in_force()  # a new registry publishes the packaged criteria
        same = documenting.since(desk, documenting.at_hand())
        other = documenting.since(desk, altered)
    assert same.pages.changed == ()
    assert (
        "与登记库已发布的标准一致"
        in dict(site.static(same.pages, same.site))["index.html"].decode()
    )
    assert "63.2" in [c.id for c in other.pages.changed]
    cover = dict(site.static(other.pages, other.site))["index.html"].decode()
    assert "决定仍按已发布的作出" in cover


def test_the_packaged_criteria_stand_alone_without_a_registry(tmp_path: Path) -> None:
    desk = Desk(url=f"sqlite:///{tmp_path / 'tidu.db'}")
    assert documenting.since(desk, documenting.at_hand()) is documenting.at_hand()


def test_the_packaged_criteria_are_the_default() -> None:
    assert resources.own_features() is None
    assert documenting.at_hand().site.origin == "随附的标准"
    assert documenting.at_hand() is documenting.at_hand()
