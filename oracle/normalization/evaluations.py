"""Other programs for the values of a normalization, accepted with bounds of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from oracle.arithmetic.primitives import variances_in_one_pass

__all__ = ["EVALUATIONS", "one_pass"]

Body = Callable[..., Any]


def one_pass(body: Body) -> Body:
    """Take variances as the mean square less the square of the mean: a mean far from zero leaves few digits of it."""

    @functools.wraps(body)
    def evaluation(*arrays: Any, **hyperparameters: Any) -> Any:
        with variances_in_one_pass():
            return body(*arrays, **hyperparameters)

    return evaluation


#: Of every formula with a variance.
EVALUATIONS = {"one_pass": one_pass}
