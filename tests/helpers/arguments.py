"""Arrays for functions whose arguments are no vectors of any numbers: probabilities, labels and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.symbols import symbol_array
from oracle.formula import Formula
from tests.helpers.hostile import hostile

__all__ = ["hostile_arguments", "plain_arguments", "symbolic_arguments"]

Arrays = tuple[NDArray[np.float64], ...]

_GATING = {"x": (2, 3), "w": (3, 2), "b": (2,), "v": (3, 2), "c": (2,)}

_MEMORY = {"x": (2, 3), "hidden": (2, 2), "cell": (2, 2), "w": (4, 3, 2), "u": (4, 2, 2), "b": (4, 2)}
_BLOCK = {"x": (2, 3), "w": (3, 2), "v": (3, 2), "w2": (2, 3)}
#: Shapes for hostile numbers, which take long.
_SMALL = (
    _GATING,
    {"x": (1, 2), "w": (2, 2), "v": (2, 2), "w2": (2, 1)},
    {"x": (1, 2), "hidden": (1, 1), "cell": (1, 1), "w": (4, 2, 1), "u": (4, 1, 1), "b": (4, 1)},
)

#: Numbers that tell every formula from its relatives, by the names of the arguments.
_PLAIN = {
    ("x", "mask"): [[0.75, -0.25, 2.0, -1.5, 7.0], [1.0, 0.0, 1.0, 1.0, 0.0]],
    ("x",): [[0.75, -0.25, 2.0, -1.5, 7.0]],
    ("scores", "upstream"): [[[0.75, -2.0, 5.0], [0.5, 0.25, -1.0]], [[1.5, 2.0, -0.5], [3.0, 0.25, 1.0]]],
    ("weight", "upstream"): [[[0.5, 1.0], [-2.0, 0.25], [1.0, -0.5]], [[1.5, 2.0, -0.5], [3.0, 0.25, 1.0]]],
    ("x", "upstream"): [[[0.75, -0.25, 2.0], [-1.5, 0.0, 7.0]], [[1.5, 2.0, -0.5], [3.0, 0.5, 0.25]]],
    ("upstream",): [[[1.5, 2.0, -0.5], [3.0, 0.25, 1.0]]],
    ("prediction", "target"): [[0.75, 0.0625, 2.0**-30, 0.96875], [1.0, 0.25, 0.5, 1.0]],
    ("score", "target"): [[0.75, -2.0, 5.0, 0.5], [1.0, 0.25, 0.0, 1.0]],
    ("scores",): [[[0.75, -2.0, 5.0], [0.5, 0.25, -1.0]]],
    ("scores", "target"): [[[0.75, -25.0, 5.0], [0.5, 0.25, -1.0]], [1.0, 0.0]],
    ("scores", "label", "prediction", "target"): [
        [[0.75, -2.0, 5.0], [0.5, 0.25, -1.0]],
        [1.0, 0.0],
        [0.75, 0.0625, -1.5],
        [1.0, 0.25, 0.5],
    ],
    ("x", "w", "b", "v", "c"): [
        [[0.75, -0.25, 2.0], [1.5, 0.5, -1.0]],
        [[0.5, 1.0], [-2.0, 0.25], [1.0, -0.5]],
        [0.25, -1.0],
        [[1.0, -0.5], [0.75, 2.0], [0.5, 0.25]],
        [0.125, 0.5],
    ],
    tuple(_BLOCK): [
        [[0.75, -0.25, 2.0], [1.5, 0.5, -1.0]],
        [[0.5, 1.0], [-2.0, 0.25], [1.0, -0.5]],
        [[1.0, -0.5], [0.75, 2.0], [0.5, 0.25]],
        [[0.5, -1.0, 2.0], [1.0, 0.25, -0.75]],
    ],
    tuple(_MEMORY): [
        np.reshape([(37 * k * k + 11 * k + len(name)) % 23 / 8 - 1.25 for k in range(int(np.prod(shape)))], shape)
        for name, shape in _MEMORY.items()
    ],
}


def plain_arguments(formula: Formula) -> Arrays | None:
    """Arrays of an activation, a dropout, a loss or a gated unit, for which its relatives differ; None for other formulas."""
    family = formula.__module__.split(".")[1]
    if family not in {"activations", "differentiation", "dropout", "gating", "losses"}:
        return None
    return tuple(np.array(values) for values in _PLAIN[formula.arrays])


def hostile_arguments(formula: Formula, rng: np.random.Generator) -> Arrays:
    """Draw arrays of hostile numbers inside a function's domain."""
    if formula.id == "loss_bce":
        low = np.ldexp(rng.uniform(0.5, 1.0, 3), rng.integers(-1073, 1, 3))
        return np.where(rng.random(3) < 0.5, low, 1 - np.ldexp(1.0, -rng.integers(1, 54, 3))), rng.random(3)
    if "w" in formula.arrays:
        shapes = next(shapes for shapes in _SMALL if tuple(shapes) == formula.arrays)
        return tuple(hostile(rng, int(np.prod(shapes[name]))).reshape(shapes[name]) for name in formula.arrays)
    if formula.id.startswith("linear_vjp"):
        return tuple(hostile(rng, 4).reshape(2, 2) for _ in formula.arrays)
    arrays = [hostile(rng, 3) for _ in formula.arrays]
    if formula.drawn:
        arrays[-1] = rng.choice([0.0, 1.0], 3)
    if formula.arrays == ("score", "target"):
        arrays[-1] = rng.choice([0.0, 1.0, 0.25], 3)
    for place, name in enumerate(formula.arrays):
        if name in formula.integers:
            arrays[place] = rng.integers(0, 3, ())
    return tuple(arrays)


def symbolic_arguments(formula: Formula, length: int) -> tuple[Any, ...]:
    """Symbols for the arrays of a function; the last place for a whole number, which counts them."""
    if "cell" in formula.arrays or "w2" in formula.arrays:
        gates = ("w", "u", "b") if "cell" in formula.arrays else ()
        shapes = {name: (4, 1, 1) if name in gates else (1, 1) for name in formula.arrays}
        return tuple(
            symbol_array(" ".join(f"{name}{place}" for place in range(int(np.prod(shape)))), real=True).reshape(*shape)
            for name, shape in shapes.items()
        )
    if formula.id.startswith("linear_vjp"):
        return tuple(
            symbol_array(" ".join(f"{name}{place}" for place in range(4)), real=True).reshape(2, 2)
            for name in formula.arrays
        )
    return tuple(
        np.array(length - 1)
        if name in formula.integers
        else symbol_array(" ".join(f"{name}{place}" for place in range(length)), real=True)
        for name in formula.arrays
    )
