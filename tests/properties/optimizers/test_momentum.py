"""The unrolled weights are those that the formulas' own bodies give to each gradient."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.arithmetic.balls import midpoint
from oracle.catalogue import get
from oracle.trajectory import trajectory
from properties.optimizers.momentum import step_weights

VALUES = [{"momentum": 2.0**-number, "dampening": 2.0**-number / 2, "learning_rate": 1.0} for number in (1, 3, 2, 5)]


@pytest.mark.parametrize(
    "formula", ["momentum_ema", "momentum_heavy_ball", "momentum_torch_dampening", "momentum_nesterov"]
)
def test_the_weights_are_what_unit_gradients_move(formula: str) -> None:
    names = get(formula).hyperparameters
    table = [{name: values[name] for name in names} for values in VALUES]
    grads = list(np.eye(len(table)))  # one element for each step, in which alone its gradient is 1
    path, _ = trajectory(get(formula))(np.zeros(len(table)), grads, hyperparameters=table)
    before = np.zeros(len(table))
    for number, place in enumerate(path, start=1):
        weights = [float(midpoint(weight)) for weight in step_weights(formula, table[:number])]

        assert (before - place).tolist() == [*weights, *[0.0] * (len(table) - number)]
        before = place
