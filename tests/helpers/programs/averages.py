"""Moving averages as programs keep them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.helpers.programs.kit import Kit, Tensor, nonzero

__all__ = ["AVERAGES", "SQUARE_AVERAGES", "Average"]

Update = Callable[[Kit, Any, Any, Tensor, Tensor], Tensor]


def _lerp(kit: Kit, beta: Any, rest: Any, average: Tensor, new: Tensor) -> Tensor:
    """Start from the nearer end, as torch.lerp does."""
    if rest < kit.scalar(0.5):
        return average + (new - average) * rest
    return new - (new - average) * (kit.scalar(1.0) - rest)


def _nearer_end(kit: Kit, beta: Any, rest: Any, average: Tensor, new: Tensor) -> Tensor:
    if beta > kit.scalar(0.5):  # from the new value it would lose what the average is long made of
        return average + (new - average) * rest
    return new + (average - new) * beta


_UPDATES: dict[str, Update] = {
    "two_products": lambda kit, beta, rest, average, new: beta * average + rest * new,
    "correction": lambda kit, beta, rest, average, new: average + rest * (new - average),
    "backward_correction": lambda kit, beta, rest, average, new: average - (average - new) * rest,
    "nearer_end": _nearer_end,
    "lerp": _lerp,
    "fused_new": lambda kit, beta, rest, average, new: kit.multiply_add(rest, new, beta * average),
    "fused_old": lambda kit, beta, rest, average, new: kit.multiply_add(beta, average, rest * new),
    "fused_correction": lambda kit, beta, rest, average, new: kit.multiply_add(new - average, rest, average),
}
_LEFT_PRODUCTS = {
    "left_product": lambda kit, beta, rest, average, grad: beta * average + (rest * grad) * grad,
    "fused_left_product": lambda kit, beta, rest, average, grad: kit.multiply_add(rest * grad, grad, beta * average),
    "fused_square_correction": lambda kit, beta, rest, average, grad: (
        average + rest * kit.multiply_add(grad, grad, -average)
    ),
}
_DEFERRED = ("unnormalised", "unnormalised_fused", "corrected", "corrected_products")

AVERAGES = (*_UPDATES, *_DEFERRED)
SQUARE_AVERAGES = (*AVERAGES, *_LEFT_PRODUCTS)


class Average:
    """A moving average from zero, in one of the forms.

    Parameters
    ----------
    kit : Kit
    form : str
        One of `AVERAGES`, or of `SQUARE_AVERAGES` if ``squares``.
    beta : scalar
    zeros : Tensor
    squares : bool
        Whether the square of what is shown is averaged.
    wide : bool
        Whether the state keeps the width of the arithmetic.
    """

    def __init__(self, kit: Kit, form: str, beta: Any, zeros: Tensor, *, squares: bool, wide: bool) -> None:
        self._kit = kit
        self._form = form
        self.beta = beta
        self.rest = kit.scalar(1.0) - beta
        self._squares = squares
        self._wide = wide
        self._kept = zeros
        self.previous = zeros  # what was kept before the last update

    @property
    def is_plain(self) -> bool:
        """Whether the average itself is kept, and not a multiple of it."""
        return self._form not in _DEFERRED

    def update(self, new: Tensor, weight: Any) -> None:
        """Average a value in; ``weight`` is 1 - beta ** t."""
        kit, beta, rest, kept = self._kit, self.beta, self.rest, self._kept
        self.previous = kept
        if self._squares and self._form in _LEFT_PRODUCTS:
            result = _LEFT_PRODUCTS[self._form](kit, beta, rest, kept, new)
        else:
            new = new * new if self._squares else new
            if self._form == "unnormalised":
                result = beta * kept + new
            elif self._form == "unnormalised_fused":
                result = kit.multiply_add(beta, kept, new)
            elif self._form == "corrected":
                result = kept + (rest / weight) * (new - kept)
            elif self._form == "corrected_products":
                share = rest / weight
                result = (kit.scalar(1.0) - share) * kept + share * new
            else:
                result = _UPDATES[self._form](kit, beta, rest, kept, new)
        self._kept = result if self._wide else kit.stored(result)

    def correct(self, weight: Any, *, reciprocal: bool, wide: bool) -> None:
        """Divide what is kept, and keep the quotient."""
        kit, kept = self._kit, self._kept
        result = kept * (kit.scalar(1.0) / weight) if reciprocal else kept / weight
        self._kept = result if wide else kit.stored(result)

    def read(self, weight: Any) -> tuple[Tensor, Any]:
        """Return what is kept, and what divides it to give the corrected average."""
        if self._form.startswith("corrected"):
            return self._kept, self._kit.scalar(1.0)
        if self._form.startswith("unnormalised"):
            return self._kept, weight / nonzero(self.rest)
        return self._kept, weight

    def value(self) -> Tensor:
        """Return the average itself; only where `is_plain` or an unnormalised sum is kept."""
        return self.rest * self._kept if self._form.startswith("unnormalised") else self._kept

    def shown(self) -> Any:
        """Return the average as exposed state, or None where something else is kept."""
        return self._kit.shown(self._kept) if self.is_plain else None
