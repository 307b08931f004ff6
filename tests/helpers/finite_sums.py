"""Finite sums with rational coefficients, on which convergence theory can be checked exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from oracle.theory.finite_sum import FiniteSum, Loss
from oracle.theory.problems import bowls, tilted
from oracle.training.sampling import expectation

__all__ = [
    "Q",
    "drawn",
    "few",
    "fractions",
    "noise",
    "parts",
    "points",
    "problems",
    "quadratic",
    "squared_gradients",
    "vector",
    "wave",
]

Q = Fraction

#: Rotations of the plane with rational entries.
ROTATIONS = [(Q(1), Q(0)), (Q(3, 5), Q(4, 5)), (Q(5, 13), Q(12, 13))]


def vector(*coordinates: Any) -> np.ndarray[Any, Any]:
    """Make a vector of fractions."""
    return np.array([Q(coordinate) for coordinate in coordinates], dtype=object)


def points(*coordinates: Any) -> list[np.ndarray[Any, Any]]:
    """Make points of the line."""
    return [vector(coordinate) for coordinate in coordinates]


def drawn(**strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a check on a few drawn inputs; a failure is not shrunk, since false variants are to fail."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        quick = settings(
            report_multiple_bugs=False,
            max_examples=25,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        )
        return quick(given(**strategies)(check))

    return decorate


def squared_gradients(problem: FiniteSum, runs: Sequence[Sequence[Any]]) -> list[list[Fraction]]:
    """Squared gradients along each run."""
    return [[problem.squared_gradient(param) for param in run] for run in runs]


def noise(problem: FiniteSum, runs: Sequence[Sequence[Any]]) -> Fraction:
    """The least variance that the third hypothesis admits at all points of the runs."""
    return max(problem.variance(param) for run in runs for param in run)


def fractions(low: int, high: int) -> st.SearchStrategy[Fraction]:
    """Draw fractions with small denominators."""
    return st.fractions(low, high, max_denominator=4)


def parts(high: int = 1) -> st.SearchStrategy[Fraction]:
    """Draw positive quarters up to a whole number: products of a rate and a smoothness."""
    return st.integers(1, 4 * high).map(lambda quarters: Q(quarters, 4))


#: Numbers of steps whose runs are soon enumerated.
few = st.integers(1, 3)


def quadratic(curvatures: Sequence[Fraction], rotation: tuple[Fraction, Fraction]) -> dict[str, Any]:
    """Half a quadratic form of the plane or of the line, by its eigenvalues: a function, its gradient and constants."""
    cos, sin = rotation
    turn = np.array([[cos, -sin], [sin, cos]], dtype=object)
    form = turn @ np.diag(np.array(curvatures, dtype=object)) @ turn.T
    return {
        "value": lambda param: param @ form @ param / 2,
        "gradient": lambda param: form @ param,
        "smoothness": max(curvatures),
        "minimum": Q(0),
    }


def wave(smoothness: Fraction) -> dict[str, Any]:
    """Round valleys at all multiples of 4 and round hills between them, made of parabolas: not convex."""

    def place(x: Fraction) -> Fraction:
        return (x + 1) % 4 - 1  # in [-1, 3): a valley up to 1, then a hill around 2

    def height(x: Fraction) -> Fraction:
        x = place(x)
        return x**2 / 2 if x <= 1 else 1 - (x - 2) ** 2 / 2

    def slope(x: Fraction) -> Fraction:
        x = place(x)
        return x if x <= 1 else 2 - x

    return {
        "value": lambda param: smoothness * sum(height(x) for x in param),
        "gradient": lambda param: smoothness * np.array([slope(x) for x in param], dtype=object),
        "smoothness": smoothness,
        "minimum": Q(0),
    }


@st.composite
def _planes(draw: st.DrawFn) -> dict[str, Any]:
    return quadratic([draw(parts(3)), draw(fractions(0, 3))], draw(st.sampled_from(ROTATIONS)))


def _vectors(dimensions: int) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    return st.lists(fractions(-3, 3), min_size=dimensions, max_size=dimensions).map(lambda found: vector(*found))


@st.composite
def _bent(draw: st.DrawFn, count: int) -> FiniteSum:
    """Parabolas of several curvatures, some of them downwards: the noise grows away from the middle."""
    curvatures = [Q(3), *(draw(fractions(-1, 3)) for _ in range(count - 1))]  # of positive mean for up to three
    slopes = [draw(fractions(-2, 2)) for _ in curvatures]
    bend, tilt = expectation(curvatures), expectation(slopes)

    def loss(curvature: Fraction, slope: Fraction) -> Loss:
        return Loss(
            value=lambda param: curvature * (param @ param) / 2 + slope * sum(param),
            gradient=lambda param: curvature * param + slope,
        )

    return FiniteSum(tuple(map(loss, curvatures, slopes)), bend, -(tilt**2) / (2 * bend))


@st.composite
def problems(draw: st.DrawFn, smallest: int = 1, largest: int = 3) -> tuple[FiniteSum, np.ndarray[Any, Any]]:
    """Draw a finite sum and a point: bowls, tilted quadratics of the plane, tilted waves, parabolas of any curvature."""
    shape = draw(st.sampled_from(["bowls", "plane", "wave", "bent"]))
    count = draw(st.integers(smallest, largest))
    dimensions = {"bowls": draw(st.sampled_from([1, 2])), "plane": 2, "wave": 1, "bent": 1}[shape]
    vectors = st.lists(_vectors(dimensions), min_size=count, max_size=count)
    if shape == "bowls":
        problem = bowls(draw(vectors), curvature=draw(parts(3)))
    elif shape == "plane":
        problem = tilted(**draw(_planes()), slopes=draw(vectors))
    elif shape == "wave":
        problem = tilted(**wave(draw(parts(3))), slopes=draw(vectors))
    else:
        problem = draw(_bent(count))
    return problem, draw(_vectors(dimensions))
