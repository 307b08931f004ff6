"""Claims about what comes back through activations, and about the gradients of losses."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import BallArray, balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, Space, claim
from properties.margins import PRECISION_BITS, result, total
from properties.strategies.inputs import Inputs, called

__all__ = [
    "antisymmetry",
    "doubled_cotangent",
    "largest_gradient",
    "no_gradient_at_the_target",
    "nothing_comes_of_nothing",
    "rows_add_up_to_zero",
    "samples_share_the_gradient",
    "slope_at_most",
    "slope_is_even",
]

_CHAIN = "bourmaudnetworks, Rappel : Théorème de dérivation des fonctions composées"
_SLIDES = "bourmaudnetworks, Choix du coût : Classification"
_PULLBACKS = ("relu_vjp", "sigmoid_vjp")
_LAYERS = ("softmax_vjp", "linear_vjp_input", "linear_vjp_weight", "linear_vjp_bias")
_SLOPES = {"curved": 4, "tails": 2, "zeros": 2, "lines": 1}
_LARGEST = {"relu_vjp": 1.0, "sigmoid_vjp": 0.25}


def _pulled(space: Space) -> Inputs:
    return called(_SLOPES if space.formula.id in _PULLBACKS else {"short": 4, "rows": 1})(space)


@claim(
    "doubled_cotangent",
    kind="metamorphic",
    formulas=(*_PULLBACKS, *_LAYERS),
    statement=r"\tilde f(x, 2v) = 2 \tilde f(x, v)",
    source=_CHAIN,
    inputs=_pulled,
    catches=(
        "relu_vjp_cotangent_clipped",
        "sigmoid_vjp_cotangent_squashed",
        "softmax_vjp_clipped",
        "linear_vjp_input_clipped",
        "linear_vjp_weight_clipped",
        "linear_vjp_bias_clipped",
    ),
)
def doubled_cotangent(bench: Bench, *, call: Call) -> None:
    """Twice the cotangent brings back twice as much."""
    *others, upstream = call.arrays
    shown, error = result(bench, call)
    double, double_error = result(bench, Call((*others, 2.0 * upstream), {}))
    expected = Enclosure(value=balls(2.0 * shown), error=total(2.0 * error, double_error))
    bench.compare(double, expected, quantity="result", note="the cotangents were doubled")


@claim(
    "nothing_comes_of_nothing",
    kind="invariant",
    formulas=(*_PULLBACKS, *_LAYERS),
    statement=r"\tilde f(x, 0) = 0",
    source=_CHAIN,
    inputs=_pulled,
    catches=(
        "relu_vjp_slope_added",
        "sigmoid_vjp_slope_added",
        "softmax_vjp_epsilon",
        "linear_vjp_input_epsilon",
        "linear_vjp_weight_epsilon",
        "linear_vjp_bias_epsilon",
    ),
)
def nothing_comes_of_nothing(bench: Bench, *, call: Call) -> None:
    """A cotangent of 0 brings back 0."""
    *others, upstream = call.arrays
    shown = bench.call(Call((*others, np.zeros(upstream.shape)), {}))
    bench.require(not np.any(shown), f"a cotangent of 0 brought back {shown.tolist()}", quantity="result")


@claim(
    "slope_at_most",
    kind="invariant",
    formulas=_PULLBACKS,
    statement=r"0 \le \tilde f(x, 1) \le 1 \text{ (rectifier)}, \; \tfrac14 \text{ (logistic function)}",
    source="bourmaudnetworks, Calcul automatique du gradient du MLP",
    inputs=called(_SLOPES),
    catches=(
        "relu_vjp_of_modulus",
        "relu_vjp_of_square",
        "sigmoid_vjp_of_tanh",
        "sigmoid_vjp_of_output",
        "sigmoid_vjp_complement_missing",
    ),
)
def slope_at_most(bench: Bench, *, call: Call) -> None:
    """No slope is negative, nor is it larger than the largest."""
    x = call.arrays[0]
    shown, error = result(bench, Call((x, np.ones(x.shape)), {}))
    outside = (shown < -error) | (shown - _LARGEST[bench.formula.id] > error)
    bench.require(not outside.any(), f"the slopes are {shown.tolist()}", quantity="result")


@claim(
    "slope_is_even",
    kind="metamorphic",
    formulas=("sigmoid_vjp",),
    statement=r"\tilde f(-x, v) = \tilde f(x, v)",
    source="bourmaudnetworks, Calcul automatique du gradient du MLP",
    inputs=called(_SLOPES),
    catches=(
        "sigmoid_vjp_of_output",
        "sigmoid_vjp_complement_missing",
    ),
)
def slope_is_even(bench: Bench, *, call: Call) -> None:
    """The slope of the logistic function is the same on both sides of 0."""
    x, upstream = call.arrays
    shown, error = result(bench, call)
    mirrored, mirrored_error = result(bench, Call((-x, upstream), {}))
    expected = Enclosure(value=balls(shown), error=total(error, mirrored_error))
    bench.compare(mirrored, expected, quantity="result", note="the numbers changed signs")


@claim(
    "antisymmetry",
    kind="metamorphic",
    formulas=("loss_squared_error_gradient", "bce_with_logits_gradient"),
    statement=r"g(y, s) = -g(s, y), \quad g(1 - y, -z) = -g(y, z)",
    source=_SLIDES,
    inputs=called({"short": 4, "lines": 1}),
    catches=(
        "loss_squared_error_gradient_moduli",
        "loss_squared_error_gradient_relative",
        "bce_with_logits_gradient_target_missing",
    ),
)
def antisymmetry(bench: Bench, *, call: Call) -> None:
    """What is exchanged turns the gradient round: prediction and target, or the two classes."""
    first, target = call.arrays
    shown, error = result(bench, call)
    turned = (target, first) if bench.formula.id == "loss_squared_error_gradient" else (-first, 1.0 - target)
    other, other_error = result(bench, Call(turned, {}))
    expected = Enclosure(value=balls(-shown), error=total(error, other_error))
    bench.compare(other, expected, quantity="result", note="both sides were exchanged")


@claim(
    "no_gradient_at_the_target",
    kind="invariant",
    formulas=("loss_squared_error_gradient", "bce_with_logits_gradient"),
    statement=r"g(y, y) = 0, \quad g(\tfrac12, 0) = 0",
    source=_SLIDES,
    inputs=called({"short": 3}),
    catches=(
        "loss_squared_error_gradient_epsilon",
        "bce_with_logits_gradient_target_missing",
        "bce_with_logits_gradient_of_sign",
    ),
)
def no_gradient_at_the_target(bench: Bench, *, call: Call) -> None:
    """A prediction that is the target has no gradient, nor has an undecided one of an undecided target."""
    target = call.arrays[1]
    if bench.formula.id == "bce_with_logits_gradient":
        target = np.full(target.shape, 0.5)
        first = np.zeros(target.shape)
    else:
        first = target.copy()
    shown, error = result(bench, Call((first, target), {}))
    bench.compare(shown, Enclosure(value=balls(np.zeros(shown.shape)), error=error), quantity="result")


@claim(
    "samples_share_the_gradient",
    kind="metamorphic",
    formulas=("loss_squared_error_gradient", "bce_with_logits_gradient", "loss_cross_entropy_gradient"),
    statement=r"g((s, s))_i = g(s)_i \text{ for sums}, \; \tfrac12 g(s)_i \text{ for means}",
    source=_SLIDES,
    inputs=called({"short": 4, "lines": 1}),
    catches=(
        "loss_squared_error_gradient_averaged",
        "bce_with_logits_gradient_summed",
        "loss_cross_entropy_gradient_summed",
    ),
)
def samples_share_the_gradient(bench: Bench, *, call: Call) -> None:
    """Every sample given twice has the gradient of a sum as before, and half of that of a mean."""
    shown, error = result(bench, call)
    factor = 1.0 if bench.formula.id == "loss_squared_error_gradient" else 0.5
    twice = Call(tuple(np.concatenate([array, array]) for array in call.arrays), {})
    repeated, repeated_error = result(bench, twice)
    both = np.concatenate([shown, shown]), np.concatenate([error, error])
    expected = Enclosure(value=balls(factor * both[0]), error=total(factor * both[1], repeated_error))
    bench.compare(repeated, expected, quantity="result", note="every sample was given twice")


@claim(
    "largest_gradient",
    kind="invariant",
    formulas=("bce_with_logits_gradient", "loss_cross_entropy_gradient"),
    statement=r"\lvert \partial l / \partial z_i \rvert \le \tfrac1n, \quad \lVert \nabla_{s_n} l \rVert_1 \le \tfrac2N",
    source=_SLIDES,
    inputs=called({"short": 4, "huge": 2}),
    catches=(
        "bce_with_logits_gradient_summed",
        "bce_with_logits_gradient_doubled",
        "loss_cross_entropy_gradient_summed",
        "loss_cross_entropy_gradient_of_scores",
        "bce_with_logits_gradient_by_rows",
    ),
)
def largest_gradient(bench: Bench, *, call: Call) -> None:
    """However wrong a score is, its gradient is bounded."""
    shown, error = result(bench, call)
    classes = bench.formula.id == "loss_cross_entropy_gradient"
    with working_precision(PRECISION_BITS):
        sizes = np.sum(np.abs(shown), axis=-1) if classes else np.abs(shown)
        room = total(np.sum(error, axis=-1) if classes else error, 2.0**-48)
        limit = (2.0 if classes else 1.0) / max(sizes.size, 1)
    fits = (sizes - limit <= room) | np.isinf(room)  # what has no bound may be no number
    bench.require(bool(np.all(fits)), f"the gradients have sizes {sizes.tolist()}", quantity="result")


@claim(
    "rows_add_up_to_zero",
    kind="invariant",
    formulas=("loss_cross_entropy_gradient", "softmax_vjp"),
    statement=r"\sum_c \partial l / \partial s_c = 0, \quad \sum_c \tilde f(s, v)_c = 0",
    source=_SLIDES,
    inputs=called({"short": 4, "spread": 2, "huge": 1, "rows": 1}),
    catches=(
        "loss_cross_entropy_gradient_label_missing",
        "loss_cross_entropy_gradient_unshifted",
        "loss_cross_entropy_gradient_of_scores",
        "softmax_vjp_diagonal",
        "softmax_vjp_unweighted",
        "softmax_vjp_plain_mean",
        "softmax_vjp_epsilon",
        "softmax_vjp_of_output",
    ),
)
def rows_add_up_to_zero(bench: Bench, *, call: Call) -> None:
    """What a sample's gradient gives to some scores it takes from the others."""
    shown, error = result(bench, call)
    with working_precision(PRECISION_BITS):
        sums = np.asarray(BallArray.namespace.sum(balls(shown), axis=-1).elements, dtype=np.float64)
    expected = Enclosure(value=balls(np.zeros(sums.shape)), error=total(np.sum(error, axis=-1), 2.0**-50))
    bench.compare(sums, expected, quantity="result", note="gradients of a sample add up to that")
