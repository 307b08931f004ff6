"""A claim about Adam as one document prints it: its corrections multiply."""

from __future__ import annotations

from collections.abc import Mapping

from oracle.arithmetic.balls import BallArray, balls, working_precision
from oracle.arithmetic.primitives import namespace
from properties.cases import Training
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS
from properties.optimizers.common import compare_positions, with_constant_gradients
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan

__all__ = ["corrections_multiply"]


def _compounded(beta: BallArray, steps: int) -> BallArray:
    r"""Return :math:`\sum_{i=1}^{K} (1 - \beta) \beta^{K-i} \prod_{j=i}^{K} (1 - \beta^j)^{-1}`."""
    weight, gathered = balls(1.0), balls(0.0)
    for i in range(steps, 0, -1):
        weight = weight / (1 - beta**i)
        gathered = gathered + (1 - beta) * beta ** (steps - i) * weight
    return gathered


@claim(
    "corrections_multiply",
    kind="invariant",
    formulas=("adam_bourmaud_literal_k1",),
    statement=r"g_k = g \implies m_{K+1} = g \sum_{i=1}^{K} (1 - \beta_1) \beta_1^{K-i} \prod_{j=i}^{K} "
    r"\frac{1}{1 - \beta_1^j}, \text{ and so } v_{K+1} \text{ of } g^2",
    source="bourmaudnetworks, Adam: A Method for Stochastic Optimization, unrolled for a constant gradient",
    inputs=trained(Plan(8, steps=(1, 6), narrow_steps=(1, 3)), with_constant_gradients),
    catches=(
        "adam_bourmaud_is_adam",
        "adam_bourmaud_first_kept_apart",
        "adam_bourmaud_second_kept_apart",
        "adam_bourmaud_step_from_two",
        "adam_bourmaud_uncorrected",
        "adam_bourmaud_eps_inside_root",
    ),
)
def corrections_multiply(bench: Bench, *, training: Training) -> None:
    """Under a constant gradient the moments grow by the product of all corrections so far."""

    def update(values: Mapping[str, float], grad: BallArray, step: int) -> BallArray:
        first = grad * _compounded(balls(values["beta1"]), step)
        second = grad**2 * _compounded(balls(values["beta2"]), step)
        moved: BallArray = balls(values["learning_rate"]) * first / (namespace(second).sqrt(second) + values["eps"])
        return moved

    with working_precision(PRECISION_BITS):
        params = [balls(param) for param in training.params]
        positions = []
        for number, (step, values) in enumerate(zip(training.steps, training.hyperparameters(), strict=True)):
            for tensor, grad in enumerate(step.grads):
                if grad is not None:
                    params[tensor] = params[tensor] - update(values[tensor], balls(grad), number + 1)
            positions.append(list(params))
        compare_positions(bench, training, positions, "the corrections did not multiply")
