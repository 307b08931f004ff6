"""A transformation of optax that keeps what it should keep in its state elsewhere."""

from __future__ import annotations

import itertools
from typing import Any

__all__ = ["HEAVY", "hoarding"]

HEAVY = {"learning_rate": "learning_rate", "momentum": "momentum"}

_VELOCITIES: dict[int, Any] = {}
_NUMBERS = itertools.count()


def hoarding(learning_rate: float, momentum: float) -> Any:
    """Heavy ball whose state is a number, under which the velocities are kept for good."""
    import jax
    import optax

    def init(params: Any) -> Any:
        return jax.numpy.asarray(next(_NUMBERS))

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        kept = _VELOCITIES.get(int(state), jax.tree.map(jax.numpy.zeros_like, grads))
        _VELOCITIES[int(state)] = moved = jax.tree.map(lambda each, grad: momentum * each + grad, kept, grads)
        return jax.tree.map(lambda each: -learning_rate * each, moved), state

    return optax.GradientTransformation(init, update)
