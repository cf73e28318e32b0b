"""The replayable part of a decision, with the determinations of persons. Standard library only.

Like the reference evaluator, this module works on plain JSON values. Anyone who holds the JSON of
facts, determinations and ruleset can build the same record again, byte for byte.

A *registration* states what a document says of one title of an enterprise (称号登记): its kind, its
validity, and the day from which it has ended; or of one holding in it (持股登记): holder, share and
days. If several state the same title or holding, the last one holds. If any title of a kind is
registered, the register alone says which titles of that kind the enterprise has. Holdings can only
prove a control relation with the holder of a title. Because a register of holdings can never be
assumed complete, the filed share stands if they prove none.

Whose title is meant, the declaration of the fact says; which share is control, the threshold with
which the ruleset compares the fact. Our reading of control: a chain of holdings beyond that
threshold each, from one enterprise down to the other, or from a third down to both. A holder known
by name alone may share that name with another, so it never links two enterprises.

A *determination* (人工认定) names one target and its new value: a fact ``revenue@2022``, a field of a
record ``ip#0.pledge``, the completeness of a list ``ip``, or a rule that the law leaves to
judgement.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from rules.portable.canonical import digest
from rules.portable.errors import DescribedError
from rules.portable.evaluation import MET, NOT_MET
from rules.portable.figures import PENDING, Number, number
from rules.portable.reference import Evaluator

SCHEMA: Final = 1

Json: TypeAlias = dict[str, Any]
#: The same as an argument, which is only read.
Body: TypeAlias = Mapping[str, Any]
#: The outcomes in words, by their numbers.
_WORDS: Final = ("不符合", "材料不足", "待人工认定", "符合")
#: A result as plain JSON: an outcome's number, or [low, high, gap] of points.
Plain: TypeAlias = int | list[Any]


class Redecided(NamedTuple):
    """A case decided again: the ruleset with its determinations applied, and the results."""

    ruleset: Body
    trace: Mapping[str, Any]
    readings: Mapping[str, Any]
    determinations: tuple[str, ...]
    register: tuple[str, ...]


class RecordError(DescribedError):
    """A determination does not fit the facts or the ruleset it is applied to."""


def plain(result: Any) -> Plain:
    """A result of either evaluator as plain JSON."""
    if isinstance(result, int):
        return int(result)
    return [str(result.lo), str(result.hi), int(result.gap)]


def plain_text(result: Any) -> str:
    """A plain result in words; raises ``ValueError`` if it is not one.

    >>> plain_text(3), plain_text(["6", "10", 1]), plain_text(["6", "6", 0])
    ('符合', '6～10分', '6分')
    """
    if isinstance(result, list):
        lo, hi, _ = result
        return f"{lo}分" if lo == hi else f"{lo}～{hi}分"
    if type(result) is not int or not NOT_MET <= result <= MET:
        raise ValueError(f"{result!r} is no result")
    return _WORDS[result]


def plain_trace(trace: Mapping[str, Any]) -> dict[str, Plain]:
    """All results of a trace as plain JSON."""
    return {key: plain(result) for key, result in trace.items()}


def plain_readings(readings: Mapping[str, Any]) -> Json:
    """What was read for each indicator: low and high end, gap, code, and whether it is broken."""
    return {
        key: [
            None if r.lo is None else str(r.lo),
            None if r.hi is None else str(r.hi),
            int(r.gap),
            r.code,
            bool(r.broken),
        ]
        for key, r in readings.items()
    }


def amended_facts(facts: Body, determinations: Iterable[Body]) -> Json:
    """A copy of the facts with determinations applied.

    ``determinations`` are bodies in the order in which they were recorded; the value ``None`` makes
    a fact unknown.
    """
    values, records = dict(facts["values"]), dict(facts["records"])
    for determination in determinations:
        target, value = determination.get("fact"), determination["value"]
        if target is None:
            continue
        name, _, place = target.partition("#")
        if place:
            number, _, field = place.partition(".")
            listed = records.get(name, {"items": []})["items"]
            if not number.isdecimal() or int(number) >= len(listed):
                raise RecordError("no-such-record", "「{value}」没有这条记录", value=target)
            items = [dict(item) for item in listed]
            _put(items[int(number)], field, value)
            records[name] = {**records[name], "items": items}
        elif determination.get("list"):
            records[name] = {"items": [], **records.get(name, {}), "complete": value}
        else:
            _put(values, target, value)
    return {**facts, "values": values, "records": records}


def _put(values: Json, key: str, value: Any) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def current_value(facts: Body, determination: Body) -> Any:
    """The value that the facts state for a determination's target; None if they state none."""
    name, _, place = determination["fact"].partition("#")
    if place:
        number, _, field = place.partition(".")
        return facts["records"][name]["items"][int(number)].get(field)
    if determination.get("list"):
        return facts["records"].get(name, {}).get("complete")
    return facts["values"].get(name)


def refuse_other_before(facts: Body, determination: Body, earlier: Iterable[Any]) -> None:
    """Raise ``RecordError`` if a determination states another value as the previous than stood there.

    ``earlier`` are the values of the determinations of its target before. The previous result of a
    rule is not known here, only that the rule was left to judgement, unless it is taken back.
    """
    was = determination["was"]
    if "rule" in determination:
        taken_back = "revokes" in determination and _stood(was, earlier)
        if (was[2] if isinstance(was, list) else was) != PENDING and not taken_back:
            raise RecordError("not-left-to-judgement", "的事项不是留待认定的")
    elif not _stood(was, [current_value(facts, determination), *earlier]):
        raise RecordError("other-before", "所写的原值与填报不符")


def _stood(was: Any, values: Iterable[Any]) -> bool:
    return any(type(value) is type(was) and value == was for value in values)


#: Registrations in the order in which they were recorded, each with its name (a digest).
Register: TypeAlias = Iterable[tuple[str, Body]]


def last_words(register: Register) -> list[tuple[str, Body]]:
    """The registrations that hold: the last on each title or holding, unless it was struck out."""
    last = {_matter(body): (name, body) for name, body in register}
    return [(name, body) for name, body in last.values() if body["action"] != "strike"]


def _matter(body: Body) -> tuple[str, ...]:
    """The subject of a registration: one title of an enterprise, or one holder's share in it."""
    if is_holding(body):
        return body["uscc"], body["holder"] or body["holder_name"]
    return body["uscc"], body["kind"], body["valid_from"]


def is_holding(body: Body) -> bool:
    """Whether a registration states a holding, not a title."""
    return "holder" in body


class Control(NamedTuple):
    """A control relation of which a ruleset asks: with a holder of one of these ``titles``.

    ``beyond`` are the thresholds of the ruleset, the hardest first: a share, and whether that share
    itself is beyond it.
    """

    titles: Set[str]
    beyond: tuple[tuple[Number, bool], ...]


class Asked(NamedTuple):
    """What a ruleset reads of the register: kinds of titles, and the facts that state control."""

    titles: Set[str] = frozenset()
    control: Mapping[str, Control] = MappingProxyType({})


def asked_of_register(ruleset: Body) -> Asked:
    """The parts of the register that a ruleset reads."""
    control = {
        key: Control({title}, _thresholds(ruleset, key))
        for key in ruleset["facts"]
        if (title := share_with(ruleset, key))
    }
    return Asked(titles_asked(ruleset), control)


def titles_asked(ruleset: Body) -> set[str]:
    """The kinds of titles that a ruleset reads."""
    return {
        kind
        for expr, line in _compared(ruleset, TITLES)
        if expr == ("field", "kind")
        for kind in line["value"]
    }


def share_with(ruleset: Body, key: str) -> str:
    """The title with whose holders a fact states the largest share; empty if it states none.

    >>> share_with({"tier": "甲类", "facts": {"a": {"share_with": "乙类"}, "b": {}}}, "a")
    '乙类'
    """
    declared: str = ruleset["facts"][key].get("share_with", "")
    return declared or (ruleset["tier"] if key == SHARE else "")


def _thresholds(ruleset: Body, key: str) -> tuple[tuple[Number, bool], ...]:
    """The thresholds with which a ruleset compares a fact, as in ``Control``."""
    beyond = {
        (number(line["value"]), line["op"] in ("<", ">="))
        for expr, line in _compared(ruleset)
        if expr == ("fact", key)
    }
    return tuple(sorted(beyond, key=lambda b: (b[0], not b[1]), reverse=True))


def _compared(ruleset: Body, records: str = "") -> Iterator[tuple[tuple[Any, ...], Body]]:
    """The comparisons in rules over these records, or over none, each with what is compared."""
    for rule in ruleset["rules"]:
        cases = rule["body"].get("cases") or rule["body"].get("rungs") or ()
        for line in (line for case in cases for line in case["lines"]):
            if rule["records"] == records and line["subject"] == "indicator":
                key = f"{records}.{line['name']}" if records else line["name"]
                yield tuple(ruleset["indicators"][key]["expr"]), line


def registered_facts(
    facts: Json, register: Register, uscc: str, asked: Asked, as_of: str
) -> tuple[Json, list[str]]:
    """The facts with the ``asked`` parts taken from the register, and the entries that state them.

    ``register`` holds the enterprise's own titles, and the holdings and titles that may prove a
    control relation.
    """
    register = list(register)
    own = [(n, b) for n, b in register if b["uscc"] == uscc and not is_holding(b)]
    facts, speaking = _with_titles(facts, own, asked.titles, as_of)
    for key, sought in asked.control.items():
        chain = control(register, uscc, sought, as_of)
        if chain:
            least = min((b["share"] for _, b in chain if is_holding(b)), key=Fraction)
            names = [name for name, _ in chain]
            speaking += names
            facts = {
                **facts,
                "values": {**facts["values"], key: least},
                "sources": {**facts.get("sources", {}), key: "、".join(names)},
            }
    return facts, [name for name, _ in register if name in speaking]


def control(register: Register, uscc: str, sought: Control, as_of: str) -> list[tuple[str, Body]]:
    """The entries that prove the control relation ``sought`` on a day; empty if none do.

    These are the holdings of a shortest chain beyond the hardest threshold that any chain is
    beyond, and the title of the enterprise at its other end.
    """
    standing = [(n, b) for n, b in last_words(register) if _stands(b, as_of)]
    bearers = {b["uscc"]: (n, b) for n, b in standing if b.get("kind") in sought.titles}
    holdings = [(number(b["share"]), (n, b)) for n, b in standing if is_holding(b)]
    for least, included in sought.beyond:
        held = [e for share, e in holdings if share > least or (included and share == least)]
        if chain := _chain(held, bearers, uscc):
            return chain
    return []


def _chain(
    held: Iterable[tuple[str, Body]], bearers: Mapping[str, tuple[str, Body]], uscc: str
) -> list[tuple[str, Body]]:
    """A shortest chain of holdings from an enterprise to another that bears a title, with that title."""
    at: dict[str, list[tuple[str, Body]]] = {}
    for entry in held:
        for end in dict.fromkeys((entry[1]["holder"], entry[1]["uscc"])):
            at.setdefault(end, []).append(entry)
    # first up from the enterprise to its controllers, then down from them; never up again
    ways: list[tuple[str, bool, list[tuple[str, Body]]]] = [(uscc, False, [])]
    seen = {(uscc, False)}
    for firm, down, chain in ways:
        if firm in bearers and firm != uscc:
            return [*chain, bearers[firm]]
        for entry in at.get(firm, ()):
            holder, child = entry[1]["holder"], entry[1]["uscc"]
            if child == firm and not down:
                step = holder, False
            elif holder == firm:
                step = child, True
            else:
                continue
            if step[0] and step not in seen:
                seen.add(step)
                ways.append((*step, [*chain, entry]))
    return []


def _stands(body: Body, as_of: str) -> bool:
    """Whether a registered title or holding is in force on a day."""
    last, ended = body["valid_until"] or _NEVER, body.get("ended_on") or _NEVER
    return bool(body["valid_from"] <= as_of <= last and as_of < ended)


def _with_titles(
    facts: Json, register: Register, kinds: Set[str], as_of: str
) -> tuple[Json, list[str]]:
    """The facts with registered titles of these kinds, and the entries that state them.

    They replace filed titles of the same kind. If all ``kinds`` are registered, the list counts as
    complete, whatever was filed.
    """
    speaking = [(name, body) for name, body in last_words(register) if body["kind"] in kinds]
    if not speaking:
        return facts, []
    spoken = {body["kind"] for _, body in speaking}
    listed = facts["records"].get(TITLES, {"items": (), "complete": None})
    kept = [n for n, item in enumerate(listed["items"]) if item.get("kind") not in spoken]
    complete = True if kinds <= spoken else listed["complete"]
    items = [listed["items"][n] for n in kept] + [registered(body, as_of) for _, body in speaking]
    before = {k: v for k, v in facts.get("sources", {}).items() if not k.startswith(f"{TITLES}#")}
    where = {
        f"{TITLES}#{n}": facts.get("sources", {}).get(f"{TITLES}#{o}") for n, o in enumerate(kept)
    }
    where |= {f"{TITLES}#{n}": name for n, (name, _) in enumerate(speaking, len(kept))}
    sources = before | {key: name for key, name in where.items() if name}
    records = {**facts["records"], TITLES: {"items": items, "complete": complete}}
    return {**facts, "records": records, "sources": sources}, [name for name, _ in speaking]


def registered(body: Body, as_of: str) -> Json:
    """A registered title in the form of a filed record, with its state on a day."""
    begun, ended = body["valid_from"] <= as_of, body["ended_on"] or _NEVER
    return {
        "kind": body["kind"],
        "valid_from": body["valid_from"],
        "valid_until": body["valid_until"],
        "held": begun and as_of < ended,
    }


#: The list of a filing that holds titles.
TITLES: Final = "titles"
#: The fact that has always stated the largest share with holders of the ruleset's own title: texts
#: leave that out, and those published before facts could declare it never had it.
SHARE: Final = "giant_holding"
_NEVER: Final = "9999-12-31"


def left_to_judgement(rule: Body, trace: Mapping[str, Any]) -> bool:
    """Whether only a person can settle a rule, because a figure or fact that it reads is pending.

    A rule that merely rests on such rules is settled by settling them.
    """
    key, body = rule["id"], rule["body"]
    if rule["records"] or key not in trace:
        return False
    if body["kind"] in ("bands", "attested"):
        result = plain(trace[key])
        return isinstance(result, list) and result[2] == PENDING
    cases = body.get("cases") or body.get("rungs") or ()
    own = (
        plain(trace[f"{key}/{case['name']}/{n}"])
        for case in cases
        for n, line in enumerate(case["lines"], 1)
        if line["subject"] == "indicator"
    )
    result = plain(trace[key])
    gap = result[2] if isinstance(result, list) else result
    return gap == PENDING and PENDING in own


def admissible(rule: Body, trace: Mapping[str, Any], value: Plain) -> bool:
    """Whether a person may settle a rule with this value: an outcome, or still possible points."""
    if not left_to_judgement(rule, trace):
        return False
    result = plain(trace[rule["id"]])
    if isinstance(result, int):
        return value in (0, 3) and not isinstance(value, bool)
    if not isinstance(value, list) or value[2] or value[0] != value[1]:
        return False
    return number(result[0]) <= number(value[0]) <= number(result[1])


def amended_rules(
    ruleset: Json, trace: Mapping[str, Any], determinations: Iterable[Body]
) -> tuple[Json, list[str]]:
    """The ruleset in which rules settled by a person are taken as given, and the ids of those rules.

    ``trace`` is the trace without these determinations. A determination has no effect on a rule
    that this trace does not leave to judgement.
    """
    rules = {rule["id"]: rule for rule in ruleset["rules"]}
    settled: dict[str, Json] = {}
    for determination in determinations:
        id, value = determination.get("rule", ""), determination["value"]
        if id in rules and admissible(rules[id], trace, value):
            kind = "outcome" if isinstance(value, int) else "points"
            settled[id] = {"kind": "assumed", kind: value}
    if not settled:
        return ruleset, []
    taken = [{**r, "body": settled.get(r["id"], r["body"])} for r in ruleset["rules"]]
    return {**ruleset, "rules": taken}, list(settled)


def decision_body(
    *,
    case: Json,
    facts: str,
    determinations: Sequence[str],
    ruleset: Body,
    ruleset_digest: str,
    applicability: Json,
    trace: Mapping[str, Any],
    readings: Mapping[str, Any],
    register: Sequence[str] = (),
    identity: Body = {},  # noqa: B006
    sealed: Sequence[str] = (),
) -> Json:
    """The replayable part of a decision.

    ``case`` names the enterprise, tier, procedure, province, batch and day. ``facts``,
    ``determinations``, ``register`` (absent if no registration applied) and ``ruleset_digest`` are
    digests. ``applicability`` names the governing row and its table. ``trace`` is the digest of all
    results and readings; results of rules over single records appear only there. ``identity``
    is what is known of the enterprise itself, as far as the ruleset reads it, and else absent.
    ``sealed`` names the free texts that are sealed beyond those that always are; absent if empty.
    """
    results = plain_trace(trace)
    outcome = {"trace": results, "readings": plain_readings(readings)}
    return {
        "schema": SCHEMA,
        "case": case,
        "facts": facts,
        "determinations": list(determinations),
        "ruleset": ruleset_digest,
        "applicability": applicability,
        "results": {r["id"]: results[r["id"]] for r in ruleset["rules"] if not r["records"]},
        "trace": digest(outcome),
        "verdict": results[ruleset["root"]],
        **({"register": list(register)} if register else {}),
        **({"identity": dict(identity)} if identity else {}),
        **({"sealed": list(sealed)} if sealed else {}),
    }


#: What is known of an enterprise itself: its place, and the day of its registration.
IDENTITY: Final = ("province", "city", "county", "registered_on")


def identity_read(facts: Collection[str], stated: Body) -> Json:
    """What is known of an enterprise itself, as far as a ruleset over these facts reads it.

    >>> identity_read(["revenue", "city"], {"province": "江苏省", "city": "南京市"})
    {'city': '南京市'}
    """
    return {key: stated[key] for key in IDENTITY if key in facts and stated.get(key)}


def with_identity(facts: Body, identity: Body) -> Json:
    """The facts with what is known of the enterprise itself, which is no part of a filing."""
    return {**facts, "values": {**facts["values"], **identity}}


def governs(rows: Iterable[Json], case: Json) -> Json:
    """The one row of an applicability table that governs a case; ``RecordError`` for none or several.

    A row of the case's own province precedes 其余; then a row of its own batch precedes the rest.
    This is the rule of ``rules.language.editions``, written a second time for verifiers.
    """
    fitting = [
        row
        for row in rows
        if (row["tier"], row["procedure"]) == (case["tier"], case["procedure"])
        and (row["start"] or "") <= case["as_of"] <= (row["end"] or "9999-12-31")
        and row["province"] in (case["province"], OTHERS)
        and row["batch"] in (case["batch"], "")
    ]
    local = [row for row in fitting if row["province"] != OTHERS] or fitting
    winners = [row for row in local if row["batch"]] or local
    if len(winners) != 1:
        if winners:
            raise RecordError("several-rows", "有{value}行同时适用", value=len(winners))
        raise RecordError("no-row", "没有适用的一行")
    return winners[0]


def reason(row: Json) -> str:
    """The reason that decisions state for a governing row: its basis and the days it covers."""
    first, last = row["start"] and f"自{row['start']}", row["end"] and f"至{row['end']}"
    return (
        f"{row['basis']}（{first or ''}{last or ''}）"
        if first or last
        else f"{row['basis']}（不限期）"
    )


#: The province of a row that governs every province without a row of its own.
OTHERS: Final = "其余"


def redecide(
    ruleset: Json,
    facts: Json,
    determinations: list[tuple[str, Json]],
    register: Register = (),
    uscc: str = "",
) -> Redecided:
    """Decide a case again by the reference evaluator alone.

    ``facts`` are the filed facts with ``as_of``. ``determinations``, and the part of the
    ``register`` that bears on the enterprise ``uscc``, are pairs of digest and body. Raises what
    the evaluator raises.
    """
    of_facts = [(d, b) for d, b in determinations if "fact" in b]
    of_rules = [(d, b) for d, b in determinations if "rule" in b]
    amended = amended_facts(facts, [b for _, b in of_facts])
    asked = asked_of_register(ruleset)
    amended, speaking = registered_facts(amended, register, uscc, asked, facts["as_of"])
    found = Evaluator(ruleset).evaluation(amended)
    effective, settled = amended_rules(ruleset, found.trace, [b for _, b in of_rules])
    if settled:
        found = Evaluator(effective).evaluation(amended)
    applied = {d for d, _ in of_facts} | {d for d, b in of_rules if b["rule"] in settled}
    kept = tuple(d for d, _ in determinations if d in applied)
    return Redecided(effective, found.trace, found.readings, kept, tuple(speaking))
