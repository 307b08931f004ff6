"""Honest programs for activations, losses and gated units: several ways to write each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tests.helpers.programs.clip_programs import SUMS
from tests.helpers.programs.kit import Floats, Inapplicable, Kit, Tensor

__all__ = ["CURVES", "EVALUATED", "Curves", "run_curve", "softmax"]

Program = Callable[["Curves", Any], Tensor]

#: Relative errors, in ulps, that the libraries behind a program are made to have: within what is charged.
SLOPPINESS = (0.0, 0.9, -0.9)


class Curves:
    """What programs call: library functions of a kit, with errors of their own, and sums.

    Parameters
    ----------
    kit : Kit
    sloppiness : float
        Error of library functions, in ulps.
    summation : str
        A key of `SUMS`.
    """

    def __init__(self, kit: Kit, sloppiness: float, summation: str) -> None:
        self.kit = kit
        self._off = 1 + sloppiness * 2 * kit.precision.compute.unit
        self._summation = summation

    def number(self, value: float) -> Any:
        """Keep a constant as a scalar."""
        return self.kit.scalar(value)

    def _library(self, function: Callable[[NDArray[Any]], NDArray[Any]], x: Tensor) -> Tensor:
        exact = function(x.values.astype(np.float64))
        return Tensor(self.kit, self.kit.rounded(exact * self._off))

    def exp(self, x: Tensor) -> Tensor:
        return self._library(np.exp, x)

    def log(self, x: Tensor) -> Tensor:
        return self._library(np.log, x)

    def log1p(self, x: Tensor) -> Tensor:
        return self._library(np.log1p, x)

    def tanh(self, x: Tensor) -> Tensor:
        return self._library(np.tanh, x)

    def erf(self, x: Tensor) -> Tensor:
        return self._library(lambda values: torch.special.erf(torch.tensor(values)).numpy(), x)

    def erfc(self, x: Tensor) -> Tensor:
        return self._library(lambda values: torch.special.erfc(torch.tensor(values)).numpy(), x)

    def sum(self, x: Tensor) -> Tensor:
        """Sum along the last axis, kept, in the accumulator."""
        values = x.values.astype(self.kit.accumulate)
        rows = values.reshape(-1, values.shape[-1])
        totals = np.asarray([SUMS[self._summation](row) for row in rows]).reshape(*values.shape[:-1], 1)
        return Tensor(self.kit, self.kit.rounded(totals))

    def whole(self, x: Tensor) -> Tensor:
        """Sum of everything, 0-d."""
        total = self.sum(Tensor(self.kit, x.values.reshape(-1)))
        return Tensor(self.kit, total.values[0])

    def mean(self, x: Tensor) -> Tensor:
        return self.whole(x) / self.number(float(x.values.size))

    def maximum(self, x: Tensor, least: float) -> Tensor:
        return Tensor(self.kit, np.maximum(x.values, x.values.dtype.type(least)))

    def modulus(self, x: Tensor) -> Tensor:
        return Tensor(self.kit, np.abs(x.values))

    def largest(self, x: Tensor) -> Tensor:
        return Tensor(self.kit, np.max(x.values, axis=-1, keepdims=True))

    def product(self, x: Tensor, w: Tensor) -> Tensor:
        """Matrix product in the accumulator."""
        kit = self.kit
        rows, columns = x.values.astype(kit.accumulate), w.values.astype(kit.accumulate)
        totals = [[SUMS[self._summation](row * column) for column in columns.T] for row in rows]
        return Tensor(kit, kit.rounded(np.asarray(totals)))


def printed_sigmoid(c: Curves, x: Tensor) -> Tensor:
    return c.number(1.0) / (c.number(1.0) + c.exp(-x))


def stable_sigmoid(c: Curves, x: Tensor) -> Tensor:
    power = c.exp(-c.modulus(x))
    below = power / (c.number(1.0) + power)
    above = c.number(1.0) / (c.number(1.0) + power)
    return Tensor(c.kit, np.where(x.values < 0, below.values, above.values))


def reciprocal_sigmoid(c: Curves, x: Tensor) -> Tensor:
    return (c.exp(-x) + c.number(1.0)).reciprocal()


def tanh_sigmoid(c: Curves, x: Tensor) -> Tensor:
    return (c.number(1.0) + c.tanh(x * c.number(0.5))) * c.number(0.5)


def distributed_sigmoid(c: Curves, x: Tensor) -> Tensor:
    return c.number(0.5) + c.tanh(c.number(0.5) * x) * c.number(0.5)


SIGMOIDS = (printed_sigmoid, stable_sigmoid, reciprocal_sigmoid, tanh_sigmoid, distributed_sigmoid)


def _gated(argument: Callable[[Curves, Tensor], Tensor]) -> tuple[Program, ...]:
    """Programs for x times the logistic function of a multiple of something."""

    def by(sigmoid: Callable[[Curves, Tensor], Tensor]) -> Program:
        return lambda c, x: x * sigmoid(c, argument(c, x))

    def over(c: Curves, x: Tensor) -> Tensor:
        return x / (c.number(1.0) + c.exp(-argument(c, x)))

    def halves(c: Curves, x: Tensor) -> Tensor:
        half = x * c.number(0.5)
        return half + half * c.tanh(argument(c, x) * c.number(0.5))

    return (*(by(sigmoid) for sigmoid in SIGMOIDS), over, halves)


def _root(c: Curves, x: Tensor, form: int) -> Tensor:
    return x * c.number(math.sqrt(0.5)) if form else x / c.number(math.sqrt(2.0))


def _cubic(c: Curves, x: Tensor, form: str) -> Tensor:
    factor, weight = c.number(math.sqrt(2 / math.pi)), c.number(0.044715)
    if form == "pow":
        cube = Tensor(c.kit, c.kit.rounded(x.values.astype(np.float64) ** 3))
        return factor * (x + weight * cube)
    if form == "products":
        return factor * (x + weight * x * x * x)
    return x * factor * (c.number(1.0) + weight * (x * x))


def _tanh_gelu(form: str) -> Program:
    return lambda c, x: c.number(0.5) * x * (c.number(1.0) + c.tanh(_cubic(c, x, form)))


GELUS: tuple[Program, ...] = (
    lambda c, x: c.number(0.5) * x * (c.number(1.0) + c.erf(_root(c, x, 1))),
    lambda c, x: x * (c.number(0.5) * (c.number(1.0) + c.erf(_root(c, x, 0)))),
    lambda c, x: x * c.number(0.5) + x * c.number(0.5) * c.erf(_root(c, x, 1)),
    lambda c, x: x * (c.erfc(-_root(c, x, 1)) * c.number(0.5)),
    lambda c, x: c.number(0.5) * (x * c.erfc(-_root(c, x, 0))),
)


#: Logarithms that probabilities are exponentials of.
EXPONENTS = {"exponential": "shifted", "one sum": "one sum", "turned": "turned", "rest": "rest"}


def _exponentials(c: Curves, x: Tensor, form: str) -> Tensor:
    powers = c.exp(x if form in ("unshifted", "plain", "plain reciprocal") else x - c.largest(x))
    limit = c.kit.precision.compute
    size = powers.values.astype(np.float64)
    if form == "unshifted" and not np.all((size > limit.smallest_normal) & (np.sum(size) < limit.largest)):
        raise Inapplicable  # the exponentials leave the range
    return powers


def softmax(c: Curves, x: Tensor, form: str) -> Tensor:
    """Divide exponentials by their sum, or take the exponential of the logarithm."""
    if form in EXPONENTS or form.startswith("plain exponential"):
        return c.exp(_log_softmax(c, x, EXPONENTS.get(form, form)))
    powers = _exponentials(c, x, form)
    total = c.sum(powers)
    return powers * total.reciprocal() if form.endswith("reciprocal") else powers / total


def _shares(form: str) -> Program:
    return lambda c, x: softmax(c, x, form)


def _log_softmax(c: Curves, x: Tensor, form: str) -> Tensor:
    if form == "logarithm":
        p = softmax(c, x, "shifted")
        if not np.all(p.values.astype(np.float64) > 1e3 * c.kit.precision.compute.smallest_normal):
            raise Inapplicable  # a probability underflows
        return c.log(p)
    if form == "unshifted":
        return x - c.log(c.sum(_exponentials(c, x, form)))
    if form.startswith("plain exponential"):
        total = c.log(c.sum(c.exp(x)))
        return -(total - x) if form.endswith("turned") else x - total
    if form.startswith("plain logarithm"):
        return c.log(softmax(c, x, "plain reciprocal" if form.endswith("reciprocal") else "plain"))
    if form.startswith("logarithm of "):
        return c.log(softmax(c, x, form.removeprefix("logarithm of ")))
    largest = c.largest(x)
    if form == "rest":
        powers = c.exp(x - largest)
        np.put_along_axis(powers.values, np.argmax(x.values, axis=-1)[..., None], 0, axis=-1)
        return x - (c.log1p(c.sum(powers)) + largest)
    total = c.log(c.sum(c.exp(x - largest)))
    if form == "turned":
        return -((largest + total) - x)
    return x - (total + largest) if form == "one sum" else (x - largest) - total


def _cross_entropy(form: str) -> Callable[[Curves, Any, Any], Tensor]:
    def run(c: Curves, x: Tensor, y: Tensor) -> Tensor:
        places = y.values.astype(int)
        if form == "picked":
            logarithms = _log_softmax(c, x, "one sum")
            likely = Tensor(c.kit, np.take_along_axis(logarithms.values, places[..., None], -1)[..., 0])
            return -c.mean(likely)
        ones = c.kit.array(np.eye(x.values.shape[-1])[places])
        total = c.sum(ones * _log_softmax(c, x, form))
        return -c.mean(Tensor(c.kit, total.values[..., 0]))

    return run


def _residual(c: Curves, s: Tensor, y: Tensor, turned: bool) -> Tensor:
    return y - s if turned else s - y


def _square(reduce: str, turned: bool) -> Callable[[Curves, Any, Any], Tensor]:
    def run(c: Curves, s: Tensor, y: Tensor) -> Tensor:
        residual = _residual(c, s, y, turned)
        if reduce == "shares":
            return c.whole(residual * residual * c.number(1 / s.values.size))
        return (c.whole if reduce == "sum" else c.mean)(residual * residual)

    return run


def _bce(logarithm: str) -> Callable[[Curves, Any, Any], Tensor]:
    def run(c: Curves, p: Tensor, y: Tensor) -> Tensor:
        one = c.number(1.0)
        below = c.log1p(-p) if logarithm == "log1p" else c.log(one - p)
        if logarithm == "turned":
            return c.mean((y - one) * below - y * c.log(p))
        return -c.mean(y * c.log(p) + (one - y) * below)

    return run


def _logits(form: str) -> Callable[[Curves, Any, Any], Tensor]:
    def run(c: Curves, z: Tensor, y: Tensor) -> Tensor:
        one = c.number(1.0)
        tail = c.log1p(c.exp(-c.modulus(z)))
        if form == "plain logarithm":
            tail = c.log(one + c.exp(-c.modulus(z)))
        if form == "complement":
            least = Tensor(c.kit, np.minimum(z.values, z.values.dtype.type(0)))
            return c.mean((one - y) * z - (least - tail))
        if form == "tail first":
            return c.mean(tail + c.maximum(z, 0) - y * z)
        return c.mean(c.maximum(z, 0) - z * y + tail)

    return run


def _gate(kind: str, bias_first: bool, sigmoid: Callable[[Curves, Tensor], Tensor]) -> Callable[..., Tensor]:
    def linear(c: Curves, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        if not bias_first:
            return c.product(x, w) + b
        kit = c.kit
        ones = np.ones((x.values.shape[0], 1), dtype=x.values.dtype)
        return c.product(
            Tensor(kit, np.concatenate([ones, x.values], axis=1)),
            Tensor(kit, np.concatenate([b.values[None], w.values])),
        )

    def run(c: Curves, x: Tensor, w: Tensor, b: Tensor, v: Tensor, d: Tensor) -> Tensor:
        first, second = linear(c, x, w, b), linear(c, x, v, d)
        if kind == "glu":
            return first * sigmoid(c, second)
        if kind == "swiglu":
            return first * sigmoid(c, first) * second
        return GELUS[SIGMOIDS.index(sigmoid)](c, first) * second  # type: ignore[arg-type]  # one of them

    return run


def _memory(hidden: bool, order: str, sigmoid: Callable[[Curves, Tensor], Tensor]) -> Callable[..., Tensor]:
    """Programs for a step of a memory cell, which add up what a gate is taken of in several orders."""

    def joined(kit: Kit, *tensors: Tensor, axis: int) -> Tensor:
        return Tensor(kit, np.concatenate([tensor.values for tensor in tensors], axis=axis))

    def run(c: Curves, x: Tensor, h: Tensor, cell: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Tensor:
        def mapped(gate: int) -> Tensor:
            left, right, bias = (Tensor(c.kit, tensor.values[gate]) for tensor in (w, u, b))
            if order == "one product":
                return c.product(joined(c.kit, h, x, axis=1), joined(c.kit, right, left, axis=0)) + bias
            if order == "bias first":
                ones = Tensor(c.kit, np.ones((x.values.shape[0], 1), dtype=x.values.dtype))
                row = Tensor(c.kit, bias.values[None])
                first = c.product(joined(c.kit, ones, x, axis=1), joined(c.kit, row, left, axis=0))
                return c.product(h, right) + first
            return (c.product(x, left) + bias) + c.product(h, right)

        entry = sigmoid(c, mapped(1)) * c.tanh(mapped(3))
        new = entry + sigmoid(c, mapped(0)) * cell
        return sigmoid(c, mapped(2)) * c.tanh(new) if hidden else new

    return run


def _slope(form: str) -> Program:
    """Programs for the slope of the logistic function."""

    def run(c: Curves, x: Tensor) -> Tensor:
        one = c.number(1.0)
        if form == "tangent":
            tangent = c.tanh(x * c.number(0.5))
            return (one - tangent * tangent) * c.number(0.25)
        s = SIGMOIDS[0 if form == "printed" else 1](c, x)
        if form == "mirrored":
            return s * stable_sigmoid(c, -x)
        return s - s * s if form == "distributed" else s * (one - s)

    return run


def _class_gradient(form: str) -> Callable[[Curves, Any, Any], Tensor]:
    def run(c: Curves, x: Tensor, y: Tensor) -> Tensor:
        ones = c.kit.array(np.eye(x.values.shape[-1])[y.values.astype(int)])
        count = c.number(float(x.values.shape[0]))
        p = softmax(c, x, "exponential" if form == "autograd" else form)
        return p / count - ones / count if form == "autograd" else (p - ones) / count

    return run


def _fed_forward(last: bool, sigmoid: Callable[[Curves, Tensor], Tensor]) -> Callable[..., Tensor]:
    def run(c: Curves, x: Tensor, w: Tensor, v: Tensor, w2: Tensor) -> Tensor:
        u, other = c.product(x, w), c.product(x, v)
        hidden = u * (sigmoid(c, u) * other) if last else u * sigmoid(c, u) * other
        return c.product(hidden, w2)

    return run


#: Programs by formula.
CURVES: Mapping[str, tuple[Callable[..., Tensor], ...]] = {
    "relu": (
        lambda c, x: c.maximum(x, 0),
        lambda c, x: (x + c.modulus(x)) * c.number(0.5),
        lambda c, x: Tensor(c.kit, np.where(x.values > 0, x.values, x.values.dtype.type(0))),
    ),
    "sigmoid": SIGMOIDS,
    "silu": _gated(lambda c, x: x),
    "gelu_sigmoid": _gated(lambda c, x: c.number(1.702) * x),
    "gelu": GELUS,
    "gelu_tanh": (
        *(_tanh_gelu(form) for form in ("pow", "products", "factored")),
        *_gated(lambda c, x: c.number(2.0) * _cubic(c, x, "products")),
    ),
    "softmax": tuple(_shares(form) for form in ("shifted", "reciprocal", "unshifted", "exponential", "quotient")),
    "loss_cross_entropy": tuple(
        _cross_entropy(form) for form in ("shifted", "one sum", "unshifted", "logarithm", "picked")
    ),
    "relu_vjp": (
        lambda c, x, v: Tensor(c.kit, np.where(x.values > 0, v.values, v.values.dtype.type(0))),
        lambda c, x, v: v * Tensor(c.kit, (x.values > 0).astype(x.values.dtype)),
        lambda c, x, v: v - v * Tensor(c.kit, (x.values <= 0).astype(x.values.dtype)),
        lambda c, x, v: v * c.maximum(Tensor(c.kit, np.sign(x.values)), 0),
        lambda c, x, v: (v + v * Tensor(c.kit, np.where(x.values > 0, 1, -1).astype(x.values.dtype))) * c.number(0.5),
    ),
    "sigmoid_vjp": (
        *(
            lambda c, x, v, form=form: v * _slope(form)(c, x)
            for form in ("printed", "stable", "mirrored", "distributed", "tangent")
        ),
        lambda c, x, v: (v * stable_sigmoid(c, x)) * (c.number(1.0) - stable_sigmoid(c, x)),
    ),
    "loss_squared_error_gradient": (
        lambda c, s, y: c.number(2.0) * (s - y),
        lambda c, s, y: (s - y) + (s - y),
        lambda c, s, y: -((y - s) * c.number(2.0)),
        lambda c, s, y: s * c.number(2.0) - y * c.number(2.0),
        lambda c, s, y: (s - y) / c.number(0.5),
    ),
    "bce_with_logits_gradient": (
        *(
            lambda c, z, y, sigmoid=sigmoid: (sigmoid(c, z) - y) / c.number(float(z.values.size))
            for sigmoid in SIGMOIDS
        ),
        lambda c, z, y: stable_sigmoid(c, z) / c.number(float(z.values.size)) - y / c.number(float(z.values.size)),
    ),
    "loss_cross_entropy_gradient": tuple(
        _class_gradient(form) for form in ("shifted", "reciprocal", "unshifted", "exponential", "autograd")
    ),
    "loss_squared_error": (_square("sum", True), _square("sum", False)),
    "loss_mse": (_square("mean", True), _square("mean", False), _square("shares", True)),
    "loss_l1": (
        lambda c, s, y: c.whole(c.modulus(s - y)),
        lambda c, s, y: c.whole(c.maximum(y - s, 0) + c.maximum(s - y, 0)),
    ),
    "loss_bce": (_bce("log"), _bce("log1p"), _bce("turned")),
    "bce_with_logits": tuple(_logits(form) for form in ("printed", "plain logarithm", "complement", "tail first")),
    **{
        kind: tuple(_gate(kind, first, sigmoid) for first in (False, True) for sigmoid in SIGMOIDS)
        for kind in ("glu", "geglu", "swiglu")
    },
    "ffn_swiglu": tuple(_fed_forward(last, sigmoid) for last in (False, True) for sigmoid in SIGMOIDS),
    **{
        name: tuple(
            _memory(name == "lstm_hidden", order, sigmoid)
            for order in ("one product", "bias first", "bias between")
            for sigmoid in SIGMOIDS
        )
        for name in ("lstm_cell", "lstm_hidden")
    },
}


def _binary(sigmoid: Callable[[Curves, Tensor], Tensor], logarithm: str) -> Callable[[Curves, Any, Any], Tensor]:
    """Programs for the loss of a score that go through its probability."""
    return lambda c, z, y: _bce(logarithm)(c, sigmoid(c, z), y)


def _softplus(form: str) -> Callable[[Curves, Any, Any], Tensor]:
    """Programs for the loss of a score whose exponential is taken as it is."""

    def run(c: Curves, z: Tensor, y: Tensor) -> Tensor:
        power, one = c.exp(z), c.number(1.0)
        cost = c.log1p(power) if form == "log1p" else c.log(one + power)
        if form == "shares":
            return c.whole((cost - y * z) * c.number(1 / z.values.size))
        if form == "turned":
            return -c.mean(y * z - cost)
        return c.mean(cost - z * y if form == "swapped" else cost - y * z)

    return run


def _overflowing(form: str) -> Callable[[Curves, Tensor], Tensor]:
    """Programs for the logistic function whose exponential grows."""

    def run(c: Curves, x: Tensor) -> Tensor:
        power, one = c.exp(x), c.number(1.0)
        if form == "reciprocal":
            return power * (one + power).reciprocal()
        if form == "twice":
            return one / (one + power.reciprocal())
        return power / (power + one if form == "swapped" else one + power)

    return run


_OVERFLOWING = tuple(_overflowing(form) for form in ("printed", "reciprocal", "twice", "swapped"))
_ADDED = ("one sum", "turned", "rest")
_PLAIN = ("plain", "plain reciprocal", "plain exponential", "plain exponential turned")
_STABLE = ("shifted", "reciprocal", "unshifted", "exponential", "quotient")

#: Programs by formula and evaluation.
EVALUATED: Mapping[tuple[str, str], tuple[Callable[..., Tensor], ...]] = {
    ("sigmoid", "overflowing"): _OVERFLOWING,
    ("silu", "overflowing"): (
        *(lambda c, x, sigmoid=sigmoid: x * sigmoid(c, x) for sigmoid in _OVERFLOWING),
        lambda c, x: x * c.exp(x) / (c.number(1.0) + c.exp(x)),
    ),
    ("gelu_sigmoid", "overflowing"): tuple(
        lambda c, x, sigmoid=sigmoid: x * sigmoid(c, c.number(1.702) * x) for sigmoid in _OVERFLOWING
    ),
    ("softmax", "logsumexp"): tuple(_shares(form) for form in (*_ADDED, *_STABLE)),
    ("softmax", "unshifted"): tuple(_shares(form) for form in (*_PLAIN, "unshifted")),
    ("loss_cross_entropy_gradient", "logsumexp"): tuple(_class_gradient(form) for form in (*_ADDED, *_STABLE)),
    ("loss_cross_entropy_gradient", "unshifted"): tuple(_class_gradient(form) for form in (*_PLAIN, "unshifted")),
    ("loss_cross_entropy", "unshifted"): tuple(
        _cross_entropy(form)
        for form in (
            "plain exponential",
            "plain exponential turned",
            "plain logarithm",
            "plain logarithm reciprocal",
            "unshifted",
        )
    ),
    ("loss_cross_entropy", "through_probability"): tuple(_cross_entropy(f"logarithm of {form}") for form in _STABLE),
    ("bce_with_logits", "unshifted"): tuple(
        _softplus(form) for form in ("printed", "log1p", "shares", "turned", "swapped")
    ),
    ("bce_with_logits", "through_probability"): tuple(
        _binary(sigmoid, logarithm) for sigmoid in SIGMOIDS for logarithm in ("log", "log1p", "turned")
    ),
}


def run_curve(kit: Kit, program: Callable[..., Tensor], rng: np.random.Generator, arrays: tuple[Floats, ...]) -> Floats:
    """Run a program with a library and an order of summation that are drawn.

    Raises
    ------
    Inapplicable
        If the program has no meaning for these inputs.
    """
    summation = tuple(SUMS)[rng.integers(len(SUMS))]
    curves = Curves(kit, SLOPPINESS[rng.integers(len(SLOPPINESS))], summation)
    return kit.shown(program(curves, *map(kit.array, arrays)))
