"""Other programs for the values of losses and their gradients, with bounds of their own."""

from __future__ import annotations

from oracle.arithmetic.primitives import evaluated
from oracle.formula import Evaluation

__all__ = ["COSTS", "PROBABILITIES"]

_UNSHIFTED = Evaluation(
    evaluated("unshifted"),
    "exponentials are taken of the scores as they are, and leave the range where these are large",
    kind="unstable",
)
_THROUGH_PROBABILITY = Evaluation(
    evaluated("through_probability"), "logarithms are taken of rounded probabilities, which may be 0", kind="unstable"
)
_LOGSUMEXP = Evaluation(
    evaluated("logsumexp"), "the logarithm of the whole sum is rounded before it is subtracted from the scores"
)

#: Of what has probabilities of classes.
PROBABILITIES = {"logsumexp": _LOGSUMEXP, "unshifted": _UNSHIFTED}
#: Of costs of scores.
COSTS = {"through_probability": _THROUGH_PROBABILITY, "unshifted": _UNSHIFTED}
