"""Claims about activations."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import balls
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import result, total
from properties.strategies.inputs import called
from properties.subject import Floats

__all__ = [
    "below_the_rectifier",
    "complement",
    "doubled_number",
    "far_from_zero",
    "reflection",
    "rises",
    "value_at_zero",
]

_SLIDES = "lopesquintas2025llm, GELU and SiLU"
_SMOOTH = ("gelu", "gelu_tanh", "gelu_sigmoid", "silu")
_WEIGHTED = ("relu", *_SMOOTH)
_ALL = ("sigmoid", *_WEIGHTED)
_CALLS = {"curved": 4, "tails": 2, "zeros": 1, "lines": 1}

#: How far below the rectifier the lowest points lie, rounded up.
_DEPTHS = {"gelu": 0.16997120748, "gelu_tanh": 0.1705, "gelu_sigmoid": 0.16363, "silu": 0.27846454277}

#: Where every format has reached the limits: the tails are below its rounding of them.
_FAR = 1024.0


def _on(call: Call, x: Floats) -> Call:
    return Call((np.asarray(x, dtype=np.float64),), call.hyperparameters)


@claim(
    "reflection",
    kind="metamorphic",
    formulas=_WEIGHTED,
    statement="f(x) - f(-x) = x",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "gelu_tanh_gate_alone",
        "gelu_sigmoid_gate_alone",
        "relu_leaky",
        "relu_capped",
        "relu_modulus",
        "relu_soft",
        "gelu_density",
        "gelu_cut_off",
        "silu_gate_alone",
    ),
)
def reflection(bench: Bench, *, call: Call) -> None:
    """A number and its opposite are mapped to results whose difference is the number."""
    shown, error = result(bench, call)
    (x,) = call.arrays
    mirrored, mirrored_error = result(bench, _on(call, -x))
    expected = Enclosure(value=balls(shown) - balls(x), error=total(error, mirrored_error))
    bench.compare(mirrored, expected, quantity="result", note="the opposite number's result is not f(x) - x")


@claim(
    "complement",
    kind="metamorphic",
    formulas=("sigmoid",),
    statement=r"\sigma(-x) = 1 - \sigma(x)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=("sigmoid_clamped",),
)
def complement(bench: Bench, *, call: Call) -> None:
    """A number and its opposite are mapped to proportions that add up to 1."""
    shown, error = result(bench, call)
    mirrored, mirrored_error = result(bench, _on(call, -call.arrays[0]))
    expected = Enclosure(value=1 - balls(shown), error=total(error, mirrored_error))
    bench.compare(mirrored, expected, quantity="result", note="the opposite number's result is not 1 - f(x)")


@claim(
    "value_at_zero",
    kind="invariant",
    formulas=_ALL,
    statement=r"f(0) = 0, \quad \sigma(0) = \tfrac12",
    source=_SLIDES,
    inputs=called({"curved": 1, "zeros": 1}),
    catches=(
        "relu_soft",
        "relu_one_at_zero",
        "silu_gate_alone",
        "gelu_tanh_gate_alone",
        "gelu_sigmoid_gate_alone",
        "gelu_gate_alone",
        "sigmoid_shifted",
    ),
)
def value_at_zero(bench: Bench, *, call: Call) -> None:
    """Zero is mapped to zero, and by the logistic function to one half."""
    (x,) = call.arrays
    shown, error = result(bench, _on(call, 0.0 * x))
    middle = 0.5 if bench.formula.id == "sigmoid" else 0.0
    expected = Enclosure(value=balls(np.full(x.shape, middle)), error=error)
    bench.compare(shown, expected, quantity="result", note="that is the value at 0")


@claim(
    "far_from_zero",
    kind="invariant",
    formulas=_ALL,
    statement=r"f(x) \to x \text{ and } f(-x) \to 0 \text{ for } x \to \infty, \quad \sigma \to 1 \text{ and } 0",
    source=_SLIDES,
    inputs=called({"curved": 2, "lines": 1}),
    catches=(
        "gelu_tanh_gate_alone",
        "relu_leaky",
        "relu_capped",
        "relu_modulus",
        "sigmoid_mirrored",
        "sigmoid_clamped",
        "sigmoid_overflows",
        "gelu_density",
        "gelu_sigmoid_overflows",
        "silu_gate_alone",
        "silu_overflows",
    ),
)
def far_from_zero(bench: Bench, *, call: Call) -> None:
    """Far from zero an activation is the rectifier, and the logistic function a step."""
    x = np.copysign(_FAR, call.arrays[0])
    shown, error = result(bench, _on(call, x))
    limit = np.where(x > 0, 1.0 if bench.formula.id == "sigmoid" else x, 0.0)
    bench.compare(shown, Enclosure(value=balls(limit), error=error), quantity="result", note="that is the limit")


@claim(
    "rises",
    kind="invariant",
    formulas=_ALL,
    statement=r"0 \le x \le y \implies f(x) \le f(y)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "gelu_tanh_negated",
        "gelu_sigmoid_negated",
        "silu_negated",
        "sigmoid_mirrored",
        "gelu_density",
        "relu_negated",
    ),
)
def rises(bench: Bench, *, call: Call) -> None:
    """Of positive numbers the larger one has the larger result."""
    shown, error = result(bench, _on(call, np.sort(np.abs(call.arrays[0]), axis=None)))
    falls = shown[:-1] - shown[1:] > total(error[:-1], error[1:])
    bench.require(not falls.any(), f"the results {shown.tolist()} of rising numbers fall", quantity="result")


@claim(
    "below_the_rectifier",
    kind="invariant",
    formulas=_SMOOTH,
    statement=r"0 \le \operatorname{relu}(x) - f(x) \le \max_t \left(\operatorname{relu}(t) - f(t)\right)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "gelu_density",
        "gelu_tanh_without_cube",
        "gelu_sigmoid_exact",
        "gelu_sigmoid_coarse_constant",
        "gelu_sigmoid_silu",
        "silu_hard",
        "silu_gate_alone",
    ),
)
def below_the_rectifier(bench: Bench, *, call: Call) -> None:
    """The result lies below the rectifier's, and never by more than the depth of the lowest point."""
    shown, error = result(bench, call)
    depth = _DEPTHS[bench.formula.id] / 2
    middle = balls(np.maximum(call.arrays[0], 0.0)) - depth
    expected = Enclosure(value=middle, error=total(depth, error))
    bench.compare(shown, expected, quantity="result", note="that is as far below the rectifier as it gets")


@claim(
    "doubled_number",
    kind="metamorphic",
    formulas=("relu",),
    statement=r"\operatorname{relu}(2x) = 2 \operatorname{relu}(x)",
    source=_SLIDES,
    inputs=called({"curved": 4, "zeros": 2, "lines": 1}),
    catches=(
        "relu_capped",
        "relu_soft",
        "relu_one_at_zero",
    ),
)
def doubled_number(bench: Bench, *, call: Call) -> None:
    """Twice the number has twice the result."""
    shown, error = result(bench, call)
    double, double_error = result(bench, _on(call, 2.0 * call.arrays[0]))
    expected = Enclosure(value=balls(2.0 * shown), error=total(2.0 * error, double_error))
    bench.compare(double, expected, quantity="result", note="twice the number has another result")
