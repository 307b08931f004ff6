"""What claims about optimizers compare with."""

import numpy as np

from conformance.bench import Bench
from conformance.session import Session
from conformance.specimen import Specimen, Transcript
from oracle.arithmetic.formats import FLOAT16, FLOAT64, Precision
from oracle.catalogue import get
from properties.margins import slack
from properties.optimizers.momentum import gradient_scale
from tests.helpers.judging import HONEST, a_training, implementation


class Watched(Bench):
    """A bench that keeps how much was allowed."""

    def compare(self, observed, expected, **place):
        self.allowed = expected.error
        super().compare(observed, expected, **place)


def test_two_runs_may_each_be_off_by_their_own_bound():
    session = Session("quick", 0)
    specimen = Specimen(implementation(HONEST), "float16", "cpu", session.counts)
    # A quarter of this learning rate is a subnormal number, which takes more of a rounding.
    rate = FLOAT16.smallest_normal * 1.1
    training, scaled = (
        a_training({"learning_rate": rate / factor}, params=[0.0], grads=[[1.0 * factor]]) for factor in (1, 4)
    )

    bench = Watched(session, specimen, Transcript(), get("gd"), Precision(FLOAT16, FLOAT16, FLOAT64))
    gradient_scale.check(bench, training=training)

    first, second = (slack(bench.enclosures(run)[0][0][0]) for run in (training, scaled))
    assert second > first
    assert np.all(bench.allowed >= first + second)
