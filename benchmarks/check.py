"""One check of one enterprise in every available way, side by side on the same filings.

Run ``python -m benchmarks.check``; ``--help`` names the options. All ways take turns on the same
filings in one process on one processor; only the ratios within one run count. Each turn has new
filings, because the engine remembers answers.
"""

import argparse
import gc
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from types import FrameType, SimpleNamespace
from typing import Any, Final
from unittest import mock

from benchmarks import jdm
from benchmarks.profiles import profiles
from benchmarks.stock import Stock
from rules.decider import Decider
from rules.engine import driver as engine_module
from rules.engine.driver import Engine
from rules.explanation.explain import explain
from rules.language.rulebook import load
from rules.model.facts import Profile
from rules.model.ruleset import Ruleset
from rules.portable import reference

try:
    import zen  # an optional competitor: pip install zen-engine
except ImportError:
    zen = None

SCORE: Final = "63.2.评价得分"
TIERS: Final = ("63.1", "63.2", "63.3")
ENGINE: Final = "durable_rules with trace"
ANEW: Final = "the same, remembering nothing"
VARIANTS: Final = {True: "itemised records", False: "filed totals"}

Way = Callable[[int], object]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the requested measurements and print them, ratios first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profiles", type=int, default=200, help="new filings in each turn")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each way gets")
    parser.add_argument("--only", help="one ruleset instead of the score and the tiers")
    parser.add_argument("--breakdown", action="store_true", help="where the engine's time goes")
    parser.add_argument(
        "--memory", type=int, metavar="N", help="growth over N checks, nothing else"
    )
    given = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rulebook = load(Path(__file__).parent.parent / "features")
    roots = (given.only,) if given.only else (SCORE, *TIERS)
    for root in roots:
        for itemised in VARIANTS:
            print(f"\n{root}, {VARIANTS[itemised]}")
            if given.memory:
                growth(rulebook.ruleset(root), given.memory, itemised=itemised)
            elif given.breakdown:
                breakdown(rulebook.ruleset(root), given.profiles, itemised=itemised)
            else:
                cases = list(
                    islice(profiles(itemised=itemised), given.profiles * (given.rounds + 1))
                )
                compare(rulebook.ruleset(root), cases, given.profiles)


# side by side


def compare(ruleset: Ruleset, cases: Sequence[Profile], number: int) -> None:
    """Race all ways over the filings, ``number`` in each turn, after checking that they agree."""
    with Decider(ruleset) as decider:
        for case in cases:
            decider.decide(case)
    with (
        Decider(ruleset) as decider,
        Engine(ruleset) as engine,
        Engine(ruleset) as forgetful,
        through_host(ruleset) as hosted,
    ):
        plain = reference.Evaluator(ruleset.to_json())
        ways: dict[str, Way] = {
            ENGINE: lambda n: engine.evaluate(cases[n]),
            ANEW: lambda n: anew(forgetful, cases[n]),
            "through the host of durable_rules": lambda n: anew(hosted, cases[n]),
            "reference evaluator": lambda n: plain.evaluate(cases[n].to_json()),
            "both, and agreement": lambda n: decider.decide(cases[n]),
            "both, and explanation": lambda n: explain(decider.decide(cases[n])).to_json(),
        }
        if zen and ruleset.root == SCORE:
            ways |= zen_ways(ruleset, cases, plain)
        report(race(ways, len(cases), number))


def through_host(ruleset: Ruleset) -> Engine:
    """An engine whose questions go through the host of durable_rules."""
    engine = Engine(ruleset)
    for scope in engine._scopes.values():
        for session in scope.sessions:
            session._attempt = Stock(session.network)  # type: ignore[method-assign]
    return engine


def anew(engine: Engine, case: Profile) -> object:
    """Evaluate without answers that the engine remembers."""
    with mock.patch.object(engine_module, "REMEMBERED", -1):
        return engine.evaluate(case)


def race(ways: dict[str, Way], total: int, number: int) -> dict[str, list[float]]:
    """Seconds per check of each way in each turn; the ways take turns on the same filings."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for first in range(0, total, number):
        for name, way in ways.items():
            gc.collect()
            start = perf_counter()
            for n in range(first, first + number):
                way(n)
            if first:  # the first turn is a warm-up
                taken[name].append((perf_counter() - start) / number)
    return taken


def report(taken: dict[str, list[float]]) -> None:
    """Print median ratios to the engine, then rates."""
    print(f"  time / time of {ENGINE}, and checks a second here and now:")
    for name, seconds in taken.items():
        ratio = median(b / a for a, b in zip(taken[ENGINE], seconds, strict=True))
        print(f"  {ratio:6.2f}  {name:32} {1 / median(seconds):7.0f}/s")


def zen_ways(
    ruleset: Ruleset, cases: Sequence[Profile], plain: reference.Evaluator
) -> dict[str, Way]:
    """The same score by zen-engine, which must give the same points; its input is prepared."""
    decision = zen.ZenEngine().create_decision(zen.ZenDecisionContent(jdm.graph(ruleset)))
    decision.validate()
    texts = [jdm.context(case, ruleset) for case in cases]
    places = jdm.results(ruleset)
    different = Counter[str]()
    for case, text in zip(cases, texts, strict=True):
        found = decision.evaluate(text)["result"]
        expected = plain.evaluate(case.to_json())
        for key, place in places.items():
            points = expected[key]
            assert isinstance(points, tuple)
            different[key] += not points[0] == points[1] == found[place]
    print(f"  zen-engine differs in {different.total()} of {len(places) * len(cases)} results")
    return {
        "zen-engine without trace": lambda n: decision.evaluate(texts[n]),
        "zen-engine with trace": lambda n: decision.evaluate(texts[n], {"trace": True}),
    }


# where the time goes


def breakdown(ruleset: Ruleset, number: int, *, itemised: bool) -> None:
    """Sample the running engine a thousand times a second and print the share of each part."""
    import durable_rules_engine as durable

    def called(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            return function(*given)

        return call

    wrapped = {k: called(v) if callable(v) else v for k, v in vars(durable).items()}
    wrapped["error"] = durable.error
    sys.modules["durable_rules_engine"] = SimpleNamespace(**wrapped)  # type: ignore[assignment]
    engine = Engine(ruleset)
    sys.modules["durable_rules_engine"] = durable
    cases = list(islice(profiles(itemised=itemised), 10 * number))
    for case in cases[:number]:
        engine.evaluate(case)
    samples: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: samples.update([_part(frame)]))
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    for case in cases[number:]:
        engine.evaluate(case)
    signal.setitimer(signal.ITIMER_PROF, 0)
    engine.close()
    for part, count in samples.most_common():
        print(f"  {count / samples.total():4.0%}  {part}")


_PARTS: Final = {
    "check.py": "calls of the C extension",
    "readings.py": "reading figures, exactly",
    "expressions.py": "reading figures, exactly",
    "steps.py": "encoding figures, adding points",
    "program.py": "encoding figures, adding points",
}


def _part(frame: FrameType | None) -> str:
    """The purpose of the project's innermost function on the stack."""
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.name in _PARTS and frame.f_code.co_name != "breakdown":
            return _PARTS[file.name]
        if file.name == "engine.py":
            inside = frame.f_code.co_name in ("_attempt", "answer") or "_attempt" in (
                frame.f_back.f_code.co_name if frame.f_back else ""
            )
            return "writing messages, reading answers" if inside else "trace and the rest"
        frame = frame.f_back
    return "outside"


# memory


def growth(ruleset: Ruleset, number: int, *, itemised: bool) -> None:
    """Print resident memory before and after ``number`` engine checks of different filings."""
    filings = profiles(itemised=itemised)
    sizes = []
    with Engine(ruleset) as engine:
        for part in (number // 10, *[number // 5] * 5):  # the first is a warm-up
            for case in islice(filings, part):
                engine.evaluate(case)
            gc.collect()
            sizes.append(_resident())
    steps = ", ".join(f"{b - a:+.1f}" for a, b in pairwise(sizes))
    print(
        f"  {sizes[-1] - sizes[0]:+.1f} MB over {number} checks, by fifths: {steps}; {sizes[-1]:.0f} MB"
    )


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
