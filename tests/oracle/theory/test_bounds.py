"""The right-hand sides: one value in fractions, floats and symbols, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from oracle.errors import DomainError
from oracle.theory import convergence, descent

Bound = Callable[..., Any]

ONE, TWO, HALF = Fraction(1), Fraction(2), Fraction(1, 2)
CONSTANTS = {"smoothness": TWO, "variance": Fraction(3)}
RUN = {"learning_rate": HALF, **CONSTANTS, "gap": Fraction(5)}
VECTOR = np.array([ONE, TWO])

# A bound, its positional and its named arguments, and what they give.
CASES: list[tuple[Bound, Sequence[Any], dict[str, Any], Fraction]] = [
    (descent.descent_inequality, (ONE, VECTOR, -VECTOR / 4), {"smoothness": TWO}, Fraction(1, 16)),
    (
        descent.sgd_expected_inequality,
        (ONE, VECTOR, VECTOR / 2, Fraction(7)),
        {"learning_rate": HALF, "smoothness": TWO},
        Fraction(3, 2),
    ),
    (descent.expected_descent_eq1, (ONE, Fraction(8)), {"learning_rate": HALF, **CONSTANTS}, Fraction(-1, 4)),
    (
        descent.expected_descent_eq2,
        (ONE, Fraction(8)),
        {"learning_rate": HALF, **CONSTANTS, "batch_size": 3},
        Fraction(-3, 4),
    ),
    (descent.noise_floor, (), {"learning_rate": HALF, **CONSTANTS}, Fraction(3)),
    (descent.proposition_minibatch_variance, (ONE,), {"variance": Fraction(3), "batch_size": 2}, Fraction(5, 2)),
    (convergence.theorem_fixed_lr, (4,), RUN, Fraction(8)),
    (convergence.theorem_fixed_lr_sharp, (4,), RUN, Fraction(8)),
    (convergence.theorem_minibatch_fixed_lr, (4,), {**RUN, "batch_size": 2}, Fraction(13, 2)),
    (
        convergence.theorem_decreasing_lr,
        ([HALF, HALF / 2],),
        {**CONSTANTS, "gap": Fraction(5)},
        Fraction(95, 6),
    ),
]

every_bound = pytest.mark.parametrize(
    ("bound", "given", "named", "value"), CASES, ids=[bound.__name__ for bound, *_ in CASES]
)


def translated(value: Any, number: Callable[[Fraction], Any]) -> Any:
    """The same numbers in another kind."""
    if isinstance(value, np.ndarray | list):
        return np.array([number(x) for x in value])
    return number(value) if isinstance(value, Fraction) else value


@every_bound
def test_the_value_is_exact_in_fractions(bound: Bound, given: Sequence[Any], named: dict[str, Any], value: Fraction):
    found = bound(*given, **named)

    assert type(found) is Fraction
    assert found == value


@every_bound
def test_symbols_give_the_same(bound: Bound, given: Sequence[Any], named: dict[str, Any], value: Fraction):
    arguments = [translated(argument, sympy.Rational) for argument in given]
    constants = {name: translated(constant, sympy.Rational) for name, constant in named.items()}

    assert bound(*arguments, **constants) == sympy.Rational(value)


@every_bound
def test_floats_give_the_same_up_to_rounding(
    bound: Bound, given: Sequence[Any], named: dict[str, Any], value: Fraction
):
    arguments = [translated(argument, float) for argument in given]
    constants = {name: translated(constant, float) for name, constant in named.items()}

    found = bound(*arguments, **constants)

    # At most ten operations on numbers below 32, each right to within 2**-53 of its result.
    assert abs(Fraction(float(found)) - value) <= 10 * 32 * Fraction(1, 2**53)


@pytest.mark.parametrize("size", [0, 1.5])
def test_a_batch_has_a_whole_number_of_samples(size: float):
    with pytest.raises(DomainError):
        descent.proposition_minibatch_variance(ONE, variance=ONE, batch_size=size)
