"""Rules for clipping by a scaled norm, which stays in the range at every scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.arithmetic.composites import limited
from oracle.arithmetic.libraries import DIVISION
from oracle.arithmetic.rounding import GROW, SHRINK, Rounded, atom, operand, quiet
from oracle.arithmetic.scalars import INFLATION, RoundedScalar, gamma

__all__ = ["scaled_clip", "scaled_norm"]


def scaled_norm(x: Rounded) -> Rounded:
    r"""Bound :math:`m \lVert x / m \rVert_2`, where m is the largest modulus or a power of two next to it.

    Covers the same of blocks, and of their norms; not reciprocals of m, which may overflow.
    """
    x = x.read()
    precision, carried, count = x.precision, x.carrier, x.M.size
    smallest = precision.compute.smallest_normal
    with quiet():
        modulus, error = carried.lower(x.x), x.error
        norm = carried.sqrt(carried.sum(x.x * x.x))
        size = carried.upper(norm)
        # Elements may be read as zero, and norms of blocks underflow, only where there is next to nothing.
        tiny = (modulus - error < 2 * smallest) & (x.M + error > 0)
        inherited = np.sum(error) + 2 * precision.underflow * np.count_nonzero(tiny)
        relative = gamma((count + 9) / 2 + 6, precision.accumulation_unit) + (count + 2) * carried.unit
        relative = relative + gamma(10, precision.unit) * precision.narrows_reductions
        # Scaled numbers lie below 2, and the largest is 1 at least: a sum of their squares, too.
        relative = relative + 8 * count * precision.underflow
        e = (inherited + relative * (size + inherited)) * INFLATION
        firm = np.max(modulus - error, initial=0.0) >= (smallest if precision.flush_to_zero else 0.0)
        largest = precision.reduced.largest
        e = np.where(firm & (4 * count < largest / 2) & (size + e < largest / 2), e, np.inf)
        e = np.where(np.all(x.is_zero), 0.0, e)
    return atom(norm, precision, e)


def scaled_clip(grad: Rounded, max_norm: RoundedScalar | float, norm: Rounded) -> Rounded:
    r"""Bound :math:`\min(1, \alpha / n)\, g`, the coefficient first, by a quotient.

    Underflow is charged only where a number may be subnormal: elsewhere a bound at a tiny scale would say nothing.
    """
    precision, carried = grad.precision, grad.carrier
    threshold, norm = operand(max_norm, precision), norm.read().collapsed()
    smallest = max(precision.compute.smallest_normal, precision.entry.smallest_normal)

    def underflow(x: Any, error: Any) -> Any:
        tiny = carried.lower(x) * SHRINK - error * GROW < smallest
        return np.where(tiny & (carried.upper(x) + error > 0), precision.chain_underflow, 0.0)

    with quiet():
        entering = threshold.e + gamma(threshold.r, precision.unit) * (carried.upper(threshold.x) + threshold.e)
        entering = entering + underflow(threshold.x, entering)
        ratio = threshold.x / norm.x
        quotient = carried.upper(ratio)
        divisor = carried.lower(norm.x) * SHRINK - norm.error * GROW
        e = (entering + quotient * norm.error) / divisor
        count = DIVISION + precision.entry_roundings
        e = e + gamma(count, precision.unit) * (quotient + e) + carried.unit * quotient
        e = np.where(divisor > 0, (e + underflow(ratio, e)) * INFLATION, np.inf)
        below = carried.lower(threshold.x) * SHRINK - entering * GROW
        factor, error_factor = limited(ratio, e, below, norm)

        modulus, error, scale = carried.upper(grad.x), grad.error, carried.upper(factor) + error_factor
        x = carried.choose(grad.is_zero, carried.lift(0.0), factor * grad.x)
        e = modulus * error_factor + error * scale
        e = e + (float(gamma(1, precision.unit)) + 2 * carried.unit) * (modulus + error) * scale
        e = (e + underflow(x, e)) * INFLATION
        e = np.where(grad.is_zero & (error_factor < np.inf), 0.0, e)
        return atom(x, precision, np.where(e < np.inf, e, np.inf))
