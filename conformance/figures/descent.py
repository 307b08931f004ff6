"""Figures of descent: on a parabola, and by the longest steps that Adam can take."""

from __future__ import annotations

import numpy as np

from conformance.figures.style import BLACK, BLUE, GREY, LINES, ORANGE, Canvas, Figure
from oracle.examples.gd_example_x_squared import descent_on_square, square
from oracle.examples.step_bound import step_bound_points

__all__ = ["DESCENT_ON_SQUARE", "LONGEST_STEPS"]


def _descent_on_square(canvas: Canvas) -> None:
    cases = ((0.1, "from one side"), (0.9, "from both sides"), (1.0, "back and forth forever"), (1.05, "away"))
    for axes, (rate, where) in zip(canvas.subplots(1, 4, sharey=True), cases, strict=True):
        points = np.array(descent_on_square(1.0, learning_rate=rate, steps=8))
        curve = np.linspace(-2.3, 2.3, 101)
        axes.plot(curve, square(curve), color=GREY, linewidth=1)
        axes.plot(points, square(points), **LINES[0], linewidth=1)
        axes.plot(points[0], square(points[0]), "o", color=ORANGE, markersize=8)
        axes.annotate("start", (points[0], square(points[0])), (8, -3), textcoords="offset points", color=ORANGE)
        axes.set(title=f"$\\eta = {rate}$: {where}", xlabel="$x$", xlim=(-2.4, 2.4), ylim=(-0.2, 5))
    canvas.axes[0].set_ylabel("$x^2$")


DESCENT_ON_SQUARE = Figure(
    "descent_on_square",
    "Gradient descent on a parabola",
    "Eight steps of gradient descent on $f(x) = x^2$ from $x_0 = 1$. Each step multiplies $x$ by $1 - 2\\eta$: it "
    "approaches the minimum from one side up to $\\eta = 1/2$ and from both sides up to $\\eta = 1$, where it "
    "alternates between two points; above, it leaves.",
    ("gd",),
    (12, 3.2),
    _descent_on_square,
)


def _longest_steps(canvas: Canvas) -> None:
    points = step_bound_points()
    axes = canvas.subplots()
    axes.plot(points.steps, points.bound, color=BLUE, label="the sharp bound $C_t$")
    axes.plot(points.steps, points.reached, "o", color=ORANGE, markersize=4, label="the step that reaches it")
    last = points.steps[-1]
    for height, told in (
        (points.limit, f"limit of the bound, {points.limit:.2f}"),
        (points.paper, f"as the paper bounds it, {points.paper:.2f}"),
        (1.0, "the learning rate"),
    ):
        axes.axhline(height, color=BLACK, linewidth=1, linestyle="--")
        axes.annotate(told, (1, height), (0, 4), textcoords="offset points")
    axes.set(xscale="log", xlim=(0.9, last * 1.1), ylim=(0, 8), xlabel="step $t$")
    axes.set(ylabel=r"$|\theta_t - \theta_{t-1}| / \eta$")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.16))


LONGEST_STEPS = Figure(
    "adam_longest_steps",
    "The longest steps of Adam",
    "The longest step of Adam without epsilon, in learning rates, for $\\beta_1 = 0.9$ and $\\beta_2 = 0.999$. The "
    "steps come from gradients that grow like $(\\beta_2 / \\beta_1)^t$, and reach the sharp bound $C_t$ at every $t$. "
    "They pass what the paper gives as a bound, $(1 - \\beta_1) / \\sqrt{1 - \\beta_2}$, and tend to 7.27 learning "
    "rates.",
    ("adam",),
    (7, 4),
    _longest_steps,
)
