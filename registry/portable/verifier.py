"""Verifies a bundle of decisions and decides every case in it again. Standard library only.

It runs inside Tidu and inside the one file that travels with every bundle
(``registry.audit.standalone``). It trusts only what it derives itself from one signed checkpoint:
each entry is proved to be in the journal, each text is found under its digest, each decision comes
out again. Every further statement of the bundle is checked against this; anything superfluous is
refused.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NoReturn

from registry.portable import bodies, chain, container, courses, decisions, duties, notes
from registry.portable.chain import KINDS, header_text
from registry.portable.clock import china_text, is_moment
from registry.portable.container import unpack
from registry.portable.contents import NAMED, Contents, Json, canonical, file_digest
from registry.portable.findings import Findings, UnsoundError
from registry.portable.merkle import leaf_hash, verify_consistency, verify_inclusion
from registry.portable.notes import Checkpoint, NoteError, VerifierKey, open_note
from registry.portable.sealing import INFORMANT, commitment, opened_facts, places, wrong_opening
from rules.portable.canonical import canonical_json, digest, sha256
from rules.portable.duties import KINDS as DUTIES

SCHEMA: Final = 1
#: The default start and end of a selected period.
EARLIEST: Final = "0001-01-01T00:00:00.000000Z"
LATEST: Final = "9999-12-31T23:59:59.999999Z"

_UNLISTED: Final = frozenset({"manifest.json", "manifest.note"})
_ALWAYS: Final = _UNLISTED | {"checkpoint.txt", "entries.jsonl", "index.html", "verify.py"}
_CLAIMS: Final = {"schema", "key", "selection", "masked", "ends", "counts", "evidence", "files"}
_PARTS: Final = {"header", "body", "texts", "proof"}

#: The most bytes of a file that no signature covers: parsed JSON takes twenty times as much.
_LARGEST_UNSIGNED: Final = 2 << 20


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
    """A bundle while it is verified; ``here`` is what was read and proved of it."""

    def __init__(self, files: dict[str, bytes], found: Findings, key: str | None) -> None:
        self.files, self.found, self.signed = files, found, False
        if len(files.get("manifest.json", b"")) > _LARGEST_UNSIGNED:
            raise UnsoundError("清单 manifest.json 过大，不是导出的原文件：请重新取得原文件")
        self.manifest: Json = _document(files.get("manifest.json"), "清单 manifest.json")
        schema = self.manifest["schema"]
        if (type(schema), schema) != (int, SCHEMA):
            raise UnsoundError(f"证据包的格式版本{schema}不为本程序所知：请使用更新的验证程序")
        if type(self.manifest["masked"]) is not bool:
            raise UnsoundError("清单没有写明是否遮盖：请登记机关重新导出")
        self.key = VerifierKey.parse(self.manifest["key"] if key is None else key)
        found.key = str(self.key)
        self.here = Contents(files)
        self.here.needed.update(_ALWAYS)
        self.held: list[Checkpoint] = []

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
            attempt(f"所持的第{number}个检查点", self.compare, note)
        attempt("记录文件 entries.jsonl", self.read)
        for seq in self.here.lines:
            attempt(self.here.name(seq), self.entry, seq)
        attempt("记录文件 entries.jsonl", self.times)
        attempt("记录文件 entries.jsonl", self.here.index)
        attempt("目录文件 headers.jsonl", self.skeleton)
        decisions.verify(self.here, self.found)
        attempt("申报", courses.verify, self.here, self.found)
        attempt("清单", self.choose)
        attempt("称号", duties.verify, self.here, self.found)
        attempt("清单", self.selection)
        if not self.found.problems:  # otherwise some checks may not have been reached
            attempt("清单", self.claims)

    # -- what the bureau signed

    def manifest_signed(self) -> None:
        """Check that the manifest is the one that the bureau signed."""
        if self.manifest["key"] != str(self.key):
            self.found.problems.append("清单所记的公钥不是所给的公钥：不是该登记机关的证据包")
        text = open_note(self.files["manifest.note"], self.key)
        if text != manifest_text(self.files["manifest.json"]):
            raise UnsoundError("manifest.json 不是登记机关签名的那一份，已被改动")
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
            raise UnsoundError("缺少检查点 checkpoint.txt")
        try:
            point = Checkpoint.parse(open_note(note, self.key))
        except NoteError as error:
            raise UnsoundError(f"检查点不可信：{error}") from None
        if point.origin != self.key.name:
            raise UnsoundError(f"检查点属于「{point.origin}」，不是「{self.key.name}」的登记库")
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
                raise UnsoundError(
                    f"包内没有与所持检查点（{held.size}条）的一致性证明："
                    "请登记机关用 --since 该检查点 重新导出"
                )
            nodes = _nodes(proofs[str(held.size)])
            agrees = held.size < here.size and verify_consistency(
                held.size, here.size, held.root, here.root, nodes
            )
        if not agrees:
            raise UnsoundError("与包内检查点不一致：登记库的历史被改写过")
        self.held.append(held)
        self.found.notes.append(f"与所持检查点（{held.size}条）一致")

    # -- the record

    def read(self) -> None:
        """Read the entries; each must be in its one form, occur once, and be in order."""
        for number, text in enumerate(_lines(self.files["entries.jsonl"]), 1):
            self.found.attempt(f"记录第{number}行", self.line, text)

    def line(self, text: str) -> None:
        line = canonical(text, "内容")
        seq, kind = line["header"]["seq"], line["header"]["kind"]
        if type(seq) is not int or seq <= next(reversed(self.here.lines), 0):
            raise UnsoundError("次序不对：重复、换位或已被改动")
        if set(line) != _PARTS | ({"facts", "open"} if kind == "decision" else set()):
            raise UnsoundError(f"第{seq}号记录缺少内容，或有多余的内容")
        self.here.lines[seq] = line

    def entry(self, seq: int) -> None:
        """Check that an entry is in the journal at its place, with the texts it commits to."""
        line = self.here.lines[seq]
        head = line["header"]
        self.included(head, line["proof"])
        if sha256(line["body"]) != head["body"]:
            raise UnsoundError("内容与其摘要不符，已被改动")
        body = canonical(line["body"], "内容")
        if amiss := bodies.amiss(head["kind"], body):
            raise UnsoundError(f"内容不合格式（{amiss}）")
        if bodies.tier_of(head["kind"], body) not in (None, head["tier"]):
            raise UnsoundError("层级与其内容不符")
        promised = {"by": head["by"], **{k: body[k] for k in ("ground",) if k in body}}
        if INFORMANT in line["texts"]:
            raise UnsoundError("披露了举报人：任何证据包都不得披露")
        for place, (salt, text) in line["texts"].items():
            if commitment(salt, text) != promised.get(place):
                raise wrong_opening(place)
        self.hidden("姓名和理由", line["texts"], promised)
        if head["kind"] == "decision":
            if digest(line["facts"]) != body["facts"]:
                raise UnsoundError("填报的数据已被改动，不是作出决定时的数据")
            opened_facts(line["facts"], line["open"], body)
            self.hidden("填报的数据", line["open"], dict(places(line["facts"], body)))
        self.here.proved[seq] = body
        self.here.numbers[sha256(header_text(head))] = seq

    def included(self, head: Json, proof: Sequence[str]) -> None:
        """Check that a header is the leaf of its number under the checkpoint."""
        leaf = leaf_hash(header_text(head).encode())
        nodes = _nodes(proof)
        point = self.checkpoint
        if not verify_inclusion(leaf, head["seq"] - 1, point.size, nodes, point.root):
            raise UnsoundError("不在登记机关签名的检查点之下：记录被改动、换位，或检查点是伪造的")
        if not chain.is_header(head):
            raise UnsoundError("记录的格式不为本程序所知：请使用更新的验证程序")

    def times(self) -> None:
        """Check that entries were recorded one after the other, and on the right side of checkpoints."""
        latest = ""
        for seq in self.here.proved:
            moment = self.here.lines[seq]["header"]["recorded_at"]
            if moment < latest:
                raise UnsoundError(f"第{seq}号记录的时间早于前一条")
            latest = moment
            for point in (self.checkpoint, *self.held):
                if point.time and (
                    moment > point.time if seq <= point.size else moment < point.time
                ):
                    raise UnsoundError(
                        f"第{seq}号记录的时间与检查点（{point.size}条，"
                        f"签发于北京时间{_clock(point.time)}）不符：时间被倒填"
                    )

    def hidden(self, what: str, disclosed: Json, sealed: Json) -> None:
        """Check that a masked bundle discloses nothing, and any other bundle everything."""
        if set(disclosed) != (set() if self.manifest["masked"] else set(sealed)):
            raise UnsoundError(f"{what}的遮盖与清单所记不同")

    # -- what the bundle claims to hold

    def skeleton(self) -> None:
        """Check that the headers of a period have no gap and are proved at both ends."""
        asked = self.manifest["selection"]
        if "numbers" in asked:
            return
        self.here.needed.add("headers.jsonl")
        if not (is_moment(asked["from"]) and is_moment(asked["until"])):
            raise UnsoundError("所选的期间不合格式")
        heads = self.here.heads = [
            canonical(text, f"第{n}行")
            for n, text in enumerate(_lines(self.files.get("headers.jsonl", b"")), 1)
        ]
        if not heads:
            raise UnsoundError("缺少期间内全部记录的目录，不能证明没有遗漏")
        first, last = self.manifest["ends"]
        self.included(heads[0], first)
        self.included(heads[-1], last)
        for one, other in pairwise(heads):
            if other["seq"] != one["seq"] + 1 or other["previous"] != sha256(header_text(one)):
                raise UnsoundError(f"第{other['seq']}号记录没有接在前一条之后：目录被改动或有遗漏")
            if not chain.is_header(one) or one["recorded_at"] > other["recorded_at"]:
                raise UnsoundError(f"第{other['seq']}号记录的时间早于前一条")
        if heads[0]["seq"] != 1 and not heads[0]["recorded_at"] < asked["from"]:
            raise UnsoundError("目录没有从期间开始处起")
        if heads[-1]["seq"] != self.checkpoint.size and heads[-1]["recorded_at"] < asked["until"]:
            raise UnsoundError("目录没有到期间结束处止")
        self.here.published = [h["seq"] for h in heads if h["kind"] == "publication"]
        self.found.notes.append(
            f"范围：{_period(asked)}记录的{asked['tier'] or '全部层级'}决定；"
            f"期间的{len(heads)}条记录首尾相接，没有遗漏"
        )

    def choose(self) -> None:
        """Note which entries were selected; of titles only cancellations can be."""
        asked, here = self.manifest["selection"], self.here
        if "numbers" in asked:
            here.wanted.update(asked["numbers"])
            return
        here.wanted.update(h["seq"] for h in here.heads if _matches(h, asked))
        titles = {h["seq"] for h in here.heads if _within(h, asked) and h["kind"] == "title"}
        here.wanted.update(n for n in titles & here.proved.keys() if here.cancels(n))
        if others := titles - here.proved.keys():
            self.found.notes.append(
                f"期间另有{len(others)}条称号登记不在包内；目录不写明是授予还是取消，"
                "不能说明其中没有取消称号的"
            )

    def selection(self) -> None:
        """Check that the bundle has exactly what was selected."""
        asked = self.manifest["selection"]
        resting = {
            self.here.numbers.get(body["decision"] or "", 0)
            for seq, body in self.here.proved.items()
            if self.here.kind(seq) == "step"
        }
        decisions, applications = (
            [n for n in self.here.lines if self.here.kind(n) == kind]
            for kind in ("decision", "application")
        )
        if "numbers" in asked:
            wanted = asked["numbers"]
            plain = canonical_json(sorted({int(n) for n in wanted}))
            if set(asked) != {"numbers"} or canonical_json(wanted) != plain:
                raise UnsoundError("所选的编号不合格式")
            others = [
                n for n in self.here.of_kind("title", *DUTIES)
                if n in self.here.wanted and (self.here.kind(n) in DUTIES or self.here.cancels(n))
            ]  # fmt: skip
            asking = [n for n in wanted if n in applications]
            what = "、".join(
                f"{count}{word}"
                for count, word in (
                    (len(wanted) - len(asking) - len(others), "份决定"),
                    (len(asking), "份申报"),
                    (len(others), "条授予称号以后的记录"),
                )
                if count
            )
            self.found.notes.append(f"范围：按编号选取的{what}；不说明还有没有其他决定")
            surplus = set(applications) - set(wanted)
            here = {*decisions, *applications, *others}
        else:
            if set(asked) != {"tier", "from", "until"}:
                raise UnsoundError("所选的范围不合格式")
            wanted = [h["seq"] for h in self.here.heads if _matches(h, asked)]
            surplus = {n for n in applications if not self.touched(n, set(wanted))}
            here = {n for n in self.here.lines if self.here.kind(n) in NAMED}
        surplus -= self.here.rechecks
        for seq in sorted(set(wanted) - here):
            kind = next((h["kind"] for h in self.here.heads if h["seq"] == seq), "decision")
            self.found.problems.append(f"第{seq}号{KINDS[kind]}：应在包内而不在，已被删去")
        for seq in sorted((set(decisions) - set(wanted) - resting) | surplus):
            self.found.problems.append(f"{self.here.name(seq)}：不属于所选范围")

    def touched(self, application: int, wanted: set[int]) -> bool:
        """Whether an application, or a step of it, was selected."""
        name = self.here.digest(application)
        steps = (n for n, body in self.here.proved.items() if body.get("application") == name)
        return application in wanted or any(n in wanted for n in steps)

    def claims(self) -> None:
        """Check that the manifest's other statements follow from the entries; nothing is idle."""
        kinds = [self.here.kind(n) for n in self.here.lines]
        rest = [body for n, body in self.here.proved.items() if self.here.kind(n) != "decision"]
        counts = {
            "decisions": kinds.count("decision"),
            "determinations": kinds.count("determination"),
            "entries": len(kinds),
            **({"applications": n} if (n := kinds.count("application")) else {}),
        }
        evidence = sorted({d for body in rest for d in body.get("evidence", ())})
        stated = self.manifest
        claimed = [stated["counts"], stated["evidence"]]
        if set(stated) != _CLAIMS or canonical_json(claimed) != canonical_json([counts, evidence]):
            raise UnsoundError("所记的数目或证据与包内的记录不符")
        if "consistency.json" in self.files:
            self.here.needed.add("consistency.json")
        for seq in sorted(set(self.here.lines) - self.here.used):
            self.found.problems.append(f"第{seq}号记录：与包内的决定无关")
        for name in sorted(set(self.files) - self.here.needed):
            self.found.problems.append(f"多出文件 {name}：与包内的决定无关")


def manifest_text(manifest: bytes) -> str:
    """The text that the bureau signs for a bundle."""
    return f"tidu-bundle\n{file_digest(manifest)}\n"


def json_text(value: Any) -> str:
    """The one written form of JSON members that people may want to read."""
    return f"{json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)}\n"


def _document(data: bytes | None, name: str) -> Json:
    """A JSON member; refused if it could be read in two ways, for example with a repeated key."""
    if data is None:
        raise UnsoundError(f"缺少{name}")
    text = data.decode("utf-8")
    found: Json = json.loads(text)
    if json_text(found) != text:
        raise UnsoundError(f"{name}不是规范写法，已被改动")
    return found


def _matches(head: Json, asked: Json) -> bool:
    return head["kind"] in NAMED and _within(head, asked)


def _within(head: Json, asked: Json) -> bool:
    tier, moment = head["tier"], head["recorded_at"]
    return asked["tier"] in ("", tier) and bool(asked["from"] <= moment < asked["until"])


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
        raise UnsoundError("证明不是规范写法，已被改动")
    return nodes


def _lines(data: bytes) -> list[str]:
    """The lines of a text; each must end with a newline."""
    *lines, rest = data.decode("utf-8").split("\n")
    if rest:
        raise UnsoundError("末尾残缺")
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
        moment = found.checkpoint.time
        when = moment and f"，签发于北京时间{_clock(moment)}"
        lines.append(
            f"检查点：{found.checkpoint.origin}，{found.checkpoint.size}条记录{when}，签名有效"
        )
    lines += found.notes
    lines += [f"✓ 第{n}号决定　{found.cases[n]}：{word}" for n, word in found.verdicts.items()]
    for course in found.courses.values():
        lines += course
    for told in found.duties.values():
        lines += told
    lines.append(f"重新作出并核对无误的决定：{len(found.verdicts)}份")
    if found.courses:
        lines.append(f"逐步核对无误的申报：{len(found.courses)}份")
    if found.duties:
        lines.append(f"逐条核对授予称号以后记录的企业：{len(found.duties)}家")
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
