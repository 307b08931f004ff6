"""What claims about clipping by norm notice."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from properties.cases import Call
from properties.clipping.by_norm import norm_at_most
from tests.helpers.judging import implementation, judged


def test_a_gradient_that_becomes_no_number_is_not_short_enough():
    def factory(*, dtype, device):
        return lambda grad, *, max_norm: np.full_like(grad, np.nan)

    record = judged(implementation(factory, "clip_by_norm"), (norm_at_most,))

    assert record.status == "deviates"


def test_a_norm_without_a_bound_is_not_judged():
    def factory(*, dtype, device):
        return lambda grad, *, max_norm: grad * 1e5

    overflowing = st.just({"call": Call((np.array([1e300, 1.0]),), {"max_norm": 1.0})})
    only_that = replace(norm_at_most, inputs=lambda space: {"overflowing": (1, overflowing)})
    record = judged(implementation(factory, "clip_by_norm"), (only_that,))

    assert (record.status, record.judged) == ("mistrusted", 0)
