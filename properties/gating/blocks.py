"""Claims about feed-forward blocks with a gated unit."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import BallArray, balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, result, total
from properties.strategies.inputs import called

__all__ = ["doubled_matrices", "mirrored_block", "nothing_in_nothing_out", "permuted_hidden_units"]

_FORMULAS = ("ffn_swiglu",)
_SLIDES = "lopesquintas2025llm, Gated Linear Unit"
_CALLS = {"short": 4, "rows": 1}


@claim(
    "doubled_matrices",
    kind="metamorphic",
    formulas=_FORMULAS,
    statement=r"f(W, -2 V, W_2) = f(W, V, -2 W_2) = -2 f(W, V, W_2)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=("ffn_swiglu_swapped", "ffn_swiglu_ungated", "ffn_swiglu_gate_bias", "ffn_swiglu_residual"),
)
def doubled_matrices(bench: Bench, *, call: Call) -> None:
    """The result is linear in the branch without activation and in the last matrix."""
    shown, error = result(bench, call)
    x, w, v, w2 = call.arrays
    for other in (Call((x, w, -2.0 * v, w2), {}), Call((x, w, v, -2.0 * w2), {})):
        double, double_error = result(bench, other)
        expected = Enclosure(value=balls(-2.0 * shown), error=total(2.0 * error, double_error))
        bench.compare(double, expected, quantity="result", note="a matrix was doubled and turned round")


@claim(
    "nothing_in_nothing_out",
    kind="invariant",
    formulas=_FORMULAS,
    statement="f(0) = 0",
    source=f"{_SLIDES}: without biases",
    inputs=called(_CALLS),
    catches=("ffn_swiglu_output_bias",),
)
def nothing_in_nothing_out(bench: Bench, *, call: Call) -> None:
    """Without biases a row of zeros is mapped to zeros."""
    x, *matrices = call.arrays
    shown = bench.call(Call((0.0 * x, *matrices), {}))
    bench.require(not np.any(shown), f"the input is zero, and the result {shown.tolist()}", quantity="result")


@claim(
    "permuted_hidden_units",
    kind="metamorphic",
    formulas=_FORMULAS,
    statement=r"f(W P, V P, P^\top W_2) = f(W, V, W_2)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=("ffn_swiglu_unit_left_out",),
)
def permuted_hidden_units(bench: Bench, *, call: Call) -> None:
    """Hidden units in the opposite order make no difference."""
    shown, error = result(bench, call)
    x, w, v, w2 = call.arrays
    turned, turned_error = result(bench, Call((x, w[:, ::-1].copy(), v[:, ::-1].copy(), w2[::-1].copy()), {}))
    expected = Enclosure(value=balls(shown), error=total(error, turned_error))
    bench.compare(turned, expected, quantity="result", note="the hidden units were reversed")


@claim(
    "mirrored_block",
    kind="metamorphic",
    formulas=_FORMULAS,
    statement=r"f(W, V, W_2) - f(-W, V, W_2) = (x W \otimes x V) W_2",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "ffn_swiglu_bilinear",
        "ffn_swiglu_ungated",
        "ffn_swiglu_gate_bias",
        "ffn_swiglu_rows_mixed",
        "ffn_swiglu_logistic",
        "ffn_swiglu_unit_left_out",
    ),
)
def mirrored_block(bench: Bench, *, call: Call) -> None:
    """A gate and its opposite let everything through together."""
    shown, error = result(bench, call)
    x, w, v, w2 = call.arrays
    mirrored, mirrored_error = result(bench, Call((x, -w, v, w2), {}))
    with working_precision(PRECISION_BITS):
        matmul = BallArray.namespace.matmul
        rows = balls(x)
        bilinear = matmul(matmul(rows, balls(w)) * matmul(rows, balls(v)), balls(w2))
        expected = Enclosure(value=balls(shown) - bilinear, error=total(error, mirrored_error))
        bench.compare(mirrored, expected, quantity="result", note="the gate is turned round")
