"""What is printed as JSON while it is computed: closed whatever happens, with the reason."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.cli.common import Refused, print_json_array
from registry.conftest import Run
from registry.errors import RegistryError
from registry.intake.tests.counties import CODE, code, county, firm, saved
from registry.judging.case import Known
from registry.record import known


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_refused_enterprises_of_a_file_stand_in_the_json(run: Run, tmp_path: Path) -> None:
    good, bad, nameless = firm(1), {**firm(2), CODE: code(2)[:-1]}, {**firm(3), CODE: None}
    done = run("check", str(saved(county([good, bad, nameless]), tmp_path)), "--json")
    found = json.loads(done.stdout)
    assert [r["uscc"] for r in found["results"]] == [code(1)]
    first, second = found["refused"]
    assert first.startswith(f"云溪县第2泵阀有限公司（{bad[CODE]}）：错误 汇总表!C5")
    assert second.startswith("云溪县第3泵阀有限公司：错误 汇总表!C6：没有统一社会信用代码")
    assert "2家企业未能检查" in done.stderr
    assert done.exit_code == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RegistryError("made-up", "库已锁定：请稍后再试"), "库已锁定：请稍后再试"),
        (OSError(28, "full", "暂存"), "暂存：磁盘空间不足，请清理后重试"),
        (KeyboardInterrupt(), "中途停止"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_check_that_stops_midway_closes_its_json(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    assert run("import", str(saved(county([firm(1), firm(2)]), tmp_path))).exit_code == 0
    every = known.fetch

    def first(*arguments: Any, **more: Any) -> Iterator[Known]:
        yield next(every(*arguments, **more))
        raise error

    monkeypatch.setattr(known, "fetch", first)
    command = ("check", "--all", "--tier", "创新型", "--json", "-o", "a.xlsx", "--jobs", "1")
    done = run(*command)
    found = json.loads(done.stdout)
    assert len(found["results"]) < 2
    assert said in found["error"]
    code = 130 if isinstance(error, KeyboardInterrupt) else 1
    assert (found["refused"], done.exit_code) == ([], code)
    assert ("已中断。" in done.stderr) == (code == 130)
    assert not Path("a.xlsx").exists()


def test_an_array_that_stops_midway_ends_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def values(error: Exception | None) -> Iterator[int]:
        yield from (1, 2)
        if error is not None:
            raise error

    print_json_array(values(None))
    print_json_array([])
    with pytest.raises(Refused):
        print_json_array(values(RegistryError("made-up", "没有完成")))
    with pytest.raises(ZeroDivisionError):
        print_json_array(values(ZeroDivisionError()))
    whole, none, stopped, faulty = map(json.loads, capsys.readouterr().out.splitlines())
    assert (whole, none, stopped) == ([1, 2], [], [1, 2, {"error": "没有完成"}])
    assert "ZeroDivisionError" in faulty[-1]["error"]


def test_nothing_more_is_written_where_the_reader_has_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def values() -> Iterator[int]:
        yield 1
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        print_json_array(values())
    assert capsys.readouterr().out == "[1"
