"""The one form of the body of every kind of entry. Standard library only.

A canonical text can still say one thing in two ways: a day as ``20230701``, a number as ``1.0`` or
``true``, a statement beside those that are read. Whoever compares texts and whoever reads them would
then see different records. So a body has just the parts of its kind, each of its own type.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeAlias

#: Whether a value has the form of a part.
Form: TypeAlias = Callable[[Any], bool]

SCHEMA: Final = 1
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_CODE: Final = re.compile(r"[0-9A-Z]{18}")
_SHARE: Final = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_UNITS: Final = ("工作日", "日", "个月", "年")


def is_day(value: Any) -> bool:
    """Whether a value is a day in its one written form.

    >>> is_day("2024-02-29"), is_day("2023-02-29"), is_day("20240229"), is_day("2024-W09-4")
    (True, False, False, False)
    """
    if type(value) is not str or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _text(value: Any) -> bool:
    return type(value) is str


def _flag(value: Any) -> bool:
    return type(value) is bool


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _number(value: Any) -> bool:
    return type(value) is int and value > 0


def _digest(value: Any) -> bool:
    return type(value) is str and _DIGEST.fullmatch(value) is not None


def _code(value: Any) -> bool:
    return type(value) is str and _CODE.fullmatch(value) is not None


def _share(value: Any) -> bool:
    return type(value) is str and _SHARE.fullmatch(value) is not None


def _schema(value: Any) -> bool:
    return type(value) is int and value == SCHEMA


def _filed(value: Any) -> bool:
    return value is None or type(value) in (str, bool)


def _result(value: Any) -> bool:
    """Whether a value is an outcome, or points as [low, high, gap]."""
    if type(value) is list:
        return len(value) == 3 and all(map(_text, value[:2])) and _count(value[2])
    return type(value) is int and 0 <= value <= 3


def _maybe(form: Form) -> Form:
    return lambda value: value is None or form(value)


def _empty_or(form: Form) -> Form:
    return lambda value: value == "" or form(value)


def _one_of(*values: Any) -> Form:
    return lambda value: any(type(value) is type(v) and value == v for v in values)


def _many(form: Form) -> Form:
    return lambda value: type(value) is list and all(map(form, value))


def _pair(one: Form, other: Form) -> Form:
    return lambda v: type(v) is list and len(v) == 2 and one(v[0]) and other(v[1])


def _mapping(form: Form) -> Form:
    return lambda value: type(value) is dict and all(map(form, value.values()))


@dataclass(frozen=True)
class Parts:
    """The parts that a body ``has``, and those that it ``may`` have."""

    has: Mapping[str, Form]
    may: Mapping[str, Form] = field(default_factory=dict)

    def __call__(self, value: Any) -> bool:
        """Whether a value has these parts and no others, so that it is a form itself."""
        return type(value) is dict and next(self.amiss(value), None) is None

    def amiss(self, body: Mapping[str, Any]) -> Iterator[str]:
        """What is amiss with a body, in words."""
        for key, form in self.has.items():
            if key not in body:
                yield f"缺少「{key}」"
            elif not form(body[key]):
                yield f"「{key}」的写法不对"
        for key, value in body.items():
            if key in self.may:
                if not self.may[key](value):
                    yield f"「{key}」的写法不对"
            elif key not in self.has:
                yield f"多出「{key}」"


_EVIDENCE: Final = _many(_digest)
_PAPERS: Final[Mapping[str, Form]] = {"document": _text, "evidence": _EVIDENCE}
_CASE: Final = Parts({"uscc": _code, "as_of": is_day})
_FILINGS: Final = Parts(
    {"first": _maybe(_number), "last": _maybe(_number), "count": _count, "digest": _digest}
)
_RESTATED: Final = Parts({"count": _count, "digest": _digest})
_IMPORT: Final[Mapping[str, Form]] = {
    "id": _number, "file": _text, "digest": _digest, "as_of": _maybe(is_day), "loaded_at": _text,
    "new": _count, "changed": _count, "unchanged": _count, "refused": _count,
}  # fmt: skip
_ADOPTED: Final = Parts({**_IMPORT, "undone_at": _maybe(_text), "restated": _RESTATED})
_SEALED: Final[Mapping[str, Form]] = {"sealed": _many(_text)}
_TERM: Final = Parts({"number": _number, "unit": _one_of(*_UNITS)}, {"running": _flag})
_TITLE: Final[Mapping[str, Form]] = {
    "action": _one_of("grant", "extend", "end", "cancel", "strike"),
    "uscc": _code, "name": _text, "kind": _text, "valid_from": is_day, "valid_until": is_day,
    "ended_on": _maybe(is_day), "reason": _text, "dated": is_day, **_PAPERS,
}  # fmt: skip
_CANCELLED: Final[Mapping[str, Form]] = {
    "barred_until": _maybe(is_day), "cause": _text, "clocks": _digest, "province": _text,
}  # fmt: skip
_DUTY: Final[Mapping[str, Form]] = {
    "uscc": _code,
    "name": _text,
    "province": _text,
    "day": is_day,
    **_PAPERS,
}
_GROUND: Final[Mapping[str, Form]] = {"ground": _digest}
_CHANGE: Final[Mapping[str, Form]] = {
    "changed": _text, "of": _maybe(_digest), "renamed": _text, "reported": _maybe(is_day),
}  # fmt: skip
_CONSEQUENCE: Final[Mapping[str, Form]] = {
    "clocks": _digest, "consequence": _text, "due": is_day, "matter": _text, "subject": _text,
    "tier": _text,
}  # fmt: skip
_RULED: Final[Mapping[str, Form]] = {
    "case": _CASE, "facts": _digest, "evidence": _EVIDENCE, "four_eyes": _flag, **_GROUND,
}  # fmt: skip
_ROUND: Final[Mapping[str, Form]] = {
    "name": _text, "tier": _text, "procedure": _text, "batch": _text, "province": _text,
    "opens": is_day, "closes": _maybe(is_day), "terms": _mapping(_TERM), "lag": _count,
    "dated": is_day, **_PAPERS,
}  # fmt: skip
_STEP: Final[Mapping[str, Form]] = {
    "act": _text, "after": _digest, "application": _digest, "uscc": _code, "level": _text,
    "day": is_day, "decision": _maybe(_digest), "outcome": _text, "objection": _maybe(_digest),
    **_PAPERS,
}  # fmt: skip

_PARTS: Final[Mapping[str, Parts]] = {
    "publication": Parts(
        {"rulesets": _mapping(_digest), "sources": _mapping(_digest), "applicability": _digest},
        {"workflows": _digest, "clocks": _digest, "calendar": _digest},
    ),
    "intake": Parts(
        {
            "import": Parts(_IMPORT),
            "filings": _FILINGS,
            "closed": _many(_number),
            "restated": _RESTATED,
        }
    ),
    "adoption": Parts(
        {
            "import": _one_of(None),
            "imports": _many(_ADOPTED),
            "filings": _FILINGS,
            "closed": _many(_pair(_number, _text)),
        }
    ),
    "undo": Parts(
        {"import": Parts({"id": _number}), "filings": _FILINGS, "closed": _many(_number)}
    ),
    "policy": Parts({"four_eyes": _flag}),
    "determination": Parts(
        {"fact": _text, "value": _filed, "was": _filed, **_RULED},
        {"list": _one_of(True), "revokes": _digest, **_SEALED},
    ),
    "ruling": Parts(
        {"rule": _text, "value": _maybe(_result), "was": _maybe(_result), **_RULED},
        {"revokes": _digest, **_SEALED},
    ),
    "confirmation": Parts({"determination": _digest}),
    "decision": Parts(
        {
            "case": Parts(
                {
                    "uscc": _code,
                    "name": _text,
                    "tier": _text,
                    "procedure": _text,
                    "province": _text,
                    "batch": _text,
                    "as_of": is_day,
                    "filed_as_of": is_day,
                }
            ),
            "facts": _digest,
            "determinations": _many(_digest),
            "ruleset": _digest,
            "applicability": Parts({"digest": _digest, "reason": _text, "ruleset": _text}),
            "results": _mapping(_result),
            "trace": _digest,
            "verdict": _result,
        },
        {"register": _many(_digest), "identity": _mapping(_text), **_SEALED},
    ),
    "withdrawal": Parts({"case": _CASE, "facts": _digest, **_GROUND}, _SEALED),
    "title": Parts(_TITLE),
    "cancel": Parts({**_TITLE, "ended_on": is_day, **_CANCELLED}),
    "strike": Parts({**_TITLE, "strikes": _digest}, _CANCELLED),
    "holding": Parts(
        {
            "action": _one_of("hold", "end"),
            "uscc": _code,
            "name": _text,
            "holder": _empty_or(_code),
            "holder_name": _text,
            "share": _share,
            "valid_from": is_day,
            "valid_until": _maybe(is_day),
            "dated": is_day,
            **_PAPERS,
        }
    ),
    "checkpoint": Parts({"signed": _many(_pair(_number, _digest))}),
    "admission": Parts(
        {"action": _one_of("admit", "revoke"), "uscc": _code, "dated": is_day, **_PAPERS}
    ),
    "calendar": Parts({"calendar": _digest, "year": _number, "dated": is_day, **_PAPERS}),
    "round": Parts(_ROUND),
    "closing": Parts({"batch": _text, "round": _digest, "closed_on": is_day, **_GROUND}),
    "application": Parts(
        {
            "applied_on": is_day,
            "uscc": _code,
            "name": _text,
            "tier": _text,
            "procedure": _text,
            "province": _text,
            "batch": _text,
            "round": _maybe(_digest),
            "filed_as_of": is_day,
            "level": _text,
            "workflows": _digest,
            "workflow": _text,
            **_PAPERS,
        }
    ),
    "step": Parts(_STEP, _GROUND),
    "last step": Parts({**_STEP, "announcement": _digest, "title": _digest}, _GROUND),
    "announcement": Parts({"announced": _digest, "count": _number, "dated": is_day, **_PAPERS}),
    "update": Parts({**_DUTY, "year": _number}, _GROUND),
    "change": Parts({**_DUTY, **_CHANGE}, _GROUND),
    "complaint": Parts(
        {**_DUTY, "of": _one_of(None), "outcome": _one_of(""), "informant": _digest, **_GROUND}
    ),
    "answer": Parts({**_DUTY, "of": _digest, "outcome": _text}, _GROUND),
    "consequence": Parts({**_DUTY, **_CONSEQUENCE, **_GROUND}),
}
_REVOKING: Final[Mapping[str, Form]] = {"revokes": _digest, **_GROUND}
_REVOKED: Final[Mapping[str, Parts]] = {
    "update": Parts({**_DUTY, "year": _number, **_REVOKING}),
    "change": Parts({**_DUTY, **_CHANGE, **_REVOKING}),
    "complaint": Parts({**_DUTY, "of": _maybe(_digest), "outcome": _text, **_REVOKING}),
    "consequence": Parts({**_DUTY, **_CONSEQUENCE, **_REVOKING}),
}


def amiss(kind: str, body: Any) -> str:
    """What is amiss with the form of a body of that kind, in words; empty if nothing is.

    >>> amiss("policy", {"schema": 1, "four_eyes": True})
    ''
    >>> amiss("policy", {"schema": 1, "four_eyes": 1, "x": 0})
    '「four_eyes」的写法不对，多出「x」'
    """
    if type(body) is not dict:
        return "不是一组内容"
    if not _schema(body.get("schema")):
        return "格式版本不为本程序所知，请使用更新的程序"
    parts = _parts(kind, body)
    if parts is None:
        return "种类不为本程序所知，请使用更新的程序"
    rest = {key: value for key, value in body.items() if key != "schema"}
    return "，".join(parts.amiss(rest))


def _parts(kind: str, body: Mapping[str, Any]) -> Parts | None:
    """The parts that a body of that kind has, by what it says."""
    match kind:
        case "intake" if body.get("import") is None:
            return _PARTS["adoption"]
        case "determination" if "rule" in body:
            return _PARTS["ruling"]
        case "title" if body.get("action") in ("cancel", "strike"):
            return _PARTS[body["action"]]
        case "round" if "round" in body:
            return _PARTS["closing"]
        case "step" if "announcement" in body:
            return _PARTS["last step"]
        case "update" | "change" | "complaint" | "consequence" if "revokes" in body:
            return _REVOKED[kind]
        case "complaint" if body.get("of") is not None:
            return _PARTS["answer"]
    return _PARTS.get(kind)


def tier_of(kind: str, body: Mapping[str, Any]) -> str | None:
    """The tier that the header of an entry has with this body; None if the body does not say.

    >>> tier_of("title", {"kind": "甲类"}), tier_of("policy", {}), tier_of("step", {})
    ('甲类', '', None)
    """
    match kind:
        case "step" | "announcement" | "confirmation":
            return None
        case "round" if "round" in body:
            return None
        case "decision":
            return str(body["case"]["tier"])
        case "title":
            return str(body["kind"])
        case "determination":
            return None if "rule" in body else ""
        case "round" | "application" | "consequence":
            return str(body["tier"])
    return ""
