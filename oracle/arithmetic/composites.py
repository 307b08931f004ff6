"""Rules of the composite primitives: lines that honest programs compute in several ways.

Each rule bounds all the ways at once; an account of the printed line's operations would be unsound.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from oracle.arithmetic.libraries import DIVISION
from oracle.arithmetic.rounding import (
    GROW,
    READING,
    SHRINK,
    Number,
    Rounded,
    atom,
    entered,
    operand,
    quiet,
    subnormal_charge,
)
from oracle.arithmetic.scalars import INFLATION, RoundedScalar, gamma, scalar

__all__ = ["decayed", "interpolated", "limited", "moving_average", "quotient", "rescaled", "stored"]


def stored(value: Rounded) -> Rounded:
    """Round a value to the storage format, as state; reading it may cost two roundings, keeping it none.

    A value without any error is an input passed on, which is a number of the storage format already;
    arithmetic that flushes may still make 0 of it. Until it is kept, a sum remains one of several terms:
    a program may distribute what follows over them.
    """
    precision = value.precision
    unit, underflow = precision.rounding_to(precision.storage)
    modulus = value.carrier.upper(value.x)
    with quiet():
        error = value.error
        passed_on = subnormal_charge(value.x, 0.0, precision)
        e = np.where(error == 0, passed_on, (error + (modulus + error) * unit + underflow) * INFLATION)
        e = np.where(modulus + e <= precision.storage.largest, e, np.inf)
    return replace(atom(value.x, precision, e, reading=READING), M=np.maximum(value.M, modulus), T=value.T, C=value.C)


def moving_average(beta: RoundedScalar | float, average: Rounded, new: Rounded) -> Rounded:
    r"""Bound :math:`\beta m + (1 - \beta) x`, and store it.

    Covers two products in any order, :math:`m + (1 - \beta)(x - m)`, :math:`x + \beta(m - x)` for
    :math:`\beta \le 1/2`, sums kept without the factor :math:`1 - \beta` and scaled when read, and
    averages kept corrected.
    """
    return stored(_averaged(beta, average, new))


def interpolated(beta: RoundedScalar | float, average: Rounded, new: Rounded) -> Rounded:
    r"""Bound :math:`\beta m + (1 - \beta) x`, which nobody stores.

    Covers what `moving_average` covers, and an average that is kept in another scale and read for this.
    """
    return _averaged(beta, average.read().collapsed(), new)


def _averaged(beta: RoundedScalar | float, average: Rounded, new: Rounded) -> Rounded:
    """Bound a moving average before it is stored."""
    precision = average.precision
    new = new.read()
    kept = scalar(beta, precision)
    rest = 1 - kept
    left, right = entered(kept), entered(rest)
    x = left.x * average.x + right.x * new.x
    B, C = left.M, right.M
    carried = average.carrier
    old, entry = carried.upper(average.x), precision.entry_roundings

    def g(count: float) -> float:
        return float(gamma(count, precision.unit))

    with quiet():
        error_old, error_new = average.error, new.error
        skip_old, skip_new = average.is_zero, new.is_zero
        inherited = B * error_old + C * error_new
        inherited = inherited + max(kept.e, rest.e) * (old + error_old) + rest.e * (carried.upper(new.x) + error_new)
        # m + (1 - beta)(x - m) rounds the difference relative to m, although m enters the result with beta alone.
        rate_old = np.maximum(g(2 + entry) * B, g(2 + entry) * np.minimum(C, 1.0) + g(1) * B)
        local = np.where(skip_old, 0.0, rate_old * (old + error_old) + 4 * precision.underflow * average.H)
        local = local + np.where(
            skip_new, 0.0, g(3 + entry) * C * (new.M + error_new) + 4 * precision.underflow * new.H
        )
        e = inherited + local + precision.entry_underflow * (old + new.M)
        e = e + 3 * carried.unit * (B * old + C * new.M)
        e = np.where(skip_old & (skip_new | rest.is_zero), 0.0, e)
        # Without the factor 1 - beta the sum is that much larger, and it may be what is stored; its inverse is a scalar.
        inverse = np.where(C > 0, 1 / C, 0.0)
        unnormalised = np.where(C > 0, (B * old + C * new.M) / C, 0.0)
        room = min(precision.compute.largest, precision.storage.largest) / 2
        fits = (unnormalised < room) & (precision.compute.largest / 2 > new.H) & (inverse < precision.entry.largest / 2)
        e = np.where(fits, e * INFLATION, np.inf)
        M = B * average.M + C * (new.M + error_new)
        # Of the exact values: an inherited error, which M contains, is no cancellation.
        moduli = B * old + C * carried.upper(new.x)
        cancels = new.C or bool((carried.lower(x) < moduli * SHRINK).any())
    return replace(atom(x, precision, e), M=M, T=2, C=cancels)


def decayed(param: Rounded, learning_rate: RoundedScalar | float, weight_decay: RoundedScalar | float) -> Rounded:
    r"""Bound :math:`\theta - \eta \lambda \theta`.

    Covers the factor :math:`1 - \eta \lambda`, the product subtracted, and
    :math:`\theta - \eta (u + \lambda \theta)` with the update u of the same step.
    """
    precision = param.precision
    rate = scalar(learning_rate, precision) * scalar(weight_decay, precision)
    if rate.is_zero:
        return param
    factor = entered(1 - rate)
    shrink = entered(rate).M
    entry = precision.entry_roundings
    with quiet():
        modulus, error = param.carrier.upper(param.x), param.error
        inherited = factor.M * error + factor.e * (modulus + error)
        count = max(4 + entry, 3 + 2 * entry)  # both scalars may enter by themselves
        local = float(gamma(count, precision.unit)) * shrink * (modulus + error)
        reach = np.maximum(modulus, 1.0) * rate.grown  # partial products of the parameter with either scalar
        underflow = 2 * precision.entry_underflow * modulus + 5 * precision.underflow * reach
        e = (inherited + local + underflow + 2 * param.carrier.unit * modulus) * INFLATION
        zero = param.is_zero
    return Rounded(
        factor.x * param.x,
        precision,
        np.where(zero, 0.0, factor.M * modulus),
        np.where(zero, 0.0, e),
        np.where(zero, 0.0, 1 + entry),
        reach,
        np.ones_like(modulus),
        T=2,
        C=True,
    )


def quotient(numerator: Number, denominator: Number) -> Any:
    """Divide, with 0/0 as 0 for the exact value; programs may make anything of it, so there is no bound."""
    result: Any = numerator / denominator
    if isinstance(result, RoundedScalar):
        return result
    empty: Any = True
    for value in numerator, denominator:
        empty = empty & operand(value, result.precision).is_zero
    return replace(result, x=result.carrier.choose(empty, result.carrier.lift(0.0), result.x))


def rescaled(grad: Rounded, max_norm: RoundedScalar | float, norm: Rounded) -> Rounded:
    r"""Bound :math:`g \min(1, \alpha / n)`.

    Covers a product with the factor, :math:`\alpha g / \max(n, \alpha)`, and
    :math:`g \alpha \min(1/n, 1/\alpha)`; the last rounds in the identity branch too.
    """
    precision, carried = grad.precision, grad.carrier
    # The orders of the product are listed, so no scalar changes sides beyond them.
    threshold = replace(operand(max_norm, precision), A=1.0)
    norm = norm.read().collapsed()
    ratio = threshold / norm
    with quiet():
        smallest_norm = carried.lower(norm.x)
        below = carried.lower(threshold.x) * SHRINK - threshold.error * GROW
        factor, error_factor = limited(ratio.x, ratio.error, below, norm)

        modulus, error, scale = carried.upper(grad.x), grad.error, carried.upper(factor) + error_factor
        count = max(4.0, 2 + 2 * precision.entry_roundings)
        roundings = float(gamma(count, precision.unit)) * (modulus + error) * scale
        reach = threshold.H * np.maximum(1 / smallest_norm, 1.0)
        underflow = 4 * precision.underflow * reach * np.maximum(modulus, 1.0)
        e = modulus * error_factor + error * scale + roundings + underflow + 2 * carried.unit * modulus * scale
        # Reciprocals may enter as scalars, and overflow there though their products fit.
        enters = 1 / np.maximum(smallest_norm, carried.lower(threshold.x)) < precision.entry.largest / 2
        e = np.where(enters & (reach * modulus < precision.compute.largest / 2), e * INFLATION, np.inf)
        zero = grad.is_zero & (error_factor < np.inf) & enters
        x = carried.choose(grad.is_zero, carried.lift(0.0), factor * grad.x)
    return atom(x, precision, np.where(zero, 0.0, e))


def limited(ratio: Any, error: Any, below: Any, norm: Rounded) -> tuple[Any, Any]:
    r"""Return :math:`\min(1, \alpha / n)` and its error, from the quotient, its error, and what is surely below :math:`\alpha`."""
    carried = norm.carrier
    division = float(gamma(DIVISION, norm.precision.unit))
    fits = carried.lower(ratio) * SHRINK >= (1 + error) * GROW
    # A norm that may be 0 has no ratio, and still fits.
    fits = fits | (below * (1 - division) * SHRINK > carried.upper(norm.x) + norm.error)
    factor = carried.choose(fits | (carried.midpoint(ratio) >= 1), carried.lift(1.0), ratio)
    return factor, np.where(fits, 0.0, error)
