"""Claims about clipping by norm."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import BallArray, abs_lower, abs_upper, balls, working_precision
from oracle.arithmetic.primitives import namespace
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.clipping.common import rescaled, threshold
from properties.margins import PRECISION_BITS, result, total
from properties.strategies.inputs import called

__all__ = ["direction_kept", "homogeneity", "identity_below_the_norm", "norm_at_most", "projecting_twice"]

_RULES = ("clip_by_norm", "clip_by_norm_torch")
_SOURCE = "lopesquintas2024updates, Gradient clipping"
_CALLS = {"short": 4, "exact": 2, "tiny": 2, "lines": 1, "rows": 1}


def _norm(vector: BallArray) -> BallArray:
    norm: BallArray = namespace(vector).linalg.vector_norm(vector)
    return norm


@claim(
    "direction_kept",
    kind="invariant",
    formulas=_RULES,
    statement=r"\tilde g_i\, g_j = \tilde g_j\, g_i",
    source=_SOURCE,
    inputs=called(_CALLS),
    catches=(
        "clip_sign_lost",
        "clip_by_norm_is_by_value",
        "clip_torch_is_by_value",
        "clip_torch_sign_lost",
    ),
)
def direction_kept(bench: Bench, *, call: Call) -> None:
    """The clipped gradient points where the gradient pointed."""
    shown, error = result(bench, call)
    (grad,) = call.arrays
    largest = np.unravel_index(np.argmax(np.abs(grad)), grad.shape)
    with working_precision(PRECISION_BITS):
        share = balls(grad) / balls(grad[largest])
        allowed = total(error, error[largest] * abs_upper(share) * (1.0 + 2.0**-50))
        expected = Enclosure(value=balls(shown[largest]) * share, error=allowed)
        bench.compare(shown, expected, quantity="result", note="the direction changed")


@claim(
    "norm_at_most",
    kind="invariant",
    formulas=_RULES,
    statement=r"\lVert \tilde g \rVert_2 \le \alpha",
    source=_SOURCE,
    inputs=called(_CALLS),
    catches=(
        "clip_does_nothing",
        "clip_torch_is_by_value",
        "clip_inverted",
        "clip_per_row",
        "clip_largest_entry",
        "clip_squared_norm",
        "clip_norm_of_mean",
        "clip_threshold_exceeded",
        "clip_by_norm_is_by_value",
        "clip_norm_of_halves",
        "clip_float32_norm",
    ),
)
def norm_at_most(bench: Bench, *, call: Call) -> None:
    """The clipped gradient is no longer than the threshold."""
    shown, error = result(bench, call)
    if not np.all(np.isfinite(error)):
        return
    with working_precision(PRECISION_BITS):
        # A ball around what is no number has no lower end, and fits everywhere.
        norm = abs_lower(_norm(balls(shown))) if np.all(np.isfinite(shown)) else np.inf
        longest = abs_upper(balls(threshold(call)) + _norm(balls(error)))
        bench.require(
            bool(norm <= longest),
            f"the clipped gradient has norm {norm!s}, more than the threshold {threshold(call)!r}",
            quantity="result",
        )


@claim(
    "identity_below_the_norm",
    kind="invariant",
    formulas=_RULES,
    statement=r"\lVert g \rVert_2 \le \alpha / 2 \implies \tilde g = g",
    source=_SOURCE,
    inputs=called(_CALLS),
    catches=(
        "clip_scales_always",
        "clip_inverted",
        "clip_l1_norm",
        "clip_squared_norm",
        "clip_torch_scales_always",
    ),
    varies=("max_norm",),
)
def identity_below_the_norm(bench: Bench, *, call: Call) -> None:
    """A gradient that fits comes back as it was."""
    (grad,) = call.arrays
    with working_precision(PRECISION_BITS):
        # Twice the norm, and room for the 1e-6 that one of the rules adds.
        roomy = float(2.0 * abs_upper(_norm(balls(grad))) + 1e-4)
    fitting = Call(call.arrays, dict.fromkeys(call.hyperparameters, roomy))
    shown, error = result(bench, fitting)
    bench.compare(shown, Enclosure(value=balls(grad), error=error), quantity="result", note="it fitted, and changed")


@claim(
    "projecting_twice",
    kind="metamorphic",
    formulas=("clip_by_norm",),
    statement=r"\operatorname{clip}(\operatorname{clip}(g)) = \operatorname{clip}(g)",
    source=f"{_SOURCE}: a projection onto the ball",
    inputs=called(_CALLS),
    catches=(
        "clip_adds_epsilon",
        "clip_float32_norm",
    ),
)
def projecting_twice(bench: Bench, *, call: Call) -> None:
    """Clipping what is clipped changes nothing more than its rounding."""
    once, error = result(bench, call)
    if not np.all(np.isfinite(error)) or not np.any(once):
        return
    twice, error_again = result(bench, Call((once,), call.hyperparameters))
    with working_precision(PRECISION_BITS):
        # The first result may be longer than the threshold by the norm of its error, which the second takes off.
        excess = _norm(balls(error)) / _norm(balls(once))
        allowed = total(error_again, abs_upper(balls(once) * excess))
        bench.compare(twice, Enclosure(value=balls(once), error=allowed), quantity="result", note="clipped once more")


@claim(
    "homogeneity",
    kind="metamorphic",
    formulas=("clip_by_norm", "clip_by_value"),
    statement=r"\operatorname{clip}(2 g; 2 \alpha) = 2 \operatorname{clip}(g; \alpha)",
    source=_SOURCE,
    inputs=called({"short": 4, "exact": 2, "lines": 1, "rows": 1}),
    catches=(
        "clip_adds_epsilon",
        "clip_squared_norm",
        "clip_by_value_adds_epsilon",
    ),
    varies=("max_norm", "clip_value"),
)
def homogeneity(bench: Bench, *, call: Call) -> None:
    """Gradient and threshold twice as large give a result twice as large."""
    shown, error = result(bench, call)
    double, double_error = result(bench, rescaled(call, lambda grad: 2.0 * grad, factor=2.0))
    allowed = Enclosure(value=balls(2.0 * shown), error=total(2.0 * error, double_error))
    bench.compare(double, allowed, quantity="result", note="doubling the gradient did not double the result")
