"""Two independent evaluations of one ruleset: unless they agree, there is no verdict."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Self

from rules.engine.compiler import compiled
from rules.engine.driver import Engine, Evaluation, Placed, Shared
from rules.engine.program import Programs
from rules.engine.readings import Reading
from rules.engine.remembered import Store, compile_and_keep, recall
from rules.errors import DisagreementError, EngineFaultError, FactsError, RulesetError
from rules.model.facts import Profile, RecordList
from rules.model.ruleset import Result, Ruleset, Trace, trace_of
from rules.portable import reference

#: The errors that a remembered program may raise if no compiler wrote it.
_FAILURES: Final = (EngineFaultError, ArithmeticError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Decision:
    """The result of every node of a ruleset for one profile, and the readings behind them.

    ``readings`` are keyed as in ``rules.engine.driver.Evaluation``. They omit an indicator that no
    rule asks for, for example because a person settled the only rule that did.
    """

    ruleset: Ruleset
    profile: Profile
    trace: Trace
    readings: Mapping[str, Reading]

    @property
    def verdict(self) -> Result:
        """The result of the root rule."""
        return self.trace[self.ruleset.root]


class Decider:
    """Decides profiles under one ruleset through the engine, checked by the reference evaluator.

    ``alone`` skips the reference evaluator; it is only for callers that compare the engine with
    another evaluation. ``store`` keeps compiled programs between runs; it is ignored with
    ``alone``, because only a checked engine may run a stored program. Deciders with the same
    ``beside`` evaluate once, by each evaluator, what several rulesets ask of one profile.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        *,
        alone: bool = False,
        store: Store | None = None,
        beside: "Beside | None" = None,
    ) -> None:
        self.ruleset = ruleset
        self.alone = alone
        self._store = None if alone else store
        remembered = recall(ruleset, self._store) if self._store else None
        self._remembered = remembered is not None
        self._beside = Beside() if beside is None else beside
        self._beside.join(ruleset)
        self._engine = Engine(ruleset, remembered or self._compiled(), self._beside.engines)
        self._reference = reference.Evaluator(ruleset.to_json())

    def _compiled(self) -> Programs:
        return (
            compile_and_keep(self.ruleset, self._store) if self._store else compiled(self.ruleset)
        )

    def decide(self, profile: Profile) -> Decision:
        """Evaluate the profile with both evaluators, which must agree on every node and reading.

        Raises ``FactsError`` for a value that a fact of the ruleset cannot have. If the evaluators differ,
        a fresh engine tries once more; if they still differ, ``DisagreementError`` names the nodes.
        """
        profile = self._beside.turn(profile)
        self._beside.validate(self.ruleset)
        if self.alone:
            evaluated = self._engine.evaluate(profile)
            return Decision(self.ruleset, profile, evaluated.trace, evaluated.readings)
        try:
            expected = self._beside.evaluation(self._reference)
        except reference.EvaluationError as error:
            raise _not_computable(self.ruleset, error) from error
        found, keys = self._asked(profile, expected)
        if found is None or keys:
            self._engine.close()
            self._remembered = False
            # by itself: nothing is taken from what may be at fault
            self._engine = Engine(self.ruleset, self._compiled())
            found, keys = self._asked(profile, expected)
        assert found is not None
        if keys:
            raise DisagreementError(
                "evaluators-differ",
                "两次独立计算不一致（{where}：{value}等{number}处）：不得据此作出结论，请保留数据并报告",
                where=self.ruleset.root,
                value="、".join(keys[:5]),
                number=len(keys),
            )
        asked = {place.prefix: place.known.keys() for place in expected.everywhere()}
        return Decision(self.ruleset, profile, found.trace, AskedReadings(found.places, asked))

    def _asked(
        self, profile: Profile, expected: reference.Evaluation
    ) -> tuple[Evaluation | None, list[str]]:
        """The engine's evaluation, and the keys that differ; None if a remembered program fails."""
        try:
            found = self._engine.evaluate(profile)
        except _FAILURES:
            if not self._remembered:
                raise
            return None, []
        return found, differences(found, expected)

    def close(self) -> None:
        """Release the engine's memory."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AskedReadings(Mapping[str, Reading]):
    """The engine's readings of the indicators for which the reference was asked.

    Hardly anybody wants those of records, so all are only joined for whoever does.
    """

    def __init__(self, places: Mapping[str, Placed], asked: Mapping[str, Collection[str]]) -> None:
        self._places = places
        self._asked = {prefix: tuple(names) for prefix, names in asked.items()}

    @cached_property
    def _itself(self) -> Mapping[str, Reading]:
        return self._at("")

    @cached_property
    def _all(self) -> Mapping[str, Reading]:
        return {
            prefix + name: reading
            for prefix in self._asked
            for name, reading in self._at(prefix).items()
        }

    def _at(self, prefix: str) -> Mapping[str, Reading]:
        names = self._asked.get(prefix, ())
        readings = self._places[prefix].readings if names else {}
        return {name: readings[name] for name in names}

    def __getitem__(self, key: str) -> Reading:
        return self._itself[key] if key in self._itself else self._all[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class Beside:
    """The last profile under one ruleset after another: what each evaluator has in common there."""

    def __init__(self) -> None:
        self.engines = Shared()
        self._joint: Ruleset | None = None  # reads what all that joined it read
        self._joined: list[Ruleset] = []
        self._sound: tuple[Ruleset, ...] = ()  # those that can have the profile's values
        self._profile: Profile | None = None
        self._facts: Any = None
        self._found: dict[reference.Evaluator, reference.Evaluation] = {}

    def join(self, ruleset: Ruleset) -> None:
        """Have values validated for this ruleset together with the others, if they declare alike what they read."""
        joint = self._joint or ruleset
        pairs = (joint.facts, ruleset.facts), (joint.fields, ruleset.fields)
        if all(known.get(id, fact) == fact for known, own in pairs for id, fact in own.items()):
            facts, fields = ({**known, **own} for known, own in pairs)
            lists = {**joint.lists, **ruleset.lists}
            self._joint = replace(joint, facts=facts, fields=fields, lists=lists)
            self._joined.append(ruleset)

    def turn(self, profile: Profile) -> Profile:
        """Turn to a profile, and forget the last if it is another.

        What is answered is a copy: the facts of the one given may change afterwards.
        """
        if self._profile is None or profile != self._profile:
            self._profile = _copied(profile)
            self._facts = profile.to_json()
            self._found = {}
            self._sound = self._all_sound(self._profile)
            self.engines.forget()
        return self._profile

    def validate(self, ruleset: Ruleset) -> None:
        """Raise ``FactsError`` for a value of the profile that a fact of the ruleset cannot have."""
        if self._profile and not any(one is ruleset for one in self._sound):
            ruleset.validate(self._profile)

    def _all_sound(self, profile: Profile) -> tuple[Ruleset, ...]:
        """The rulesets that can have these values, all validated at once; none if any cannot."""
        if self._joint is not None:
            with suppress(FactsError):  # each then says it by itself
                self._joint.validate(profile)
                return tuple(self._joined)
        return ()

    def evaluation(self, evaluator: reference.Evaluator) -> reference.Evaluation:
        """The reference's evaluation of the profile under a ruleset."""
        given = {other: found for other, found in self._found.items() if other is not evaluator}
        found = self._found[evaluator] = evaluator.evaluation(self._facts, given)
        return found


def _copied(profile: Profile) -> Profile:
    records = {
        name: RecordList(tuple(map(dict, filed.items)), filed.complete)
        for name, filed in profile.records.items()
    }
    return Profile(profile.as_of, dict(profile.values), records, dict(profile.sources))


def differences(found: Evaluation, expected: reference.Evaluation) -> list[str]:
    """The keys of results and readings that differ."""
    places = {place.prefix: place for place in expected.everywhere() if place.trace}
    if places.keys() == found.places.keys() and all(
        _alike(one, places[prefix]) for prefix, one in found.places.items()
    ):
        return []
    ours, theirs = found.trace, expected.trace
    keys = [] if ours == theirs else [k for k in {**ours, **theirs} if ours.get(k) != theirs.get(k)]
    readings = found.readings
    return keys + [
        k for k, r in expected.readings.items() if k not in readings or _differ(readings[k], r)
    ]


def _alike(ours: Placed, theirs: reference.Place) -> bool:
    """Whether the results and readings at a place are the same."""
    results, readings = theirs.trace, ours.readings
    if len(results) != len(ours.keys) or tuple(map(results.get, ours.keys)) != ours.results:
        return False
    for name, read in theirs.known.items():
        ours_read = readings.get(name)
        if ours_read is None or _differ(ours_read, read):
            return False
    return True


def _differ(ours: Reading, theirs: reference.Reading) -> bool:
    lo, hi, gap, code, broken, _ = ours
    end, other_end, other_gap, other_code, other_broken = theirs
    same = lo == end and ((hi is lo and other_end is end) or hi == other_end)
    return (
        not same or gap != other_gap or code != other_code or bool(broken) is not bool(other_broken)
    )


#: The last deciders of ``by_both``: consecutive examples mostly use the same ruleset.
_KEPT: Final[deque[Decider]] = deque(maxlen=2)


def by_both(ruleset: Ruleset, profile: Profile) -> Trace:
    """Evaluate a profile with both evaluators, which are kept for later calls; single-threaded."""
    decider = next((d for d in _KEPT if d.ruleset is ruleset), None)
    if decider is None:
        decider = Decider(ruleset)
        _KEPT.append(decider)
    return decider.decide(profile).trace


def by_reference(ruleset: Ruleset, profile: Profile) -> Trace:
    """Evaluate a profile with the reference evaluator alone."""
    try:
        return trace_of(reference.evaluate(ruleset.to_json(), profile.to_json()))
    except reference.EvaluationError as error:
        raise _not_computable(ruleset, error) from error


def _not_computable(ruleset: Ruleset, cause: reference.EvaluationError) -> RulesetError:
    return RulesetError(
        "not-computable", "规则「{where}」无法计算：{cause}", where=ruleset.root, cause=str(cause)
    )
