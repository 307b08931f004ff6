"""The points of the figures on schedules."""

import numpy as np
import pytest

from oracle.examples.schedules import DRAWN, schedule_points


@pytest.mark.parametrize("name", DRAWN)
def test_every_curve_has_a_rate_for_every_step_that_is_drawn(name):
    steps, rates = schedule_points(name, 300, every=20)

    assert steps.tolist() == list(range(0, 301, 20))
    assert rates.shape == steps.shape
    assert np.all((rates >= 0) & (rates <= 1))


def test_the_cosine_restarts_at_its_cycles():
    _, rates = schedule_points("cosine with restarts", 143 * 3)

    assert np.flatnonzero(rates == 1.0).tolist() == [0, 143, 429]


def test_the_curves_meet_their_levels():
    assert schedule_points("cosine to 10 %", every=1000).rates.tolist() == [1.0, 0.1]
    assert schedule_points("linear decay", every=500).rates[-1] == 0.1
    assert schedule_points("warm-up", 400, every=100).rates.tolist() == [0.0, 1.0, 0.5**0.5, 3**-0.5, 0.5]
