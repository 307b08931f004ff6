"""Figures of gradient clipping: what it makes of one gradient, and what it makes of a descent."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from conformance.figures.style import BLACK, BLUE, GREY, LINES, ORANGE, Canvas, Figure, arrow
from oracle.examples.clipping import clip_geometry_points, quadratic_descent, two_cycle

__all__ = ["CLIPPED_DESCENT", "CLIPPED_GRADIENTS"]


def _clipped_gradients(canvas: Canvas) -> None:
    left, right = canvas.subplots(1, 2, sharex=True, sharey=True)
    _geometry(left, np.array([2.5, 0.9]), "one coordinate too long")
    _geometry(right, np.array([2.2, 1.6]), "both coordinates too long")


def _geometry(axes: Any, grad: Any, title: str) -> None:
    points = clip_geometry_points(grad, 1.0)
    circle = np.linspace(0, 2 * np.pi, 181)
    axes.plot(np.cos(circle), np.sin(circle), color=ORANGE, linewidth=1)
    axes.plot([-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1], color=BLUE, linewidth=1, linestyle="--")
    cut = (
        (points.initial, GREY, "-", "gradient", {"xytext": (8, -3)}),
        (points.by_value, BLUE, "--", "by value", {"xytext": (4, 14), "ha": "right"}),
        (points.by_norm, ORANGE, "-", "by norm", {"xytext": (20, -20)}),
    )
    for vector, color, dashes, name, place in cut:
        arrow(axes, (0, 0), tuple(vector), color=color, linewidth=2, linestyle=dashes)
        axes.annotate(name, vector, textcoords="offset points", color=color, **place)
    axes.set(title=title, xlim=(-1.3, 3.4), ylim=(-1.3, 2.1), aspect="equal", xlabel="$g_1$", ylabel="$g_2$")


CLIPPED_GRADIENTS = Figure(
    "clipped_gradients",
    "A gradient clipped by value and by norm",
    "Both clip to $\\alpha = 1$: by value into the square, coordinate by coordinate, which turns the gradient; by norm "
    "into the disc, which keeps its direction. The disc lies within the square, so that the norm is the stricter of the "
    "two.",
    ("clip_by_value", "clip_by_norm"),
    (10, 4),
    _clipped_gradients,
)


def _clipped_descent(canvas: Canvas) -> None:
    steps = 40
    left, right = canvas.subplots(1, 2, sharex=True)
    free, clipped = (
        quadratic_descent(Fraction(0), steps, learning_rate=Fraction(21, 20), threshold=threshold)
        for threshold in (None, 1)
    )
    left.plot(list(map(float, free)), **LINES[0], linewidth=1)
    left.set(title="without clipping: it explodes", ylabel="$x_t$", xlabel="step $t$")
    right.plot(list(map(float, clipped)), **LINES[1], linewidth=1)
    right.set(title="clipped to norm 1: it alternates", xlabel="step $t$")
    first = two_cycle(clipped)
    right.axvline(first, color=BLACK, linewidth=1, linestyle=":")
    right.annotate(f"two values from step {first}", (first, 0.1), (-6, 0), textcoords="offset points", ha="right")
    for axes in (left, right):
        axes.axhline(1, color=BLACK, linewidth=1)
        axes.annotate("minimum", (1, 1), (3, -3), xycoords=("axes fraction", "data"), textcoords="offset points")


CLIPPED_DESCENT = Figure(
    "clipped_descent",
    "A descent that explodes, and the same with clipping",
    "Gradient descent on $(x - 1)^2$ from $x_0 = 0$ with a learning rate of 1.05. Without clipping the distance to the "
    "minimum grows by a tenth at every step. Clipped to norm 1 it stays bounded, but does not converge: in the end it "
    "alternates between two values, for ever the same ones.",
    ("clip_by_norm", "gd"),
    (10, 3.6),
    _clipped_descent,
)
