"""Schedules with a warm-up."""

from fractions import Fraction

import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.schedules.cosine import schedule_cosine_to_10pct
from oracle.schedules.warmup import schedule_classic_warmup, schedule_linear_decay_warmup, schedule_transformer

PAPER = {"model_width": 512.0, "warmup_steps": 4000}


def classic(step, **changes):
    return exact(schedule_classic_warmup, step, **{"peak_value": 1.0, "end_value": 0.0, "warmup_steps": 9, **changes})


def linear(step, **changes):
    values = {"peak_value": 1.0, "end_value": 0.25, "warmup_steps": 4, "decay_steps": 6, **changes}
    return exact(schedule_linear_decay_warmup, step, **values)


# -- schedule_classic_warmup -----------------------------------------------------------------------------------------


def test_the_classic_rate_is_worked_by_hand():
    assert [float(classic(step)) for step in (0, 3, 9, 16, 36, 81)] == [0.0, 1 / 3, 1.0, 0.75, 0.5, 1 / 3]


def test_a_classic_rate_that_is_a_tie_is_decided_by_its_fraction():
    # 3/4 of a number with 53 significant bits lies midway between two floats: no digits decide it, the root does.
    peak = 1 + 2.0**-52
    rate, decisions = exact(schedule_classic_warmup, 16, peak_value=peak, end_value=0.0, warmup_steps=9, info=True)

    assert rate == float(Fraction(3, 4) * Fraction(peak)) == 0.75 + 2.0**-52
    assert decisions == (128, 0)


def test_a_floor_is_where_the_classic_rate_starts_and_what_it_tends_to():
    rates = [float(classic(step, end_value=0.5)) for step in (0, 9, 9 * 4**20)]

    assert rates == [0.5, 1.0, 0.5 + 2.0**-21]


def test_the_classic_schedule_without_floor_is_the_transformers_with_another_peak():
    for step in (1, 5, 9, 16, 37, 144):
        ratio = exact(schedule_transformer, step, model_width=1.0, warmup_steps=9) * 3

        assert abs(ratio - classic(step)) <= 2.0**-52


def test_a_warm_up_without_steps_is_refused():
    with pytest.raises(DomainError, match=r"warmup_steps must be in \[1, inf\), got warmup_steps=0"):
        classic(3, warmup_steps=0)


def test_a_part_of_a_step_is_refused():
    with pytest.raises(DomainError, match=r"warmup_steps must be a whole number, got warmup_steps=2\.5"):
        classic(3, warmup_steps=2.5)


# -- schedule_linear_decay_warmup ------------------------------------------------------------------------------------


def test_the_linear_rate_is_worked_by_hand():
    assert [float(linear(step)) for step in (0, 1, 4, 6, 7, 10, 11, 1000)] == [
        *(0.0, 0.25, 1.0, 0.75, 0.625, 0.25, 0.25, 0.25)
    ]


@pytest.mark.parametrize("decay", [3, 5, 7, 10])
def test_the_linear_rate_is_the_rounded_fraction(decay):
    peak, end = 0.1, 0.3
    for step in range(4, 4 + decay + 1):
        weight = Fraction(4 + decay - step, decay)
        expected = Fraction(end) + (Fraction(peak) - Fraction(end)) * weight

        assert linear(step, peak_value=peak, end_value=end, decay_steps=decay) == float(expected)


def test_the_mean_of_the_decay_is_that_of_its_ends():
    total = sum(Fraction(float(linear(step))) for step in range(4, 11) if step != 5)

    assert total + Fraction(7, 8) == 7 * Fraction(5, 8)
    assert linear(5) == 0.875


def test_the_cosine_lies_above_the_line_in_the_first_half_of_the_decay_and_below_in_the_second():
    steps = 12
    line = [linear(4 + k, end_value=0.1, decay_steps=steps) for k in range(steps + 1)]
    wave = [exact(schedule_cosine_to_10pct, k, peak_value=1.0, decay_steps=steps) for k in range(steps + 1)]

    assert all(wave[k] > line[k] for k in range(1, steps // 2))
    assert all(wave[k] < line[k] for k in range(steps // 2 + 1, steps))
    assert [abs(wave[k] - line[k]) <= 2.0**-52 for k in (0, steps // 2, steps)] == [True] * 3


def test_the_decay_is_that_of_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.25, 6)
    for step in range(9):
        assert abs(optimizer.param_groups[0]["lr"] - linear(4 + step)) <= 2.0**-50
        optimizer.step()
        scheduler.step()


# -- schedule_transformer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.0),
        (1, 1.746928107421711e-7),
        (1000, 1.746928107421711e-4),
        (4000, 6.987712429686843e-4),
        (16000, 3.493856214843421e-4),
    ],
)
def test_the_rates_of_the_paper_are_these(step, rate):
    assert f"{exact(schedule_transformer, step, **PAPER):.15e}" == f"{rate:.15e}"


def test_the_peak_is_at_the_end_of_the_warm_up_alone():
    rates = [float(exact(schedule_transformer, step, **PAPER)) for step in range(3990, 4011)]

    assert max(rates) == rates[10]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert len(set(rates)) == 21


def test_the_warm_up_is_exactly_linear_where_its_slope_is_a_float():
    rates = [exact(schedule_transformer, step, model_width=4.0, warmup_steps=16) for step in range(17)]

    assert rates == [step / 128 for step in range(17)]


def test_four_times_the_width_halves_the_rate():
    for step in (3, 16, 100):
        once, four = (exact(schedule_transformer, step, model_width=d, warmup_steps=16) for d in (3.0, 12.0))

        assert four == once / 2


def test_a_model_without_width_is_refused():
    with pytest.raises(DomainError, match=r"model_width must be in \(0, inf\), got model_width=0\.0"):
        schedule_transformer(1, model_width=0.0, warmup_steps=4)
