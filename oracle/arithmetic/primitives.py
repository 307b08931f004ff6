"""What formulas are written with: the namespace of their arrays, and composite primitives.

A composite primitive is the printed line in every number system but *rounding*, where it
carries an error rule of its own, because honest programs compute it in several ways whose
errors an operation-by-operation account of the printed line does not cover.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import array_api_compat
import numpy as np

__all__ = [
    "bias_correction",
    "decayed",
    "euclidean_norm",
    "evaluated",
    "evaluation",
    "interpolated",
    "moving_average",
    "namespace",
    "quotient",
    "rescaled",
    "stored",
    "variance",
]

_EVALUATION: ContextVar[str] = ContextVar("evaluation", default="")


@contextmanager
def evaluated(name: str) -> Iterator[None]:
    """Make every primitive inside that has an evaluation of this name be evaluated so; a decorator of bodies, too."""
    token = _EVALUATION.set(name)
    try:
        yield
    finally:
        _EVALUATION.reset(token)


def evaluation() -> str:
    """Return the name of the evaluation that is wanted; empty for the printed one."""
    return _EVALUATION.get()


def namespace(*values: Any) -> Any:
    """Return the array namespace of the number system that ``values`` belong to.

    Parameters
    ----------
    *values : array or scalar
        Numbers of one system; plain Python numbers fit every system.

    Returns
    -------
    namespace
        Array API functions, and the composite primitives where the system has rules for them.
    """
    for value in values:
        if hasattr(value, "__exactstep_namespace__"):
            return value.__exactstep_namespace__()
    # A numpy scalar among torch arrays is a plain number.
    arrays = [x for x in values if array_api_compat.is_array_api_obj(x) and not isinstance(x, float)]
    return array_api_compat.array_namespace(*arrays or [np.empty(0)])


def moving_average(beta: Any, average: Any, new: Any) -> Any:
    r"""Average a new value in: :math:`\beta m + (1 - \beta) x`, kept as state."""
    rule = getattr(namespace(average, new), "moving_average", None)
    return beta * average + (1 - beta) * new if rule is None else rule(beta, average, new)


def interpolated(beta: Any, average: Any, new: Any) -> Any:
    r"""Look between an average and a new value, :math:`\beta m + (1 - \beta) x`, and keep nothing of it."""
    rule = getattr(namespace(average, new), "interpolated", None)
    return beta * average + (1 - beta) * new if rule is None else rule(beta, average, new)


def bias_correction(beta: Any, step: int) -> Any:
    r"""Weight that a moving average from zero has gathered: :math:`1 - \beta^t`."""
    rule = getattr(namespace(beta), "bias_correction", None)
    return 1 - beta**step if rule is None else rule(beta, step)


def decayed(param: Any, learning_rate: Any, weight_decay: Any) -> Any:
    r"""Shrink the parameters: :math:`\theta - \eta \lambda \theta`."""
    rule = getattr(namespace(param), "decayed", None)
    return param - learning_rate * weight_decay * param if rule is None else rule(param, learning_rate, weight_decay)


def stored(value: Any) -> Any:
    """Keep a value as state; the value itself in every number system but rounding."""
    rule = getattr(namespace(value), "stored", None)
    return value if rule is None else rule(value)


def quotient(numerator: Any, denominator: Any) -> Any:
    """Divide, with 0/0 as 0; in float64 any other number over 0 is infinite."""
    xp = namespace(numerator, denominator)
    rule = getattr(xp, "quotient", None)
    if rule is not None:
        return rule(numerator, denominator)
    if isinstance(numerator, int | float):
        numerator = np.float64(numerator)  # which divides by zero without a Python error
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        empty = abs(numerator) + abs(denominator) == 0
        ratio = numerator / denominator
    return xp.where(empty, xp.zeros_like(ratio), ratio)


def euclidean_norm(x: Any) -> Any:
    r"""Root of the sum of all squares, 0-d: :math:`\lVert x \rVert_2`, or :math:`m \lVert x / m \rVert_2` with the largest modulus m."""
    xp = namespace(x)
    if evaluation() != "scaled":
        return xp.linalg.vector_norm(x)
    rule = getattr(xp, "scaled_norm", None)
    if rule is not None:
        return rule(x)
    largest = xp.max(xp.abs(x).reshape(-1), axis=0)
    return largest * xp.linalg.vector_norm(quotient(x, largest))


def rescaled(grad: Any, max_norm: Any, norm: Any) -> Any:
    r"""Shorten to a maximal norm: :math:`\alpha g / n` if :math:`n \ge \alpha`, else :math:`g`; or :math:`\min(1, \alpha / n)\, g`."""
    xp, scaled = namespace(grad, norm), evaluation() == "scaled"
    rule = getattr(xp, "scaled_clip" if scaled else "rescaled", None)
    if rule is not None:
        return rule(grad, max_norm, norm)
    if scaled:
        return xp.where(norm >= max_norm, quotient(max_norm, norm), xp.ones_like(norm)) * grad
    return xp.where(norm >= max_norm, quotient(max_norm * grad, norm), grad)


def variance(x: Any, *, axis: Any, keepdims: bool = False) -> Any:
    r"""Mean square of the deviations from the mean along axes: :math:`\frac1n \sum_i (x_i - \mu)^2`."""
    xp = namespace(x)
    along = {"axis": axis, "keepdims": keepdims}
    if evaluation() == "one_pass":
        rule = getattr(xp, "one_pass_variance", None)
        return xp.mean(x**2, **along) - xp.mean(x, **along) ** 2 if rule is None else rule(x, **along)
    rule = getattr(xp, "variance", None)
    return xp.mean((x - xp.mean(x, axis=axis, keepdims=True)) ** 2, **along) if rule is None else rule(x, **along)
