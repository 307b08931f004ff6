"""Clipping by a scaled norm: the same on paper and in exact arithmetic, and bounds at every scale."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.arithmetic.primitives import euclidean_norm, evaluated, rescaled
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.bound import bound
from oracle.catalogue import FORMULAS, get
from oracle.exact import exact
from oracle.formula import Formula

NAMED = [formula for formula in FORMULAS if "scaled" in formula.evaluations]
#: Scales whose squares, or their reciprocals, leave the range in which a program computes.
UTMOST = {
    "float64": (1e-300, 1e300),
    "float32": (1e-37, 1e37),
    "bfloat16": (1e-37, 1e37),
}
GRAD = np.array([3.0, -1.0, 2.0, 0.0])

every_formula = pytest.mark.parametrize("formula", NAMED, ids=lambda formula: formula.id)
every_extreme = pytest.mark.parametrize(
    ("dtype", "scale"), [(dtype, scale) for dtype, scales in UTMOST.items() for scale in scales]
)


def by_scaled_norm(formula: Formula) -> Formula:
    return formula.programs["scaled"]


def test_what_clips_by_the_euclidean_norm_has_the_evaluation():
    assert [formula.id for formula in NAMED] == ["clip_by_norm", "clip_by_norm_torch"]


def test_it_counts_only_where_it_is_claimed_and_is_alone_then():
    assert [formula.accepted() for formula in NAMED] == [("",), ("",)]
    assert [formula.accepted("scaled") for formula in NAMED] == [("scaled",), ("scaled",)]


def test_a_scaled_norm_is_the_norm_on_paper():
    less, more = sympy.symbols("less more", positive=True)
    grad = SymbolArray([less, -less - more])
    printed = euclidean_norm(grad)
    with evaluated("scaled"):
        scaled = euclidean_norm(grad)

    assert scaled.elements.item() != printed.elements.item()
    assert sympy.simplify(scaled.elements.item() ** 2 - printed.elements.item() ** 2) == 0


def test_the_coefficient_first_is_the_formula_on_paper():
    grad, threshold, norm = (symbol_array(name, positive=True) for name in ("g", "alpha", "n"))
    printed = rescaled(grad, threshold, norm)
    with evaluated("scaled"):
        first = rescaled(grad, threshold, norm)

    assert sympy.simplify(first.elements.item() - printed.elements.item()) == 0


@every_formula
@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
@pytest.mark.parametrize("factor", [0.5, 5.0])
def test_its_exact_values_are_the_formula_s(formula, scale, factor):
    arguments = {"max_norm": factor * scale}

    assert exact(by_scaled_norm(formula), scale * GRAD, **arguments).tolist() == (
        exact(formula, scale * GRAD, **arguments).tolist()
    )


@pytest.mark.parametrize("number", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
def test_in_floating_point_it_stays_in_the_range(number):
    clipped = by_scaled_norm(get("clip_by_norm"))(number(np.array([3e200, 4e200])), max_norm=5e199)

    assert np.max(np.abs(np.asarray(clipped) / 1e199 - [3.0, 4.0])) < 1e-6


def test_zeros_stay_zeros():
    assert by_scaled_norm(get("clip_by_norm"))(np.zeros(3), max_norm=1.0).tolist() == [0.0, 0.0, 0.0]
    assert bound(
        by_scaled_norm(get("clip_by_norm")), np.zeros(3), precision=precision_models("float64")[0], max_norm=1.0
    ).error.tolist() == [0.0, 0.0, 0.0]


@every_formula
@every_extreme
@pytest.mark.parametrize("factor", [0.5, 0.9, 2.0])
def test_its_bound_is_finite_and_sharp_where_the_printed_one_is_infinite(formula, dtype, scale, factor):
    if formula.id == "clip_by_norm_torch" and scale < 1:
        return  # the millionth outweighs any such norm, and the result is next to nothing by every program
    grad = FORMATS[dtype].round(scale * GRAD)
    precision, *_ = precision_models(dtype)
    printed, scaled = (
        bound(record, grad, precision=precision, max_norm=factor * scale)
        for record in (formula, by_scaled_norm(formula))
    )

    assert not printed.bounded[:3].any()
    assert scaled.bounded.all()
    # Storage in bfloat16 may flush what float32 computes next to its smallest normal number.
    flushed = FORMATS[dtype].smallest_normal if dtype == "bfloat16" else 0.0
    assert (
        scaled.error <= 20 * precision.unit * np.abs(scaled.midpoint) + FORMATS[dtype].unit * np.abs(grad) + flushed
    ).all()


@every_formula
@pytest.mark.parametrize("dtype", FORMATS)
def test_at_usual_scales_its_bound_is_hardly_wider_than_the_printed_one(formula, dtype):
    for precision in precision_models(dtype):
        printed, scaled = (
            bound(record, GRAD, precision=precision, max_norm=0.5) for record in (formula, by_scaled_norm(formula))
        )

        assert scaled.bounded.all()
        assert (scaled.error <= 2 * printed.error).all()


@every_extreme
def test_a_program_that_squares_first_leaves_the_bound_there(dtype, scale):
    if dtype == "bfloat16":
        return  # numpy has none
    grad = (scale * GRAD).astype(dtype)
    with np.errstate(all="ignore"):
        direct = grad * np.minimum(np.asarray(0.5 * scale, dtype=dtype) / np.sqrt(np.sum(grad * grad)), 1)
    for precision in precision_models(dtype):
        enclosure = bound(
            by_scaled_norm(get("clip_by_norm")), grad.astype(np.float64), precision=precision, max_norm=0.5 * scale
        )

        assert enclosure.ratio(direct.astype(np.float64)).max() > 1


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_a_gradient_of_subnormal_numbers_has_no_bound(dtype):
    grad = np.full(3, FORMATS[dtype].smallest_normal / 4)
    enclosure = bound(
        by_scaled_norm(get("clip_by_norm")), grad, precision=precision_models(dtype)[0], max_norm=float(grad[0])
    )

    assert not enclosure.bounded.any()


def test_a_norm_past_the_range_has_no_bound():
    grad = np.full(4, 1e308)
    enclosure = bound(
        by_scaled_norm(get("clip_by_norm")), grad, precision=precision_models("float64")[0], max_norm=1e307
    )

    assert not enclosure.bounded.any()
