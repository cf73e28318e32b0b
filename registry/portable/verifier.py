"""Verifies a bundle of decisions and decides every case in it again. Standard library only.

It runs inside Tidu and inside the one file that travels with every bundle
(``registry.audit.standalone``). It trusts only what it derives itself from one signed checkpoint:
each entry is proved to be in the journal, each text is found under its digest, each decision comes
out again. Every further statement of the bundle is checked against this; anything superfluous is
refused.
"""

import argparse
import hashlib
import json
import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NoReturn

from registry.portable import chain, container, notes
from registry.portable.chain import KINDS, header_text
from registry.portable.clock import china_day, china_text
from registry.portable.container import ContainerError, unpack
from registry.portable.merkle import leaf_hash, verify_consistency, verify_inclusion
from registry.portable.notes import Checkpoint, NoteError, VerifierKey, open_note
from registry.portable.sealing import SealError, commitment, opened_facts, places, wrong_opening
from rules.portable.applications import Application, Applications, Calendars, Recorded
from rules.portable.calendar import Calendar
from rules.portable.canonical import canonical_json, digest, sha256
from rules.portable.record import (
    RecordError,
    current_value,
    decision_body,
    governs,
    identity_read,
    is_holding,
    plain_text,
    reason,
    redecide,
    with_identity,
)
from rules.portable.reference import PENDING, EvaluationError
from rules.portable.workflow import EXTEND, GRANT, StepError

SCHEMA: Final = 1
#: The default start and end of a selected period.
EARLIEST: Final = "0001-01-01T00:00:00.000000Z"
LATEST: Final = "9999-12-31T23:59:59.999999Z"

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_UNLISTED: Final = frozenset({"manifest.json", "manifest.note"})
_ALWAYS: Final = _UNLISTED | {"checkpoint.txt", "entries.jsonl", "index.html", "verify.py"}
_CLAIMS: Final = {"schema", "key", "selection", "masked", "ends", "counts", "evidence", "files"}
_PARTS: Final = {"header", "body", "texts", "proof"}

#: The kinds of entries that a period selects, and that have a name of their own in messages.
_NAMED: Final = ("decision", "application", "step")
#: The texts that a bundle carries, by kind, in words.
_TEXTS: Final = {
    "ruleset": "规则集（标准、门槛）",
    "applicability": "适用表",
    "workflows": "办理程序",
    "calendar": "工作日历",
}
#: The folders of texts whose kind is not their name.
_FOLDERS: Final = {"ruleset": "rulesets"}

#: The most bytes of a file that no signature covers: parsed JSON takes twenty times as much.
_LARGEST_UNSIGNED: Final = 2 << 20

Json = dict[str, Any]


class _UnsoundError(Exception):
    """A check of a bundle failed; the message says what is wrong."""


@dataclass(kw_only=True)
class Findings:
    """The findings of verifying a bundle: ``problems`` is empty if it is sound.

    ``verdicts`` are the decisions that hold, by number, and ``cases`` their cases. ``courses`` are
    the applications that hold, by number, each as lines to read. ``trusted`` says that the key did
    not come from the bundle itself.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verdicts: dict[int, str] = field(default_factory=dict)
    cases: dict[int, str] = field(default_factory=dict)
    courses: dict[int, list[str]] = field(default_factory=dict)
    key: str = ""
    trusted: bool = False
    checkpoint: Checkpoint | None = None

    def attempt(self, where: str, check: Callable[[], object]) -> None:
        """Run a check; any error it raises becomes a problem."""
        try:
            check()
        except (
            _UnsoundError,
            ContainerError,
            NoteError,
            SealError,
            RecordError,
            StepError,
        ) as error:
            self.problems.append(f"{where}：{error}")
        except EvaluationError:
            self.problems.append(f"{where}：规则集或数据不合格式，无法计算")
        except Exception as error:  # a stranger's file may cause any error; none means sound
            self.problems.append(f"{where}：内容残缺或已被改动，无法读取（{_amiss(error)}）")


def _amiss(error: Exception) -> str:
    """The words for content that causes an error of Python's own."""
    return next(words for kind, words in _AMISS.items() if isinstance(error, kind))


#: Order matters: the first two are subclasses of ``ValueError``.
_AMISS: Final[dict[type[Exception], str]] = {
    UnicodeDecodeError: "不是 UTF-8 文字",
    json.JSONDecodeError: "不是完整的 JSON",
    RecursionError: "嵌套过深",
    LookupError: "缺少应有的内容",
    Exception: "内容的样式不对",
}


def verify_bundle(
    data: bytes, *, key: str | None = None, against: Sequence[bytes] = ()
) -> Findings:
    """Verify the bytes of a bundle; never raises.

    ``key`` is the bureau's published verifier key. Without it the bundle's own key is used, which
    only shows that a single signer made the bundle. ``against`` are checkpoints that the auditor
    holds.
    """
    found = Findings(trusted=key is not None)
    found.attempt("证据包", lambda: _Bundle(unpack(data), found, key).verify(against))
    return found


class _Bundle:
    """A bundle as far as it has been read and proved.

    ``lines`` are its entries by number, ``heads`` the skeleton of a period, and ``published`` the
    publications in it. ``proved`` are the bodies of entries that are in the journal, and
    ``numbers`` their numbers by digest. ``used`` are the entries, and ``needed`` the files, on
    which decisions rest.
    """

    def __init__(self, files: dict[str, bytes], found: Findings, key: str | None) -> None:
        self.files, self.found, self.signed = files, found, False
        if len(files.get("manifest.json", b"")) > _LARGEST_UNSIGNED:
            raise _UnsoundError("清单 manifest.json 过大，不是导出的原文件：请重新取得原文件")
        self.manifest: Json = _document(files.get("manifest.json"), "清单 manifest.json")
        schema = self.manifest["schema"]
        if schema != SCHEMA:
            raise _UnsoundError(f"证据包的格式版本{schema}不为本程序所知：请使用更新的验证程序")
        self.key = VerifierKey.parse(self.manifest["key"] if key is None else key)
        found.key = str(self.key)
        self.lines: dict[int, Json] = {}
        self.heads: list[Json] = []
        self.published: list[int] = []
        self.proved: dict[int, Json] = {}
        self.numbers: dict[str, int] = {}
        self.publications: list[int] = []
        self.calendars: list[int] = []
        self.confirmations: dict[str, list[int]] = {}
        self.of_target: dict[str, list[int]] = {}
        self.documents: dict[str, Json] = {}
        self.used: set[int] = set()
        self.needed: set[str] = set(_ALWAYS)

    def verify(self, against: Sequence[bytes]) -> None:
        """Verify everything; no failure stops the other checks, except that of the checkpoint."""
        attempt = self.found.attempt
        attempt("清单", self.manifest_signed)
        attempt("清单", self.members)
        if any(len(self.files[name]) > _LARGEST_UNSIGNED for name in self.unsigned()):
            return  # the change is already reported; its content is not worth the memory
        self.checkpoint = self.opened(self.files.get("checkpoint.txt"))
        self.found.checkpoint = self.checkpoint
        for number, note in enumerate(against, 1):
            attempt(f"所持的第{number}个检查点", lambda note=note: self.compare(note))  # type: ignore[misc]
        attempt("记录文件 entries.jsonl", self.read)
        for seq in self.lines:
            attempt(self.name(seq), lambda seq=seq: self.entry(seq))  # type: ignore[misc]
        attempt("记录文件 entries.jsonl", self.index)
        attempt("目录文件 headers.jsonl", self.skeleton)
        decisions = [n for n in self.lines if self.kind(n) == "decision"]
        for seq in self.proved:  # never compute with unproved rulesets or figures
            if self.kind(seq) == "decision":
                attempt(self.name(seq), lambda seq=seq: self.decision(seq))  # type: ignore[misc]
        attempt("申报", self.applications)
        attempt("清单", lambda: self.selection(decisions))
        if not self.found.problems:  # otherwise some checks may not have been reached
            attempt("清单", self.claims)

    def name(self, seq: int) -> str:
        kind = self.lines[seq]["header"]["kind"]
        return f"第{seq}号{KINDS[kind] if kind in _NAMED else '记录'}"

    # -- what the bureau signed

    def manifest_signed(self) -> None:
        """Check that the manifest is the one that the bureau signed."""
        if self.manifest["key"] != str(self.key):
            self.found.problems.append("清单所记的公钥不是所给的公钥：不是该登记机关的证据包")
        text = open_note(self.files["manifest.note"], self.key)
        if text != manifest_text(self.files["manifest.json"]):
            raise _UnsoundError("manifest.json 不是登记机关签名的那一份，已被改动")
        self.signed = True

    def members(self) -> None:
        """Check that the files are those of the manifest."""
        listed = self.manifest["files"]
        for name in sorted({*self.files, *listed} - _UNLISTED):
            if name not in self.files:
                self.found.problems.append(f"缺少文件 {name}：有内容被删去")
            elif name not in listed:
                self.found.problems.append(f"多出文件 {name}：不在登记机关签名的清单中")
            elif file_digest(self.files[name]) != listed[name]:
                self.found.problems.append(f"文件 {name} 的内容已被改动")

    def unsigned(self) -> set[str]:
        """The files that are not what the bureau signed."""
        listed = self.manifest["files"] if self.signed else {}
        return {n for n in self.files if file_digest(self.files[n]) != listed.get(n)} - _UNLISTED

    def opened(self, note: bytes | None) -> Checkpoint:
        """The checkpoint of a note that the bureau signed for its own journal."""
        if note is None:
            raise _UnsoundError("缺少检查点 checkpoint.txt")
        try:
            point = Checkpoint.parse(open_note(note, self.key))
        except NoteError as error:
            raise _UnsoundError(f"检查点不可信：{error}") from None
        if point.origin != self.key.name:
            raise _UnsoundError(f"检查点属于「{point.origin}」，不是「{self.key.name}」的登记库")
        return point

    def compare(self, note: bytes) -> None:
        """Check that a checkpoint held by the auditor is of the same journal."""
        held, here = self.opened(note), self.checkpoint
        if held.size == here.size:
            agrees = held.root == here.root
        else:
            text = self.files.get("consistency.json", b"{}\n")
            proofs = _document(text, "consistency.json")
            if str(held.size) not in proofs:
                raise _UnsoundError(
                    f"包内没有与所持检查点（{held.size}条）的一致性证明："
                    "请登记机关用 --since 该检查点 重新导出"
                )
            nodes = _nodes(proofs[str(held.size)])
            agrees = held.size < here.size and verify_consistency(
                held.size, here.size, held.root, here.root, nodes
            )
        if not agrees:
            raise _UnsoundError("与包内检查点不一致：登记库的历史被改写过")
        self.found.notes.append(f"与所持检查点（{held.size}条）一致")

    # -- the record

    def read(self) -> None:
        """Read the entries; each must be in its one form, occur once, and be in order."""
        for number, text in enumerate(_lines(self.files["entries.jsonl"]), 1):
            self.found.attempt(f"记录第{number}行", lambda text=text: self.line(text))  # type: ignore[misc]

    def line(self, text: str) -> None:
        line = _canonical(text, "内容")
        seq, kind = line["header"]["seq"], line["header"]["kind"]
        if type(seq) is not int or seq <= next(reversed(self.lines), 0):
            raise _UnsoundError("次序不对：重复、换位或已被改动")
        if set(line) != _PARTS | ({"facts", "open"} if kind == "decision" else set()):
            raise _UnsoundError(f"第{seq}号记录缺少内容，或有多余的内容")
        self.lines[seq] = line

    def entry(self, seq: int) -> None:
        """Check that an entry is in the journal at its place, with the texts it commits to."""
        line = self.lines[seq]
        head = line["header"]
        self.included(head, line["proof"])
        if sha256(line["body"]) != head["body"]:
            raise _UnsoundError("内容与其摘要不符，已被改动")
        body = _canonical(line["body"], "内容")
        promised = {"by": head["by"], **{k: body[k] for k in ("ground",) if k in body}}
        for place, (salt, text) in line["texts"].items():
            if commitment(salt, text) != promised.get(place):
                raise wrong_opening(place)
        self.hidden("姓名和理由", line["texts"], promised)
        if head["kind"] == "decision":
            if digest(line["facts"]) != body["facts"]:
                raise _UnsoundError("填报的数据已被改动，不是作出决定时的数据")
            opened_facts(line["facts"], line["open"], body)
            self.hidden("填报的数据", line["open"], dict(places(line["facts"], body)))
        self.proved[seq] = body
        self.numbers[sha256(header_text(head))] = seq

    def included(self, head: Json, proof: Sequence[str]) -> None:
        """Check that a header is the leaf of its number under the checkpoint."""
        leaf = leaf_hash(header_text(head).encode())
        nodes = _nodes(proof)
        point = self.checkpoint
        if not verify_inclusion(leaf, head["seq"] - 1, point.size, nodes, point.root):
            raise _UnsoundError("不在登记机关签名的检查点之下：记录被改动、换位，或检查点是伪造的")
        if head["schema"] != chain.SCHEMA or not _MOMENT.fullmatch(head["recorded_at"]):
            raise _UnsoundError("记录的格式不为本程序所知：请使用更新的验证程序")

    def hidden(self, what: str, disclosed: Json, sealed: Json) -> None:
        """Check that a masked bundle discloses nothing, and any other bundle everything."""
        if set(disclosed) != (set() if self.manifest["masked"] else set(sealed)):
            raise _UnsoundError(f"{what}的遮盖与清单所记不同")

    def index(self) -> None:
        """Note publications, confirmations by determination, and determinations by target."""
        for seq, body in self.proved.items():
            match self.kind(seq):
                case "publication":
                    self.publications.append(seq)
                    self.calendars.append(seq)
                case "calendar":
                    self.calendars.append(seq)
                case "confirmation":
                    self.confirmations.setdefault(body["determination"], []).append(seq)
                case "determination":
                    self.of_target.setdefault(_target(body), []).append(seq)

    def kind(self, seq: int) -> str:
        return str(self.lines[seq]["header"]["kind"])

    # -- decisions

    def decision(self, seq: int) -> None:
        """Check that a decision comes out again from the contents of the bundle."""
        line, body = self.lines[seq], self.proved[seq]
        case = body["case"]
        if case["tier"] != line["header"]["tier"]:
            raise _UnsoundError("层级与其内容不符")
        ruleset = self.ruleset(seq, body)
        determined = self.determinations(seq, body, line["facts"])
        register = self.register(seq, body)
        identity = identity_read(ruleset["facts"], body.get("identity", {}))
        facts = with_identity({**line["facts"], "as_of": case["as_of"]}, identity)
        again = redecide(ruleset, facts, determined, register, case["uscc"])
        expected = decision_body(
            case=case,
            facts=digest(line["facts"]),
            determinations=again.determinations,
            ruleset=again.ruleset,
            ruleset_digest=body["ruleset"],
            applicability=body["applicability"],
            trace=again.trace,
            readings=again.readings,
            register=again.register,
            identity=identity,
            sealed=body.get("sealed", ()),
        )
        if canonical_json(expected) != line["body"]:
            raise _UnsoundError(
                f"重新计算的结果不同：记为{_shown(body['verdict'])}，应为{_shown(expected['verdict'])}"
            )
        self.used.add(seq)
        self.found.cases[seq] = f"{case['name']}（{case['uscc']}）{case['tier']}{case['procedure']}"
        self.found.verdicts[seq] = _shown(body["verdict"])

    def ruleset(self, seq: int, body: Json) -> Json:
        """The ruleset that governs a case, by the last publication before its decision."""
        last, known = _last_before(seq, self.publications), _last_before(seq, self.published)
        if not last or last < known:
            raise _UnsoundError("决定时有效的发布记录不在包内，或已被改动")
        published, named = self.proved[last], body["applicability"]
        if published["applicability"] != named["digest"]:
            raise _UnsoundError("所用的适用表不是决定时有效的那一份")
        row = governs(self.document("applicability", named["digest"])["rows"], body["case"])
        if (row["ruleset"], row["digest"]) != (named["ruleset"], body["ruleset"]):
            raise _UnsoundError("按已发布的适用表，应适用另一规则集")
        if published["rulesets"].get(row["ruleset"]) != row["digest"]:
            raise _UnsoundError("所用的规则集没有发布的记录")
        if reason(row) != named["reason"]:
            raise _UnsoundError("所写的适用依据与适用表不同")
        self.sources(last)
        return self.document("ruleset", body["ruleset"])

    def document(self, kind: str, name: str) -> Json:
        """The text with this digest as its name."""
        path = member(kind, name)
        if path not in self.documents:
            what = _TEXTS[kind]
            if path not in self.files:
                raise _UnsoundError(f"所用的{what}不在包内")
            if file_digest(self.files[path]) != name:
                raise _UnsoundError(f"所用的{what}已被改动，不是作出决定时的那一份")
            self.documents[path] = _canonical(self.files[path].decode(), what)
        self.needed.add(path)
        return self.documents[path]

    def sources(self, seq: int) -> None:
        """Check that the feature files are those that a publication names."""
        if seq in self.used:
            return
        for path, name in self.proved[seq]["sources"].items():
            file = f"features/{seq}/{path}"
            if file not in self.files or file_digest(self.files[file]) != name:
                raise _UnsoundError(f"标准原文 {path} 不在包内，或不是第{seq}号记录发布的那一份")
            self.needed.add(file)
        self.used.add(seq)

    def determinations(self, seq: int, body: Json, facts: Json) -> list[tuple[str, Json]]:
        """The determinations on which a decision rests, in the order in which they were made."""
        found = [self.numbers.get(name, 0) for name in body["determinations"]]
        if [self.kind(n) for n in found if n] != ["determination"] * len(found):
            raise _UnsoundError("所依据的人工认定不在包内，或已被改动")
        if any(one >= other for one, other in pairwise([*found, seq])):
            raise _UnsoundError("所依据的人工认定次序颠倒，或晚于决定")
        filed = {"uscc": body["case"]["uscc"], "as_of": body["case"]["filed_as_of"]}
        for number, name in zip(found, body["determinations"], strict=True):
            determined = self.proved[number]
            if determined["case"] != filed:
                raise _UnsoundError(f"所依据的第{number}号人工认定是关于另一份填报的")
            if determined["four_eyes"]:
                self.confirmed(number, name, seq)
            self.stood(number, determined, facts)
        return [(n, self.proved[s]) for n, s in zip(body["determinations"], found, strict=True)]

    def register(self, seq: int, body: Json) -> list[tuple[str, Json]]:
        """The registered titles and holdings on which a decision rests, all recorded before it.

        Deciding the case again shows whether those of other enterprises bear on it.
        """
        found = []
        for name in body.get("register", ()):
            number = self.numbers.get(name, 0)
            if not number or number >= seq or self.kind(number) not in ("title", "holding"):
                raise _UnsoundError("所依据的登记不在包内，或晚于决定")
            entry = self.proved[number]
            if is_holding(entry) is not (self.kind(number) == "holding"):
                raise _UnsoundError(f"所依据的第{number}号登记与其种类不符")
            self.used.add(number)
            found.append((name, entry))
        if not any(is_holding(entry) for _, entry in found):
            for name, entry in found:
                if entry["uscc"] != body["case"]["uscc"]:
                    number = self.numbers[name]
                    raise _UnsoundError(f"所依据的第{number}号称号登记是关于另一家企业的")
        return found

    def confirmed(self, number: int, name: str, seq: int) -> None:
        """Check that a second person confirmed a determination before decision ``seq``."""
        found = [n for n in self.confirmations.get(name, ()) if number < n < seq]
        if not found:
            raise _UnsoundError(f"所依据的第{number}号人工认定须经第二人确认，但没有确认的记录")
        one, other = (self.lines[n]["texts"].get("by", ["", ""])[1] for n in (number, found[0]))
        if one == other != "":
            raise _UnsoundError(f"所依据的第{number}号人工认定由同一人作出和确认")
        self.used.update(self.confirmations[name])

    def stood(self, number: int, determined: Json, facts: Json) -> None:
        """Check that a determination states the previous value, filed or determined earlier.

        The previous result of a rule is not known here, only that the rule was left to judgement.
        """
        self.used.add(number)
        if "rule" in determined:
            was = determined["was"]
            if (was[2] if isinstance(was, list) else was) != PENDING:
                raise _UnsoundError(f"第{number}号人工认定的事项不是留待认定的")
            return
        earlier = [n for n in self.of_target[_target(determined)] if n < number]
        self.used.update(earlier)
        for n in earlier:
            self.used.update(self.confirmations.get(self.digest(n), ()))
        stood = [current_value(facts, determined), *(self.proved[n]["value"] for n in earlier)]
        if not any(
            type(was) is type(determined["was"]) and was == determined["was"] for was in stood
        ):
            raise _UnsoundError(f"第{number}号人工认定所写的原值与填报不符")

    def digest(self, seq: int) -> str:
        return sha256(header_text(self.lines[seq]["header"]))

    # -- applications

    def applications(self) -> None:
        """Follow every application by the workflow and the calendars of its time."""
        kinds = ("application", "step")
        entries = [seq for seq in self.proved if self.kind(seq) in kinds]
        if not entries:
            return
        followed = Applications(
            lambda name: self.document("workflows", name), self.round, self.almanac(entries)
        )
        for seq in entries:
            self.found.attempt(self.name(seq), lambda seq=seq: self.followed(followed, seq))  # type: ignore[misc]
        for announced in [seq for seq in self.proved if self.kind(seq) == "announcement"]:
            self.found.attempt(
                self.name(announced),
                lambda seq=announced: self.announcement(seq),  # type: ignore[misc]
            )
        for one in followed.found.values():
            name = one.entry.body["round"]
            lag = self.proved[self.numbers[name]]["lag"] if name else 0
            self.found.courses[one.entry.seq] = course_lines(one, lag)

    def round(self, name: str) -> Json:
        """The body of the round with that digest, which is used with its closing."""
        number = self.numbers.get(name, 0)
        if not number or self.kind(number) != "round":
            raise _UnsoundError("所属的轮次不在包内，或已被改动")
        closings = [n for n, b in self.proved.items() if b.get("round") == name]
        self.used.update((number, *(n for n in closings if self.kind(n) == "round")))
        return self.proved[number]

    def almanac(self, entries: Sequence[int]) -> Calendars:
        """The calendars in force before these entries; none may be left out."""
        heads = [h["seq"] for h in self.heads if h["kind"] in ("publication", "calendar")]
        known = []
        for seq in sorted({_last_before(seq, self.calendars) for seq in entries} - {0}):
            self.used.add(seq)
            if "calendar" in self.proved[seq]:
                text = self.document("calendar", self.proved[seq]["calendar"])
                known.append((seq, Calendar.of(text["years"])))
        for seq in entries:
            if _last_before(seq, self.calendars) < _last_before(seq, heads):
                raise _UnsoundError(f"第{seq}号记录时有效的工作日历不在包内，或已被改动")
        return Calendars.of(known)

    def followed(self, followed: Applications, seq: int) -> None:
        """Check that an application fits what it names, or that a step could be taken."""
        line, body = self.lines[seq], self.proved[seq]
        head = line["header"]
        recorded = Recorded(
            seq, self.digest(seq), china_day(datetime.fromisoformat(head["recorded_at"])), body
        )
        if self.kind(seq) == "application":
            last, known = _last_before(seq, self.publications), _last_before(seq, self.published)
            if not last or last < known:
                raise _UnsoundError("申报时有效的发布记录不在包内，或已被改动")
            if self.proved[last].get("workflows") != body["workflows"]:
                raise _UnsoundError("所依的办理程序不是当时发布的")
            self.sources(last)
            tier = followed.open(recorded).entry.body["tier"]
        else:
            taken = followed.take(recorded)
            tier = followed.found[body["application"]].entry.body["tier"]
            self.rested(seq, body)
            self.titled(body, taken.act.effects)
        if head["tier"] != tier:
            raise _UnsoundError("层级与其内容不符")
        self.used.add(seq)

    def rested(self, seq: int, body: Json) -> None:
        """Check that a step states the outcome of the decision on which it rests."""
        if body["decision"] is None:
            if body["outcome"]:
                raise _UnsoundError("所写的结论没有决定")
            return
        number = self.numbers.get(body["decision"], 0)
        if not 0 < number < seq or self.kind(number) != "decision":
            raise _UnsoundError("所依的决定不在包内，或晚于办理")
        decided = self.proved[number]
        if (decided["case"]["uscc"], _shown(decided["verdict"])) != (body["uscc"], body["outcome"]):
            raise _UnsoundError("所写的结论与所依的决定不符")

    def titled(self, body: Json, effects: Sequence[str]) -> None:
        """Check that a step that grants or extends a title names its announcement and the title."""
        if not {GRANT, EXTEND}.intersection(effects):
            if "announcement" in body or "title" in body:
                raise _UnsoundError("不授予称号，却写有公告")
            return
        announcement = self.numbers.get(body["announcement"], 0)
        title = self.numbers.get(body["title"], 0)
        if not (announcement and title) or self.kind(announcement) != "announcement":
            raise _UnsoundError("所属的公告或所登记的称号不在包内")
        stated = self.proved[title]
        if self.kind(title) != "title" or stated["uscc"] != body["uscc"]:
            raise _UnsoundError("所登记的称号是另一家企业的")
        self.used.update((announcement, title))

    def announcement(self, seq: int) -> None:
        """Check that the steps that name an announcement are those of its list, if all are here."""
        body, name = self.proved[seq], self.digest(seq)
        listed = [b["application"] for b in self.proved.values() if b.get("announcement") == name]
        if len(listed) == body["count"]:
            if digest(listed) != body["announced"]:
                raise _UnsoundError("公告的名单与其后的办理不符")
        elif len(listed) > body["count"] or any(h["seq"] == seq for h in self.heads[1:-1]):
            raise _UnsoundError("公告的名单与包内的办理不符")

    # -- what the bundle claims to hold

    def skeleton(self) -> None:
        """Check that the headers of a period have no gap and are proved at both ends."""
        asked = self.manifest["selection"]
        if "numbers" in asked:
            return
        self.needed.add("headers.jsonl")
        if not (_MOMENT.fullmatch(asked["from"]) and _MOMENT.fullmatch(asked["until"])):
            raise _UnsoundError("所选的期间不合格式")
        heads = self.heads = [
            _canonical(text, f"第{n}行")
            for n, text in enumerate(_lines(self.files.get("headers.jsonl", b"")), 1)
        ]
        if not heads:
            raise _UnsoundError("缺少期间内全部记录的目录，不能证明没有遗漏")
        first, last = self.manifest["ends"]
        self.included(heads[0], first)
        self.included(heads[-1], last)
        for one, other in pairwise(heads):
            if other["seq"] != one["seq"] + 1 or other["previous"] != sha256(header_text(one)):
                raise _UnsoundError(f"第{other['seq']}号记录没有接在前一条之后：目录被改动或有遗漏")
            if (
                not _MOMENT.fullmatch(one["recorded_at"])
                or one["recorded_at"] > other["recorded_at"]
            ):
                raise _UnsoundError(f"第{other['seq']}号记录的时间早于前一条")
        if heads[0]["seq"] != 1 and not heads[0]["recorded_at"] < asked["from"]:
            raise _UnsoundError("目录没有从期间开始处起")
        if heads[-1]["seq"] != self.checkpoint.size and heads[-1]["recorded_at"] < asked["until"]:
            raise _UnsoundError("目录没有到期间结束处止")
        self.published = [h["seq"] for h in heads if h["kind"] == "publication"]
        self.found.notes.append(
            f"范围：{_period(asked)}记录的{asked['tier'] or '全部层级'}决定；"
            f"期间的{len(heads)}条记录首尾相接，没有遗漏"
        )

    def selection(self, decisions: list[int]) -> None:
        """Check that the bundle has exactly the selected decisions and applications."""
        asked = self.manifest["selection"]
        resting = {
            self.numbers.get(body["decision"] or "", 0)
            for seq, body in self.proved.items()
            if self.kind(seq) == "step"
        }
        applications = [n for n in self.lines if self.kind(n) == "application"]
        if "numbers" in asked:
            wanted = asked["numbers"]
            if set(asked) != {"numbers"} or wanted != sorted({int(n) for n in wanted}):
                raise _UnsoundError("所选的编号不合格式")
            chosen = [n for n in wanted if n not in applications]
            what = "、".join(
                f"{count}份{word}"
                for count, word in (
                    (len(chosen), "决定"), (len(wanted) - len(chosen), "申报"),
                )
                if count
            )  # fmt: skip
            self.found.notes.append(f"范围：按编号选取的{what}；不说明还有没有其他决定")
            surplus = set(applications) - set(wanted)
        else:
            if set(asked) != {"tier", "from", "until"}:
                raise _UnsoundError("所选的范围不合格式")
            wanted = [h["seq"] for h in self.heads if _matches(h, asked)]
            surplus = {n for n in applications if not self.touched(n, set(wanted))}
        here = {*decisions, *applications}
        if "numbers" not in asked:
            here.update(n for n in self.lines if self.kind(n) == "step")
        for seq in sorted(set(wanted) - here):
            kind = next((h["kind"] for h in self.heads if h["seq"] == seq), "decision")
            self.found.problems.append(f"第{seq}号{KINDS[kind]}：应在包内而不在，已被删去")
        for seq in sorted((set(decisions) - set(wanted) - resting) | surplus):
            self.found.problems.append(f"{self.name(seq)}：不属于所选范围")

    def touched(self, application: int, wanted: set[int]) -> bool:
        """Whether an application, or a step of it, was selected."""
        name = self.digest(application)
        steps = (n for n, body in self.proved.items() if body.get("application") == name)
        return application in wanted or any(n in wanted for n in steps)

    def claims(self) -> None:
        """Check that the manifest's other statements follow from the entries; nothing is idle."""
        kinds = [self.kind(n) for n in self.lines]
        rest = [body for n, body in self.proved.items() if self.kind(n) != "decision"]
        counts = {
            "decisions": kinds.count("decision"),
            "determinations": kinds.count("determination"),
            "entries": len(kinds),
            **({"applications": n} if (n := kinds.count("application")) else {}),
        }
        evidence = sorted({d for body in rest for d in body.get("evidence", ())})
        stated = self.manifest
        if set(stated) != _CLAIMS or (stated["counts"], stated["evidence"]) != (counts, evidence):
            raise _UnsoundError("所记的数目或证据与包内的记录不符")
        if "consistency.json" in self.files:
            self.needed.add("consistency.json")
        for seq in sorted(set(self.lines) - self.used):
            self.found.problems.append(f"第{seq}号记录：与包内的决定无关")
        for name in sorted(set(self.files) - self.needed):
            self.found.problems.append(f"多出文件 {name}：与包内的决定无关")


def member(kind: str, name: str) -> str:
    """The name of a text in a bundle.

    >>> member("ruleset", "ab12"), member("calendar", "ab12")
    ('rulesets/ab12.json', 'calendar/ab12.json')
    """
    return f"{_FOLDERS.get(kind, kind)}/{name}.json"


def manifest_text(manifest: bytes) -> str:
    """The text that the bureau signs for a bundle."""
    return f"tidu-bundle\n{file_digest(manifest)}\n"


def file_digest(data: bytes) -> str:
    """The manifest's name for the content of a file: its SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def json_text(value: Any) -> str:
    """The one written form of JSON members that people may want to read."""
    return f"{json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)}\n"


def course_lines(one: Application, lag: int) -> list[str]:
    """An application and its steps as lines to read; what an auditor should look at has a mark.

    A claimed day is marked if it is more than ``lag`` days before the day of recording.
    """
    body, course = one.entry.body, one.course
    lines = [
        f"第{one.entry.seq}号申报　{body['name']}（{body['uscc']}）"
        f"{body['tier']}{body['procedure']}，{body['applied_on']}申报"
    ]
    for taken in one.steps:
        step = taken.entry.body
        remarks = [
            f"所称的{step['day']}与登记的{taken.entry.day}相差{taken.lag}日"
            if taken.lag > lag
            else "",
            f"超过期限{taken.due}共{taken.late}日" if taken.late else "",
            f"与决定（{step['outcome'] or '无'}）不一致" if taken.against else "",
        ]
        told = "；".join(filter(None, remarks))
        lines.append(
            f"　{'△' if told else '✓'} 第{taken.entry.seq}号　{step['day']} {step['level']}"
            f"“{step['act']}”：{taken.state} → {taken.act.to}{told and f'　（{told}）'}"
        )
    due = f"，最迟{course.due}" if course.due else ""
    lines.append(f"　末次办理后在“{course.state}”，自{course.since}{due}")
    return lines


def _shown(result: Any) -> str:
    try:
        return plain_text(result)
    except ValueError:
        raise _UnsoundError("结果不合格式") from None


def _document(data: bytes | None, name: str) -> Json:
    """A JSON member; refused if it could be read in two ways, for example with a repeated key."""
    if data is None:
        raise _UnsoundError(f"缺少{name}")
    text = data.decode("utf-8")
    found: Json = json.loads(text)
    if json_text(found) != text:
        raise _UnsoundError(f"{name}不是规范写法，已被改动")
    return found


def _canonical(text: str, name: str) -> Json:
    """A canonical JSON text."""
    found: Json = json.loads(text)
    if canonical_json(found) != text:
        raise _UnsoundError(f"{name}不是规范写法，已被改动")
    return found


def _matches(head: Json, asked: Json) -> bool:
    return (
        head["kind"] in _NAMED
        and asked["tier"] in ("", head["tier"])
        and asked["from"] <= head["recorded_at"] < asked["until"]
    )


def _target(determined: Json) -> str:
    """The filing and the target of a determination."""
    return canonical_json([determined["case"], determined.get("rule"), determined.get("fact")])


def _last_before(seq: int, ascending: Sequence[int]) -> int:
    """The last of these numbers before ``seq``; 0 if there is none."""
    place = bisect_left(ascending, seq)
    return ascending[place - 1] if place else 0


def _period(asked: Json) -> str:
    """The period of a selection, in China's time."""
    words = ""
    for mark, word in (("from", "（含）起"), ("until", "（不含）止")):
        if asked[mark] not in (EARLIEST, LATEST):
            words += f"{_clock(asked[mark])}{word}"
    return f"北京时间{words}" if words else "检查点以前"


def _clock(moment: str) -> str:
    """A moment in China's time."""
    return china_text(datetime.fromisoformat(moment))


def _nodes(proof: Sequence[str]) -> list[bytes]:
    """The hashes of a proof, each of which must be in its one written form."""
    nodes = [bytes.fromhex(node) for node in proof]
    if [node.hex() for node in nodes] != proof:
        raise _UnsoundError("证明不是规范写法，已被改动")
    return nodes


def _lines(data: bytes) -> list[str]:
    """The lines of a text; each must end with a newline."""
    *lines, rest = data.decode("utf-8").split("\n")
    if rest:
        raise _UnsoundError("末尾残缺")
    return lines


# -- as a program ------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"错误：参数不对（{message}）。{self.format_usage()}")
        sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify a bundle from the command line: 0 sound, 1 not, 2 misuse."""
    parser = _Parser(
        prog="verify.py",
        description="验证梯度（Tidu）证据包，并重新作出包内每一项决定。",
        usage="python3 verify.py bundle.zip --key '登记机关公布的公钥' [--against 检查点文件]…\n",
        allow_abbrev=False,
    )
    parser.add_argument("bundle", type=Path, help="证据包，例如 bundle.zip")
    parser.add_argument("--key", help="登记机关公布的公钥（一行文字）")
    parser.add_argument(
        "--against", type=Path, action="append", default=[], help="您持有的检查点文件，可多次给出"
    )
    given = parser.parse_args(arguments)
    try:
        if given.key is not None:
            VerifierKey.parse(given.key)
        data = _content(given.bundle, container.LARGEST)
        held = [_content(path, notes.LARGEST) for path in given.against]
    except NoteError as error:
        sys.stderr.write(f"错误：{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"错误：{error.filename} 无法读取，请核对位置和权限\n")
        return 2
    return report(verify_bundle(data, key=given.key, against=held))


def _content(path: Path, most: int) -> bytes:
    """The bytes of a file, at most ``most + 1``, so that a reader can refuse a longer file."""
    with path.open("rb") as file:
        return file.read(most + 1)


def report(found: Findings) -> int:
    """Print the findings and return the exit code."""
    lines = []
    if not found.trusted:
        lines.append(
            "注意：没有给出登记机关的公钥（--key），以包内自带的为准，不能说明是谁签的名；"
            f"请与登记机关另行公布的公钥核对：{found.key}"
        )
    if found.checkpoint is not None:
        stated = [x.removeprefix("time ") for x in found.checkpoint.extensions]
        when = "".join(f"，签发于北京时间{_clock(x)}" for x in stated if _MOMENT.fullmatch(x))
        lines.append(
            f"检查点：{found.checkpoint.origin}，{found.checkpoint.size}条记录{when}，签名有效"
        )
    lines += found.notes
    lines += [f"✓ 第{n}号决定　{found.cases[n]}：{word}" for n, word in found.verdicts.items()]
    for course in found.courses.values():
        lines += course
    lines.append(f"重新作出并核对无误的决定：{len(found.verdicts)}份")
    if found.courses:
        lines.append(f"逐步核对无误的申报：{len(found.courses)}份")
    lines += [f"✗ {problem}" for problem in found.problems]
    if found.problems:
        lines.append(f"结论：发现{len(found.problems)}个问题，此证据包不可采信")
    elif found.trusted:
        lines.append("结论：完整、未被改动，全部决定重新计算一致")
    else:
        lines.append("结论：前后一致，全部决定重新计算一致；但签名者没有核对，须用 --key 再验证")
    sys.stdout.write("".join(f"{_harmless(line)}\n" for line in lines))
    return 1 if found.problems else 0


def _harmless(text: str) -> str:
    """A text, possibly a stranger's, on one line and without terminal control characters."""
    return "".join(c if c.isprintable() or c == "　" else "\ufffd" for c in text[:1000])
