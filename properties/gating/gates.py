"""Claims about gated linear units."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import BallArray, balls, working_precision
from oracle.arithmetic.curves import affine
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, result, total
from properties.strategies.inputs import called

__all__ = ["closed_branch", "doubled_branch", "mirrored_gate", "rows_apart"]

_FORMULAS = ("glu", "geglu", "swiglu")
_SLIDES = "lopesquintas2025llm, Gated Linear Unit"
_CALLS = {"short": 4, "saturated": 2, "rows": 1}


def _scaled(bench: Bench, call: Call, linear: float, gate: float) -> Call:
    """Return the call with both parameters of a branch multiplied: the one without the activation, and the gate."""
    x, w, b, v, c = call.arrays
    first, second = (linear, gate) if bench.formula.id == "glu" else (gate, linear)
    return Call((x, first * w, first * b, second * v, second * c), {})


def _branch(call: Call, first: bool) -> BallArray:
    x, w, b, v, c = map(balls, call.arrays)
    branch: BallArray = affine(x, w, b) if first else affine(x, v, c)
    return branch


@claim(
    "doubled_branch",
    kind="metamorphic",
    formulas=_FORMULAS,
    statement=r"f(-2 W, -2 b; V, c) = -2 f(W, b; V, c) \text{ for the branch without activation}",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "glu_swapped",
        "glu_weights_shared",
        "geglu_swapped",
        "geglu_weights_shared",
        "swiglu_swapped",
        "swiglu_weights_shared",
    ),
)
def doubled_branch(bench: Bench, *, call: Call) -> None:
    """The result is linear in the branch without activation."""
    shown, error = result(bench, call)
    double, double_error = result(bench, _scaled(bench, call, -2.0, 1.0))
    expected = Enclosure(value=balls(-2.0 * shown), error=total(2.0 * error, double_error))
    bench.compare(double, expected, quantity="result", note="a branch was doubled and turned round")


@claim(
    "closed_branch",
    kind="invariant",
    formulas=_FORMULAS,
    statement=r"f(0, 0; V, c) = 0 \text{ for the branch without activation}",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "glu_swapped",
        "geglu_weights_shared",
        "swiglu_weights_shared",
    ),
)
def closed_branch(bench: Bench, *, call: Call) -> None:
    """Without the branch that has no activation there is nothing left."""
    shown = bench.call(_scaled(bench, call, 0.0, 1.0))
    bench.require(not np.any(shown), f"a branch is zero, and the result {shown.tolist()}", quantity="result")


@claim(
    "mirrored_gate",
    kind="metamorphic",
    formulas=_FORMULAS,
    statement=r"f(W, b) - f(-W, -b) = (X W + b) \otimes (X V + c), \quad "
    r"\operatorname{GLU}(V, c) + \operatorname{GLU}(-V, -c) = X W + b",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "glu_swapped",
        "glu_bias_dropped",
        "glu_bilinear",
        "glu_rows_mixed",
        "glu_weights_shared",
        "geglu_swapped",
        "geglu_bias_dropped",
        "geglu_gate_bias_dropped",
        "geglu_bilinear",
        "geglu_rows_mixed",
        "geglu_weights_shared",
        "swiglu_swapped",
        "swiglu_bias_dropped",
        "swiglu_gate_bias_dropped",
        "swiglu_bilinear",
        "swiglu_rows_mixed",
        "swiglu_weights_shared",
        "glu_tanh",
    ),
)
def mirrored_gate(bench: Bench, *, call: Call) -> None:
    """A gate and its opposite let everything through together."""
    shown, error = result(bench, call)
    mirrored, mirrored_error = result(bench, _scaled(bench, call, 1.0, -1.0))
    allowed = total(error, mirrored_error)
    with working_precision(PRECISION_BITS):
        if bench.formula.id == "glu":
            value = _branch(call, True) - balls(shown)
        else:
            value = balls(shown) - _branch(call, True) * _branch(call, False)
        bench.compare(
            mirrored, Enclosure(value=value, error=allowed), quantity="result", note="the gate is turned round"
        )


@claim(
    "rows_apart",
    kind="metamorphic",
    formulas=(*_FORMULAS, "ffn_swiglu"),
    statement="f(X)_i = f(X_i)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "glu_rows_mixed",
        "geglu_rows_mixed",
        "swiglu_rows_mixed",
        "ffn_swiglu_rows_mixed",
    ),
)
def rows_apart(bench: Bench, *, call: Call) -> None:
    """Every row is computed by itself."""
    shown, error = result(bench, call)
    alone = bench.call(Call((call.arrays[0][-1:].copy(), *call.arrays[1:]), {}))
    expected = Enclosure(value=balls(shown[-1:]), error=total(error[-1:], error[-1:]))
    bench.compare(alone, expected, quantity="result", note="the last row came alone")
