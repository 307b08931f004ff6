"""Other programs for the values of activations, with bounds of their own."""

from __future__ import annotations

from oracle.arithmetic.primitives import evaluated
from oracle.formula import Evaluation

__all__ = ["GATES"]

#: Of what is gated by a logistic function.
GATES = {
    "overflowing": Evaluation(
        evaluated("overflowing"),
        "the exponential over one more than itself is taken, of which large numbers make a quotient of infinities",
        kind="unstable",
    ),
}
