"""Lion, in place and without temporaries but one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["Lion"]


class Lion(torch.optim.Optimizer):
    """Steps of one length, in the direction that an average and the gradient agree on.

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float
    betas : tuple of float
        What the direction and what the average keep of the past.
    weight_decay : float
        Decoupled, times the rate.
    """

    def __init__(
        self, params: Any, lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> torch.Tensor | None:
        """Take a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    average = self.state[param].setdefault("exp_avg", torch.zeros_like(param))
                    direction = self.direction(average, param.grad, *group["betas"])
                    param.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction, alpha=group["lr"])
        return loss

    def direction(self, average: torch.Tensor, grad: torch.Tensor, beta1: float, beta2: float) -> torch.Tensor:
        """Return the signs of the step, and move the average."""
        direction = average.lerp(grad, 1 - beta1).sign_()
        average.lerp_(grad, 1 - beta2)
        return direction
