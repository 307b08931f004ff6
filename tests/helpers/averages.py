"""What a step of Adam is made of: not what the state holds, which no parameter may ever have felt."""

from __future__ import annotations

from typing import Any

from oracle.arithmetic.primitives import bias_correction, namespace, quotient
from oracle.formula import Formula
from tests.helpers.algebra import vanishes

__all__ = ["corrected_averages"]


def corrected_averages(
    formula: Formula, grad: Any, state: Any, *, learning_rate: Any, beta1: Any, beta2: Any, eps: Any
) -> tuple[Any, Any, Any]:
    """Make one step of a body that is called Adam's, and return both corrected averages and the state after it.

    The step must be the learning rate times the first over the root of the second plus epsilon. Where epsilon is a
    symbol no other averages can be meant: the inverse of the step is affine in it, and its two coefficients are theirs.
    """
    options = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "eps": eps}
    after, state = formula.body(0 * grad, grad, state, **options)
    first = quotient(state.exp_avg, bias_correction(beta1, state.step))
    second = quotient(state.exp_avg_sq, bias_correction(beta2, state.step))

    assert vanishes(after * (namespace(second).sqrt(second) + eps) + learning_rate * first)
    return first, second, state
