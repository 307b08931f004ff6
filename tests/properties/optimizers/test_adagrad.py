"""What claims about AdaGrad say of the sum of squares that an implementation shows."""

from dataclasses import replace

import numpy as np
import pytest

from conformance.faults.adagrad import ADAGRAD
from conformance.faults.programs import Program
from properties.optimizers.adagrad import rates_never_grow
from tests.helpers.judging import a_training, implementation, judged, only

THREE_STEPS = only(a_training({"learning_rate": 0.5, "eps": 0.25}, params=[0.0], grads=[[1.0], [2.0], [-1.0]]))


def showing(sums):
    """Honest AdaGrad that shows these sums."""

    def factory(params, groups, *, dtype, device):
        stepper = Program(ADAGRAD)(params, groups, dtype=dtype, device=device)
        stepper.state = lambda: [{"sum": np.array([sums[step - 1]])} for step in stepper.steps]
        return stepper

    return implementation(factory, formula="adagrad")


@pytest.mark.parametrize(("sums", "status"), [((1.0, 5.0, 5.0), "conforms"), ((1.0, 5.0, 4.5), "deviates")])
def test_the_sum_that_is_shown_never_falls(sums, status):
    record = judged(showing(sums), (replace(rates_never_grow, inputs=THREE_STEPS),))

    assert record.status == status
    assert (status == "conforms") or "the sum of squares of tensor 0 fell in step 3" in record.message
