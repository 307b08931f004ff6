"""Composite primitives of activations and losses: the printed line, unless the number system has a rule of its own.

Rounding has one because honest programs evaluate these curves in several ways; balls have one where the
printed line cancels or overflows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from oracle.arithmetic.primitives import evaluation, namespace
from oracle.errors import DomainError

__all__ = [
    "affine",
    "affine_pair",
    "chosen",
    "difference",
    "log_softmax",
    "logistic_loss",
    "logistic_slope",
    "normal_cdf",
    "one_hot",
    "positive",
    "sigmoid",
    "softmax",
    "tanh_argument",
    "weighted_deviation",
]


#: Rules for softmax and its logarithm by evaluation.
_SOFTMAXES = {"unshifted": "unshifted_softmax", "logsumexp": "logsumexp_softmax"}
_LOG_SOFTMAXES = {
    "unshifted": "unshifted_log_softmax",
    "through_probability": "through_probability_log_softmax",
}


def _rule(name: str, *values: Any) -> Any:
    """Return the rule of the number system that the values belong to, if it is one of ours and has one."""
    for value in values:
        if hasattr(value, "__exactstep_namespace__"):
            return getattr(value.__exactstep_namespace__(), name, None)
    return None


def difference(a: Any, b: Any) -> Any:
    """Subtract two numbers that are kept as they are: nothing is distributed over the two."""
    rule = _rule("difference", a, b)
    return a - b if rule is None else rule(a, b)


def affine(x: Any, weight: Any, bias: Any) -> Any:
    r"""Map rows: :math:`X W + b`."""
    rule = _rule("affine", x, weight, bias)
    return namespace(x).matmul(x, weight) + bias if rule is None else rule(x, weight, bias)


def affine_pair(x: Any, weight: Any, hidden: Any, recurrent: Any, bias: Any) -> Any:
    r"""Map rows of two arrays to one: :math:`X W + H U + b`, one sum of all its terms."""
    rule = _rule("affine_pair", x, weight, hidden, recurrent, bias)
    if rule is not None:
        return rule(x, weight, hidden, recurrent, bias)
    matmul = namespace(x).matmul
    return matmul(x, weight) + matmul(hidden, recurrent) + bias


def positive(x: Any) -> Any:
    r"""Indicator of the numbers above 0, :math:`\mathbf 1[x > 0]`."""
    rule = _rule("positive", x)
    if rule is not None:
        return rule(x)
    xp = namespace(x)
    return xp.where(x > 0, xp.ones_like(x), xp.zeros_like(x))


def sigmoid(x: Any) -> Any:
    r"""Logistic function, :math:`1 / (1 + e^{-x})`."""
    if evaluation() == "overflowing":
        power = namespace(x).exp(x)
        return power / (1 + power)
    rule = _rule("sigmoid", x)
    if rule is not None:
        return rule(x)
    with np.errstate(over="ignore"):
        return 1 / (1 + namespace(x).exp(-x))


def logistic_slope(x: Any) -> Any:
    r"""Derivative of the logistic function, :math:`\sigma(x) (1 - \sigma(x)) = \sigma(x) \sigma(-x)`."""
    rule = _rule("logistic_slope", x)
    return sigmoid(x) * sigmoid(-x) if rule is None else rule(x)


def normal_cdf(x: Any) -> Any:
    r"""Probability that a standard normal number is at most x, :math:`\operatorname{erfc}(-x / \sqrt 2) / 2`."""
    rule = _rule("normal_cdf", x)
    if rule is not None:
        return rule(x)
    xp = namespace(x)
    argument = -x / xp.sqrt(2 * xp.ones_like(x))
    if isinstance(argument, np.ndarray | np.generic):
        values = [math.erfc(value) for value in argument.ravel()]
        return np.reshape(np.array(values, dtype=argument.dtype), argument.shape) / 2
    return xp.erfc(argument) / 2


def tanh_argument(x: Any) -> Any:
    r"""What the hyperbolic tangent is taken of to approximate the normal one: :math:`\sqrt{2/\pi}(x + 0.044715 x^3)`."""
    rule = _rule("tanh_argument", x)
    if rule is not None:
        return rule(x)
    xp = namespace(x)
    with np.errstate(over="ignore"):
        return xp.sqrt(2 / xp.pi * xp.ones_like(x)) * (x + 0.044715 * x**3)


def softmax(x: Any) -> Any:
    r"""Exponentials over their sum along the last axis, :math:`e^{x_i} / \sum_c e^{x_c}`, shifted where it matters."""
    form, xp = evaluation(), namespace(x)
    rule = _rule(_SOFTMAXES.get(form, "softmax"), x)
    if rule is not None:
        return rule(x)
    if form == "logsumexp":
        return xp.exp(log_softmax(x))
    powers = xp.exp(x if form == "unshifted" else x - xp.max(x, axis=-1, keepdims=True))
    return powers / xp.sum(powers, axis=-1, keepdims=True)


def weighted_deviation(weights: Any, values: Any) -> Any:
    r"""Weigh deviations from the weighted mean along the last axis, :math:`p_i (v_i - \sum_c p_c v_c)`."""
    rule = _rule("weighted_deviation", weights, values)
    if rule is not None:
        return rule(weights, values)
    return weights * (values - namespace(weights, values).sum(values * weights, axis=-1, keepdims=True))


def log_softmax(x: Any) -> Any:
    r"""Logarithm of `softmax`, :math:`x_i - \ln \sum_c e^{x_c}`."""
    form, xp = evaluation(), namespace(x)
    rule = _rule(_LOG_SOFTMAXES.get(form, "log_softmax"), x)
    if rule is not None:
        return rule(x)
    if form == "through_probability":
        return xp.log(softmax(x))
    shifted = x if form == "unshifted" else x - xp.max(x, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def logistic_loss(score: Any, target: Any) -> Any:
    r"""Negative log-likelihood of a score, :math:`\max(z, 0) - y z + \ln(1 + e^{-|z|})`."""
    form, xp = evaluation(), namespace(score, target)
    if form == "unshifted":
        return xp.log(1 + xp.exp(score)) - target * score
    if form == "through_probability":
        p = sigmoid(score)
        return -(target * xp.log(p) + difference(1, target) * xp.log(difference(1, p)))
    rule = _rule("logistic_loss", score, target)
    if rule is not None:
        return rule(score, target)
    return xp.maximum(score, xp.zeros_like(score)) - target * score + xp.log1p(xp.exp(-xp.abs(score)))


def _places(places: Any, like: Any) -> Any:
    """Return places along the last axis of an array as the whole numbers that index it."""
    xp, count = namespace(places), like.shape[-1]
    index = xp.asarray(places)
    if xp.any((index < 0) | (index >= count)):
        raise DomainError(f"places must be in [0, {count}), got {np.asarray(places).tolist()}")
    return xp.astype(index, xp.int64)


def chosen(rows: Any, places: Any) -> Any:
    """Take one element of each row: the one at a place, counted from 0."""
    index = _places(places, rows)
    rule = _rule("chosen", rows)
    if rule is not None:
        return rule(rows, index)
    xp = namespace(rows)
    return xp.take_along_axis(rows, xp.asarray(index, device=rows.device)[..., None], axis=-1)[..., 0]


def one_hot(places: Any, like: Any) -> Any:
    """Make rows of zeros with a 1 at a place each, as numbers of the system and of the shape of ``like``."""
    index = _places(places, like)
    rule = _rule("one_hot", like)
    if rule is not None:
        return rule(np.eye(like.shape[-1])[index], like)
    xp, device = namespace(like), like.device
    return xp.astype(
        xp.asarray(index, device=device)[..., None] == xp.arange(like.shape[-1], device=device), like.dtype
    )
