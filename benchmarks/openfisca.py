"""63.8 as an OpenFisca country package: a variable for each criterion, on whole arrays.

OpenFisca has no unknown values, so only filings with all figures known can be compared. Its numbers
are 32-bit floats, so amounts are in units of 10,000 yuan. Each filing's sector is given to it.
"""

from typing import Any, Final

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.kernel import BAD, GOOD, LIMITS, SIZES

_FEN: Final = 10**6  # fen in 10,000 yuan
_YEAR: Final = "2022"
_ENTERPRISE: Final = build_entity(
    key="enterprise", plural="enterprises", label="An enterprise", is_person=True
)


def verdicts(columns: dict[str, Any], sectors: Any) -> Any:
    """Which filings are eligible; ``columns`` have no gaps, ``sectors`` index the limits."""
    system = TaxBenefitSystem([_ENTERPRISE])
    system.add_variables(*_variables())
    simulation = SimulationBuilder().build_default_simulation(system, count=len(sectors))
    simulation.set_input("sector", _YEAR, sectors)
    for name in (*GOOD, *BAD):
        simulation.set_input(name, _YEAR, columns[name].astype(bool))
    for name in SIZES:
        unit = 1 if name == "staff_t0" else _FEN
        simulation.set_input(name, _YEAR, columns[name] / unit)
    return simulation.calculate("eligible", _YEAR)


def _variables() -> list[type[Variable]]:
    found = [_variable(name, bool) for name in (*GOOD, *BAD)]
    found += [_variable(name, float) for name in SIZES]
    found.append(_variable("sector", int))
    found += [
        _variable(f"small_{n}", bool, _below(limits)) for n, limits in enumerate(LIMITS.values())
    ]
    found += [_variable(f"not_{name}", bool, _not(name)) for name in BAD]
    return [*found, _variable("small", bool, _small), _variable("eligible", bool, _eligible)]


def _variable(name: str, kind: type, formula: Any = None) -> type[Variable]:
    members: dict[str, Any] = {
        "value_type": kind, "entity": _ENTERPRISE, "definition_period": DateUnit.YEAR, "label": name,
    }  # fmt: skip
    return type(name, (Variable,), members | ({"formula": formula} if formula else {}))


def _below(limits: tuple[int | None, ...]) -> Any:
    def formula(enterprise: Any, period: Any) -> Any:
        found = np.zeros(enterprise.count, dtype=bool)
        for name, limit in zip(SIZES, limits, strict=True):
            if limit is not None:
                found |= enterprise(name, period) < limit / (1 if name == "staff_t0" else _FEN)
        return found

    return formula


def _not(name: str) -> Any:
    return lambda enterprise, period: ~enterprise(name, period)


def _small(enterprise: Any, period: Any) -> Any:
    each = [enterprise(f"small_{n}", period) for n in range(len(LIMITS))]
    return np.choose(enterprise("sector", period), each)


def _eligible(enterprise: Any, period: Any) -> Any:
    names = (*GOOD, *(f"not_{name}" for name in BAD), "small")
    return np.logical_and.reduce([enterprise(name, period) for name in names])
