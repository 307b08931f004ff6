"""Claims about the normalization layers."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import BallArray, abs_lower, abs_upper, balls, working_precision
from oracle.arithmetic.primitives import namespace
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, result, total
from properties.normalization.common import SLIDES, axis_of, plain, with_arrays
from properties.strategies.inputs import called

__all__ = [
    "constants_become_the_shift",
    "direction_of_a_sample",
    "doubled_affine",
    "largest_deviation",
    "mean_is_the_shift",
    "permuted_rows",
    "scale_invariance",
    "second_moment",
    "shift_invariance",
    "slices_apart",
    "zero_gain",
]

_LAYERS = ("batch_norm", "layer_norm", "rms_norm")
_ALL = ("standardize_feature", *_LAYERS)
_CENTRED = ("standardize_feature", "batch_norm", "layer_norm")
_SHIFTED = ("batch_norm", "layer_norm")
_CALLS = {"short": 4, "exact": 2, "offset": 1, "rows": 1}


def _mean(values: BallArray, axis: int) -> BallArray:
    mean: BallArray = namespace(values).mean(values, axis=axis, keepdims=True)
    return mean


def _require_within(bench: Bench, distance: BallArray, slack: BallArray, message: str) -> None:
    """Require that no distance is certainly larger than its slack; count nothing where there is no bound."""
    bounded = abs_upper(slack) < np.inf
    if bounded.any():
        low, high = abs_lower(distance)[bounded], abs_upper(slack)[bounded]
        worst = int(np.argmax(low - high))
        holds = bool((low <= high).all())
        bench.require(holds, f"{message} by {low[worst]!s}, and rounding explains {high[worst]!s}", quantity="result")


@claim(
    "mean_is_the_shift",
    kind="invariant",
    formulas=_CENTRED,
    statement=r"\frac1n \sum_i z_i = \beta \text{ for } \gamma = 1",
    source=SLIDES,
    inputs=called(_CALLS),
    catches=(
        "layer_norm_mean_kept",
        "layer_norm_over_first_axis",
        "layer_norm_float32_mean",
        "batch_norm_mean_kept",
        "batch_norm_over_samples",
        "standardize_mean_kept",
        "standardize_over_samples",
        "batch_norm_three_features",
    ),
)
def mean_is_the_shift(bench: Bench, *, call: Call) -> None:
    """With gain 1 and shift 0 the mean of what was normalized together is 0."""
    shown, error = result(bench, plain(call))
    axis = axis_of(bench)
    with working_precision(PRECISION_BITS):
        _require_within(bench, _mean(balls(shown), axis), _mean(balls(error), axis), "the mean is off 0")


@claim(
    "second_moment",
    kind="invariant",
    formulas=_ALL,
    statement=r"\frac1n \sum_i \hat x_i^2 = \frac{\sigma^2}{\sigma^2 + \varepsilon}",
    source=SLIDES,
    inputs=called(_CALLS),
    catches=(
        "layer_norm_unbiased",
        "layer_norm_eps_outside",
        "layer_norm_eps_missing",
        "layer_norm_eps_tenfold",
        "layer_norm_sum_for_mean",
        "layer_norm_gain_one_plus",
        "layer_norm_whole_array",
        "batch_norm_unbiased",
        "batch_norm_eps_outside",
        "batch_norm_first_feature",
        "rms_norm_eps_outside",
        "rms_norm_eps_missing",
        "rms_norm_sum_for_mean",
        "rms_norm_gain_one_plus",
        "rms_norm_divided_twice",
        "standardize_unbiased",
        "standardize_no_root",
        "standardize_adds_epsilon",
        "batch_norm_three_features",
    ),
)
def second_moment(bench: Bench, *, call: Call) -> None:
    """With gain 1 and shift 0 the mean square is the variance over itself and epsilon."""
    shown, error = result(bench, plain(call))
    axis = axis_of(bench)
    with working_precision(PRECISION_BITS):
        x = balls(call.arrays[0])
        centre = _mean(x, axis) if bench.formula.id in _CENTRED else balls(0.0)
        moment = _mean((x - centre) ** 2, axis)
        expected = namespace(x).quotient(moment, moment + call.hyperparameters.get("eps", 0.0))
        z, e = balls(shown), balls(error)
        slack = _mean(e * (2 * abs(z) + e), axis)
        _require_within(bench, _mean(z**2, axis) - expected, slack, "the mean square is off")


@claim(
    "largest_deviation",
    kind="invariant",
    formulas=_ALL,
    statement=r"\lvert \hat x_i \rvert \le \sqrt{n - 1}, \text{ without centring } \sqrt n",
    source="Samuelson's inequality",
    inputs=called({"short": 5, "exact": 2, "rows": 2}),
    catches=(
        "layer_norm_mean_kept",
        "batch_norm_mean_kept",
        "rms_norm_gain_one_plus",
        "rms_norm_divided_twice",
        "standardize_no_root",
    ),
)
def largest_deviation(bench: Bench, *, call: Call) -> None:
    """No element lies further from the mean than the root of the others' number, in standard deviations."""
    shown, error = result(bench, plain(call))
    count = call.arrays[0].shape[axis_of(bench)] - (bench.formula.id in _CENTRED)
    allowed = Enclosure(value=balls(np.zeros(shown.shape)), error=total(np.sqrt(count), error))
    bench.compare(shown, allowed, quantity="result", note="further from the mean than any element can be")


@claim(
    "shift_invariance",
    kind="metamorphic",
    formulas=(*_CENTRED, "batch_norm_running_variance", "batch_norm_running_variance_biased"),
    statement=r"z(x + c) = z(x)",
    source=SLIDES,
    inputs=called({"exact": 8}),
    catches=(
        "layer_norm_mean_kept",
        "layer_norm_uncentred_moment",
        "batch_norm_mean_kept",
        "standardize_mean_kept",
        "running_variance_uncentred",
        "running_variance_biased_uncentred",
    ),
)
def shift_invariance(bench: Bench, *, call: Call) -> None:
    """Adding a constant, here 16 to small integers and so exactly, changes nothing."""
    shown, error = result(bench, call)
    shifted, shifted_error = result(bench, with_arrays(call, call.arrays[0] + 16.0))
    expected = Enclosure(value=balls(shown), error=total(error, shifted_error))
    bench.compare(shifted, expected, quantity="result", note="a constant was added")


@claim(
    "scale_invariance",
    kind="metamorphic",
    formulas=_ALL,
    statement=r"z(-2x; 4 \varepsilon) = -z(x; \varepsilon) \text{ for } \beta = 0",
    source=SLIDES,
    inputs=called({"short": 4, "exact": 2, "rows": 1}),
    catches=(
        "layer_norm_eps_outside",
        "layer_norm_eps_fixed",
        "batch_norm_eps_outside",
        "rms_norm_eps_outside",
        "standardize_no_root",
        "standardize_adds_epsilon",
        "batch_norm_three_features",
    ),
    varies=("eps",),
)
def scale_invariance(bench: Bench, *, call: Call) -> None:
    """Twice the opposite input, under four times the epsilon, gives the opposite result."""
    centred = plain(call)
    values = {name: 4.0 * value for name, value in call.hyperparameters.items()}
    shown, error = result(bench, centred)
    opposite, opposite_error = result(bench, with_arrays(centred, -2.0 * call.arrays[0], **values))
    expected = Enclosure(value=balls(-shown), error=total(error, opposite_error))
    bench.compare(opposite, expected, quantity="result", note="the input was multiplied by -2")


@claim(
    "permuted_rows",
    kind="metamorphic",
    formulas=_ALL,
    statement=r"z(Px) = P z(x)",
    source=SLIDES,
    inputs=called({"short": 4, "rows": 1}),
    catches=(
        "layer_norm_first_element_left_out",
        "batch_norm_last_sample_ignored",
        "rms_norm_first_element_left_out",
        "standardize_last_sample_ignored",
    ),
)
def permuted_rows(bench: Bench, *, call: Call) -> None:
    """Reversing what is normalized together reverses the result."""
    axis = axis_of(bench)
    shown, error = result(bench, call)
    x, *others = call.arrays
    features = [array if axis == 0 else array[::-1].copy() for array in others]
    turned, turned_error = result(bench, with_arrays(call, np.flip(x, axis).copy(), *features))
    expected = Enclosure(value=balls(np.flip(shown, axis)), error=total(np.flip(error, axis), turned_error))
    bench.compare(turned, expected, quantity="result", note="the order was reversed")


@claim(
    "slices_apart",
    kind="metamorphic",
    formulas=_ALL,
    statement=r"z(x)^{(k)} = z(x^{(k)})",
    source=f"{SLIDES}: each dimension, or each sample, independently",
    inputs=called({"short": 4, "exact": 2, "rows": 1}),
    catches=(
        "layer_norm_over_first_axis",
        "layer_norm_whole_array",
        "batch_norm_over_samples",
        "batch_norm_first_feature",
        "rms_norm_whole_array",
        "standardize_over_samples",
        "standardize_whole_array",
        "batch_norm_three_features",
    ),
)
def slices_apart(bench: Bench, *, call: Call) -> None:
    """The last sample of a layer, or the last feature of a batch, comes out as it does alone."""
    shown, error = result(bench, call)
    x, *others = call.arrays
    if axis_of(bench) == 0:
        alone = with_arrays(call, x[..., -1:].copy(), *(array[-1:].copy() for array in others))
        value, before = shown[..., -1:], error[..., -1:]
    else:
        alone = with_arrays(call, x[-1:].copy())
        value, before = shown[-1:], error[-1:]
    by_itself, after = result(bench, alone)
    expected = Enclosure(value=balls(value), error=total(before, after))
    bench.compare(by_itself, expected, quantity="result", note="the others changed it")


@claim(
    "doubled_affine",
    kind="metamorphic",
    formulas=_LAYERS,
    statement=r"z(x; 2\gamma, 2\beta) = 2 z(x; \gamma, \beta)",
    source=SLIDES,
    inputs=called({"short": 4, "rows": 1}),
    catches=(
        "layer_norm_gain_one_plus",
        "layer_norm_shift_scaled",
        "batch_norm_gain_squared",
        "rms_norm_gain_one_plus",
    ),
)
def doubled_affine(bench: Bench, *, call: Call) -> None:
    """Twice the gain and the shift give twice the result."""
    shown, error = result(bench, call)
    x, *affine = call.arrays
    double, double_error = result(bench, with_arrays(call, x, *(2.0 * array for array in affine)))
    expected = Enclosure(value=balls(2.0 * shown), error=total(2.0 * error, double_error))
    bench.compare(double, expected, quantity="result", note="gain and shift were doubled")


@claim(
    "zero_gain",
    kind="metamorphic",
    formulas=_LAYERS,
    statement=r"z(x; 0, \beta) = \beta",
    source=SLIDES,
    inputs=called({"short": 4, "rows": 1}),
    catches=(
        "layer_norm_gain_one_plus",
        "layer_norm_affine_swapped",
        "layer_norm_shift_scaled",
        "batch_norm_affine_swapped",
        "rms_norm_gain_one_plus",
    ),
)
def zero_gain(bench: Bench, *, call: Call) -> None:
    """With gain 0 nothing is left but the shift, here the former gain."""
    x, weight, *bias = call.arrays
    shifts = [weight for _ in bias]
    shown, error = result(bench, with_arrays(call, x, np.zeros(weight.shape), *shifts))
    shift = np.broadcast_to(shifts[0] if shifts else 0.0, shown.shape)
    bench.compare(shown, Enclosure(value=balls(shift), error=error), quantity="result", note="the gain was 0")


@claim(
    "constants_become_the_shift",
    kind="invariant",
    formulas=_SHIFTED,
    statement=r"x_i = c \implies z_i = \beta",
    source=SLIDES,
    inputs=called({"constant": 4, "single": 2}),
    catches=(
        "layer_norm_mean_kept",
        "layer_norm_nan_for_constants",
        "batch_norm_mean_kept",
        "batch_norm_nan_for_constants",
    ),
)
def constants_become_the_shift(bench: Bench, *, call: Call) -> None:
    """What does not vary, a single element included, becomes the shift."""
    shown, error = result(bench, call)
    shift = np.broadcast_to(call.arrays[2], shown.shape)
    bench.compare(shown, Enclosure(value=balls(shift), error=error), quantity="result", note="nothing varied")


@claim(
    "direction_of_a_sample",
    kind="invariant",
    formulas=("rms_norm",),
    statement=r"\hat x_i x_j = \hat x_j x_i",
    source="zhang2019root: re-scaling without re-centring",
    inputs=called({"short": 4, "exact": 2, "rows": 1}),
    catches=("rms_norm_centred", "rms_norm_first_element_left_out_of_result"),
)
def direction_of_a_sample(bench: Bench, *, call: Call) -> None:
    """With gain 1 the result is a multiple of its sample."""
    shown, error = result(bench, plain(call))
    x = call.arrays[0]
    largest = np.argmax(np.abs(x), axis=-1, keepdims=True)

    def reference(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, largest, axis=-1)

    with working_precision(PRECISION_BITS):
        share = namespace(balls(x)).quotient(balls(x), balls(reference(x)))
        allowed = total(error, reference(error) * abs_upper(share) * (1.0 + 2.0**-50))
        bench.compare(
            shown,
            Enclosure(value=balls(reference(shown)) * share, error=allowed),
            quantity="result",
            note="the direction changed",
        )
