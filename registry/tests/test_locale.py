"""The compiled catalogue of the command line's own texts is that of its source."""

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from click.testing import CliRunner

from registry import resources
from registry.cli import main


def test_the_compiled_catalogue_is_up_to_date() -> None:
    folder = resources.locale() / "zh_CN" / "LC_MESSAGES"
    with (folder / "tidu.po").open("rb") as source:
        catalogue = read_po(source)
    with (folder / "tidu.mo").open("rb") as stream:
        compiled = read_mo(stream)
    assert texts(compiled) == texts(catalogue)


def texts(catalogue: Catalog) -> dict[str, str]:
    """Each message with its translation; those with a plural are several texts."""
    return {_joined(m.id): _joined(m.string) for m in catalogue if m.id}


def _joined(text: str | list[str] | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else "|".join(text)


def test_a_folder_that_is_not_there_is_told_in_chinese() -> None:
    found = CliRunner().invoke(main, ["screen", "--snapshot", "没有"])
    assert found.exit_code == 2
    assert "目录'没有'不存在，请核对名称和位置" in found.output
