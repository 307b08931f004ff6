"""Claims about losses of regression."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import balls
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import result, total
from properties.strategies.inputs import called

__all__ = ["doubled_residuals", "repeated_samples", "symmetry", "zero_residuals"]

_FORMULAS = ("loss_squared_error", "loss_mse", "loss_l1")
_SLIDES = "bourmaudnetworks, Choix du coût : Régression"
_CALLS = {"short": 4, "close": 1, "lines": 1}


@claim(
    "symmetry",
    kind="metamorphic",
    formulas=_FORMULAS,
    statement="l(y, s) = l(s, y)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "loss_squared_error_relative",
        "loss_mse_relative",
        "loss_l1_signed",
    ),
)
def symmetry(bench: Bench, *, call: Call) -> None:
    """Prediction and target may change places."""
    shown, error = result(bench, call)
    swapped = bench.call(Call(call.arrays[::-1], {}))
    expected = Enclosure(value=balls(shown), error=total(error, error))
    bench.compare(swapped, expected, quantity="result", note="prediction and target changed places")


@claim(
    "zero_residuals",
    kind="invariant",
    formulas=_FORMULAS,
    statement="l(y, y) = 0",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "loss_squared_error_outer",
        "loss_squared_error_epsilon",
        "loss_mse_outer",
        "loss_l1_epsilon",
    ),
)
def zero_residuals(bench: Bench, *, call: Call) -> None:
    """A prediction that is the target costs nothing."""
    target = call.arrays[1]
    shown = bench.call(Call((target.copy(), target), {}))
    bench.require(not np.any(shown), f"a prediction without error costs {shown.tolist()}", quantity="result")


@claim(
    "doubled_residuals",
    kind="metamorphic",
    formulas=_FORMULAS,
    statement=r"\lVert 2y - 2s \rVert_2^2 = 4 \lVert y - s \rVert_2^2, \quad \lVert 2y - 2s \rVert_1 = 2 \lVert y - s \rVert_1",
    source=_SLIDES,
    inputs=called({"short": 4, "lines": 1}),
    catches=(
        "loss_squared_error_root",
        "loss_squared_error_epsilon",
        "loss_squared_error_relative",
        "loss_mse_logarithmic",
        "loss_l1_smooth",
        "loss_l1_epsilon",
    ),
)
def doubled_residuals(bench: Bench, *, call: Call) -> None:
    """Doubled numbers cost four times as much if residuals are squared, and twice as much if not."""
    shown, error = result(bench, call)
    factor = 2.0 if bench.formula.id == "loss_l1" else 4.0
    double, double_error = result(bench, Call(tuple(2.0 * array for array in call.arrays), {}))
    expected = Enclosure(value=balls(factor * shown), error=total(factor * error, double_error))
    bench.compare(double, expected, quantity="result", note="all numbers were doubled")


@claim(
    "repeated_samples",
    kind="metamorphic",
    formulas=(*_FORMULAS, "loss_bce", "bce_with_logits", "loss_cross_entropy"),
    statement=r"l((y, y), (s, s)) = 2 \, l(y, s) \text{ for sums}, \; l(y, s) \text{ for means}",
    source=_SLIDES,
    inputs=called({"short": 4, "lines": 1}),
    catches=(
        "loss_squared_error_averaged",
        "loss_squared_error_root",
        "loss_squared_error_outer",
        "loss_squared_error_epsilon",
        "loss_mse_summed",
        "loss_mse_one_less",
        "loss_l1_averaged",
        "loss_l1_largest",
        "loss_l1_epsilon",
        "loss_bce_summed",
        "bce_with_logits_summed",
        "loss_cross_entropy_summed",
    ),
)
def repeated_samples(bench: Bench, *, call: Call) -> None:
    """Every sample given twice doubles a sum, and leaves a mean as it is."""
    shown, error = result(bench, call)
    factor = 2.0 if bench.formula.id in {"loss_squared_error", "loss_l1"} else 1.0
    twice = Call(tuple(np.concatenate([array, array]) for array in call.arrays), {})
    repeated, repeated_error = result(bench, twice)
    expected = Enclosure(value=balls(factor * shown), error=total(factor * error, repeated_error))
    bench.compare(repeated, expected, quantity="result", note="every sample was given twice")
