"""Curves of activations and losses in balls, without the cancellations and overflows of their printed lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

__all__ = ["log_softmax", "normal_cdf", "sigmoid", "softmax"]


def sigmoid(x: arb) -> arb:
    """Logistic function of a ball."""
    if x > 0:
        return 1 / (1 + (-x).exp())
    power = x.exp()
    return power / (1 + power)


def normal_cdf(x: arb) -> arb:
    """Cumulative normal distribution of a ball."""
    if x < -(2**16):
        # The library has no digits this far down; between the density over x and that less its part 1/x^2.
        first = (-(x * x) / 2).exp() / (-x * (2 * arb.pi()).sqrt())
        return (first * (1 - 1 / (x * x))).union(first)
    return (-x / arb(2).sqrt()).erfc() / 2


def _rows(function: Callable[[list[arb]], list[arb]], elements: NDArray[Any]) -> NDArray[Any]:
    if elements.size == 0:
        return elements
    rows = elements.reshape(-1, elements.shape[-1])
    results = np.empty(rows.shape, dtype=object)
    for place, row in enumerate(rows):
        results[place] = function(list(row))
    return results.reshape(elements.shape)


def _rest(row: list[arb]) -> tuple[list[arb], arb]:
    """Return distances from a largest element, and the sum of the exponentials of the others."""
    largest = int(np.argmax([float(value) for value in row]))
    shifted = [value - row[largest] for value in row]
    shifted[largest] = arb(0)
    others = [value.exp() for place, value in enumerate(shifted) if place != largest]
    return shifted, sum(others, arb(0))


def _softmax(row: list[arb]) -> list[arb]:
    shifted, rest = _rest(row)
    return [value.exp() / (1 + rest) for value in shifted]


def _log_softmax(row: list[arb]) -> list[arb]:
    shifted, rest = _rest(row)
    total = rest.log1p()
    return [value - total for value in shifted]


def softmax(elements: NDArray[Any]) -> NDArray[Any]:
    """Softmax of the last axis of an array of balls."""
    return _rows(_softmax, elements)


def log_softmax(elements: NDArray[Any]) -> NDArray[Any]:
    """Logarithm of the softmax of the last axis of an array of balls."""
    return _rows(_log_softmax, elements)
