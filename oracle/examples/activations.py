"""Points of the activations' curves, for figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from oracle.activations.gelu import gelu
from oracle.activations.relu import relu
from oracle.activations.silu import silu
from oracle.exact import exact

__all__ = ["curves"]


def curves(low: float = -5.0, high: float = 5.0, points: int = 201) -> Mapping[str, NDArray[np.float64]]:
    """Return points of ReLU, GELU and SiLU, each correctly rounded.

    Parameters
    ----------
    low, high : float
        Ends of the numbers.
    points : int
        How many, evenly spaced, both ends included.

    Returns
    -------
    mapping of str to array of float64, shape (points,)
        The numbers by the name ``x``, and the results by the formulas' ids.

    Examples
    --------
    >>> {name: values.tolist() for name, values in curves(-1.0, 1.0, 3).items()}["silu"]
    [-0.2689414213699951, 0.0, 0.7310585786300049]
    """
    x = np.linspace(low, high, points)
    return {"x": x} | {formula.id: exact(formula, x) for formula in (relu, gelu, silu)}
