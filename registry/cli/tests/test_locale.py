"""The compiled catalogue of the command line's own texts is that of its source."""

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from click.testing import CliRunner

from registry.cli import main
from registry.kit import resources


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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("screen --snapshot 没有", "目录'没有'不存在，请核对名称和位置"),
        ("check --all --jobs 0", "0 不在允许的范围内（1<=x<=512）"),
        ("generate 五 -o 企业", "'五' 不是整数，请用阿拉伯数字书写"),
        *(
            (f"{command} {number}", f"「{number}」不是编号，请写成 1 以上的整数")
            for command in (
                "explain",
                "replay",
                "confirm",
                "import --undo",
                "audit export -o 包.zip",
                "titles strike --document 函 --dated 2023-01-01",
            )
            for number in (10**22, 0, "三")
            if (command, number) != ("explain", "三")  # which takes names too
        ),
    ],
)
def test_misuse_is_told_in_chinese(arguments: str, told: str) -> None:
    found = CliRunner().invoke(main, arguments.split())
    assert found.exit_code == 2
    assert told in found.output
