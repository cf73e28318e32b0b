"""Facts in plain form: as filed, as persons determined them, as the register states them.

Plain facts are JSON values: ``values``, ``records`` and ``sources`` as in ``rules.model.facts.Profile``.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from registry.judging.settled import Determination, Registration
from rules.model.catalogue import Catalogue
from rules.model.facts import Profile, RecordList
from rules.portable.record import (
    TITLES,
    Asked,
    Body,
    Control,
    amended_facts,
    control,
    is_holding,
    registered,
    registered_facts,
)


def profile_of(facts: Body, as_of: date) -> Profile:
    """The profile of plain facts as of a day."""
    records = {
        name: RecordList(tuple(listed["items"]), listed["complete"])
        for name, listed in facts["records"].items()
    }
    return Profile(as_of, facts["values"], records, facts.get("sources", {}))


def facts_of(profile: Profile) -> dict[str, Any]:
    """The facts of a profile in plain form, without the day."""
    plain: dict[str, Any] = profile.to_json()
    return {k: plain[k] for k in ("values", "records", "sources")}


def determined(facts: Body, determinations: Sequence[Determination]) -> Body:
    """The facts with determinations of facts applied; each becomes the source of its value."""
    if not determinations:
        return facts
    where = {d.target.partition(".")[0]: source_text(d) for d in determinations}
    amended = amended_facts(facts, [d.content for d in determinations])
    return amended | {"sources": {**facts.get("sources", {}), **where}}


def source_text(determination: Determination) -> str:
    """The source of a determined value, in words."""
    return f"人工认定第{determination.seq}号"


def as_registered(
    facts: Body, register: Sequence[Registration], asked: Asked, day: date
) -> tuple[Body, tuple[Registration, ...]]:
    """The facts with the asked parts taken from the register, and the entries that state them."""
    if not register:
        return facts, ()
    named = [(entry.source, entry.content) for entry in register]
    found, speaking = registered_facts({**facts}, named, register[0].of, asked, day.isoformat())
    return found, tuple(e for e in register if e.source in speaking)


def linked(register: Sequence[Registration], day: date) -> Fraction | None:
    """The greatest share such that holdings of that share each link with a holder of any title.

    Beyond it they prove no control relation, whatever the title of which a ruleset asks.
    """
    titles = {e.content["kind"] for e in register if not is_holding(e.content)}
    shares = sorted({Fraction(e.content["share"]) for e in register if is_holding(e.content)})

    def alone(share: Fraction) -> bool:
        sought = Control(titles, ((share, True),))
        named = [(entry.source, entry.content) for entry in register]
        return not control(named, register[0].of, sought, day.isoformat())

    found = bisect_left(shares, True, key=alone)
    return shares[found - 1] if found else None


def overruled(facts: Body, speaking: Iterable[Registration], day: date) -> tuple[Body, ...]:
    """The filed titles of registered kinds that no registration confirms in every field."""
    stated = [registered(e.content, day.isoformat()) for e in speaking if e.own_title]
    kinds = {title["kind"] for title in stated}
    return tuple(
        dict(item)
        for item in titles(facts)
        if item.get("kind") in kinds and not any({**t, **item} == t for t in stated)
    )


def titles(facts: Body) -> Sequence[Body]:
    """The titles in facts."""
    found: Sequence[Body] = facts["records"].get(TITLES, {}).get("items", ())
    return found


def newest_year(values: Iterable[str], catalogue: Catalogue) -> int | None:
    """The newest fiscal year for which anything is filed, from the keys of values.

    Ratings are ignored, because they belong to calendar years, and so is what is no longer declared.

    >>> from rules.model.facts import Fact
    >>> revenue = Catalogue((Fact("revenue", "营业收入总额", "number", "万元", yearly=True),))
    >>> newest_year(["revenue@2022", "revenue@2021", "score@2023"], revenue)
    2022
    """
    years = (_fiscal_year(key, catalogue) for key in values if "@" in key)
    return max(filter(None, years), default=None)


@lru_cache(maxsize=1 << 12)
def _fiscal_year(key: str, catalogue: Catalogue) -> int | None:
    name, _, year = key.partition("@")
    found = catalogue.get(name)
    return int(year) if found is not None and found.yearly and not found.rating else None
