"""Decisions of long ago come out again, byte for byte, in every later version.

If this fails, do not write the files anew: what was decided under an earlier version could not be
proved any more. The files are made once, by ``golden/make_golden.py``.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from registry.audit import standalone
from registry.judging.case import Case, Known
from registry.judging.judge import Judge
from registry.judging.published import Published
from registry.judging.settled import Determination
from registry.portable.chain import header_text
from registry.portable.container import unpack
from registry.portable.sealing import opened_facts
from registry.portable.verifier import verify_bundle
from registry.record import publication
from registry.record.decisions import body_of
from rules.model.days import parse_day
from rules.portable.canonical import canonical_json, sha256

GOLDEN = Path(__file__).with_name("golden")
#: The keys that signed them, by file; nobody has the private halves any more.
KEYS = {
    "2026-11": "示范市中小企业局+e5b977d6+AdMxnysfG3dB1kLglbyHuFyoFwJ3aMALGdd+iF9aig5Z",
}


def test_every_file_is_tested() -> None:
    assert {file.stem for file in GOLDEN.glob("*.zip")} == set(KEYS)


@pytest.mark.parametrize("name", KEYS)
def test_the_verifier_of_today_believes_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "verify.py").write_text(standalone.script(), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "verify.py", GOLDEN / f"{name}.zip", "--key", KEYS[name]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("name", KEYS)
def test_its_own_verifier_believes_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "verify.py").write_bytes(unpack((GOLDEN / f"{name}.zip").read_bytes())["verify.py"])
    command = [sys.executable, "-I", "-S", "verify.py", GOLDEN / f"{name}.zip", "--key", KEYS[name]]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


@pytest.mark.parametrize("name", KEYS)
def test_the_engine_of_today_decides_the_same(name: str) -> None:
    """By rulesets read from their texts, through both evaluators, as decisions are made."""
    data = (GOLDEN / f"{name}.zip").read_bytes()
    files = unpack(data)
    lines = [json.loads(line) for line in files["entries.jsonl"].decode().splitlines()]
    bodies = {sha256(header_text(x["header"])): json.loads(x["body"]) for x in lines}
    numbers = {sha256(header_text(x["header"])): x["header"]["seq"] for x in lines}
    judges: dict[str, Judge] = {}
    decided: dict[int, str] = {}
    for line in lines:
        if line["header"]["kind"] != "decision":
            continue
        body = json.loads(line["body"])
        case, table = body["case"], body["applicability"]["digest"]
        if table not in judges:
            judges[table] = Judge(_published(files, table))
        judge = judges[table]
        day = parse_day(case["as_of"])
        how = {k: case[k] for k in ("procedure", "province", "batch")}
        filed = Case(
            uscc=case["uscc"],
            name=case["name"],
            province=case["province"],
            as_of=day,
            facts=opened_facts(line["facts"], line["open"], body),
        )
        rested = (
            Determination(seq=numbers[d], digest=d, content=bodies[d], by="", ground="")
            for d in body["determinations"]
        )
        known = Known(filed, tuple(rested))
        judged = judge.judge(judge.governing(case["tier"], day, how), known, day)
        assert isinstance(judge.rules, Published)
        again = body_of(judged, case, body, judge.rules)
        assert canonical_json(again) == line["body"], f"第{line['header']['seq']}号决定"
        decided[line["header"]["seq"]] = body["applicability"]["ruleset"]
    for judge in judges.values():
        judge.close()
    assert set(decided) == set(verify_bundle(data, key=KEYS[name]).verdicts)
    assert {"63.1", "63.2", "63.3", "2026.2", "2026.3"} <= set(decided.values())
    rested = [b for b in bodies.values() if b.get("determinations")]
    assert {k for b in rested for d in b["determinations"] for k in bodies[d]} >= {"fact", "rule"}


def _published(files: dict[str, bytes], table: str) -> Published:
    """The criteria of a table, as far as the decisions of a bundle needed them."""
    text = files[f"applicability/{table}.json"].decode()
    rows: list[Any] = json.loads(text)["rows"]
    digests = {row["ruleset"]: row["digest"] for row in rows if row["digest"]}
    texts = {
        d: files[f"rulesets/{d}.json"].decode()
        for d in digests.values()
        if f"rulesets/{d}.json" in files
    }
    return Published(
        applicability_digest=table,
        applicability=tuple(publication.applicability_rows(text)),
        digests=digests,
        texts=texts,
        catalogue=publication.packaged_catalogue(),
    )
