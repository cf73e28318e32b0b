"""Bundles end to end: sound ones are believed, and no forgery is, however it was made.

Each is read by the verifier that travels with bundles, in a Python without any package.
"""

import json
import random
import re
import struct
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from registry import errors
from registry.audit import bundle, standalone
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests.conftest import Audit, Bureau
from registry.audit.tests.county import GROUNDS, PERSONS, PROPERTY
from registry.audit.tests.forger import Forgery
from registry.database import storage
from registry.portable.chain import header_text
from registry.portable.container import pack, unpack
from registry.portable.contents import file_digest
from registry.portable.sealing import commitment, salt_of
from registry.portable.verifier import json_text, manifest_text, verify_bundle
from registry.record import journal, publication
from registry.record.replay import Replayer
from rules.errors import NoRulesetError
from rules.language.editions import governing
from rules.portable.canonical import canonical_json, digest, sha256
from rules.portable.record import RecordError, governs, reason

Auditing = Callable[..., Audit]

TIERS = ("创新型中小企业", "专精特新中小企业", "专精特新“小巨人”企业")
SOUND = "结论：完整、未被改动，全部决定重新计算一致"
REFUSED = "此证据包不可采信"
#: Decisions of the two days in July by what they rest on.
PLAIN, CORRECTED, SETTLED = 53, 47, 50


# -- sound bundles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize(
    ("selection", "count"),
    [
        (Selection((PLAIN, CORRECTED, SETTLED)), 3),
        (Selection((), TIERS[1]), 27),
        (Selection((), "", date(2023, 7, 12), date(2023, 7, 12)), 13),
        (Selection((), "", None, date(2023, 7, 3)), 36),
        (Selection((), TIERS[2], date(2026, 7, 1)), 8),
        (Selection(), 80),
    ],
    ids=["numbers", "tier", "day", "until", "from", "all"],
)
def test_a_sound_bundle_is_believed(
    bureau: Bureau, audit: Auditing, selection: Selection, count: int, masked: bool
) -> None:
    data = bureau.export(selection, masked=masked)
    said = audit(data, "--key", bureau.public, against=bureau.held.values())
    assert (said.code, said.errors) == (0, "")
    assert f"核对无误的决定：{count}份\n{SOUND}\n" in said.text
    assert said.text.count("✓ 第") == count
    for size in bureau.held:
        assert f"与所持检查点（{size}条）一致" in said.text
    if selection.numbers:
        assert "不说明还有没有其他决定" in said.text
    else:
        assert "首尾相接，没有遗漏" in said.text


def test_what_was_selected_is_told(bureau: Bureau, audit: Auditing, july: bytes) -> None:
    said = audit(july, "--key", bureau.public)
    assert "范围：北京时间2023-07-10 00:00:00（含）起2023-07-13 00:00:00（不含）止" in said.text
    assert f"✓ 第{CORRECTED}号决定　示例五号（虚构）有限公司（91990000MA0000005P）" in said.text


def test_without_the_key_of_the_bureau_no_one_is_vouched_for(
    bureau: Bureau, stranger: SigningKey, audited: Auditing, july: bytes
) -> None:
    said = audited(july)
    assert said.code == 0
    assert SOUND not in said.text
    assert "签名者没有核对，须用 --key 再验证" in said.text
    assert bureau.public in said.text
    forged = Forgery(july).rechained().packed(stranger)
    assert "签名者没有核对" in audited(forged).text
    assert audited(forged, "--key", bureau.public).code == 1


@pytest.mark.parametrize("given", [("--key", ""), ("--key", "甲"), ("--other",), ("二.zip",)])
def test_misuse(audit: Auditing, july: bytes, given: tuple[str, ...]) -> None:
    said = audit(july, *given)
    assert said.code == 2
    assert said.errors.startswith("错误：")
    assert said.text == ""


def test_files_that_cannot_be_read_are_misuse(audit: Auditing, july: bytes) -> None:
    assert audit(None).code == 2
    said = audit(july, "--against", "没有.txt")
    assert (said.code, said.errors) == (2, "错误：没有.txt 无法读取，请核对位置和权限\n")


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX"}])
@pytest.mark.parametrize("bare", [True, False])
def test_it_speaks_chinese_everywhere(
    bureau: Bureau, audit: Auditing, july: bytes, env: dict[str, str], bare: bool
) -> None:
    said = audit(july, "--key", bureau.public, bare=bare, **env)
    assert (said.code, said.text.splitlines()[-1]) == (0, SOUND)
    assert audit(july, "--key", "甲", bare=bare, **env).errors.startswith("错误：验证公钥「甲」")


def test_the_verifier_runs_where_tidu_is_not(tmp_path: Path) -> None:
    for name in ("registry", "rules", "cryptography"):
        asked = [sys.executable, "-I", "-S", "-c", f"import {name}"]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True)
        assert b"ModuleNotFoundError" in done.stderr


def test_the_verifier_is_its_modules_verbatim(july: bytes) -> None:
    text = unpack(july)["verify.py"].decode()
    found = re.findall(r"^load\('([a-z.0-9]+)', r'''(.*?)'''\)$", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in found] == list(standalone.MODULES)
    root = Path(standalone.__file__).parents[2]
    for name, source in found:
        assert source == (root / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")


# -- agreement -------------------------------------------------------------------------------------


def test_both_ways_of_deciding_again_give_the_same_bytes(bureau: Bureau) -> None:
    """The verifier decides by the reference evaluator alone, Tidu by its engine as well."""
    found = verify_bundle(bureau.export(Selection()), key=bureau.public)
    with storage.session(bureau.county.engine) as session:
        replayer = Replayer(session)
        entries = list(journal.entries(session, kinds=["decision"]))
        replayed = [replayer.replay(e) for e in entries]
        replayer.close()
    assert {r.seq: (r.verdict, r.difference) for r in replayed} == {
        seq: (verdict, None) for seq, verdict in found.verdicts.items()
    }
    rested = [e for e in entries if e.content["determinations"]]
    assert len(entries) == 80
    assert len(rested) == 5
    assert {e.content["applicability"]["ruleset"] for e in entries} >= {
        "63.1", "63.2", "63.3", "63.3.复核", "2026.2", "2026.3",
    }  # fmt: skip


def test_both_ways_of_finding_the_governing_row_agree(bureau: Bureau) -> None:
    with storage.session(bureau.county.engine) as session:
        published = publication.current(session)
        assert published is not None
        text = publication.document(session, published.applicability_digest, "applicability")
    plain = json.loads(text)["rows"]
    # one more row of a province and one of a batch in it, for the order of precedence
    own = {**plain[0], "province": "江苏省", "ruleset": "江苏"}
    rows = [*plain, own, {**own, "batch": "甲批", "ruleset": "江苏甲", "end": "2026-04-01"}]
    typed = publication.applicability_rows(json.dumps({"rows": rows}))
    ends = {date.fromisoformat(r[e]) for r in rows for e in ("start", "end") if r[e]}
    days = {end + timedelta(n) for end in ends for n in (-1, 0, 1)} | {date(1990, 1, 1)}
    governed = Counter[str]()
    for tier, procedure, province, batch, day in product(
        (*TIERS, "别的"),
        ("认定", "复核"),
        ("江苏省", "深圳市", ""),
        ("", "2026年复核", "甲批"),
        days,
    ):
        case = {"tier": tier, "procedure": procedure, "province": province, "batch": batch}
        try:
            row = governs(rows, {**case, "as_of": day.isoformat()})
            said = (row["ruleset"], reason(row))
        except RecordError:
            said = ("", "")
        try:
            found = governing(typed, day=day, **case)
            assert said == (found.row.ruleset, found.reason)
        except NoRulesetError:
            assert said == ("", "")
        governed[said[0]] += 1
    assert len(governed) == 12


# -- masking ---------------------------------------------------------------------------------------


def test_nothing_hidden_is_in_a_masked_bundle(bureau: Bureau) -> None:
    texts = [*PERSONS, *GROUNDS, *(text for _, text in PROPERTY.values())]
    shown, masked = (bureau.export(Selection(), masked=m) for m in (False, True))
    used = [t for t in texts if t.encode() in shown]
    assert set(texts) - set(used) == {"张登记"}  # who loaded the filings has no part in decisions
    assert [t for t in texts if t.encode() in masked] == []
    with storage.session(bureau.county.engine) as session:
        salts = [e.salt for e in journal.entries(session)]
    assert not [s for s in salts if s.encode() in shown or s.encode() in masked]


def test_a_list_of_names_does_not_open_a_commitment(bureau: Bureau) -> None:
    masked = Forgery(bureau.export(Selection(), masked=True))
    marks = {x["header"]["by"] for x in masked.lines}
    for line in masked.lines:
        marks |= set(re.findall(r"[0-9a-f]{64}", canonical_json(line.get("facts", {}))))
    known = {m[:32] for m in re.findall(rb"[0-9a-f]{32,64}", masked.packed())} | {b""}
    names = [*PERSONS, *(text for _, text in PROPERTY.values())]
    guesses = {commitment(salt.decode(), n) for salt, n in product(known, names)}
    guesses |= {sha256(n) for n in names} | {digest(n) for n in names}
    assert not guesses & marks
    # one place that was opened gives no other away
    line = Forgery(bureau.export(Selection((SETTLED,)))).line(SETTLED)
    salt, name = line["texts"]["by"]
    assert commitment(salt, name) == line["header"]["by"]
    others = list(line["open"].values())
    assert others
    assert all(salt_of(salt, place) != other for place, (other, _) in line["open"].items())


def test_a_masked_bundle_hides_no_alteration(bureau: Bureau, audited: Auditing) -> None:
    forged = Forgery(bureau.export(Selection((SETTLED,)), masked=True))
    facts = forged.line(SETTLED)["facts"]
    facts["records"]["ip"]["items"][0]["number"] = {"sealed": "0" * 64}
    said = audited(forged.packed(), "--key", bureau.public)
    assert f"第{SETTLED}号决定：填报的数据已被改动" in said.text
    # nor does one that calls itself masked disclose, or one that does not hide, a part
    for masked, hide in ((True, "open"), (False, "texts")):
        forged = Forgery(bureau.export(Selection((SETTLED,))))
        forged.manifest["masked"] = masked
        forged.line(SETTLED)[hide] = {}
        said = audited(forged.packed(bureau.key), "--key", bureau.public)
        assert "的遮盖与清单所记不同" in said.text


# -- the six forgeries -----------------------------------------------------------------------------


def figure(f: Forgery) -> None:
    f.line(PLAIN)["facts"]["values"]["revenue@2022"] = "99990000"


def consistent_figure(f: Forgery) -> None:
    figure(f)
    f.put(PLAIN, facts=digest(f.line(PLAIN)["facts"]))


def redecided_figure(f: Forgery) -> None:
    figure(f)
    f.redo(PLAIN)


def ruleset_of(f: Forgery, seq: int) -> str:
    return str(f.body(seq)["ruleset"])


def _lower(plain: Any) -> None:
    """Lower a threshold of 100万元."""
    for rule in plain["rules"]:
        for case in rule["body"].get("cases", ()):
            for line in case["lines"]:
                if line["value"] == "1000000":
                    line["value"] = "1"


def threshold(f: Forgery) -> None:
    path = f"rulesets/{ruleset_of(f, PLAIN)}.json"
    plain = json.loads(f.files[path])
    _lower(plain)
    assert canonical_json(plain).encode() != f.files[path]
    f.files[path] = canonical_json(plain).encode()


def consistent_threshold(f: Forgery) -> None:
    f.rename("rulesets", ruleset_of(f, PLAIN), _lower)


def redecided_threshold(f: Forgery) -> None:
    old = ruleset_of(f, PLAIN)
    numbers = [n for n in f.numbers("decision") if ruleset_of(f, n) == old]
    f.rename("rulesets", old, _lower)
    for n in numbers:
        f.redo(n)


def verdict(f: Forgery) -> None:
    f.put(PLAIN, verdict=3)


def consistent_verdict(f: Forgery) -> None:
    f.put(PLAIN, verdict=3, results={**f.body(PLAIN)["results"], "63.2": 3})


def dropped(f: Forgery) -> None:
    f.lines.remove(f.line(PLAIN))


def dropped_cleanly(f: Forgery) -> None:
    f.drop(PLAIN)


def dropped_from_the_skeleton(f: Forgery) -> None:
    f.drop(PLAIN)
    f.heads = [h for h in f.heads if h["seq"] != PLAIN]


def hidden_in_the_skeleton(f: Forgery) -> None:
    f.drop(PLAIN)
    next(h for h in f.heads if h["seq"] == PLAIN)["kind"] = "policy"


def swapped_lines(f: Forgery) -> None:
    f.lines[3], f.lines[4] = f.lines[4], f.lines[3]


def swapped_numbers(f: Forgery) -> None:
    one, other = f.line(PLAIN)["header"], f.line(PLAIN + 1)["header"]
    one["seq"], other["seq"] = other["seq"], one["seq"]
    f.lines.sort(key=lambda x: int(x["header"]["seq"]))


def swapped_bodies(f: Forgery) -> None:
    one, other = f.line(PLAIN), f.line(PLAIN + 3)
    for part in ("body", "facts", "open"):
        one[part], other[part] = other[part], one[part]


def nothing(f: Forgery) -> None:
    """All is as it was; only the signatures will not be the bureau's."""


HERE = f"第{PLAIN}号决定："
CHAIN = f"第{PLAIN + 1}号记录没有接在前一条之后"
UNPROVED = "不在登记机关签名的检查点之下"
#: Forgery; what is said of it as it is, of it made to agree, and of it under the bureau's own signature.
#: None: nothing but a checkpoint held elsewhere tells.
FORGERIES: list[tuple[Callable[[Forgery], None], str, str, str | None]] = [
    (figure, f"{HERE}填报的数据已被改动", f"{HERE}{UNPROVED}", f"{HERE}填报的数据已被改动"),
    (consistent_figure, f"{HERE}内容与其摘要不符", f"{HERE}{UNPROVED}", f"{HERE}重新计算的结果不同"),
    (redecided_figure, f"{HERE}内容与其摘要不符", f"{HERE}{UNPROVED}", None),
    (threshold, f"{HERE}所用的规则集（标准、门槛）已被改动", f"{HERE}{UNPROVED}",
     f"{HERE}所用的规则集（标准、门槛）已被改动"),
    (consistent_threshold, f"{HERE}内容与其摘要不符", f"{HERE}{UNPROVED}",
     f"第{PLAIN + 6}号决定：重新计算的结果不同"),  # on which the threshold bears
    (redecided_threshold, f"{HERE}内容与其摘要不符", f"{HERE}{UNPROVED}", None),
    (verdict, f"{HERE}内容与其摘要不符", f"{HERE}{UNPROVED}",
     f"{HERE}重新计算的结果不同：记为符合，应为不符合"),
    (consistent_verdict, f"{HERE}内容与其摘要不符", f"{HERE}{UNPROVED}", f"{HERE}重新计算的结果不同"),
    (dropped, f"{HERE}应在包内而不在，已被删去", f"{HERE}应在包内而不在，已被删去",
     f"{HERE}应在包内而不在，已被删去"),
    (dropped_cleanly, f"{HERE}应在包内而不在，已被删去", f"{HERE}应在包内而不在，已被删去",
     f"{HERE}应在包内而不在，已被删去"),
    (dropped_from_the_skeleton, CHAIN, "目录文件 headers.jsonl：不在", CHAIN),
    (hidden_in_the_skeleton, CHAIN, "目录文件 headers.jsonl：不在", None),
    (swapped_lines, "次序不对：重复、换位或已被改动", "次序不对：重复、换位或已被改动", "次序不对：重复、换位或已被改动"),
    (swapped_numbers, f"{HERE}{UNPROVED}", f"{HERE}{UNPROVED}", None),
    (swapped_bodies, f"{HERE}内容与其摘要不符", f"{HERE}{UNPROVED}", None),
]  # fmt: skip
NAMES = [forge.__name__ for forge, *_ in FORGERIES]


@pytest.mark.parametrize(("forge", "bare", "agreeing", "inside"), FORGERIES, ids=NAMES)
def test_forgery(
    bureau: Bureau,
    stranger: SigningKey,
    audited: Auditing,
    july: bytes,
    forge: Callable[[Forgery], None],
    bare: str,
    agreeing: str,
    inside: str | None,
) -> None:
    forged = Forgery(july)
    forge(forged)
    # as it is; no key
    said = audited(forged.copy().packed(), "--key", bureau.public)
    assert (said.code, bare in said.text) == (1, True), said.text
    assert "manifest.json 不是登记机关签名的那一份" in said.text
    # everything recomputed; the bureau's signatures are of other texts
    forged.rechained()
    said = audited(forged.copy().packed(), "--key", bureau.public)
    assert (said.code, agreeing in said.text) == (1, True), said.text
    # signed by a stranger: an auditor who has the bureau's key goes no further
    found = verify_bundle(forged.copy().packed(stranger), key=bureau.public)
    assert "证据包：检查点不可信：签名文件没有「示范市中小企业局」用所给公钥作的签名" in "".join(
        found.problems
    )
    assert found.verdicts == {}
    # signed by the bureau itself, with the best proofs that there are of what was published before
    data = forged.copy().packed(bureau.key, held=bureau.held)
    said = audited(data, "--key", bureau.public)
    assert (said.code, (inside or SOUND) in said.text) == (int(inside is not None), True), said.text
    said = audited(data, "--key", bureau.public, against=bureau.held.values())
    assert said.code == 1
    assert "所持的第2个检查点：与包内检查点不一致：登记库的历史被改写过" in said.text


def test_a_forged_checkpoint(
    bureau: Bureau, stranger: SigningKey, audited: Auditing, july: bytes
) -> None:
    genuine = unpack(july)["checkpoint.txt"].decode()
    origin, size, root, *rest = genuine.split("\n")
    other = Forgery(july).rechained().copy()
    other.packed(stranger)
    theirs = other.files["checkpoint.txt"].decode()
    forgeries = {
        "的签名与正文不符": "\n".join([origin, str(int(size) + 1), root, *rest]),
        "用所给公钥作的签名": theirs,
        "签名文件不合格式": genuine.replace("\n\n", "\n"),
        "公钥签名重复": genuine + genuine.split("\n\n")[1],
        "没有「示范市中小企业局」用": genuine.replace("— 示范市", "— 别处市"),
    }
    for said, note in forgeries.items():
        forged = Forgery(july)
        forged.files["checkpoint.txt"] = note.encode()
        found = audited(forged.packed(), "--key", bureau.public)
        assert (found.code, said in found.text, "✓" in found.text) == (1, True, False), found.text


def test_an_old_checkpoint_replayed(bureau: Bureau, audited: Auditing, july: bytes) -> None:
    """A genuine checkpoint of the journal as it was before the decisions proves none of them."""
    for size, note in bureau.held.items():
        forged = Forgery(july)
        forged.files["checkpoint.txt"] = note
        said = audited(forged.packed(), "--key", bureau.public)
        assert said.code == 1
        if size < PLAIN:
            assert f"{HERE}{UNPROVED}" in said.text
    # held by the auditor, of another journal, or not proved to be of this one
    old = bureau.held[min(bureau.held)]
    forged = Forgery(july)
    del forged.files["consistency.json"]
    said = audited(forged.packed(bureau.key), "--key", bureau.public, against=[old, b"\xff", july])
    assert "所持的第1个检查点：包内没有与所持检查点（38条）的一致性证明" in said.text
    assert "所持的第2个检查点：" in said.text
    assert "所持的第3个检查点：" in said.text


# -- other alterations, by the bureau itself where no one else could ------------------------------


def _change(part: str, change: Callable[[Any], Any]) -> Callable[[Forgery], None]:
    def forge(f: Forgery) -> None:
        f.files[part] = change(f.files[part])

    return forge


def determination_dropped(f: Forgery) -> None:
    f.drop(f.numbers("determination")[0])


def determination_dropped_from_the_decision(f: Forgery) -> None:
    f.drop(f.numbers("determination")[0])
    f.put(SETTLED, determinations=[])


def determination_altered(f: Forgery) -> None:
    f.put(f.numbers("determination")[0], value=0)


def determination_of_another_value_before(f: Forgery) -> None:
    f.put(f.numbers("determination")[2], was="1")


def determination_of_what_is_settled(f: Forgery) -> None:
    f.put(f.numbers("determination")[0], was=0)


def superseded_determination_dropped(f: Forgery) -> None:
    f.drop(f.numbers("determination")[1])
    f.drop(f.numbers("confirmation")[0])


def confirmation_dropped(f: Forgery) -> None:
    f.drop(f.numbers("confirmation")[1])


def confirmed_by_oneself(f: Forgery) -> None:
    one, other = (f.line(f.numbers(k)[n]) for k, n in (("determination", 2), ("confirmation", 1)))
    one["header"]["by"], one["texts"]["by"] = other["header"]["by"], other["texts"]["by"]


def confirmation_of_another(f: Forgery) -> None:
    one, other = (f.numbers("confirmation")[n] for n in (0, 1))
    f.put(other, determination=f.body(one)["determination"])


def another_firms_determination(f: Forgery) -> None:
    f.put(PLAIN, determinations=[f.body(SETTLED)["determinations"][0]])


def determination_applied_twice(f: Forgery) -> None:
    f.put(SETTLED, determinations=f.body(SETTLED)["determinations"] * 2)


def confirmation_as_determination(f: Forgery) -> None:
    head = f.line(f.numbers("confirmation")[0])["header"]
    f.put(SETTLED, determinations=[sha256(header_text(head))])


def other_tier(f: Forgery) -> None:
    f.put(PLAIN, ruleset=ruleset_of(f, PLAIN - 1))


def other_tier_in_header(f: Forgery) -> None:
    f.line(PLAIN)["header"]["tier"] = TIERS[0]


def other_table(f: Forgery) -> None:
    """A table that was right once, or elsewhere, in place of the one that held."""
    old = f.body(PLAIN)["applicability"]
    table = json.loads(f.files[f"applicability/{old['digest']}.json"])
    text = canonical_json({**table, "rows": [r for r in table["rows"] if r["end"]]})
    f.files[f"applicability/{sha256(text)}.json"] = text.encode()
    f.put(PLAIN, applicability={**old, "digest": sha256(text)})


def table_altered(f: Forgery) -> None:
    [name] = [n for n in f.files if n.startswith("applicability/")]
    f.files[name] = f.files[name].replace(b"2022-08-01", b"2022-08-02")


def other_reason(f: Forgery) -> None:
    f.put(PLAIN, applicability={**f.body(PLAIN)["applicability"], "reason": "特事特办"})


def publication_dropped(f: Forgery) -> None:
    f.drop(f.numbers("publication")[0])


def criterion_reworded(f: Forgery) -> None:
    [name] = [n for n in f.files if n.endswith("63/specialised.feature")]
    f.files[name] = f.files[name].replace("100万元".encode(), "10万元".encode())


def extra_file(f: Forgery) -> None:
    f.files["说明.txt"] = "本包已经核验".encode()


def extra_ruleset(f: Forgery) -> None:
    f.files[f"rulesets/{sha256('{}')}.json"] = b"{}"


def idle_entry(f: Forgery) -> None:
    f.lines = [x for x in f.lines if x["header"]["kind"] != "decision" or x is f.line(SETTLED)]
    f.manifest["selection"] = {"numbers": [SETTLED]}
    f.manifest["ends"], f.heads = [], []
    f.files.pop("headers.jsonl")
    f.manifest["counts"] |= {"decisions": 1, "entries": len(f.lines)}


def opening_altered(f: Forgery) -> None:
    f.line(SETTLED)["open"]["ip#0.number"][1] = "ZL0"


def opening_added(f: Forgery) -> None:
    f.line(PLAIN)["open"]["ip#0.number"] = ["", "ZL0"]


def name_altered(f: Forgery) -> None:
    f.line(PLAIN)["texts"]["by"][1] = "别人"


def ground_altered(f: Forgery) -> None:
    f.line(f.numbers("determination")[0])["texts"]["ground"][1] = "无"


def text_added(f: Forgery) -> None:
    f.line(PLAIN)["texts"]["ground"] = ["", "另有理由"]


def fact_added(f: Forgery) -> None:
    f.line(PLAIN)["facts"]["values"]["remark"] = "1"


def fact_list_added(f: Forgery) -> None:
    f.line(PLAIN)["facts"]["extra"] = {}


def part_added(f: Forgery) -> None:
    f.line(PLAIN)["remark"] = "已复核"


def line_doubled(f: Forgery) -> None:
    f.lines.insert(5, f.lines[5])


def evidence_dropped(f: Forgery) -> None:
    f.manifest["evidence"].pop()


def counts_altered(f: Forgery) -> None:
    f.manifest["counts"]["determinations"] += 1


def claim_added(f: Forgery) -> None:
    f.manifest["remark"] = "已复核"


def selection_narrowed(f: Forgery) -> None:
    f.manifest["selection"]["until"] = "2023-07-12T00:00:00.000000Z"


def selection_widened(f: Forgery) -> None:
    f.manifest["selection"]["until"] = "2023-09-12T00:00:00.000000Z"


def selection_begun_earlier(f: Forgery) -> None:
    f.manifest["selection"]["from"] = "2023-07-01T00:00:00.000000Z"


def selection_of_no_time(f: Forgery) -> None:
    f.manifest["selection"]["until"] = "2023-07-12T16"


def skeleton_dropped(f: Forgery) -> None:
    f.heads = []
    f.files["headers.jsonl"] = b""


def other_key_named(f: Forgery) -> None:
    f.manifest["key"] = "别处+00000000+AA=="


def moment_of_no_time(f: Forgery) -> None:
    f.line(PLAIN)["header"]["recorded_at"] = "此后"
    next(h for h in f.heads if h["seq"] == PLAIN)["recorded_at"] = "此后"


def other_schema(f: Forgery) -> None:
    f.line(PLAIN)["header"]["schema"] = 2


def number_beyond(f: Forgery) -> None:
    f.line(PLAIN)["header"]["seq"] = 10**30


def number_not_whole(f: Forgery) -> None:
    f.line(PLAIN)["header"]["seq"] = float(PLAIN)


def fraction_over_nothing(f: Forgery) -> None:
    f.rename("rulesets", ruleset_of(f, PLAIN), lambda r: _everywhere(r, "1000000", "1/0"))


def boundless_number(f: Forgery) -> None:
    f.rename("rulesets", ruleset_of(f, PLAIN), lambda r: _everywhere(r, "1000000", "1e999999999"))


def long_number(f: Forgery) -> None:
    f.rename("rulesets", ruleset_of(f, PLAIN), lambda r: _everywhere(r, "1000000", "9" * 10**6))


def nested_formulas(f: Forgery) -> None:
    f.rename("rulesets", ruleset_of(f, PLAIN), _nest)


def rules_in_a_circle(f: Forgery) -> None:
    f.rename("rulesets", ruleset_of(f, PLAIN), _turn)


def boundless_year(f: Forgery) -> None:
    f.line(PLAIN)["facts"]["values"]["segment_entry"] = "9999-12-31"
    f.put(PLAIN, facts=digest(f.line(PLAIN)["facts"]))


def verdict_of_no_kind(f: Forgery) -> None:
    f.put(PLAIN, verdict="好")


def verdict_beyond(f: Forgery) -> None:
    f.put(PLAIN, verdict=-1)


def _everywhere(plain: Any, old: str, new: str) -> None:
    for rule in plain["rules"]:
        for case in rule["body"].get("cases", ()):
            for line in case["lines"]:
                line["value"] = new if line["value"] == old else line["value"]


def _nest(plain: Any) -> None:
    """Formulas almost as deep as JSON can be written."""
    for indicator in plain["indicators"].values():
        for _ in range(150):
            indicator["expr"] = ["sub", indicator["expr"], ["const", "0"]]


def _turn(plain: Any) -> None:
    """A root that depends on itself."""
    [root] = [r for r in plain["rules"] if r["id"] == plain["root"]]
    line = {"subject": "rule", "name": plain["root"], "op": "=", "value": None, "text": ""}
    root["body"]["cases"][0]["lines"].append(line)


COMPUTED = f"{HERE}规则集或数据不合格式，无法计算"
#: What the bureau itself cannot get past an auditor, though everything agrees under its signature.
ALTERATIONS: list[tuple[Callable[[Forgery], None], str]] = [
    (determination_dropped, f"第{SETTLED}号决定：所依据的人工认定不在包内"),
    (determination_dropped_from_the_decision, f"第{SETTLED}号决定：重新计算的结果不同"),
    (determination_altered, f"第{SETTLED}号决定：重新计算的结果不同"),
    (
        determination_of_another_value_before,
        f"第{CORRECTED}号决定：第44号人工认定所写的原值与填报不符",
    ),
    (determination_of_what_is_settled, f"第{SETTLED}号决定：第40号人工认定的事项不是留待认定的"),
    (superseded_determination_dropped, f"第{CORRECTED}号决定：第44号人工认定所写的原值与填报不符"),
    (confirmation_dropped, f"第{CORRECTED}号决定：所依据的第44号人工认定须经第二人确认"),
    (confirmed_by_oneself, f"第{CORRECTED}号决定：所依据的第44号人工认定由同一人作出和确认"),
    (confirmation_of_another, f"第{CORRECTED}号决定：所依据的第44号人工认定须经第二人确认"),
    (another_firms_determination, f"{HERE}所依据的第40号人工认定是关于另一份填报的"),
    (determination_applied_twice, f"第{SETTLED}号决定：所依据的人工认定次序颠倒"),
    (confirmation_as_determination, f"第{SETTLED}号决定：所依据的人工认定不在包内"),
    (other_tier, f"{HERE}按已发布的适用表，应适用另一规则集"),
    (other_tier_in_header, f"{HERE}层级与其内容不符"),
    (other_table, f"{HERE}所用的适用表不是决定时有效的那一份"),
    (table_altered, f"{HERE}所用的适用表已被改动"),
    (other_reason, f"{HERE}所写的适用依据与适用表不同"),
    (publication_dropped, f"{HERE}决定时有效的发布记录不在包内"),
    (criterion_reworded, f"{HERE}标准原文 miit-2022-63/specialised.feature 不在包内"),
    (extra_file, "多出文件 说明.txt：与包内的决定无关"),
    (extra_ruleset, "：与包内的决定无关"),
    (idle_entry, "第44号记录：与包内的决定无关"),
    (opening_altered, f"第{SETTLED}号决定：披露的内容「ip#0.number」与其承诺不符"),
    (opening_added, f"{HERE}填报的数据的遮盖与清单所记不同"),
    (name_altered, f"{HERE}披露的内容「by」与其承诺不符"),
    (ground_altered, "第40号记录：披露的内容「ground」与其承诺不符"),
    (text_added, f"{HERE}披露的内容「ground」与其承诺不符"),
    (fact_added, f"{HERE}填报的数据已被改动"),
    (fact_list_added, f"{HERE}填报的数据已被改动"),
    (part_added, f"第{PLAIN}号记录缺少内容，或有多余的内容"),
    (line_doubled, "次序不对：重复、换位或已被改动"),
    (evidence_dropped, "所记的数目或证据与包内的记录不符"),
    (counts_altered, "所记的数目或证据与包内的记录不符"),
    (claim_added, "所记的数目或证据与包内的记录不符"),
    (selection_narrowed, f"{HERE}不属于所选范围"),
    (selection_widened, "目录没有到期间结束处止"),
    (selection_begun_earlier, "目录没有从期间开始处起"),
    (selection_of_no_time, "所选的期间不合格式"),
    (skeleton_dropped, "不能证明没有遗漏"),
    (other_key_named, "清单所记的公钥不是所给的公钥"),
    (moment_of_no_time, f"{HERE}记录的格式不为本程序所知"),
    (other_schema, f"{HERE}记录的格式不为本程序所知"),
    (number_beyond, "次序不对：重复、换位或已被改动"),
    (number_not_whole, "次序不对：重复、换位或已被改动"),
    (fraction_over_nothing, COMPUTED),
    (boundless_number, COMPUTED),
    (long_number, COMPUTED),
    (nested_formulas, COMPUTED),
    (rules_in_a_circle, COMPUTED),
    (boundless_year, f"{HERE}"),
    (verdict_of_no_kind, f"{HERE}内容不合格式（「verdict」的写法不对）"),
    (verdict_beyond, f"{HERE}内容不合格式（「verdict」的写法不对）"),
]


@pytest.mark.parametrize(
    ("forge", "said"), ALTERATIONS, ids=[forge.__name__ for forge, _ in ALTERATIONS]
)
def test_alteration(
    bureau: Bureau, july: bytes, forge: Callable[[Forgery], None], said: str
) -> None:
    """None of these holds, whoever signs; by anyone else the signature does not hold either."""
    forged = Forgery(july)
    forge(forged)
    started = time.monotonic()
    outside = verify_bundle(forged.copy().packed(), key=bureau.public).problems
    assert "清单：manifest.json 不是登记机关签名的那一份，已被改动" in outside
    inside = forged.rechained()
    if forge is other_key_named:
        data = _signed(inside, bureau)
    else:
        data = inside.packed(bureau.key, held=bureau.held)
    problems = verify_bundle(data, key=bureau.public).problems
    assert any(said in problem for problem in problems), problems
    assert time.monotonic() - started < 20


def _signed(f: Forgery, bureau: Bureau) -> bytes:
    """Signed with a manifest that is left as it is."""
    f.packed(bureau.key)
    f.manifest["key"] = "别处+00000000+AA=="
    f.files["manifest.json"] = json_text(f.manifest).encode()
    text = manifest_text(f.files["manifest.json"])
    return pack(f.files | {"manifest.note": bureau.key.sign_note(text).encode()})


def test_a_proof_is_written_in_one_way(bureau: Bureau, july: bytes) -> None:
    forged = Forgery(july)
    forged.line(PLAIN)["proof"][0] = forged.line(PLAIN)["proof"][0].upper()
    problems = verify_bundle(forged.packed(bureau.key), key=bureau.public).problems
    assert problems == [f"{HERE}证明不是规范写法，已被改动"]


@pytest.mark.parametrize("name", ["verify.py", "index.html", "manifest.json", "manifest.note"])
def test_a_file_replaced(bureau: Bureau, audited: Auditing, july: bytes, name: str) -> None:
    files = unpack(july)
    files[name] = b"print('sound')\n"
    said = audited(pack(files), "--key", bureau.public)
    assert said.code == 1
    if not name.startswith("manifest"):
        assert f"文件 {name} 的内容已被改动" in said.text


@pytest.mark.parametrize(
    "name", ["entries.jsonl", "headers.jsonl", "manifest.json", "consistency.json"]
)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"', b'"\xff'),
        (b":", b": "),
        (b":", b":1e999,"),
        (b"{", b'{"header":{},"key":0,"schema":1,"seq":1,'),
        (b"{", b"[" * 100_000),
        (b"{", b'{"a":' * 100_000),
        (b":", b":" + b"9" * 100_000),
        (b":", b":NaN,"),
        (b"{", b'{"\\ud800":1,'),
        (b"{", b"\xff\xfe{"),
        (b"\n", b""),
        (b"\n", b"\n\n"),
        (b"\n", b"\r\n"),
        (b"{", b"[]"),
        (b"{", b"null\n{"),
    ],
    ids=["utf8", "space", "infinite", "twice", "lists", "objects", "digits", "nan", "surrogate",
         "bom", "unended", "empty", "crlf", "list", "null"],
)  # fmt: skip
def test_json_that_can_be_read_in_two_ways_or_in_none(
    bureau: Bureau, july: bytes, name: str, old: bytes, new: bytes
) -> None:
    """Refused even if the bureau signs it; nothing that is met on the way is raised."""
    forged = Forgery(july)
    forged.packed(bureau.key)
    forged.files[name] = forged.files[name].replace(old, new, 1)
    if name != "manifest.json":
        forged.lines, forged.heads = [], []
        files = forged.files
        forged.manifest["files"][name] = file_digest(files[name])
        files["manifest.json"] = json_text(forged.manifest).encode()
    text = manifest_text(forged.files["manifest.json"])
    forged.files["manifest.note"] = bureau.key.sign_note(text).encode()
    held = [bureau.held[min(bureau.held)]]
    found = verify_bundle(pack(forged.files), key=bureau.public, against=held)
    assert found.problems
    assert not any("Error" in problem for problem in found.problems)


@pytest.mark.parametrize(
    "text",
    ["1\n结论：完整", "\x1b[2K\x1b[1A", "‮论结", "\ud800"],
    ids=["line", "escape", "bidi", "surrogate"],
)
def test_what_a_stranger_writes_cannot_pose_as_the_verifier(
    bureau: Bureau, audited: Auditing, july: bytes, text: str
) -> None:
    forged = Forgery(july)
    forged.manifest["schema"] = text
    forged.files["manifest.json"] = json.dumps(forged.manifest).encode()
    data = pack({**forged.files, "manifest.json": _loose(forged.manifest)})
    said = audited(data, "--key", bureau.public)
    assert said.code == 1
    assert not set(said.text) & {"\x1b", "‮"}
    assert not [line for line in said.text.splitlines() if line.startswith("结论：完整")]


def _loose(value: Any) -> bytes:
    try:
        return json_text(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


# -- the zip file ----------------------------------------------------------------------------------


def zipped(files: dict[str, bytes], **how: Any) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", **how) as archive:
        for name, data in files.items():
            archive.writestr(
                zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, how.get("compression")
            )
    return stream.getvalue()


def tricks(data: bytes) -> Iterator[tuple[str, bytes]]:
    files = unpack(data)
    yield "nothing", b""
    yield "no zip", b"PK" * 100
    yield "cut", data[: len(data) // 2]
    yield "trailing data", data + b"\n"
    yield "prefixed data", b"#!/bin/sh\n" + data
    yield "comment", data[:-2] + struct.pack("<H", 4) + b"good"
    yield "deflated", zipped(files, compression=zipfile.ZIP_DEFLATED)
    yield "no flags", zipped(files)
    yield "another order", pack(files)[:0] + zipped(dict(sorted(files.items(), reverse=True)))
    yield "twice", data + data
    stream = BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("entries.jsonl", files["entries.jsonl"])
    yield "duplicate name", stream.getvalue()
    for name in (
        "../evil",
        "/evil",
        "a/../../evil",
        "C:evil",
        "a\\evil",
        "a//b",
        "./a",
        "evil/",
        "a\nb",
    ):
        yield f"name {name!r}", pack({**files, name: b"x"})
    yield "bomb", zipped({"a": bytes(200_000_000)}, compression=zipfile.ZIP_DEFLATED)
    start = data.index(b"PK\x01\x02")
    for offset, size in ((20, 4), (24, 4), (42, 4), (28, 2), (10, 2), (8, 2)):
        yield (
            f"field {offset}",
            data[: start + offset] + b"\xfe" * size + data[start + offset + size :],
        )
    # many names for one and the same stored data
    head, listed, end = data[:start], data[start:-22], data[-22:]
    first = listed[: 46 + struct.unpack("<H", listed[28:30])[0]]
    count = struct.pack("<HHI", 60_000, 60_000, 60_000 * len(first))
    yield "overlap", head + first * 60_000 + end[:8] + count + end[16:]


def test_zip_tricks(bureau: Bureau, july: bytes) -> None:
    for name, data in tricks(july):
        started = time.monotonic()
        found = verify_bundle(data, key=bureau.public)
        assert len(found.problems) == 1, name
        assert found.problems[0].startswith("证据包："), name
        assert time.monotonic() - started < 5, name


# -- bytes at random -------------------------------------------------------------------------------


def altered(data: bytes, place: int, chance: random.Random) -> bytes:
    match chance.randrange(3):
        case 0:
            return (
                data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
            )
        case 1:
            return data[:place] + bytes([chance.randrange(256)]) + data[place:]
    return data[:place] + data[place + 1 :]


def test_no_byte_can_be_changed(bureau: Bureau, capsys: pytest.CaptureFixture[str]) -> None:
    """Flipped, inserted and dropped bytes: in the file; in members that are packed again; and there
    under the bureau's signature, which leaves the page and the program to be told by their digests.
    """
    data = bureau.export(Selection((SETTLED,)))
    files, chance = unpack(data), random.Random(2026)
    told: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    missed: list[str] = []

    def attempt(kind: str, where: str, forged: bytes) -> None:
        tried[kind] += 1
        if verify_bundle(forged, key=bureau.public, against=[*bureau.held.values()]).problems:
            told[kind] += 1
        else:
            missed.append(f"{kind} {where}")

    directory = data.index(b"PK\x01\x02")
    places = [chance.randrange(len(data)) for _ in range(50)]
    places += [chance.randrange(directory, len(data)) for _ in range(50)] + [*range(0, 60, 2)]
    for match in list(re.finditer(b"PK\x03\x04", data)):
        places += [match.start() + chance.randrange(30) for _ in range(4)]
    for place in places:
        attempt("file", f"@{place}", altered(data, place, chance))
    for name, content in files.items():
        for _ in range(3):
            place = chance.randrange(len(content))
            changed = {**files, name: altered(content, place, chance)}
            attempt("member", f"{name}@{place}", pack(changed))
            if name.startswith("manifest") or name in ("index.html", "verify.py"):
                continue
            manifest = json.loads(files["manifest.json"])
            manifest["files"][name] = file_digest(changed[name])
            changed["manifest.json"] = json_text(manifest).encode()
            text = manifest_text(changed["manifest.json"])
            changed["manifest.note"] = bureau.key.sign_note(text).encode()
            attempt("signed", f"{name}@{place}", pack(changed))
    with capsys.disabled():
        print("\n" + "，".join(f"{k} {told[k]}/{tried[k]}" for k in tried))
    assert missed == []


def test_no_field_can_be_changed(bureau: Bureau, july: bytes) -> None:
    """Every value in every kind of entry, under the bureau's signature of the manifest."""
    genuine = Forgery(bureau.export(Selection((CORRECTED,))))
    rows = {x["header"]["kind"]: n for n, x in enumerate(genuine.lines)}
    changes: list[tuple[str, Callable[[Forgery], Any], str | int]] = []
    for kind, n in rows.items():
        line = genuine.lines[n]
        for part in ("header", "texts"):
            changes += [
                (f"{kind}.{part}.{key}", lambda f, n=n, part=part: f.lines[n][part], key)
                for key in line[part]
            ]
        changes.append((f"{kind}.body", lambda f, n=n: f.lines[n], "body"))
        changes.append((f"{kind}.proof", lambda f, n=n: f.lines[n]["proof"], 0))
    skeleton = Forgery(july)
    changes += [(f"skeleton.{k}", lambda f: f.heads[4], k) for k in skeleton.heads[4]]
    missed = []
    for name, holder, key in changes:
        for change in (_other, lambda _: None):
            forged = (skeleton if name.startswith("skeleton") else genuine).copy()
            held = holder(forged)
            held[key] = change(held[key])
            if not verify_bundle(forged.packed(bureau.key), key=bureau.public).problems:
                missed.append(name)
    assert missed == []


def _other(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [value[0], "别的"]
    return ("1" if value[:1] != "1" else "2") + value[1:]


# -- how long it takes -----------------------------------------------------------------------------


def test_time_and_memory_grow_with_the_decisions_only(bureau: Bureau) -> None:
    """Eighty decisions in a few seconds, documents read once."""
    data = bureau.export(Selection())
    started = time.process_time()
    assert len(verify_bundle(data, key=bureau.public).verdicts) == 80
    assert time.process_time() - started < 10


def test_a_selection_that_no_bundle_holds_is_refused(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_MOST", 10_000)
    with pytest.raises(errors.RecordError, match="超过一个证据包所能容纳的"):
        bureau.export(Selection((), "", date(2023, 7, 10), date(2023, 7, 12)))
