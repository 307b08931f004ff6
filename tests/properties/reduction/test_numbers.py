"""Simpler numbers are exact in their dtype, and simpler in a sense that comes to an end."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.arithmetic.formats import FLOAT32, FLOAT64, FORMATS
from oracle.domains import Domain, at_least, closed, half_open
from properties.reduction.numbers import digits, pieces, simpler_arrays, simpler_names, simpler_values
from properties.strategies.numbers import LAYOUTS


@pytest.mark.parametrize(
    ("value", "form", "count"),
    [(0.0, FLOAT64, 1), (1e60, FLOAT64, 1), (0.125, FLOAT64, 3), (0.1, FLOAT64, 1), (1 / 3, FLOAT64, 16)],
)
def test_digits_are_those_that_identify_a_number(value, form, count):
    assert digits(value, form) == count


def test_a_number_has_the_digits_that_its_dtype_needs():
    tenth = float(np.float32(0.1))

    assert digits(tenth, FLOAT32) == 1
    assert digits(tenth, FLOAT64) == 17


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 16])
def test_pieces_of_each_size_leave_nothing_out(count):
    found = list(pieces(count))

    singly = {position for piece in found if len(piece) == 1 for position in piece}
    assert singly == (set(range(count)) if count > 1 else set())
    assert all(len(piece) < count for piece in found)


def test_many_are_cut_into_few_pieces():
    found = list(pieces(4097))

    assert len(found) < 40
    assert min(map(len, found)) > 200


@pytest.mark.parametrize("dtype", FORMATS)
def test_simpler_arrays_hold_numbers_of_the_dtype_and_no_more_digits(dtype):
    form = FORMATS[dtype]
    arrays = form.round(np.array([[0.3141, -2.718], [1.5, -0.0]])), form.round(np.array(7.25))

    found = list(simpler_arrays(arrays, form))

    assert len(found) > 20
    for one, other in found:
        assert one.shape == (2, 2)
        assert other.shape == ()
        for old, new in zip((*arrays[0].flat, *arrays[1].flat), (*one.flat, *other.flat), strict=True):
            assert form.round(np.array(new)) == new
            assert digits(new, form) <= digits(old, form)


def test_a_way_down_through_simpler_arrays_ends_at_zero():
    arrays: tuple[np.ndarray, ...] = (np.array([0.123456, -7.0, 1e-60, 0.5, -0.0]),)
    length = 0
    while following := list(simpler_arrays(arrays, FLOAT64)):
        arrays, length = following[-1], length + 1  # the least daring step

    assert arrays[0].tolist() == [0.0] * 5
    assert length < 200


def test_equal_numbers_stay_equal_and_keep_their_signs_at_first():
    (first,) = next(simpler_arrays([np.array([0.7, -0.7, 0.7])], FLOAT64, zeros=False))

    assert first.tolist() == [1.0, -1.0, 1.0]


def test_zeros_come_in_only_where_they_may():
    assert all(np.all(array) for (array,) in simpler_arrays([np.array([0.7, -3.25])], FLOAT64, zeros=False))
    assert not all(np.all(array) for (array,) in simpler_arrays([np.array([0.7, -3.25])], FLOAT64))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_simpler_arrays_lie_in_memory_as_they_did(layout):
    array = LAYOUTS[layout](np.arange(12.0).reshape(3, 4))

    assert all(simpler.strides == array.strides for (simpler,) in simpler_arrays([array], FLOAT64))


def test_names_are_replaced_by_smaller_ones():
    assert [array.tolist() for array in simpler_names(np.array([3.0, 1.0]))] == [[3.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("value", "domain", "whole", "simpler"),
    [
        (0.999, half_open(0.0, 1.0), False, [0.5, 0.1]),
        (0.1234, at_least(0.0), False, [1.0, 0.5, 0.1, 0.12, 0.123]),
        (1e-60, at_least(0.0), False, [1.0, 0.5, 0.1]),
        (1.0, at_least(0.0), False, []),
        (0.5, closed(0.0, 1.0), False, []),
        (33, at_least(2), True, [2, 3, 4, 5, 16, 32]),
        (2, Domain(1, 10), True, [1]),
    ],
)
def test_simpler_values_lie_inside_of_their_domain(value, domain, whole, simpler):
    assert list(simpler_values(value, domain, whole=whole)) == simpler
