import numpy as np
import pytest

from oracle.arithmetic.balls import BallArray, balls, midpoint
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from tests.helpers.mp import MPArray, rounded_once


def test_floats_numpy_arrays_and_integers_may_stand_on_either_side():
    x = balls(np.array([1.0, 2.0, 4.0]))

    results = [2 - x, 2.0 - x, np.float64(2) - x, np.array([2.0, 2.0, 2.0]) - x, np.int64(2) - x]

    assert [midpoint(result).tolist() for result in results] == [[1.0, 0.0, -2.0]] * 5


def test_division_and_powers_keep_the_order_of_their_arguments():
    x = balls(np.array([1.0, 2.0, 4.0]))

    assert midpoint(8 / x).tolist() == [8.0, 4.0, 2.0]
    assert midpoint(x / 8).tolist() == [0.125, 0.25, 0.5]
    assert midpoint(x**-2).tolist() == [1.0, 0.25, 0.0625]
    assert midpoint(abs(-x)).tolist() == [1.0, 2.0, 4.0]


def test_scalars_and_arrays_broadcast():
    column, row = balls(np.array([[1.0], [2.0]])), balls(np.array([10.0, 20.0]))

    assert midpoint(column * row).tolist() == [[10.0, 20.0], [20.0, 40.0]]
    assert midpoint(balls(3.0) * row).tolist() == [30.0, 60.0]
    assert (balls(3.0) * balls(2.0)).shape == ()


def test_a_float_enters_as_the_fraction_it_is():
    tenth = 0.1

    assert (symbol_array("x") * tenth).elements.item().subs("x", 1) == SymbolArray(tenth).elements.item()
    assert SymbolArray(tenth).elements.item().p == 3602879701896397
    assert rounded_once(MPArray(tenth) * 2.0**55) == 3602879701896397


def test_arrays_of_two_number_systems_do_not_mix():
    with pytest.raises(TypeError, match="unsupported operand"):
        balls(1.0) + symbol_array("x")  # type: ignore[operator]  # that is the point


def test_an_array_is_indexed_reshaped_and_measured_like_numpys():
    x = balls(np.arange(6.0))

    assert midpoint(x.reshape(2, 3)[1]).tolist() == [3.0, 4.0, 5.0]
    assert x[2].shape == ()
    assert (x.size, x.ndim, len(x)) == (6, 1, 6)


def test_the_sum_follows_axes_and_is_zero_for_no_numbers():
    x = balls(np.arange(6.0)).reshape(2, 3)
    xp = x.namespace

    assert midpoint(xp.sum(x)) == 15.0
    assert midpoint(xp.sum(x, axis=0)).tolist() == [3.0, 5.0, 7.0]
    assert midpoint(xp.sum(x, axis=1, keepdims=True)).tolist() == [[3.0], [12.0]]
    assert midpoint(xp.sum(balls(np.empty(0)))) == 0.0


def test_an_array_cannot_be_hashed_because_equality_is_elementwise():
    with pytest.raises(TypeError, match="unhashable"):
        hash(BallArray(1.0))
