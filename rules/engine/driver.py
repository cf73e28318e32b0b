"""The engine: evaluates a ruleset through durable_rules, and demands one answer to every question.

This is the only module that talks to durable_rules. It drives the C extension directly, because the
stock host runs timer threads that take results away, swallows errors, and never reports that a rule
did not fire. Any deviation from the expected answers is a fault. A fault is retried once on a fresh
session and then raised; it never becomes a verdict.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from threading import get_ident
from typing import Any, Final, NamedTuple, Self, TypeAlias

from rules.engine.compiler import compiled
from rules.engine.network import Network
from rules.engine.program import ContradictionError, Memory, Program, Programs
from rules.engine.readings import Evaluator, Formulas, Reading, Record
from rules.errors import EngineFaultError, EngineUnavailableError
from rules.model.facts import Profile
from rules.model.ruleset import BY_NUMBER, Outcome, Result, Ruleset, Trace, points_of
from rules.portable.errors import Remedy

#: Ids of the facts that share a session. The engine compares only their 32-bit hashes (a test shows
#: that these differ). All have two digits, so that they stand at a fixed place in messages.
FACT_IDS: Final = tuple(f"{n:02d}" for n in range(64))

# The parts of a message: {"012":{"m":{"id":"34", …
_RULE: Final = slice(2, 5)
_FACT: Final = slice(19, 21)

#: For how many facts a session remembers the answers. An answer depends only on the fact, and most
#: facts of later stages recur, because they are combinations of outcomes.
REMEMBERED: Final = 1024


#: The results of one evaluation of a program: outcomes, then points.
_Results: TypeAlias = tuple[Any, ...]


class Placed(NamedTuple):
    """What is found at one place, the enterprise or a record, without its prefix ``list#i:``.

    ``keys`` has the place of each node's result in ``results``.
    """

    keys: Mapping[str, int]
    results: _Results
    readings: Mapping[str, Reading]


class PlacedTrace(Mapping[str, Result]):
    """A trace, read from the results at all places: few of its many keys are ever asked for."""

    def __init__(self, places: Mapping[str, Placed]) -> None:
        self._places = places

    def __getitem__(self, key: str) -> Result:
        place = self._places.get("")
        at = None if place is None else place.keys.get(key)
        if place is None or at is None:
            records, colon, key = key.partition(":")
            place = self._places[records + colon]
            at = place.keys[key]
        found: Result = place.results[at]
        return found

    def __iter__(self) -> Iterator[str]:
        return (prefix + key for prefix, place in self._places.items() for key in place.keys)

    def __len__(self) -> int:
        return sum(len(place.keys) for place in self._places.values())


@dataclass(frozen=True)
class Evaluation:
    """The result of every node for one profile: ``places`` has them by prefix, with the readings."""

    places: Mapping[str, Placed]

    @cached_property
    def trace(self) -> Trace:
        """The result of every node by its key, with the prefix of its place."""
        return PlacedTrace(self.places)

    @cached_property
    def readings(self) -> Mapping[str, Reading]:
        """The reading of every indicator by its name; of the i-th record of a list, ``list#i:name``."""
        return {
            prefix + name: reading
            for prefix, place in self.places.items()
            for name, reading in place.readings.items()
        }


#: The readings of each record of a list, and its results.
_Answered: TypeAlias = list[tuple[Mapping[str, Reading], _Results]]


class Shared:
    """What engines for several rulesets have in common: read, and answered for records, once of a profile.

    Whoever has engines share it says when the next profile begins.
    """

    def __init__(self) -> None:
        self.formulas = Formulas()
        self._scopes: list[tuple[Program, Any]] = []
        self._answered: dict[int, _Answered] = {}

    def number(self, program: Program, indicators: Any) -> int:
        """The number of a program over records with these formulas; equal ones have the same."""
        scope = program, indicators
        if scope not in self._scopes:
            self._scopes.append(scope)
        return self._scopes.index(scope)

    def forget(self) -> None:
        """Forget what was read and answered, before another profile."""
        self.formulas.forget()
        self._answered.clear()

    def answered(self, number: int, answer: Callable[[], _Answered]) -> _Answered:
        """The readings and results of a list, made if no engine has made them."""
        if number not in self._answered:
            self._answered[number] = answer()
        return self._answered[number]


class Engine:
    """A ruleset, compiled once, that evaluates one profile after another.

    Only the thread that made it may use it. ``close`` releases its memory, several megabytes.
    """

    def __init__(
        self, ruleset: Ruleset, programs: Programs | None = None, shared: Shared | None = None
    ) -> None:
        """Load the programs of the ruleset; compile them if none are given.

        Engines that are asked about the same profile one after another may have ``shared`` in
        common.
        Raises ``RulesetError``, or ``EngineUnavailableError`` without durable_rules.
        """
        durable = _extension()
        self._ruleset = ruleset
        self._thread = get_ident()
        programs = compiled(ruleset) if programs is None else programs
        self._alone = shared is None
        self._shared = Shared() if shared is None else shared
        self._scopes = {
            records: _Scope(ruleset, records, program, durable, self._shared)
            for records, program in programs.items()
        }
        sessions = [session for scope in self._scopes.values() for session in scope.sessions]
        self._finalizer = weakref.finalize(self, _close, sessions)

    def evaluate(self, profile: Profile) -> Evaluation:
        """The results and readings of a profile; any doubt raises ``EngineFaultError``."""
        if get_ident() != self._thread:
            raise EngineFaultError("other-thread", "规则引擎不能跨线程使用：请在每个线程中各建一个")
        if not self._finalizer.alive:
            raise EngineFaultError("closed", "规则引擎已经关闭：请重新建立")
        places: dict[str, Placed] = {}
        found: dict[str, list[_Results]] = {}

        def outcomes(records: str, rule: str) -> list[Outcome]:
            place = self._scopes[records].places[rule]
            return [results[place] for results in found[records]]

        evaluator = Evaluator(self._ruleset, profile, outcomes)
        if self._alone:
            self._shared.forget()
        try:
            for records, scope in self._scopes.items():
                found[records] = scope.evaluate(evaluator, profile, places)
        except ContradictionError as error:
            raise EngineFaultError(
                "contradiction", "有读数自相矛盾，无法比较：请检查该指标的定义"
            ) from error
        return Evaluation(places)

    def close(self) -> None:
        """Release the engine's memory; afterwards it cannot evaluate any more."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Scope:
    """The rules of the enterprise, or those over the records of one list, ready to run.

    Results of records are remembered by their encoded figures, because records often repeat.
    Enterprises differ too much for that.
    """

    def __init__(
        self, ruleset: Ruleset, records: str, program: Program, durable: Any, shared: Shared
    ) -> None:
        self.records = records
        self.shared = shared
        self.program = program
        first, *later = self.program.stages
        self.encoding = first.steps
        self.stages = [
            (tuple(_Session(durable, network) for network in stage.networks), stage.steps)
            for stage in later
        ]
        self.sessions = [session for sessions, _ in self.stages for session in sessions]
        self.indicators = [
            (
                key.removeprefix(f"{records}."),
                shared.formulas.compiled(ruleset, indicator.expr, records),
            )
            for key, indicator in ruleset.indicators.items()
            if indicator.records == records
        ]
        self.outcomes = _picker(self.program.outcomes.values())
        self.points = _picker(self.program.points.values())
        keys = (*self.program.outcomes, *self.program.points)
        self.names = [name for name, _ in self.indicators]
        self.number = shared.number(program, self.indicators)
        self.places = {key: place for place, key in enumerate(keys)}
        self.remembered: dict[_Results, _Results] = {}

    def evaluate(
        self, evaluator: Evaluator, profile: Profile, places: dict[str, Placed]
    ) -> list[_Results]:
        """Add the places of this scope; return the results per record."""
        records = self.records
        items = profile.listed(records).items if records else ({},)
        if not items:
            return []
        if records:
            answered = self.shared.answered(self.number, lambda: self._answer(evaluator, items))
        else:
            answered = self._answer(evaluator, items)
        for n, (read, results) in enumerate(answered):
            prefix = f"{records}#{n}:" if records else ""
            places[prefix] = Placed(self.places, results, read)
        return [results for _, results in answered]

    def _answer(self, evaluator: Evaluator, items: Sequence[Record]) -> _Answered:
        """The readings and results of each record, or of the enterprise."""
        column = self.shared.formulas.column
        columns = [column(read, evaluator, items) for _, read in self.indicators]
        rows = zip(*columns, strict=True) if columns else [()] * len(items)
        memories = [Memory(self.program, dict(zip(self.names, row, strict=True))) for row in rows]
        for memory in memories:
            for step in self.encoding:
                step.run(memory)
        found = self._recall(memories) if self.records else self._run(memories)
        return [(m.readings, results) for m, results in zip(memories, found, strict=True)]

    def _recall(self, memories: Sequence[Memory]) -> list[_Results]:
        """The results for encoded figures: remembered, or run if they are new."""
        remembered = self.remembered
        if len(remembered) > REMEMBERED:
            remembered.clear()
        keys = [(*memory.slots, *memory.scores) for memory in memories]
        new = {
            key: memory for key, memory in zip(keys, memories, strict=True) if key not in remembered
        }
        if new:
            remembered.update(zip(new, self._run(list(new.values())), strict=True))
        return [remembered[key] for key in keys]

    def _run(self, memories: Sequence[Memory]) -> list[_Results]:
        """Run the program on the encoded figures of each memory."""
        for sessions, steps in self.stages:
            for session in sessions:
                session.answer(memories)
            for memory in memories:
                for step in steps:
                    step.run(memory)
        unit = self.program.unit
        return [
            (
                *map(BY_NUMBER.__getitem__, self.outcomes(memory.slots)),
                *(points_of(*score, unit) for score in self.points(memory.scores)),
            )
            for memory in memories
        ]


def _picker(places: Iterable[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    """A function that picks the values at these places of a list, as a tuple."""
    wanted = tuple(places)
    if len(wanted) > 1:
        return itemgetter(*wanted)
    return lambda values: tuple(values[place] for place in wanted)  # itemgetter makes no such tuple


#: The values of a network's inputs.
_Fact: TypeAlias = tuple[int, ...]


class _FaultError(Exception):
    """The engine did not answer as it must."""


class _Session:
    """One network in durable_rules, with its one session of facts.

    The engine compiles the network when it is first asked; many are not, for records that nobody
    filed. ``sound`` means that it has, and that no call failed or was cut short (by Ctrl-C, say),
    so no fact is left behind. ``used`` means that the engine has made its session, which must then
    be freed.
    """

    def __init__(self, durable: Any, network: Network) -> None:
        self.durable = durable
        self.network = network
        self.faults = (_FaultError, LookupError, ValueError, durable.error)
        self.fact: Callable[[list[Any]], _Fact] = _picker(network.inputs)
        self.answers: dict[_Fact, list[int]] = {}
        self.handle: int | None = None
        self.sound = False
        self.used = False

    def answer(self, memories: Sequence[Memory]) -> None:
        """Answer the nodes of the network in each memory."""
        outputs, answers = self.network.outputs, self.answers
        if len(answers) > REMEMBERED:
            answers.clear()
        if len(memories) == 1:  # the enterprise, mostly with a remembered answer
            slots = memories[0].slots
            fact = self.fact(slots)
            known = answers.get(fact)
            if known is None:
                [known] = self._ask([fact])
                answers[fact] = known
            for slot, answer in zip(outputs, known, strict=True):
                slots[slot] = answer
            return
        unknown: dict[_Fact, list[list[Any]]] = {}
        for memory in memories:
            slots = memory.slots
            fact = self.fact(slots)
            known = answers.get(fact)
            if known is None:
                unknown.setdefault(fact, []).append(slots)
            else:
                for slot, answer in zip(outputs, known, strict=True):
                    slots[slot] = answer
        facts = list(unknown)
        for at in range(0, len(facts), len(FACT_IDS)):
            some = facts[at : at + len(FACT_IDS)]
            for fact, found in zip(some, self._ask(some), strict=True):
                answers[fact] = found
                for slots in unknown[fact]:
                    for slot, answer in zip(outputs, found, strict=True):
                        slots[slot] = answer

    def _ask(self, facts: Sequence[_Fact]) -> list[list[int]]:
        try:
            try:
                return self._attempt(facts)
            except self.faults:  # the session is no longer sound; the retry makes a new one
                return self._attempt(facts)
        except self.faults as error:
            raise EngineFaultError(
                "no-answer",
                "规则引擎两次未能给出唯一的答案（{cause}）：请重试，若仍如此请保留数据并报告",
                cause=repr(error),
            ) from error

    def _attempt(self, facts: Sequence[_Fact]) -> list[list[int]]:
        if not self.sound:
            self._renew()
        durable, handle, network = self.durable, self.handle, self.network
        texts = [network.fact % (id, *fact) for id, fact in zip(FACT_IDS, facts, strict=False)]
        found: list[dict[int, int]] = [{} for _ in facts]
        self.sound, self.used = False, True
        state = 0
        for text in texts:
            status, state = durable.assert_fact(handle, text)
            if status:
                raise _FaultError(f"assert_fact: {status}")
        # All facts stay until all rules have fired. The engine reuses the places of fired rules, so
        # retracting a fact earlier would delete whatever stands there by then.
        started = durable.start_action_for_state(handle, state)
        message = started and started[1]
        while message:
            node, answer = network.answers[message[_RULE]]
            answers = found[int(message[_FACT])]
            if node in answers:
                raise _FaultError(f"two answers: {message}")
            answers[node] = answer
            message = durable.complete_and_start_action(handle, state)
        if any(len(answers) < len(network.outputs) for answers in found):
            raise _FaultError("a question without an answer")
        for id in FACT_IDS[: len(facts)]:
            status, _ = durable.retract_fact(handle, network.retraction % id)
            if status:
                raise _FaultError(f"retract_fact: {status}")
        self.sound = True
        return [[answers[node] for node in range(len(network.outputs))] for answers in found]

    def _renew(self) -> None:
        if self.handle is not None:  # its session is not freed, because its state is unknown
            self.durable.delete_ruleset(self.handle)
            self.handle = None
        self.handle = self.durable.create_ruleset("tidu", self.network.text)
        self.sound, self.used = True, False

    def close(self) -> None:
        """Free the engine's memory."""
        if self.sound and self.used:
            self.durable.delete_state(self.handle, "0")
        if self.handle is not None:
            self.durable.delete_ruleset(self.handle)


def _close(sessions: Iterable[_Session]) -> None:
    for session in sessions:
        session.close()


def _extension() -> Any:
    try:
        import durable_rules_engine
    except ImportError as error:
        raise EngineUnavailableError(
            "no-engine",
            "规则引擎 durable_rules 未安装或不能载入",
            remedy=Remedy("install-engine"),
        ) from error
    return durable_rules_engine
