"""Reducing the rate on a plateau."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.schedules.plateau import Plateau, reduce_on_plateau, schedule_reduce_on_plateau, watch
from tests.helpers.algebra import exactly, expression

SETTINGS = {"init_value": 8.0, "factor": 0.5, "patience": 1}


def rates(*metrics, **changes):
    return reduce_on_plateau(metrics, **{**SETTINGS, **changes})


def test_the_rate_is_halved_at_the_second_epoch_in_a_row_without_improvement():
    assert rates(3, 2, 2, 2, 1, 1, 1) == [8, 8, 8, 4, 4, 4, 2]


def test_an_improvement_starts_the_count_anew():
    assert rates(3, 3, 2, 2, 1, 1, 1) == [8, 8, 8, 8, 8, 8, 4]


def test_nothing_counts_in_the_cooldown_but_improvements_are_kept():
    assert rates(*[3] * 9, cooldown=2) == [8, 8, 4, 4, 4, 4, 2, 2, 2]
    assert rates(3, 3, 3, 1, 2, 2, 2, cooldown=1) == [8, 8, 4, 4, 4, 2, 2]


def test_what_is_not_better_by_more_than_the_threshold_is_no_improvement():
    assert rates(3, 2.5, 2, 2, threshold=0.5) == [8, 8, 8, 8]
    assert rates(3, 2.5, 2.5, 2.5, threshold=0.5) == [8, 8, 4, 4]
    assert rates(4, 3, 3, 2, threshold=0.25, relative=True) == [8, 8, 4, 4]
    assert rates(4, 2.75, 2, 1, threshold=0.25, relative=True) == [8, 8, 8, 8]


def test_a_relative_threshold_raises_the_bar_of_a_negative_metric():
    assert rates(-4, -3.5, -3.5, threshold=0.25, relative=True) == [8, 8, 8]


def test_the_rate_stays_above_its_floor_and_small_changes_are_left_out():
    assert rates(1, 1, 1, 1, 1, 1, 1, end_value=3) == [8, 8, 4, 4, 3, 3, 3]
    assert rates(1, 1, 1, 1, 1, smallest_change=2) == [8, 8, 4, 4, 4]


def test_fractions_stay_fractions():
    result = reduce_on_plateau([Fraction(1)] * 3, init_value=Fraction(1), factor=Fraction(1, 3), patience=0)

    assert result == [1, Fraction(1, 3), Fraction(1, 9)]


def test_the_first_metric_is_an_improvement_whatever_it_is():
    assert watch(Plateau(1.0), 1e300, factor=0.5, patience=0) == Plateau(1.0, 1e300)
    assert Plateau(1.0).best == math.inf


@pytest.mark.parametrize(
    ("name", "value"),
    [("factor", 1.0), ("factor", 0.0), ("patience", -1), ("init_value", -1.0), ("end_value", -0.5), ("threshold", -1)],
)
def test_arguments_outside_their_domains_are_refused_by_name(name, value):
    with pytest.raises(DomainError, match=name):
        rates(1.0, **{name: value})


def test_a_relative_threshold_is_less_than_the_whole():
    with pytest.raises(DomainError, match="threshold"):
        rates(1.0, threshold=1, relative=True)


# -- schedule_reduce_on_plateau: metrics that improve, and then do not --------------------------------------------------

VALUES = {"peak_value": 1.0, "end_value": 0.1, "factor": 0.5, "improving_steps": 2, "patience": 1}


def test_the_schedules_rates_are_worked_by_hand():
    shown = [float(exact(schedule_reduce_on_plateau, step, **VALUES)) for step in range(14)]

    assert shown == [1.0] * 4 + [0.5] * 2 + [0.25] * 2 + [0.125] * 2 + [0.1] * 4


@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize("improving", [1, 4])
@pytest.mark.parametrize("end", [Fraction(0), Fraction(1, 50), Fraction(3)])
def test_the_schedule_is_the_rule_on_such_metrics(patience, improving, end):
    """A floor above the start is never met: the rule multiplies only downwards."""
    metrics = [-min(epoch, improving) for epoch in range(1, 25)]
    expected = reduce_on_plateau(
        metrics, init_value=Fraction(1), factor=Fraction(1, 4), patience=patience, end_value=end
    )
    symbolic = [
        schedule_reduce_on_plateau.body(
            step,
            peak_value=exactly(1),
            end_value=exactly(end),
            factor=exactly("1/4"),
            improving_steps=improving,
            patience=patience,
        )
        for step in range(25)
    ]

    assert [Fraction(str(expression(rate))) for rate in symbolic] == [1, *expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("factor", 1.0),
        ("factor", 0.0),
        ("improving_steps", 0),
        ("patience", -1),
        ("patience", 1.5),
        ("peak_value", -1.0),
    ],
)
def test_the_schedule_refuses_what_lies_outside_its_domain(name, value):
    with pytest.raises(DomainError, match=name):
        schedule_reduce_on_plateau(3, **{**VALUES, name: value})


def test_the_rounded_product_lies_in_the_bound_in_every_precision():
    steps = np.arange(40.0)
    for dtype, form in FORMATS.items():
        for precision in precision_models(dtype):
            enclosure = bound(schedule_reduce_on_plateau, steps, precision=precision, **VALUES)
            kind = np.float64 if precision.scalars.bits > 24 else np.float32
            powers = [int(max(0, step - 2) // 2) for step in steps]
            peak, end, factor = (kind(VALUES[name]) for name in ("peak_value", "end_value", "factor"))
            for program in (
                lambda n, f=factor, p=peak: functools.reduce(lambda rate, _: rate * f, range(n), p),
                lambda n, f=factor, p=peak: p * f**n,
                lambda n, f=factor, p=peak, k=kind: p * k(math.exp(n * math.log(float(f)))),
                lambda n, f=factor, p=peak, k=kind: p / (k(1) / f) ** n,
                lambda n, f=factor, p=peak: p * f ** (n // 2) * f ** (n - n // 2),
            ):
                rates_shown = np.array([max(program(n), end) for n in powers], dtype=np.float64)
                assert np.max(enclosure.ratio(form.round(rates_shown))) <= 1.0
