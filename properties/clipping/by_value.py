"""Claims about clipping by value, and about both rules' symmetry."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import balls
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.clipping.common import rescaled, threshold
from properties.margins import result, total
from properties.strategies.inputs import called

__all__ = ["clipping_twice", "identity_below_the_value", "odd_symmetry", "value_at_most"]

_SOURCE = "lopesquintas2024updates, Gradient clipping"
_CALLS = {"short": 4, "exact": 2, "zeros": 2, "lines": 1, "rows": 1}


@claim(
    "value_at_most",
    kind="invariant",
    formulas=("clip_by_value",),
    statement=r"\lVert \tilde g \rVert_\infty \le \alpha",
    source=_SOURCE,
    inputs=called(_CALLS),
    catches=(
        "clip_by_value_does_nothing",
        "clip_value_one_sided",
        "clip_by_value_threshold_exceeded",
    ),
)
def value_at_most(bench: Bench, *, call: Call) -> None:
    """No element is larger than the threshold, in either direction."""
    shown, error = result(bench, call)
    allowed = Enclosure(value=balls(np.zeros(shown.shape)), error=total(threshold(call), error))
    bench.compare(shown, allowed, quantity="result", note="an element is larger than the threshold")


@claim(
    "identity_below_the_value",
    kind="invariant",
    formulas=("clip_by_value",),
    statement=r"\lVert g \rVert_\infty \le \alpha / 2 \implies \tilde g = g",
    source=_SOURCE,
    inputs=called(_CALLS),
    catches=(
        "clip_by_value_bounds_swapped",
        "clip_by_value_scales_always",
        "clip_by_value_smooth",
    ),
    varies=("clip_value",),
)
def identity_below_the_value(bench: Bench, *, call: Call) -> None:
    """A gradient whose elements fit comes back as it was, bit for bit but for the sign of zero."""
    (grad,) = call.arrays
    roomy = 2.0 * float(np.max(np.abs(grad))) or 1.0
    shown = bench.call(Call(call.arrays, dict.fromkeys(call.hyperparameters, roomy)))
    bench.require(
        bool(np.array_equal(shown, grad)),
        f"{grad.tolist()} fits {roomy!r}, and became {shown.tolist()}",
        quantity="result",
    )


@claim(
    "clipping_twice",
    kind="metamorphic",
    formulas=("clip_by_value",),
    statement=r"\operatorname{clip}(\operatorname{clip}(g)) = \operatorname{clip}(g)",
    source=f"{_SOURCE}: a projection onto the box",
    inputs=called(_CALLS),
    catches=("clip_by_value_smooth",),
)
def clipping_twice(bench: Bench, *, call: Call) -> None:
    """Clipping what is clipped changes nothing."""
    once = bench.call(call)
    twice = bench.call(Call((once,), call.hyperparameters))
    message = f"clipping {once.tolist()} once more gave {twice.tolist()}"
    bench.require(bool(np.array_equal(once, twice)), message, quantity="result")


@claim(
    "odd_symmetry",
    kind="metamorphic",
    formulas=("clip_by_value", "clip_by_norm", "clip_by_norm_torch"),
    statement=r"\operatorname{clip}(-g) = -\operatorname{clip}(g)",
    source=_SOURCE,
    inputs=called({"short": 4, "zeros": 2, "lines": 1, "rows": 1}),
    catches=(
        "clip_by_value_bounds_swapped",
        "clip_value_one_sided",
        "clip_by_value_sign_lost",
        "clip_torch_sign_lost",
        "clip_sign_lost",
    ),
)
def odd_symmetry(bench: Bench, *, call: Call) -> None:
    """The opposite gradient is clipped to the opposite result."""
    shown, error = result(bench, call)
    mirrored = bench.call(rescaled(call, np.negative))
    expected = Enclosure(value=balls(-shown), error=total(error, error))
    bench.compare(mirrored, expected, quantity="result", note="the opposite gradient was clipped to something else")
