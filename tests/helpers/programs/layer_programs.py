"""Honest programs for what comes back through linear maps and softmax: several ways to write each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tests.helpers.programs.curve_programs import Curves, softmax
from tests.helpers.programs.kit import Inapplicable, Tensor

__all__ = ["LAYERS"]

Map = Callable[[Curves, Tensor, Tensor], Tensor]


def _transposed(x: Tensor) -> Tensor:
    return Tensor(x.kit, x.values.T)


def _added(terms: Sequence[Tensor]) -> Tensor:
    """Add tensors up in turn, each sum rounded to the format of the arithmetic."""
    if terms[0].kit.accumulate != terms[0].kit.compute:
        raise Inapplicable  # sums of a narrower format than the accumulator's
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _row_by_row(c: Curves, a: Tensor, b: Tensor) -> Tensor:
    """Add up products of a column and a row."""
    kit = c.kit
    outer = [
        Tensor(kit, column[:, None]) * Tensor(kit, row[None]) for column, row in zip(a.values.T, b.values, strict=True)
    ]
    return _added(outer)


def _fused(c: Curves, a: Tensor, b: Tensor) -> Tensor:
    kit = c.kit
    total = _row_by_row(c, Tensor(kit, a.values[:, :1]), Tensor(kit, b.values[:1]))
    for column, row in zip(a.values.T[1:], b.values[1:], strict=True):
        total = kit.multiply_add(Tensor(kit, column[:, None]), Tensor(kit, row[None]), total)
    return total


def _in_halves(c: Curves, a: Tensor, b: Tensor) -> Tensor:
    half = (len(b.values) + 1) // 2
    parts = [(a.values[:, each], b.values[each]) for each in (slice(half), slice(half, None))]
    return _added([c.product(Tensor(c.kit, left), Tensor(c.kit, right)) for left, right in parts if right.size])


#: Ways to multiply two matrices.
PRODUCTS: Sequence[Map] = (
    lambda c, a, b: c.product(a, b),
    lambda c, a, b: _transposed(c.product(_transposed(b), _transposed(a))),
    _row_by_row,
    _fused,
    _in_halves,
)


def _ones(c: Curves, v: Tensor) -> Tensor:
    return c.kit.array(np.ones((1, len(v.values))))


def _jacobian(c: Curves, s: Tensor, v: Tensor, form: str) -> Tensor:
    """Multiply each row of cotangents by a matrix of derivatives."""
    kit, p = c.kit, softmax(c, s, form)
    rows = []
    for share, row in zip(p.values, v.values, strict=True):
        column, line = Tensor(kit, share[:, None]), Tensor(kit, share[None])
        matrix = Tensor(kit, np.diag(share)) - column * line
        rows.append(c.product(Tensor(kit, row[None]), matrix).values[0])
    return Tensor(kit, np.array(rows))


def _of_two(c: Curves, s: Tensor, v: Tensor) -> Tensor:
    """Go back through the exponential of the logarithm, which takes the exponential once more."""
    forward, backward = softmax(c, s, "exponential"), softmax(c, s, "shifted")
    weighted = v * forward
    return weighted - backward * c.sum(weighted)


LAYERS: Mapping[str, tuple[Callable[..., Tensor], ...]] = {
    "linear_vjp_input": tuple(lambda c, w, v, product=product: product(c, v, w) for product in PRODUCTS),
    "linear_vjp_weight": tuple(lambda c, x, v, product=product: product(c, _transposed(v), x) for product in PRODUCTS),
    "linear_vjp_bias": (
        lambda c, v: Tensor(c.kit, c.sum(_transposed(v)).values[:, 0]),
        lambda c, v: Tensor(c.kit, c.product(_ones(c, v), v).values[0]),
        lambda c, v: _added([Tensor(c.kit, row) for row in v.values]),
        lambda c, v: _added([Tensor(c.kit, row) for row in v.values[::-1]]),
        lambda c, v: Tensor(c.kit, _in_halves(c, _ones(c, v), v).values[0]),
    ),
    "softmax_vjp": (
        *(
            lambda c, s, v, form=form: softmax(c, s, form) * (v - c.sum(v * softmax(c, s, form)))
            for form in ("shifted", "reciprocal", "unshifted", "exponential")
        ),
        lambda c, s, v: v * softmax(c, s, "shifted") - softmax(c, s, "shifted") * c.sum(softmax(c, s, "shifted") * v),
        lambda c, s, v: _jacobian(c, s, v, "shifted"),
        lambda c, s, v: _jacobian(c, s, v, "exponential"),
        _of_two,
    ),
}
