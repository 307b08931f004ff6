"""Other programs for the values of a normalization, with bounds of their own."""

from __future__ import annotations

from oracle.arithmetic.primitives import evaluated
from oracle.formula import Evaluation

__all__ = ["EVALUATIONS"]

#: Of every formula with a variance.
EVALUATIONS = {
    "one_pass": Evaluation(
        evaluated("one_pass"),
        "variances are the mean square less the square of the mean, and a mean far from zero leaves few digits of them",
        kind="unstable",
    ),
}
