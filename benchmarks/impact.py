"""Impact studies on many enterprises: two texts on every filing, with a workbook.

Run ``python -m benchmarks.impact``; ``--count 100000`` for more. A registry on SQLite is filled
with made-up filings; half of them lack what only the newer text requires. Then the simulation runs
by both evaluators, as in ``tidu impact --from 63.2 --to 2026.2 --output``, in one process on one
processor.
"""

import argparse
import gc
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.profiles import AS_OF, profiles
from registry.database import storage
from registry.database.models import Import
from registry.database.versions import ENTERPRISE, FILING, table_of
from registry.judging.facts import facts_of
from registry.kit import resources
from registry.kit import workbooks as cells
from registry.record import cases
from registry.record.publication import packaged_catalogue
from registry.reports import impact as impact_report
from registry.simulation import impact, texts
from rules.comparison.requirements import asked_for
from rules.language.rulebook import load
from rules.portable.canonical import canonical_json, digest

TIER: Final = packaged_catalogue().titles[1]
_CLEAN: Final = {
    "registered_in_prc": True, "independent_legal_person": True, "law_abiding": True,
    **dict.fromkeys(
        ("abnormal_list", "dishonesty_list", "restricted_product", "major_accident",
         "tax_violation", "safety_accident", "data_incident", "environment_offence",
         "quality_problem", "industry_breach"), False),
}  # fmt: skip
_BATCH: Final = 2000


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill a registry, run the simulation and print rates and memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="enterprises")
    parser.add_argument("--without-workbook", action="store_true", help="only count")
    given = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        database = storage.connect(f"sqlite:///{folder}/tidu.db")
        rules = load(resources.features())
        criteria = texts.InForce(None, rules, rules)
        fill(database, criteria, given.count)
        measure(database, criteria, given.count, Path(folder), workbook=not given.without_workbook)
        database.dispose()


def fill(database: sa.Engine, criteria: texts.InForce, count: int) -> None:
    """Store ``count`` enterprises with one filing each, directly into their tables."""
    old, new = (asked_for(criteria.ruleset(root)) for root in ("63.2", "2026.2"))
    only_new = {key for key in new if key not in old}
    itemised, totals = profiles(itemised=True), profiles(itemised=False)
    now = datetime.now(UTC)

    def rows() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for n in range(1, count + 1):
            facts = facts_of(next(itemised if n % 2 else totals))
            facts["values"] |= _CLEAN
            facts["values"][f"development_score@{AS_OF.year}"] = str(40 + n % 30)
            if n % 4 < 2:  # as the old form was filled in
                facts["values"] = {
                    k: v for k, v in facts["values"].items()
                    if k not in only_new and not k.startswith("development_score")
                }  # fmt: skip
            place = {"province": f"第{n % 31}省", "city": f"第{n % 330}市", "county": ""}
            name = {"name": f"第{n}号企业"}
            identity = name | place
            stated = {"identity": identity, **{k: facts[k] for k in ("records", "values")}}
            yield (
                {"id": n, "uscc": f"{n:018d}", **name, **place},
                {
                    "id": n, "enterprise_id": n, "import_id": 1, "as_of": AS_OF,
                    "known_from": now, "sources": "{}", "digest": digest(stated),
                    "identity": canonical_json(identity), "facts": canonical_json(facts),
                },
            )  # fmt: skip

    found = rows()
    with storage.session(database, write=True) as session:
        session.execute(
            sa.insert(table_of(Import)),
            [{"id": 1, "file": "made up", "digest": "0" * 64, "as_of": AS_OF, "loaded_at": now,
              "new": count, "changed": 0, "unchanged": 0, "refused": 0}],
        )  # fmt: skip
        while part := list(islice(found, _BATCH)):
            session.execute(sa.insert(ENTERPRISE), [e for e, _ in part])
            session.execute(sa.insert(FILING), [f for _, f in part])


def measure(
    database: sa.Engine, criteria: texts.InForce, count: int, folder: Path, *, workbook: bool
) -> None:
    """Run the simulation; the first tenth is a warm-up."""
    old, new = (texts.named(name, criteria) for name in ("63.2", "2026.2"))
    scope = impact.SimulationScope(tiers=(TIER,), procedure="认定")
    run = impact.SimulationRun(sides=(old.label, new.label), scope=scope, state="")
    sides = impact.Sides(old, new, "认定")
    stack = ExitStack()
    book = stack.enter_context(cells.workbook(folder / "impact.xlsx")) if workbook else None
    sink = impact_report.WorkbookSink(book) if book is not None else None
    marks = {count // 10 + (count - count // 10) * k // 5 for k in range(6)}
    sizes, times = [], []
    with storage.session(database) as session:
        ids = cases.newest(session)
        gc.collect()
        start = perf_counter()
        sinks = [sink] if sink else []

        def measure(done: int) -> None:
            if done in marks:
                gc.collect()
                sizes.append(_resident())
                times.append((perf_counter(), process_time()))

        impact.simulate(session, run, sides, criteria.packaged, ids, sinks, progress=measure)
    sides.close()
    decided = perf_counter() - start
    if sink is not None:
        sink.close(run)
    stack.close()
    saved = perf_counter() - start - decided
    rate, alone = (
        (count - count // 10) / (b - a) for a, b in zip(times[0], times[-1], strict=True)
    )
    steps = ", ".join(f"{b - a:+.1f}" for a, b in pairwise(sizes))
    tally = run.tallies[TIER]
    print(
        f"{count} enterprises, two texts each: {dict(tally.groups)}; refused {run.number_refused}"
    )
    print(
        f"  {rate:.0f} enterprises a second here and then, {alone:.0f} a second of the core's own time"
    )
    print(f"  saving the workbook took {saved:.1f} s")
    print(f"  memory {sizes[-1]:.0f} MB, by fifths {steps} MB after the first tenth")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
