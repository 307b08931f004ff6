"""Simpler rules than those of the rounding system condemn honest programs.

Each counterexample weakens one rule, and shows a program of the admitted class that then
leaves the bound although it does not leave the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from oracle.arithmetic import rounded_functions, rounding
from oracle.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format, Precision
from oracle.arithmetic.primitives import decayed, interpolated, moving_average, stored
from oracle.arithmetic.rounding import Rounded
from oracle.bound import Walk, bound
from oracle.catalogue import get
from oracle.formula import formula
from tests.helpers.programs.adam_programs import AdamForm
from tests.helpers.programs.inputs import Training
from tests.helpers.programs.judge import Tally, judge_training
from tests.helpers.programs.kit import Floats, Kit, Tensor

SAMPLE = 4000
ALMOST_HALFWAY = 1.25 + 2.0**-8.01  # between two neighbouring bfloat16 numbers

Patch = pytest.MonkeyPatch


def _numbers(form: Format, low: int, high: int, *, signed: bool = True) -> Floats:
    """Draw numbers of a format with exponents from ``low`` to ``high``."""
    rng = np.random.default_rng([low + 2000, high + 2000, form.bits])
    values = rng.uniform(1, 2, SAMPLE) * 2.0 ** rng.integers(low, high + 1, SAMPLE)
    return form.round(np.copysign(values, rng.normal(size=SAMPLE)) if signed else values)


def _uniform(form: Format, *, scalars: Format = FLOAT64, **others: Any) -> Precision:
    return Precision(form, form, scalars, **others)


def _worst(body: Callable[..., Any], arrays: tuple[Floats, ...], observed: Tensor, **hyperparameters: float) -> float:
    """Largest error over bound of what a program made of a line of mathematics."""
    kit = observed.kit
    line = formula("line", kind="function", source=(), domain={}, neighbours=())(body)
    enclosure: Any = bound(line, *arrays, precision=kit.precision, **hyperparameters)
    return float(np.max(enclosure.ratio(kit.shown(observed))))


@dataclass(frozen=True)
class Counterexample:
    """A rule that will not do, and the worst ratio of an honest program under the rules in force."""

    name: str
    weaken: Callable[[Patch], None]
    worst: Callable[[], float]

    def __str__(self) -> str:
        return self.name


def _printed_average(patch: Patch) -> None:
    patch.setattr(
        rounded_functions,
        "moving_average",
        lambda beta, average, new: rounded_functions.stored(beta * average + (1 - beta) * new),
    )


def _correction_with_little_after_much(beta: float) -> float:
    kit = Kit(_uniform(FLOAT32))
    average, new = _numbers(FLOAT32, 2, 4), _numbers(FLOAT32, -9, -7)
    m, x = kit.array(average), kit.array(new)
    observed = m + (kit.scalar(1.0) - kit.scalar(beta)) * (x - m)
    return _worst(lambda m, x, *, beta: moving_average(beta, m, x), (average, new), observed, beta=beta)


def _printed_direction(patch: Patch) -> None:
    patch.setattr(
        rounded_functions, "interpolated", lambda beta, average, new: beta * average.read() + (1 - beta) * new
    )


def _direction_with_little_after_much() -> float:
    kit = Kit(_uniform(FLOAT32))
    average, new = _numbers(FLOAT32, 2, 4), _numbers(FLOAT32, -9, -7)
    m, x = kit.array(average), kit.array(new)
    observed = m + (kit.scalar(1.0) - kit.scalar(0.1)) * (x - m)
    return _worst(lambda m, x, *, beta: interpolated(beta, m, x), (average, new), observed, beta=0.1)


def _printed_decay(patch: Patch) -> None:
    patch.setattr(rounded_functions, "decayed", lambda param, rate, decay: param - rate * decay * param)


def _factored_decay() -> float:
    kit = Kit(_uniform(BFLOAT16))
    param = _numbers(BFLOAT16, 0, 0)
    rate, decay = kit.scalar(0.1), kit.scalar(0.03)
    observed = kit.array(param) * (kit.scalar(1.0) - rate * decay)
    return _worst(lambda param, *, rate, decay: decayed(param, rate, decay), (param,), observed, rate=0.1, decay=0.03)


def _one_rounding_for_a_division(patch: Patch) -> None:
    patch.setattr(rounding, "DIVISION", 1)


def _product_with_a_reciprocal() -> float:
    kit = Kit(_uniform(BFLOAT16))
    a, b = _numbers(BFLOAT16, -1, 1), _numbers(BFLOAT16, 0, 0)
    return _worst(lambda a, b: a / b, (a, b), kit.array(a) * kit.array(b).reciprocal())


def _correctly_rounded_root(patch: Patch) -> None:
    patch.setattr(rounded_functions, "SQUARE_ROOT", 1)


def _root_by_reciprocal_root() -> float:
    kit = Kit(_uniform(BFLOAT16))
    values = _numbers(BFLOAT16, -1, 2, signed=False)
    x = kit.array(values)
    return _worst(rounded_functions.sqrt, (values,), x * kit.sqrt(x).reciprocal())


def _root_halves_what_is_inside(patch: Patch) -> None:
    real = rounded_functions.sqrt
    _one_rounding_for_a_division(patch)
    _correctly_rounded_root(patch)

    def halving(value: Any) -> Any:
        root = real(value)
        return replace(root, r=root.r - value.r / 2) if isinstance(value, Rounded) else root

    patch.setattr(rounded_functions, "sqrt", halving)


def _quotient_of_roots() -> float:
    kit = Kit(_uniform(BFLOAT16))
    values = _numbers(BFLOAT16, -3, 3, signed=False)
    weight = ALMOST_HALFWAY**-2  # so is its inverse root
    observed = kit.sqrt(kit.array(values)) * (kit.scalar(1.0) / kit.sqrt(kit.scalar(weight)))
    return _worst(lambda v, *, weight: rounded_functions.sqrt(v / weight), (values,), observed, weight=weight)


def _decay_without_partial_products(patch: Patch) -> None:
    real = rounded_functions.decayed

    def unaware(param: Any, rate: Any, decay: Any) -> Any:
        result = real(param, rate, decay)
        return replace(result, H=np.maximum(param.carrier.upper(param.x), 1.0))

    patch.setattr(rounded_functions, "decayed", unaware)


def _large_rate_meets_large_parameter() -> float:
    kit = Kit(_uniform(FLOAT32))
    param = FLOAT32.round(np.asarray([1e38]))
    with np.errstate(all="ignore"):
        observed = kit.array(param) - kit.scalar(0.01) * (kit.scalar(5.0) * kit.array(param))
    return _worst(lambda param, *, rate, decay: decayed(param, rate, decay), (param,), observed, rate=5.0, decay=0.01)


def _thresholds_become_elements_exactly(patch: Patch) -> None:
    patch.setattr(rounded_functions, "_element", rounding.operand)


def _float32_threshold_of_bfloat16_values() -> float:
    kit = Kit(_uniform(BFLOAT16, entry=FLOAT32))
    grad = np.asarray([2.0])
    enclosure: Any = bound(get("clip_by_value"), grad, precision=kit.precision, clip_value=ALMOST_HALFWAY)
    observed = kit.shown(kit.full(kit.array(grad), kit.scalar(ALMOST_HALFWAY)))
    return float(np.max(enclosure.ratio(observed)))


def _scalars_enter_exactly(patch: Patch) -> None:
    patch.setattr(Precision, "entry_roundings", 0.0)


def _product_with_a_cast_scalar() -> float:
    kit = Kit(_uniform(BFLOAT16))
    values, beta = _numbers(BFLOAT16, 0, 0), ALMOST_HALFWAY
    return _worst(lambda m, *, beta: beta * m, (values,), kit.scalar(beta) * kit.array(values), beta=beta)


def _sums_charge_themselves_only(patch: Patch) -> None:
    real = rounding._add
    patch.setattr(rounding, "_add", lambda a, b, *rest: real(replace(a, T=1), replace(b, T=1), *rest))


def _shift_and_scale_fused() -> float:
    kit = Kit(_uniform(BFLOAT16))
    x, mu = _numbers(BFLOAT16, -9, -9), _numbers(BFLOAT16, -9, -8)
    scale, bias = _numbers(BFLOAT16, -1, -1), _numbers(BFLOAT16, 0, 1)
    observed = kit.array(x) * kit.array(scale) + (kit.array(bias) - kit.array(mu) * kit.array(scale))
    return _worst(lambda x, mu, s, b: (x - mu) * s + b, (x, mu, scale, bias), observed)


def _charge_the_difference_only(patch: Patch) -> None:
    real = rounding._add

    def blind(a: Rounded, b: Rounded, *rest: bool) -> Rounded:
        result = real(a, b, *rest)
        return replace(result, M=result.carrier.upper(result.x))

    patch.setattr(rounding, "_add", blind)


def _distributed_factor() -> float:
    kit = Kit(_uniform(FLOAT32))
    x, scale = _numbers(FLOAT32, 4, 4), _numbers(FLOAT32, -4, -4)
    mu = FLOAT32.round(x * (1 + 2.0**-18))
    observed = kit.array(x) * kit.array(scale) - kit.array(mu) * kit.array(scale)
    return _worst(lambda x, mu, s: (x - mu) * s, (x, mu, scale), observed)


def _roundings_relative_to_a_cancelling_divisor(patch: Patch) -> None:
    real = rounding._divide
    patch.setattr(rounding, "_divide", lambda a, b, *rest: real(a, replace(b, C=False), *rest))


def _division_by_a_distributed_difference() -> float:
    kit = Kit(_uniform(FLOAT32))
    a, x, scale = _numbers(FLOAT32, 0, 0), _numbers(FLOAT32, 4, 4), _numbers(FLOAT32, -4, -4)
    y = FLOAT32.round(x * (1 + 2.0**-12))
    observed = kit.array(a) / (kit.array(x) * kit.array(scale) - kit.array(y) * kit.array(scale))
    return _worst(lambda a, x, y, s: a / ((x - y) * s), (a, x, y, scale), observed)


def _scalars_meet_what_is_left(patch: Patch) -> None:
    multiply, divide = rounding._multiply, rounding._divide
    patch.setattr(rounding, "_multiply", lambda a, b, *_: multiply(a, b))
    patch.setattr(rounding, "_divide", lambda a, b, *_: divide(a, b))


def _incremental_average_that_cancels() -> float:
    """Average with weights (1 - beta) / (1 - beta**t), each with its own error; the decay uncovers the step."""
    rng = np.random.default_rng(0)
    grads = rng.choice([-1.0, 1.0], (3, 64)) * rng.uniform(0.5, 1.0, 64)
    grads[-1] = -(grads[0] + grads[1]) * (1 + 2.0 ** -rng.uniform(3, 20, 64))
    values = {"learning_rate": 1.0, "beta1": 0.999, "beta2": 0.75, "eps": 1e-8, "weight_decay": 1.0 - 2.0**-10}
    training = Training(np.full(64, 0.7), tuple(grads), (values,) * 3)
    form = AdamForm(
        first="corrected",
        second="two_products",
        root="root_of_quotient",
        ratio="printed",
        power="pow",
        decay="factored",
        end="subtract",
        penalty="separate",
        kept_wide="everything",
    )
    tally = Tally()
    judge_training(tally, "adamw", _uniform(FLOAT64), training, [form], flush=False)
    return tally.worst


def _with_fields(patch: Patch, **fields: Any) -> None:
    """Let the total error see other values of some fields."""
    real: Any = Rounded.error
    patch.setattr(Rounded, "error", property(lambda self: real.fget(replace(self, **fields))))


def _underflow_costs_only_itself(patch: Patch) -> None:
    _with_fields(patch, H=np.asarray(1.0), A=1.0)


def _clip_without_partial_products(patch: Patch) -> None:
    _underflow_costs_only_itself(patch)
    patch.setattr(rounded_functions, "rescaled", lambda grad, max_norm, norm: max_norm * grad / norm)


def _flushed_partial_product() -> float:
    kit = Kit(_uniform(FLOAT32), flush=True)
    m = FLOAT32.round(np.asarray([1e-36]))
    observed = (kit.scalar(1e-3) * kit.array(m)) / kit.array(m)
    return _worst(lambda m, d, *, rate: rate * (m / d), (m, m), observed, rate=1e-3)


def _tiny_product_in_a_clip() -> float:
    kit = Kit(_uniform(FLOAT16))
    grad, threshold = FLOAT16.round(np.asarray([2.0**-4, 1.3 * 2.0**-12])), 2.0**-11
    enclosure: Any = bound(get("clip_by_norm"), grad, precision=kit.precision, max_norm=threshold)
    observed = (kit.array(grad) * kit.scalar(threshold)) / kit.array(grad[:1])
    return float(np.max(enclosure.ratio(kit.shown(observed))))


def _adding_zero_is_exact(patch: Patch) -> None:
    real = rounding._add

    def exact(a: Rounded, b: Rounded, *rest: bool) -> Rounded:
        result = real(a, b, *rest)
        return replace(result, r=np.where(a.is_zero, b.r, result.r))

    patch.setattr(rounding, "_add", exact)


def _epsilon_beside_an_exact_zero() -> float:
    kit = Kit(_uniform(FLOAT16, entry=FLOAT32))
    zero = np.zeros(1)
    return _worst(lambda v, *, eps: v + eps, (zero,), kit.array(zero) + kit.scalar(1e-8), eps=1e-8)


def _zero_numerators_give_zero(patch: Patch) -> None:
    real: Any = Rounded.error
    patch.setattr(Rounded, "error", property(lambda self: np.where(self.is_zero, 0.0, real.fget(self))))


def _zero_times_infinity() -> float:
    kit = Kit(_uniform(FLOAT16))
    zero = np.zeros(1)
    with np.errstate(all="ignore"):
        observed = kit.array(zero) * (kit.scalar(1.0) / kit.scalar(1e-5))
    return _worst(lambda g, *, rate, eps: rate * g / (abs(g) + eps), (zero,), observed, rate=1.0, eps=1e-5)


def _only_products_overflow(patch: Patch) -> None:
    _with_fields(patch, D=0.0)


def _rate_in_the_denominator() -> float:
    kit = Kit(_uniform(FLOAT16))
    m, d = np.asarray([1024.0]), np.asarray([30000.0])
    with np.errstate(all="ignore"):
        observed = kit.array(m) / (kit.array(d) / kit.scalar(0.25))
    return _worst(lambda m, d, *, rate: rate * (m / d), (m, d), observed, rate=0.25)


def _an_average_in_range_is_enough(patch: Patch) -> None:
    real = rounded_functions.moving_average

    def unaware(beta: Any, average: Any, new: Any) -> Any:
        result, printed = real(beta, average, new), beta * average + (1 - beta) * new
        return replace(result, e=np.where(np.isinf(result.error), printed.error, result.e))

    patch.setattr(rounded_functions, "moving_average", unaware)


def _unnormalised_sum_out_of_range() -> float:
    kit = Kit(_uniform(FLOAT16))
    average, new = np.asarray([100.0]), np.asarray([400.0])
    beta = kit.scalar(0.999)
    rest = kit.scalar(1.0) - beta
    with np.errstate(all="ignore"):
        kept = kit.array(average / rest)
        observed = rest * (beta * kept + kit.array(new))
    return _worst(lambda m, x, *, beta: moving_average(beta, m, x), (average, new), observed, beta=0.999)


def _identity_branch_is_exact(patch: Patch) -> None:
    real = rounded_functions.rescaled

    def exact(grad: Any, max_norm: Any, norm: Any) -> Any:
        result = real(grad, max_norm, norm)
        fits = np.asarray(float(max_norm.x)) > norm.carrier.upper(norm.x) + norm.error
        return replace(result, e=np.where(fits, 0.0, result.e), r=np.where(fits, 0.0, result.r), M=grad.M)

    patch.setattr(rounded_functions, "rescaled", exact)


def _product_in_the_identity_branch() -> float:
    kit = Kit(_uniform(FLOAT32))
    grad = _numbers(FLOAT32, 0, 0)[:8]
    norm = np.sqrt(np.sum(grad * grad))
    threshold = 1.3 * norm
    enclosure: Any = bound(get("clip_by_norm"), grad, precision=kit.precision, max_norm=threshold)
    limit = kit.scalar(threshold)
    observed = (kit.array(grad) * limit) * (kit.scalar(1.0) / limit)
    return float(np.max(enclosure.ratio(kit.shown(observed))))


def _state_is_one_term(patch: Patch) -> None:
    real = rounded_functions.stored
    patch.setattr(rounded_functions, "stored", lambda value: replace(real(value), T=1))


def _buffer_distributed_over_the_update() -> float:
    kit = Kit(_uniform(BFLOAT16))
    param, buffer, grad = (_numbers(BFLOAT16, low, low + 1) for low in (0, -9, -10))
    rate, momentum = 1.0, 0.5
    parts = momentum * kit.scalar(rate) * kit.array(buffer), kit.scalar(rate) * kit.array(grad)
    observed = kit.array(param) - parts[0] - parts[1]

    def line(param: Any, buffer: Any, grad: Any, *, rate: float, momentum: float) -> Any:
        return param - rate * stored(momentum * buffer + grad)

    return _worst(line, (param, buffer, grad), observed, rate=rate, momentum=momentum)


COUNTEREXAMPLES = (
    Counterexample(
        "an average costs what its printed line costs",
        _printed_average,
        lambda: _correction_with_little_after_much(0.1),
    ),
    Counterexample(
        "an average with beta 0 forgets exactly", _printed_average, lambda: _correction_with_little_after_much(0.0)
    ),
    Counterexample(
        "a direction costs what its printed line costs", _printed_direction, _direction_with_little_after_much
    ),
    Counterexample("a decay costs what its printed line costs", _printed_decay, _factored_decay),
    Counterexample("a division rounds once", _one_rounding_for_a_division, _product_with_a_reciprocal),
    Counterexample("a root is correctly rounded", _correctly_rounded_root, _root_by_reciprocal_root),
    Counterexample("a root halves the roundings inside", _root_halves_what_is_inside, _quotient_of_roots),
    Counterexample("scalars meet arrays exactly", _scalars_enter_exactly, _product_with_a_cast_scalar),
    Counterexample(
        "a threshold becomes an element exactly",
        _thresholds_become_elements_exactly,
        _float32_threshold_of_bfloat16_values,
    ),
    Counterexample(
        "a decay has no partial products", _decay_without_partial_products, _large_rate_meets_large_parameter
    ),
    Counterexample("a sum charges its own addition only", _sums_charge_themselves_only, _shift_and_scale_fused),
    Counterexample("state is one term of an update", _state_is_one_term, _buffer_distributed_over_the_update),
    Counterexample("a difference charges what is left of it", _charge_the_difference_only, _distributed_factor),
    Counterexample(
        "roundings are relative to a cancelling divisor",
        _roundings_relative_to_a_cancelling_divisor,
        _division_by_a_distributed_difference,
    ),
    Counterexample("scalars meet what is left of a sum", _scalars_meet_what_is_left, _incremental_average_that_cancels),
    Counterexample("an underflow costs itself", _underflow_costs_only_itself, _flushed_partial_product),
    Counterexample("a clip has no partial products", _clip_without_partial_products, _tiny_product_in_a_clip),
    Counterexample("adding to zero is exact", _adding_zero_is_exact, _epsilon_beside_an_exact_zero),
    Counterexample("a zero numerator gives zero", _zero_numerators_give_zero, _zero_times_infinity),
    Counterexample("only products overflow", _only_products_overflow, _rate_in_the_denominator),
    Counterexample(
        "an average in range has its sum in range", _an_average_in_range_is_enough, _unnormalised_sum_out_of_range
    ),
    Counterexample(
        "the identity branch multiplies by nothing", _identity_branch_is_exact, _product_in_the_identity_branch
    ),
)


@pytest.mark.parametrize("example", COUNTEREXAMPLES, ids=str)
def test_a_simpler_rule_condemns_an_honest_program(example: Counterexample, monkeypatch: Patch) -> None:
    assert example.worst() <= 1.0

    example.weaken(monkeypatch)

    assert example.worst() > 1.0


def test_float32_scalars_are_no_rounding_error_of_float64_scalars() -> None:
    narrow, wide = _uniform(FLOAT32, scalars=FLOAT32), _uniform(FLOAT32, scalars=FLOAT64)
    kit, values = Kit(narrow), _numbers(FLOAT32, 0, 0)
    rest = kit.scalar(1.0) - kit.scalar(0.999)  # 216 units of roundoff off
    observed = kit.shown(rest * kit.array(values))
    line = formula("line", kind="function", source=(), domain={}, neighbours=())(lambda x, *, beta: (1 - beta) * x)
    ratios = [np.max(bound(line, values, precision=p, beta=0.999).ratio(observed)) for p in (narrow, wide)]  # type: ignore[union-attr]

    assert ratios[0] <= 1.0 < ratios[1]


def test_a_scalar_cast_to_the_dtype_needs_a_precision_that_says_so() -> None:
    cast, kept = (Precision(BFLOAT16, FLOAT32, FLOAT64, entry=entry) for entry in (BFLOAT16, FLOAT32))
    kit, values = Kit(cast), _numbers(BFLOAT16, 0, 0)
    observed = kit.shown(kit.array(values) * kit.scalar(ALMOST_HALFWAY))
    line = formula("line", kind="function", source=(), domain={}, neighbours=())(
        lambda x, *, beta: rounded_functions.stored(beta * x)
    )
    ratios = [np.max(bound(line, values, precision=p, beta=ALMOST_HALFWAY).ratio(observed)) for p in (cast, kept)]  # type: ignore[union-attr]

    assert ratios[0] <= 1.0 < ratios[1]


def test_what_a_subject_shows_is_not_what_it_keeps() -> None:
    precision = Precision(BFLOAT16, FLOAT32, FLOAT64)
    kit, param, rate = Kit(precision), _numbers(BFLOAT16, 0, 0), 1.0
    kept, walk, naive = kit.array(param), Walk(get("gd"), param, precision=precision), 0.0
    honest = 0.0
    for _ in range(3):
        grad = np.abs(_numbers(BFLOAT16, -9, -9)) * np.sign(param)
        kept, before = kept - kit.scalar(rate) * kit.array(grad), kit.shown(kept)
        shown = kit.shown(kept)  # the master weights keep what a bfloat16 copy rounds away
        restarted = Walk(get("gd"), before, precision=precision)
        naive = max(naive, float(np.max(restarted.step(grad, {"learning_rate": rate})[0].ratio(shown))))
        honest = max(honest, float(np.max(walk.step(grad, {"learning_rate": rate})[0].ratio(shown))))
        walk.resynchronise(shown)

    assert honest <= 1.0 < naive


def test_an_average_that_overflowed_gives_no_bound_even_where_beta_forgets_it() -> None:
    precision = _uniform(BFLOAT16)
    walk = Walk(get("adam"), np.zeros(1), precision=precision)
    values = {"learning_rate": 1e-3, "beta1": 0.5, "beta2": 0.0, "eps": 1e-3}
    bounded = [walk.step(np.asarray([grad]), values)[0].bounded.all() for grad in (2.0**95, 1.0)]

    assert not any(bounded)


def test_a_weight_whose_inverse_leaves_the_format_gives_no_bound() -> None:
    beta, start, grad = 1 - 2.0**-20, np.asarray([1.0]), np.asarray([0.5])
    values = {"learning_rate": 0.1, "beta1": beta, "beta2": 0.5, "weight_decay": 0.0}
    kit = Kit(_uniform(FLOAT16))
    with np.errstate(all="ignore"):  # an honest way to write the direction: compared in the gradient's scale
        weight = kit.scalar(beta) / (kit.scalar(1.0) - kit.scalar(beta))
        direction = weight * kit.array(0 * grad) + kit.array(grad)

    assert np.isnan(kit.shown(direction)).all()
    assert np.isinf(bound(get("lion"), start, grad, precision=kit.precision, **values)[0].error).all()
    assert np.isfinite(bound(get("lion"), start, grad, precision=_uniform(FLOAT32), **values)[0].error).all()


def test_a_reciprocal_of_a_norm_that_leaves_the_entry_format_gives_no_bound() -> None:
    narrow = Precision(FLOAT16, FLOAT32, FLOAT64, entry=FLOAT16)
    threshold = 2.0**-18
    for grad in np.asarray([2.0**-17]), np.asarray([2.0**-17, 0.0]):
        kit = Kit(narrow)
        with np.errstate(all="ignore"):  # an honest way to write the factor: the smaller of two reciprocals
            observed = kit.shown(kit.array(grad) * kit.scalar(threshold) * kit.scalar(1 / 2.0**-17))

        assert not np.isfinite(observed).any()
        assert np.isinf(bound(get("clip_by_norm"), grad, precision=narrow, max_norm=threshold).error).all()
        wide = replace(narrow, entry=FLOAT32)
        assert np.isfinite(bound(get("clip_by_norm"), grad, precision=wide, max_norm=threshold).error).all()


def test_a_copy_of_a_subnormal_gradient_may_be_flushed() -> None:
    precision = _uniform(FLOAT32)
    values = {"learning_rate": 1.0, "momentum": 0.5, "dampening": 0.5}
    walk = Walk(get("momentum_torch_dampening"), np.zeros(1), precision=precision)
    _, state = walk.step(np.asarray([2.0**-140]), values)

    assert state["momentum_buffer"].ratio(np.zeros(1)) <= 1.0


def test_the_reciprocal_of_a_count_is_rounded_where_it_enters() -> None:
    prediction, target = (
        np.float16(x).astype(np.float64) for x in ([0.1725, -7.184, -3.047], [-1.3955, -11.41, -5.586])
    )
    residuals = np.float32(prediction) - np.float32(target)
    shares = residuals * residuals * np.float32(np.float16(1 / 3))
    observed = np.float64(np.float16(shares.sum()))
    narrow = Precision(FLOAT16, FLOAT32, FLOAT64, entry=FLOAT16)

    expected = bound(get("loss_mse"), prediction, target, precision=narrow)
    without = bound(get("loss_mse"), prediction, target, precision=replace(narrow, entry=FLOAT32))

    assert expected.ratio(observed) <= 1 < without.ratio(observed)


def test_every_subnormal_term_of_a_sum_may_be_read_as_zero() -> None:
    tiny, precision = 0.75 * 2.0**-126, _uniform(FLOAT32)
    terms = np.full((3, 1), tiny)

    assert bound(get("linear_vjp_bias"), terms, precision=precision).ratio(np.zeros(1)) <= 1.0
    assert bound(get("loss_l1"), terms[:1, 0], -terms[:1, 0], precision=precision).ratio(np.zeros(())) <= 1.0


def test_a_sum_that_leaves_the_range_of_the_arithmetic_after_it_was_summed_has_no_bound() -> None:
    narrow = Precision(FLOAT16, FLOAT16, FLOAT64)
    grad = np.full(5, 128.0)  # the norm is in the range, and its square is not
    with np.errstate(over="ignore"):
        square = np.float16(np.sum(np.float32(grad) ** 2))

    assert np.isinf(square)
    assert np.isinf(bound(get("clip_by_norm"), grad, precision=narrow, max_norm=1.0).error).all()
    assert np.isfinite(bound(get("clip_by_norm"), grad / 2, precision=narrow, max_norm=1.0).error).all()
