from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from oracle.arithmetic import namespace, quotient
from oracle.arithmetic.balls import BallArray, balls, midpoint, working_precision
from oracle.catalogue import FORMULAS, get
from oracle.errors import DomainError, UndecidedError
from oracle.exact import Decisions, exact, map_leaves
from oracle.formula import Formula, NoState, initial_state
from oracle.optimizers.adam import AdamState
from oracle.trajectory import trajectory
from tests.helpers.arguments import hostile_arguments
from tests.helpers.hostile import hostile, hyperparameters
from tests.helpers.mp import mp_exact

LARGEST = np.finfo(float).max
SMALLEST = 2.0**-1074
HALF_ULP = 2.0**-53


def bits(result: Any) -> list[bytes]:
    """Return the bit patterns of all numbers of a result."""
    patterns: list[bytes] = []
    map_leaves(lambda leaf, _: patterns.extend(np.atleast_1d(x).tobytes() for x in np.ravel(leaf)), result, "result")
    return patterns


def descend(param: Any, grad: Any, learning_rate: float) -> Any:
    return exact(get("gd"), param, grad, NoState(), learning_rate=learning_rate, info=True)


def first_adam_step(param: float, grad: float, **changes: float) -> tuple[float, Decisions]:
    values = {"learning_rate": 0.5, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, **changes}
    (params, _), decisions = exact(trajectory(get("adam")), param, [grad], hyperparameters=values, info=True)
    return float(params[0]), decisions


# -- The rounding is right -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.id)
def test_every_formula_equals_an_evaluation_with_more_bits_rounded_once(formula: Formula, draws):
    rng = np.random.default_rng(len(formula.id))
    everything = 10_000 if formula.kind == "optimizer" or formula.id.startswith("clip") else 2_000
    answered = 0
    for _ in range(draws(60, everything)):
        values = hyperparameters(formula, rng)
        if formula.kind == "schedule":
            function, args, kwargs = formula, (int(rng.integers(0, 160)),), values
        elif formula.kind == "function":
            function, args, kwargs = formula, hostile_arguments(formula, rng), values
        else:
            grads = [hostile(rng, 3) for _ in range(3)]
            function, args, kwargs = trajectory(formula), (hostile(rng, 3), grads), {"hyperparameters": values}
        try:
            expected = mp_exact(function, *args, **kwargs)
        except ZeroDivisionError:
            with pytest.raises(DomainError, match="has no finite value"):
                exact(function, *args, **kwargs)
            continue

        result, decisions = exact(function, *args, info=True, **kwargs)

        # More bits do not decide a tie of irrational numbers either, so there the two may differ.
        differing = sum(a != b for a, b in zip(bits(result), bits(expected), strict=True))
        assert differing <= decisions.undecided_count, f"{formula.id} {args} {kwargs}"
        answered += 1

    assert answered > draws(30, everything // 2)


def test_a_naive_evaluation_in_float64_is_told_from_the_exact_one():
    param, grad, rate = 0.3, 3.0, 0.1

    (result, _), _ = descend(param, grad, rate)

    assert result == Fraction(param) - Fraction(rate) * Fraction(grad) == -(2.0**-55)
    assert param - rate * grad == -(2.0**-54)


def test_the_nearest_float_to_a_midpoint_of_128_bits_is_told_from_the_exact_value():
    huge, tiny = 1e300, 1e-300

    def cancelling(x: Any, y: Any) -> Any:
        return x + y - x

    with working_precision(128):
        naive = midpoint(cancelling(balls(huge), balls(tiny)))
    result, decisions = exact(cancelling, huge, tiny, info=True)

    assert naive == 0.0
    assert result == tiny
    assert decisions == Decisions(2048, 0)


def test_hyperparameters_are_the_floats_they_are_and_not_their_decimals():
    (result, _), _ = descend(1.0, 10.0, 0.1)

    assert result == 1 - 10 * Fraction(0.1) == -(2.0**-54)


# -- Ties ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grad", "rounded"),
    [(-HALF_ULP, 1.0), (-3 * HALF_ULP, 1 + 4 * HALF_ULP), (HALF_ULP / 2, 1.0), (3 * HALF_ULP / 2, 1 - 2 * HALF_ULP)],
)
def test_a_result_midway_between_two_floats_becomes_the_even_one(grad, rounded):
    (result, _), decisions = descend(1.0, grad, 1.0)

    assert result == rounded
    assert decisions == Decisions(128, 0)


def first_root_step(param: Any, grad: Any, learning_rate: float) -> tuple[Any, Decisions]:
    """Take the first step of adam_eps_hat without epsilon: the rate itself, as a quotient of equal roots."""
    values = {"learning_rate": learning_rate, "beta1": 0.9, "beta2": 0.999, "eps": 0.0}
    (params, _), decisions = exact(trajectory(get("adam_eps_hat")), param, [grad], hyperparameters=values, info=True)
    return params[0], decisions


@pytest.mark.parametrize(("ulps", "rounded"), [(1, 1.0), (3, 1 - 2 * HALF_ULP)])
def test_a_midpoint_that_no_number_of_digits_shows_becomes_the_even_float_and_is_counted(ulps, rounded):
    result, decisions = first_root_step(1.0, 0.7, learning_rate=ulps * HALF_ULP / 2)

    assert result == rounded
    assert decisions == Decisions(4096, 1)


@pytest.mark.parametrize(("ulps", "rounded"), [(1, 1.0), (3, 1 - 2 * HALF_ULP)])
def test_adam_at_the_midpoint_of_two_floats_becomes_the_even_one(ulps, rounded):
    result, decisions = first_adam_step(1.0, 1e-8, learning_rate=ulps * HALF_ULP)

    assert result == rounded
    assert decisions.undecided_count == 0


def test_adam_with_a_gradient_of_the_size_of_epsilon_moves_by_half_the_learning_rate():
    for param, grad, rate in [(1.0, 1e-8, 0.1), (3.0, -1e-8, 1e-3), (-0.7, 1e-8, 0.9)]:
        result, decisions = first_adam_step(param, grad, learning_rate=rate)

        assert result == float(Fraction(param) - Fraction(rate) * (1 if grad > 0 else -1) / 2)
        assert decisions.undecided_count == 0


def test_a_zero_that_no_number_of_digits_shows_is_positive_and_counted():
    for param, grad in [(0.25, 0.7), (-0.25, -0.7)]:
        result, decisions = first_root_step(param, grad, learning_rate=0.25)

        assert result.tobytes() == np.float64(0.0).tobytes()
        assert decisions == Decisions(4096, 1)


def test_adam_that_cancels_to_zero_is_positive_zero():
    result, decisions = first_adam_step(0.25, 1e-8, learning_rate=0.5)

    assert np.float64(result).tobytes() == np.float64(0.0).tobytes()
    assert decisions.undecided_count == 0


def test_a_result_that_cancels_exactly_needs_no_decision():
    (result, _), decisions = descend(0.3, 0.6, 0.5)

    assert result.tobytes() == np.float64(0.0).tobytes()
    assert decisions.undecided_count == 0


def test_a_norm_that_meets_its_threshold_exactly_leaves_the_gradient():
    grad = np.array([3.0, 4.0])

    result, decisions = exact(get("clip_by_norm"), grad, max_norm=5.0, info=True)

    assert np.array_equal(result, grad)
    assert decisions == Decisions(128, 0)


def test_undecided_elements_are_counted_one_by_one():
    params, decisions = first_root_step(
        np.array([0.25, 0.5, -0.25, 0.75]), np.array([0.7, 0.7, -0.7, 0.0]), learning_rate=0.25
    )

    assert decisions == Decisions(4096, 2)
    assert params.tolist() == [0.0, 0.25, 0.0, 0.75]


# -- Special values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_number_that_is_not_finite_is_refused_by_name(bad):
    with pytest.raises(DomainError, match=rf"grad must be finite, got grad\[1\]={bad}"):
        descend(np.zeros(2), np.array([0.0, bad]), 0.1)
    with pytest.raises(DomainError, match=rf"param must be finite, got param={bad}"):
        descend(bad, 0.0, 0.1)


def test_a_number_that_is_not_finite_is_found_inside_the_state():
    state = AdamState(1, np.zeros((1, 2)), np.array([[0.0, np.nan]]))

    with pytest.raises(DomainError, match=r"state\.exp_avg_sq must be finite, got state\.exp_avg_sq\[0, 1\]=nan"):
        exact(get("adam"), np.zeros((1, 2)), np.zeros((1, 2)), state, learning_rate=0.1, beta1=0.9, beta2=0.9, eps=0.1)


@pytest.mark.parametrize("bad", [-0.1, np.inf, np.nan])
def test_a_hyperparameter_outside_its_domain_is_refused_by_name(bad):
    with pytest.raises(DomainError, match=rf"learning_rate must be in \[0, inf\), got learning_rate={bad}"):
        descend(np.zeros(1), np.zeros(1), bad)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_past_the_range_lies_an_infinity_of_the_same_sign(sign):
    half_an_ulp = 2.0**970

    assert descend(sign * LARGEST, -sign * LARGEST, 1.0)[0][0] == sign * np.inf
    assert descend(sign * LARGEST, -sign * half_an_ulp, 1.0)[0][0] == sign * np.inf
    assert descend(sign * LARGEST, -sign * np.nextafter(half_an_ulp, 0.0), 1.0)[0][0] == sign * LARGEST


def test_what_overflows_on_the_way_but_not_in_the_end_is_exact():
    result, _ = first_adam_step(1.0, LARGEST, eps=0.0, learning_rate=0.25)

    assert result == 0.75


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_nonzero_result_that_rounds_to_zero_keeps_its_sign(sign):
    for size, rounded in [(0.25, 0.0), (0.5, 0.0), (0.75, SMALLEST), (1.5, 2 * SMALLEST)]:
        (result, _), _ = descend(0.0, -sign * SMALLEST, size)

        assert result.tobytes() == np.float64(sign * rounded).tobytes()


@pytest.mark.parametrize("param", [0.0, -0.0])
def test_a_result_of_zero_is_positive_whatever_the_signs_of_its_arguments(param):
    (result, _), _ = descend(param, 0.0, 0.1)

    assert result.tobytes() == np.float64(0.0).tobytes()
    assert exact(get("clip_by_value"), np.array([param]), clip_value=1.0).tobytes() == np.zeros(1).tobytes()


def test_zero_over_zero_is_zero_where_the_formula_says_so():
    result, decisions = first_adam_step(0.7, 0.0, eps=0.0)

    assert result == 0.7
    assert decisions == Decisions(128, 0)


def test_any_other_division_by_zero_is_refused_with_the_place_of_the_result():
    with pytest.raises(DomainError, match=r"result\[1\] has no finite value: a division by zero"):
        exact(lambda x, y: x / y, np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    with pytest.raises(DomainError, match=r"result\[0\] has no finite value"):
        exact(lambda x, y: x / y, np.array([0.0]), np.array([0.0]))
    with pytest.raises(DomainError, match=r"result has no finite value"):
        exact(quotient, 1.0, 0.0)


def test_an_infinity_that_the_function_brings_along_is_no_result():
    with pytest.raises(DomainError, match="result has no finite value"):
        exact(lambda x: x + float("inf"), 1.0)


def test_an_argument_outside_the_domain_of_a_function_is_refused():
    with pytest.raises(DomainError, match="an argument outside a function's domain"):
        exact(lambda x: namespace(x).sqrt(x), -1.0)


def test_a_division_by_zero_in_the_branch_not_taken_does_no_harm():
    def safe(x: Any) -> Any:
        return namespace(x).where(x > 0, 1 / x, x)

    assert exact(safe, np.array([0.0, 4.0])).tolist() == [0.0, 0.25]


def test_a_jump_that_no_precision_decides_is_refused():
    def jump(x: Any) -> Any:
        return namespace(x).where(namespace(x).sqrt(x) * namespace(x).sqrt(x) >= x, x, -x)

    with pytest.raises(
        UndecidedError, match=r"cannot tell with 4096 bits which number result is in \[-2\.0\d*, 2\.0\d*\]"
    ):
        exact(jump, 2.0)


# -- Arguments and results -------------------------------------------------------------------------------------------


def test_the_result_has_the_structure_that_the_function_returns():
    def nested(x: Any, options: dict[str, Any]) -> Any:
        return {"sum": [x + options["y"][0], (x, 3)], "name": "x", "state": AdamState(options["step"], x, None)}

    result = exact(nested, np.array([1.0]), {"y": [0.5], "step": 2})

    assert result["sum"][0].tolist() == [1.5]
    assert result["sum"][1][1] == 3
    assert result["name"] == "x"
    assert result["state"] == AdamState(2, np.array([1.0]), None)


def test_shapes_are_kept_down_to_no_elements_and_no_axes():
    def identity(x: Any) -> Any:
        return x

    assert [exact(identity, np.ones(shape)).shape for shape in [(), (0,), (2, 0), (2, 3)]] == [(), (0,), (2, 0), (2, 3)]
    assert exact(identity, 0.5).dtype == np.float64


def test_narrower_floats_enter_as_the_numbers_they_are():
    assert exact(lambda x: x, np.array([0.1], dtype=np.float32))[0] == float(np.float32(0.1))


@pytest.mark.parametrize("value", [np.array([1, 2]), np.longdouble(1), np.array(["a"]), 1j, object()])
def test_an_argument_of_another_kind_is_refused_by_name(value):
    with pytest.raises(TypeError, match="x must be numbers or arrays of float64"):
        exact(lambda x: x, value)


def test_a_result_that_was_not_computed_from_the_arguments_is_refused():
    with pytest.raises(TypeError, match=r"result\[1\] must be computed from the arguments, got float"):
        exact(lambda x: (x, 1 / 3), 1.0)


def test_a_single_update_takes_and_returns_the_state():
    formula = get("momentum_heavy_ball")
    state = initial_state(formula.state_type, np.zeros(1))

    param, state = exact(formula, np.array([1.0]), np.array([0.1]), state, learning_rate=0.1, momentum=0.9)

    assert param[0] == float(1 - Fraction(0.1) ** 2)
    assert state.momentum_buffer[0] == 0.1


def test_the_precision_of_the_caller_is_left_alone():
    with working_precision(77):
        exact(lambda x: x / 3, 1.0)
        third = balls(1.0) / 3.0

    assert 2.0**-80 < float(BallArray.wrap(third.elements.item().rad()).elements.item()) < 2.0**-76
