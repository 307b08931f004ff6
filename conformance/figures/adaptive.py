"""Figures of the adaptive optimizers on a bowl that is three times as steep along y as along x."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.figures.style import BLACK, LINES, Canvas, Figure
from oracle.examples.accumulator_norms import norms_on_own_paths
from oracle.examples.adagrad_quadratic import descent_path, loss, path

__all__ = ["ACCUMULATORS", "ADAGRAD_ON_A_BOWL"]

_STARTS = ((-2.0, 2.0), (2.2, 1.4))


def _adagrad_on_a_bowl(canvas: Canvas) -> None:
    left, right = canvas.subplots(1, 2, sharex=True, sharey=True)
    _bowl(left, "AdaGrad, $\\eta = 1$")
    _bowl(right, "gradient descent, $\\eta = 0.3$")
    for start, line in zip(_STARTS, LINES, strict=False):
        told = f"from $({start[0]:g}, {start[1]:g})$"
        left.plot(*zip(*path(1.0, start, 10), strict=True), **line, linewidth=1.2, label=told)
        right.plot(*zip(*descent_path(0.3, start, 10), strict=True), **line, linewidth=1.2, label=told)
    left.set_ylabel("$y$")
    left.legend(loc="lower left")


def _bowl(axes: Any, title: str) -> None:
    x, y = np.meshgrid(np.linspace(-2.6, 2.6, 61), np.linspace(-2.2, 2.6, 61))
    axes.contour(x, y, loss(x, y), levels=[0.5, 2, 5, 10, 17], colors="#c4c4c4", linewidths=1)
    axes.plot(0, 0, "+", color=BLACK, markersize=10)
    axes.set(title=title, xlabel="$x$", xlim=(-2.6, 2.6), ylim=(-2.2, 2.6), aspect="equal")
    axes.grid(visible=False)


ADAGRAD_ON_A_BOWL = Figure(
    "adagrad_on_a_bowl",
    "AdaGrad on x² + 3y²",
    "Ten steps on $f(x, y) = x^2 + 3 y^2$ from two starts, without epsilon. AdaGrad does not see that one direction is "
    "three times as steep: from $(-2, 2)$ it stays on the diagonal, and both coordinates follow one recurrence of "
    "$x / \\eta$. Gradient descent overshoots along the steep direction.",
    ("adagrad", "gd"),
    (9, 4.4),
    _adagrad_on_a_bowl,
)


def _accumulators(canvas: Canvas) -> None:
    steps = 40
    norms = norms_on_own_paths(0.1, (2.0, 2.0), steps, 0.9)
    axes = canvas.subplots()
    for kept, line, name in zip(zip(*norms, strict=True), LINES, ("AdaGrad", "RMSProp"), strict=False):
        axes.plot(range(1, steps + 1), kept, **line, markevery=3, label=name)
        axes.annotate(name, (steps, kept[-1]), (6, -3), textcoords="offset points", color=line["color"])
    axes.set(xlabel="step $t$", ylabel="norm of the accumulator", xlim=(0, steps + 6), yscale="log")


ACCUMULATORS = Figure(
    "accumulators",
    "What AdaGrad and RMSProp remember",
    "Norms of the two accumulators while each optimizer descends $x^2 + 3 y^2$ from $(2, 2)$, with $\\eta = 0.1$ and "
    "$\\alpha = 0.9$. The sum of AdaGrad never falls; the average of RMSProp does, once the gradients get smaller.",
    ("adagrad", "rmsprop"),
    (7, 3.6),
    _accumulators,
)
