"""Arrays for functions whose arguments are no vectors of any numbers: probabilities, labels and matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oracle.formula import Formula
from tests.helpers.hostile import hostile

__all__ = ["hostile_arguments", "plain_arguments"]

Arrays = tuple[NDArray[np.float64], ...]

_GATING = {"x": (2, 3), "w": (3, 2), "b": (2,), "v": (3, 2), "c": (2,)}

#: Numbers that tell every formula from its relatives, by the names of the arguments.
_PLAIN = {
    ("x",): [[0.75, -0.25, 2.0, -1.5, 7.0]],
    ("prediction", "target"): [[0.75, 0.0625, 2.0**-30, 0.96875], [1.0, 0.25, 0.5, 1.0]],
    ("score", "target"): [[0.75, -2.0, 5.0, 0.5], [1.0, 0.25, 0.0, 1.0]],
    ("scores",): [[[0.75, -2.0, 5.0], [0.5, 0.25, -1.0]]],
    ("scores", "target"): [[[0.75, -25.0, 5.0], [0.5, 0.25, -1.0]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]],
    ("x", "w", "b", "v", "c"): [
        [[0.75, -0.25, 2.0], [1.5, 0.5, -1.0]],
        [[0.5, 1.0], [-2.0, 0.25], [1.0, -0.5]],
        [0.25, -1.0],
        [[1.0, -0.5], [0.75, 2.0], [0.5, 0.25]],
        [0.125, 0.5],
    ],
}


def plain_arguments(formula: Formula) -> Arrays | None:
    """Arrays of an activation, a loss or a gated unit, for which its relatives differ; None for other formulas."""
    family = formula.__module__.split(".")[1]
    if family not in {"activations", "gating", "losses"}:
        return None
    return tuple(np.array(values) for values in _PLAIN[formula.arrays])


def hostile_arguments(formula: Formula, rng: np.random.Generator) -> Arrays:
    """Draw arrays of hostile numbers inside a function's domain."""
    if formula.id == "loss_bce":
        low = np.ldexp(rng.uniform(0.5, 1.0, 3), rng.integers(-1073, 1, 3))
        return np.where(rng.random(3) < 0.5, low, 1 - np.ldexp(1.0, -rng.integers(1, 54, 3))), rng.random(3)
    if "w" in formula.arrays:
        return tuple(hostile(rng, int(np.prod(_GATING[name]))).reshape(_GATING[name]) for name in formula.arrays)
    arrays = [hostile(rng, 3) for _ in formula.arrays]
    if formula.arrays[-1] == "target" and formula.arrays[0].startswith("score"):
        arrays[-1] = rng.choice([0.0, 1.0, 0.25], 3)
    return tuple(arrays)
