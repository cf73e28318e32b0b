"""The bytes of a journal entry: its header, and the digest that chains it to the previous entry.

To verify entry n: its ``digest`` is the SHA-256 of the canonical JSON of its header; the header
names the SHA-256 of its body and, as ``previous``, the digest of entry n - 1. Standard library only.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from registry.portable.clock import is_moment
from registry.portable.sealing import seal
from rules.portable.canonical import canonical_json, sha256

SCHEMA: Final = 1

#: The ``previous`` of the first entry.
GENESIS: Final = "0" * 64

#: The kinds of entries, in the words of officers.
KINDS: Final = {
    "publication": "发布规则",
    "intake": "登记填报",
    "undo": "撤销导入",
    "policy": "管理规定",
    "determination": "人工认定",
    "confirmation": "复核认定",
    "decision": "决定",
    "withdrawal": "撤回申报",
    "title": "称号登记",
    "holding": "持股登记",
    "checkpoint": "签发检查点",
    "admission": "认可代码",
    "calendar": "放假安排",
    "round": "轮次",
    "application": "申报",
    "step": "办理",
    "announcement": "公告",
    "update": "年度更新",
    "change": "变化报告",
    "complaint": "举报",
    "consequence": "后果",
}

Json: TypeAlias = dict[str, Any]


def header(
    *,
    seq: int,
    kind: str,
    tier: str,
    recorded_at: str,
    program: str,
    by: str,
    body: str,
    previous: str,
) -> Json:
    """The header of an entry.

    ``recorded_at`` is UTC in ISO form with microseconds, ``by`` the commitment to a name, and
    ``body`` a canonical text.
    """
    return {
        "schema": SCHEMA,
        "seq": seq,
        "kind": kind,
        "tier": tier,
        "recorded_at": recorded_at,
        "program": program,
        "by": by,
        "body": sha256(body),
        "previous": previous,
    }


_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def is_header(head: Mapping[str, Any]) -> bool:
    """Whether a header has just the parts of one, each in its form."""
    return (
        head.keys() == _HEADER
        and (type(head["schema"]), head["schema"]) == (int, SCHEMA)
        and type(head["seq"]) is int
        and is_moment(head["recorded_at"])
        and all(type(head[key]) is str for key in ("kind", "tier", "program"))
        and all(_is_digest(head[key]) for key in ("by", "body", "previous"))
    )


def _is_digest(value: Any) -> bool:
    return type(value) is str and _DIGEST.fullmatch(value) is not None


_HEADER: Final = {
    "schema", "seq", "kind", "tier", "recorded_at", "program", "by", "body", "previous",
}  # fmt: skip


def header_text(head: Json) -> str:
    """The canonical text of a header, which is digested and is a leaf of the Merkle tree."""
    return canonical_json(head)


def sealed_name(salt: str, name: str) -> str:
    """The commitment to the name of the person who recorded an entry."""
    return seal(salt, "by", name)
