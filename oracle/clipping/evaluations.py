"""Other programs for the values of a clipping rule, with bounds of their own."""

from __future__ import annotations

from oracle.arithmetic.primitives import evaluated
from oracle.formula import Evaluation

__all__ = ["EVALUATIONS"]

#: Of every formula that clips by the Euclidean norm.
EVALUATIONS = {
    "scaled": Evaluation(
        evaluated("scaled"),
        "the gradient is divided by its largest modulus before it is squared, and the coefficient is formed first, "
        "so that no scale leaves the range",
        kind="strict",
    ),
}
