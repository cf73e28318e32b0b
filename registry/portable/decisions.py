"""The decisions of a bundle, each of which must come out again from its contents."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from registry.portable.contents import Contents, Json, shown, target
from registry.portable.findings import Findings, UnsoundError
from rules.portable.canonical import canonical_json, digest
from rules.portable.record import (
    RecordError,
    decision_body,
    governs,
    identity_read,
    is_holding,
    reason,
    redecide,
    refuse_other_before,
    with_identity,
)


def verify(here: Contents, found: Findings) -> None:
    """Decide every proved case again, by proved rulesets and figures alone."""
    decisions = _Decisions(here, found)
    for seq in here.of_kind("decision"):
        found.attempt(here.name(seq), decisions.decision, seq)


class _Decisions:
    """The decisions of a bundle."""

    def __init__(self, here: Contents, found: Findings) -> None:
        self.here, self.found = here, found

    def decision(self, seq: int) -> None:
        """Check that a decision comes out again from the contents of the bundle."""
        line, body = self.here.lines[seq], self.here.proved[seq]
        case = body["case"]
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
            raise UnsoundError(
                f"重新计算的结果不同：记为{shown(body['verdict'])}，应为{shown(expected['verdict'])}"
            )
        self.here.used.add(seq)
        self.found.cases[seq] = f"{case['name']}（{case['uscc']}）{case['tier']}{case['procedure']}"
        self.found.verdicts[seq] = shown(body["verdict"])

    def ruleset(self, seq: int, body: Json) -> Json:
        """The ruleset that governs a case, by the last publication before its decision."""
        last = self.here.publication(seq, "决定")
        published, named = self.here.proved[last], body["applicability"]
        if published["applicability"] != named["digest"]:
            raise UnsoundError("所用的适用表不是决定时有效的那一份")
        row = governs(self.here.document("applicability", named["digest"])["rows"], body["case"])
        if (row["ruleset"], row["digest"]) != (named["ruleset"], body["ruleset"]):
            raise UnsoundError("按已发布的适用表，应适用另一规则集")
        if published["rulesets"].get(row["ruleset"]) != row["digest"]:
            raise UnsoundError("所用的规则集没有发布的记录")
        if reason(row) != named["reason"]:
            raise UnsoundError("所写的适用依据与适用表不同")
        self.here.sources(last)
        return self.here.document("ruleset", body["ruleset"])

    def determinations(self, seq: int, body: Json, facts: Json) -> list[tuple[str, Json]]:
        """The determinations on which a decision rests, in the order in which they were made."""
        found = [self.here.number(name, "determination") for name in body["determinations"]]
        if not all(found):
            raise UnsoundError("所依据的人工认定不在包内，或已被改动")
        if any(one >= other for one, other in pairwise([*found, seq])):
            raise UnsoundError("所依据的人工认定次序颠倒，或晚于决定")
        filed = {"uscc": body["case"]["uscc"], "as_of": body["case"]["filed_as_of"]}
        for number, name in zip(found, body["determinations"], strict=True):
            determined = self.here.proved[number]
            if determined["case"] != filed:
                raise UnsoundError(f"所依据的第{number}号人工认定是关于另一份填报的")
            if determined["four_eyes"]:
                self.confirmed(number, name, seq)
            self.stood(number, determined, facts)
        return [
            (n, self.here.proved[s]) for n, s in zip(body["determinations"], found, strict=True)
        ]

    def register(self, seq: int, body: Json) -> list[tuple[str, Json]]:
        """The registered titles and holdings on which a decision rests, all recorded before it.

        Deciding the case again shows whether those of other enterprises bear on it.
        """
        found = []
        for name in body.get("register", ()):
            number = self.here.number(name, "title", "holding")
            if not 0 < number < seq:
                raise UnsoundError("所依据的登记不在包内，或晚于决定")
            entry = self.here.proved[number]
            if is_holding(entry) is not (self.here.kind(number) == "holding"):
                raise UnsoundError(f"所依据的第{number}号登记与其种类不符")
            self.here.used.add(number)
            found.append((name, entry))
        if not any(is_holding(entry) for _, entry in found):
            for name, entry in found:
                if entry["uscc"] != body["case"]["uscc"]:
                    number = self.here.numbers[name]
                    raise UnsoundError(f"所依据的第{number}号称号登记是关于另一家企业的")
        return found

    def confirmed(self, number: int, name: str, seq: int) -> None:
        """Check that a second person confirmed a determination before decision ``seq``."""
        found = [n for n in self.here.confirmations.get(name, ()) if number < n < seq]
        if not found:
            raise UnsoundError(f"所依据的第{number}号人工认定须经第二人确认，但没有确认的记录")
        one, other = (
            self.here.lines[n]["texts"].get("by", ["", ""])[1] for n in (number, found[0])
        )
        if one == other != "":
            raise UnsoundError(f"所依据的第{number}号人工认定由同一人作出和确认")
        self.here.used.update(self.here.confirmations[name])

    def stood(self, number: int, determined: Json, facts: Json) -> None:
        """Check that a determination states the previous value, filed or determined earlier."""
        self.here.used.add(number)
        if "rule" in determined:
            self.previous(number, facts, ())
            return
        earlier = [n for n in self.here.of_target[target(determined)] if n < number]
        self.here.used.update(earlier)
        for n in earlier:
            self.here.used.update(self.here.confirmations.get(self.here.digest(n), ()))
        self.previous(number, facts, [self.here.proved[n]["value"] for n in earlier])

    def previous(self, number: int, facts: Json, earlier: Iterable[Any]) -> None:
        try:
            refuse_other_before(facts, self.here.proved[number], earlier)
        except RecordError as error:
            raise UnsoundError(f"第{number}号人工认定{error}") from None
