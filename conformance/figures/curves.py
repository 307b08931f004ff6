"""Figures of curves: schedules and activations."""

from __future__ import annotations

from conformance.figures.style import BLUE, LINES, Canvas, Figure
from oracle.examples.activations import curves
from oracle.examples.schedules import DRAWN, schedule_points

__all__ = ["ACTIVATIONS", "SCHEDULES"]


def _schedules(canvas: Canvas) -> None:
    panels = canvas.subplots(2, 4)
    for axes, name in zip(panels.flat, DRAWN, strict=True):
        last = 20_000 if name == "transformer" else 1000  # its warm-up alone has 4000 steps
        steps, rates = schedule_points(name, last, every=last // 200)
        axes.plot(steps, rates, color=BLUE)
        axes.set(title=name, ylim=(0, rates.max() * 1.08), xticks=(0, last // 2, last))
        axes.locator_params(axis="y", nbins=5)
        axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    for axes in panels[1]:
        axes.set_xlabel("step $t$")
    for axes in panels[:, 0]:
        axes.set_ylabel("$\\eta_t$")


SCHEDULES = Figure(
    "schedules",
    "Learning-rate schedules",
    "The schedules of the documents over a thousand steps, with a highest rate of 1; the transformer's over twenty "
    "thousand, with its warm-up of 4000 steps and a model width of 512.",
    tuple(dict.fromkeys(formula.id for formula, _ in DRAWN.values())),
    (12, 5),
    _schedules,
)


_NAMES = {"relu": "ReLU", "gelu": "GELU", "silu": "SiLU"}


def _activations(canvas: Canvas) -> None:
    whole, near = canvas.subplots(1, 2)
    points = curves()
    for id, line in zip(_NAMES, LINES, strict=False):
        for axes in (whole, near):
            axes.plot(points["x"], points[id], **line, markevery=(10 * len(axes.lines), 40), label=_NAMES[id])
    whole.set(title="the whole curves", xlabel="$x$", xlim=(-5, 5))
    near.set(title="where they differ", xlabel="$x$", xlim=(-5, 1), ylim=(-0.32, 0.2))
    whole.legend(loc="upper left")


ACTIVATIONS = Figure(
    "activations",
    "ReLU, GELU and SiLU",
    "All three pass large positive numbers and stop large negative ones. GELU and SiLU are smooth and not monotone: "
    "they fall to about $-0.17$ and $-0.28$ before they rise.",
    tuple(_NAMES),
    (10, 3.8),
    _activations,
)
