"""Lion with one line moved: training goes on, and it is another optimizer."""

from __future__ import annotations

import torch

from lionheart.optimizer import Lion

__all__ = ["HastyLion"]


class HastyLion(Lion):
    """Wrong on purpose."""

    def direction(self, average: torch.Tensor, grad: torch.Tensor, beta1: float, beta2: float) -> torch.Tensor:
        """Move the average first, so that the gradient is in it already when the direction is taken."""
        average.lerp_(grad, 1 - beta2)
        return average.lerp(grad, 1 - beta1).sign_()
