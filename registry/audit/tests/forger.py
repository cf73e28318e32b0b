"""What a forger can do to a bundle: change anything, then make everything agree again.

Without the bureau's key he recomputes every digest, header, proof and list; with a key of his own he
signs as well; an insider has the bureau's. Headers that a bundle does not hold he invents.
"""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

from registry.audit.keys import SigningKey
from registry.portable.chain import header_text
from registry.portable.container import pack, unpack
from registry.portable.contents import file_digest
from registry.portable.merkle import Tree, leaf_hash
from registry.portable.notes import Checkpoint
from registry.portable.verifier import json_text, manifest_text
from rules.portable.canonical import canonical_json, digest, sha256
from rules.portable.record import decision_body, redecide

Json = dict[str, Any]


class Forgery:
    """A bundle taken apart; ``bodies`` are those of ``lines``, all by number."""

    def __init__(self, data: bytes) -> None:
        self.files = unpack(data)
        self.manifest: Json = json.loads(self.files["manifest.json"])
        self.lines: list[Json] = self._rows("entries.jsonl")
        self.heads: list[Json] = self._rows("headers.jsonl")
        origin, size, *_ = self.files["checkpoint.txt"].decode().split("\n")
        self.origin, self.size = origin, int(size)
        heads = [*self.heads, *(line["header"] for line in self.lines)]
        self.genuine = {h["seq"]: sha256(header_text(h)) for h in heads}

    def _rows(self, name: str) -> list[Json]:
        return [json.loads(row) for row in self.files.get(name, b"").decode().splitlines()]

    def line(self, seq: int) -> Json:
        return next(line for line in self.lines if line["header"]["seq"] == seq)

    def body(self, seq: int) -> Json:
        found: Json = json.loads(self.line(seq)["body"])
        return found

    def put(self, seq: int, **changes: Any) -> None:
        """Change parts of a body."""
        self.line(seq)["body"] = canonical_json({**self.body(seq), **changes})

    def numbers(self, kind: str) -> list[int]:
        return [x["header"]["seq"] for x in self.lines if x["header"]["kind"] == kind]

    def drop(self, seq: int) -> None:
        """Drop an entry, and all the manifest says of it."""
        kind = self.line(seq)["header"]["kind"]
        self.lines.remove(self.line(seq))
        selection, counts = self.manifest["selection"], self.manifest["counts"]
        if seq in selection.get("numbers", ()):
            selection["numbers"].remove(seq)
        counts["entries"] -= 1
        if f"{kind}s" in counts:
            counts[f"{kind}s"] -= 1

    def rename(self, kind: str, old: str, change: Callable[[Json], None]) -> str:
        """Change a document and call it by its new digest wherever it is named."""
        plain = json.loads(self.files.pop(f"{kind}/{old}.json"))
        change(plain)
        text = canonical_json(plain)
        new = sha256(text)
        self.files[f"{kind}/{new}.json"] = text.encode()
        for line in self.lines:
            line["body"] = line["body"].replace(old, new)
        if kind == "rulesets":
            for name in [n for n in self.files if n.startswith("applicability/")]:
                if old in self.files[name].decode():
                    table = name[len("applicability/") : -len(".json")]
                    self.rename("applicability", table, lambda t: _replace(t, old, new))
        return new

    def redo(self, seq: int) -> None:
        """Decide a case again by what the bundle says now."""
        line, body = self.line(seq), self.body(seq)
        line["body"] = canonical_json({**body, "facts": digest(line["facts"])})
        ruleset = json.loads(self.files[f"rulesets/{body['ruleset']}.json"])
        named = {sha256(header_text(x["header"])): json.loads(x["body"]) for x in self.lines}
        again = redecide(
            ruleset,
            {**line["facts"], "as_of": body["case"]["as_of"]},
            [(d, named[d]) for d in body["determinations"]],
        )
        line["body"] = canonical_json(
            decision_body(
                case=body["case"],
                facts=digest(line["facts"]),
                determinations=again.determinations,
                ruleset=again.ruleset,
                ruleset_digest=body["ruleset"],
                applicability=body["applicability"],
                trace=again.trace,
                readings=again.readings,
            )
        )

    def rechained(self) -> "Forgery":
        """Every digest, header and proof made to agree, under a root of one's own."""
        heads = {h["seq"]: h for h in self.heads} | {
            x["header"]["seq"]: x["header"] for x in self.lines
        }
        by_seq = {x["header"]["seq"]: x for x in self.lines}
        renamed: dict[str, str] = {}
        previous = ""
        for seq in sorted(heads):
            head = heads[seq]
            if seq in by_seq:
                text = by_seq[seq]["body"]
                for was, now in renamed.items():
                    text = text.replace(was, now)
                by_seq[seq]["body"] = text
                head["body"] = sha256(text)
            if seq - 1 in heads:
                head["previous"] = previous
            previous = sha256(header_text(head))
            renamed[self.genuine.get(seq, "?")] = previous
        self.heads = [heads[h["seq"]] for h in self.heads]
        leaves = (header_text(heads[n]) if n in heads else f"?{n}" for n in range(1, self.size + 1))
        self.tree = Tree(leaf_hash(leaf.encode()) for leaf in leaves)
        for line in self.lines:
            line["proof"] = self.proof(line["header"]["seq"])
        if self.heads:
            self.manifest["ends"] = [self.proof(h["seq"]) for h in (self.heads[0], self.heads[-1])]
        return self

    def proof(self, seq: int) -> list[str]:
        if not 0 < seq <= self.size:
            return []
        return [node.hex() for node in self.tree.inclusion(seq - 1, self.size)]

    def packed(self, key: SigningKey | None = None, held: Sequence[int] = ()) -> bytes:
        """The bundle; with a key, under a checkpoint and a manifest signed by it."""
        self.files["entries.jsonl"] = _rows(self.lines)
        if self.heads:
            self.files["headers.jsonl"] = _rows(self.heads)
        if key is not None:
            if hasattr(self, "tree"):
                point = Checkpoint(
                    key.verifier_key.name, self.size, self.tree.root(), ("time now",)
                )
                self.files["checkpoint.txt"] = key.sign_note(point.text()).encode()
            if held:
                proofs = {
                    str(n): [x.hex() for x in self.tree.consistency(n, self.size)] for n in held
                }
                self.files["consistency.json"] = json_text(proofs).encode()
            self.manifest["key"] = str(key.verifier_key)
        self.manifest["files"] = {
            name: file_digest(data)
            for name, data in self.files.items()
            if name not in ("manifest.json", "manifest.note")
        }
        self.files["manifest.json"] = json_text(self.manifest).encode()
        if key is not None:
            note = key.sign_note(manifest_text(self.files["manifest.json"]))
            self.files["manifest.note"] = note.encode()
        return pack(self.files)

    def copy(self) -> "Forgery":
        return copy.deepcopy(self)


def _replace(value: Any, old: str, new: str) -> None:
    for row in value["rows"]:
        if row["digest"] == old:
            row["digest"] = new


def _rows(rows: Sequence[Json]) -> bytes:
    return "".join(f"{canonical_json(row)}\n" for row in rows).encode()
