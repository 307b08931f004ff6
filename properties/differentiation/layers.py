"""Claims about what comes back through linear maps and through softmax."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import balls
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import result, total
from properties.strategies.inputs import called

__all__ = ["equal_cotangents", "outputs_apart", "permuted_classes", "permuted_samples", "repeated_samples"]

_SOURCE = "bourmaudnetworks, Calcul automatique du gradient du MLP"
_LINEAR = ("linear_vjp_input", "linear_vjp_weight", "linear_vjp_bias")
_LAYERS = {"short": 4, "rows": 1}
_ROWS = {"short": 4, "spread": 2, "huge": 1, "rows": 1}


@claim(
    "repeated_samples",
    kind="metamorphic",
    formulas=_LINEAR,
    statement=r"g((x, x), (v, v)) = 2 g(x, v) \text{ of parameters}, \; (g(v), g(v)) \text{ of samples}",
    source=_SOURCE,
    inputs=called(_LAYERS),
    catches=(
        "linear_vjp_input_averaged",
        "linear_vjp_input_mixed",
        "linear_vjp_weight_averaged",
        "linear_vjp_weight_mixed",
        "linear_vjp_weight_last_sample_ignored",
        "linear_vjp_bias_averaged",
        "linear_vjp_bias_last_sample_ignored",
    ),
)
def repeated_samples(bench: Bench, *, call: Call) -> None:
    """Every sample given twice counts twice for the parameters, and each for itself otherwise."""
    samples = bench.formula.id == "linear_vjp_input"
    names = bench.formula.arrays
    arrays = [
        array if name == "weight" else np.concatenate([array, array])
        for name, array in zip(names, call.arrays, strict=True)
    ]
    shown, error = result(bench, call)
    again, again_error = result(bench, Call(tuple(arrays), {}))
    value = np.concatenate([shown, shown]) if samples else 2.0 * shown
    room = np.concatenate([error, error]) if samples else 2.0 * error
    expected = Enclosure(value=balls(value), error=total(room, again_error))
    bench.compare(again, expected, quantity="result", note="every sample was given twice")


@claim(
    "permuted_samples",
    kind="metamorphic",
    formulas=_LINEAR,
    statement=r"g(x_\pi, v_\pi) = g(x, v) \text{ of parameters}, \; g(v)_\pi \text{ of samples}",
    source=_SOURCE,
    inputs=called(_LAYERS),
    catches=(
        "linear_vjp_input_running",
        "linear_vjp_weight_last_sample_ignored",
        "linear_vjp_bias_last_sample_ignored",
    ),
)
def permuted_samples(bench: Bench, *, call: Call) -> None:
    """Samples have no order."""
    names = bench.formula.arrays
    arrays = [array if name == "weight" else array[::-1].copy() for name, array in zip(names, call.arrays, strict=True)]
    shown, error = result(bench, call)
    turned, turned_error = result(bench, Call(tuple(arrays), {}))
    if bench.formula.id == "linear_vjp_input":
        shown, error = shown[::-1], error[::-1]
    expected = Enclosure(value=balls(shown), error=total(error, turned_error))
    bench.compare(turned, expected, quantity="result", note="the last sample was given first")


@claim(
    "outputs_apart",
    kind="metamorphic",
    formulas=("linear_vjp_weight", "linear_vjp_bias"),
    statement=r"v_{\cdot 1} = 0 \Rightarrow g_1 = 0, \; g_k \text{ as before for } k > 1",
    source=_SOURCE,
    inputs=called(_LAYERS),
    catches=(
        "linear_vjp_weight_outputs_mixed",
        "linear_vjp_weight_epsilon",
        "linear_vjp_bias_mixed",
        "linear_vjp_bias_epsilon",
    ),
)
def outputs_apart(bench: Bench, *, call: Call) -> None:
    """The parameters of an output learn from its own cotangents alone."""
    *others, upstream = call.arrays
    silent = upstream.copy()
    silent[:, 0] = 0.0
    shown, error = result(bench, call)
    found, found_error = result(bench, Call((*others, silent), {}))
    bench.require(not np.any(found[0]), f"an output without cotangents has the gradient {found[0]}", quantity="result")
    expected = Enclosure(value=balls(shown[1:]), error=total(error[1:], found_error[1:]))
    bench.compare(found[1:], expected, quantity="result", note="the cotangents of the first output became 0")


@claim(
    "equal_cotangents",
    kind="invariant",
    formulas=("softmax_vjp",),
    statement=r"\tilde f(s, c \mathbf 1) = 0",
    source=_SOURCE,
    inputs=called(_ROWS),
    catches=(
        "softmax_vjp_diagonal",
        "softmax_vjp_unweighted",
        "softmax_vjp_of_logarithm",
        "softmax_vjp_first_class_ignored",
        "softmax_vjp_unshifted",
    ),
)
def equal_cotangents(bench: Bench, *, call: Call) -> None:
    """What is the same for all classes does not change the scores: their shares add up to 1."""
    scores, upstream = call.arrays
    level = float(upstream.flat[0])
    shown, error = result(bench, Call((scores, np.full(scores.shape, level)), {}))
    expected = Enclosure(value=balls(np.zeros(shown.shape)), error=error)
    bench.compare(shown, expected, quantity="result", note=f"all cotangents were {level}")


@claim(
    "permuted_classes",
    kind="metamorphic",
    formulas=("softmax_vjp",),
    statement=r"\tilde f(s_\pi, v_\pi) = \tilde f(s, v)_\pi",
    source=_SOURCE,
    inputs=called(_ROWS),
    catches=(
        "softmax_vjp_first_class_ignored",
        "softmax_vjp_unshifted",
    ),
)
def permuted_classes(bench: Bench, *, call: Call) -> None:
    """Classes have no order."""
    shown, error = result(bench, call)
    turned, turned_error = result(bench, Call(tuple(array[..., ::-1].copy() for array in call.arrays), {}))
    expected = Enclosure(value=balls(shown[..., ::-1]), error=total(error[..., ::-1], turned_error))
    bench.compare(turned, expected, quantity="result", note="the last class was given first")
