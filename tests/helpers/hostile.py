"""Float64 numbers that find mistakes: subnormal, huge, cancelling, exact and zero ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oracle.formula import Formula

_SPECIAL = np.array([0.0, 1.0, 0.5, 3.0, 2.0**-1074, 3 * 2.0**-1074, 2.0**-1022, 2.0**1023, np.finfo(float).max])


def hostile(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Draw numbers of one kind of magnitude, or of mixed ones."""
    kind = rng.integers(5)
    if kind == 0:
        numbers = rng.normal(size=size)
    elif kind == 1:
        numbers = np.ldexp(rng.uniform(0.5, 1.0, size), rng.integers(-1073, 1025, size))
    elif kind == 2:
        numbers = rng.choice(_SPECIAL, size)
    elif kind == 3:
        numbers = rng.integers(-8, 9, size) * 2.0 ** rng.integers(-60, 60)
    else:
        numbers = np.nextafter(rng.choice([0.1, 1.0, 1e-8, 1e300]), rng.choice([0.0, np.inf], size))
    return np.asarray(numbers * rng.choice([-1.0, 1.0], size))


def hyperparameters(formula: Formula, rng: np.random.Generator) -> dict[str, float]:
    """Draw from the whole domain of a formula, its ends with some probability."""
    return {
        name: int(rng.integers(domain.low, 40))
        if name in formula.lengths
        else _from_domain(rng, domain.low, domain.high, domain)
        for name, domain in formula.domain.items()
    }


def _from_domain(rng: np.random.Generator, low: float, high: float, domain: object) -> float:
    unit = [low, high, 0.9, 0.999, 0.5, 1 - 2.0**-20, 2.0**-30, rng.uniform()]
    wide = [low, 1e-3, 0.1, 1e-8, 1.0, 2.0**-1074, abs(float(hostile(rng, 1)[0]))]
    candidates = [float(x) for x in (wide if np.isinf(high) else unit)]
    return next(x for x in rng.permutation(candidates).tolist() if x in domain)  # type: ignore[operator]  # a Domain
