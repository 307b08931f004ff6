"""What claims about clipping by norm notice."""

import numpy as np

from properties.clipping.by_norm import norm_at_most
from tests.helpers.judging import implementation, judged


def test_a_gradient_that_becomes_no_number_is_not_short_enough():
    def factory(*, dtype, device):
        return lambda grad, *, max_norm: np.full_like(grad, np.nan)

    record = judged(implementation(factory, "clip_by_norm"), (norm_at_most,))

    assert record.status == "deviates"
