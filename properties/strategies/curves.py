"""Calls of activations, losses and gated units, where their neighbours separate, and at their extremes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from oracle.arithmetic.formats import FLOAT16, FORMATS, Format
from properties.cases import Call
from properties.claims import Space
from properties.strategies.numbers import LAYOUTS, magnitudes, seeded_arrays, small_arrays
from properties.subject import Floats

__all__ = [
    "ACTIVATIONS",
    "CLASSES",
    "COMBINED",
    "GATES",
    "LOGITS",
    "PROBABILITIES",
    "RESIDUALS",
    "activations",
    "classes",
    "combined",
    "gates",
    "logits",
    "probabilities",
    "residuals",
]

#: Calls of the quick profile by kind.
ACTIVATIONS: Mapping[str, int] = {
    "curved": 8,
    "tails": 4,
    "tiny": 2,
    "huge": 4,
    "zeros": 2,
    "scalar": 1,
    "lines": 2,
    "bulk": 1,
}
RESIDUALS: Mapping[str, int] = {"short": 8, "close": 3, "equal": 2, "far": 2, "lines": 3, "bulk": 1}
PROBABILITIES: Mapping[str, int] = {"short": 8, "certain": 4, "confident": 4, "unlikely": 2, "half": 2, "lines": 2}
LOGITS: Mapping[str, int] = {"short": 8, "confident": 4, "certain": 2, "tails": 4, "huge": 2, "zeros": 2, "lines": 2}
CLASSES: Mapping[str, int] = {
    "short": 8,
    "single": 1,
    "confident": 4,
    "spread": 6,
    "huge": 3,
    "equal": 2,
    "level": 1,
    "rows": 2,
}
COMBINED: Mapping[str, int] = {"short": 8, "single": 1, "spread": 3, "huge": 2, "level": 1, "rows": 2}
GATES: Mapping[str, int] = {"short": 8, "saturated": 4, "far": 2, "zeros": 2, "rows": 3}

#: Equal scores whose exponentials leave the range, although no probability does.
_LEVELS = (1e4, -1e4)
#: Where activations curve, and where their approximations are furthest off.
_CURVED = (-2.75, -1.0, 2.25, -4.0, -3.0, -2.25, 1.0, -0.5, 0.5, 3.0, -1.5, 2.0, -5.0, 4.0, 7.0, -6.0)
_TAILS = (-40.0, -20.0, 40.0, -12.0, -9.0, 12.0, -88.0, 88.0, -30.0, 20.5, 25.0, 30.0)
_TINY = (1e-3, -1e-3, 1e-5, -1e-5, 3e-2, -3e-2)
_SMALLEST = (1.0, -1.0, 4.0, -4.0, 1024.0)
_HUGE = (1e4, -1e4, 3e4, -3e4, 710.0, -710.0)
_LABELS = (0.0, 1.0, 1.0, 0.0, 0.25)
_PROBABILITIES = (0.5, 0.25, 0.875, 0.0625, 0.99, 0.01, 0.75, 0.3)
_CERTAIN = (1e-3, 0.999, 1e-9, 1e-5, 1e-12)
_SCORES = (0.0, 1.0, -1.0, 2.0, 0.5, -3.0, 4.0, -0.25, 7.5, -6.0)
#: Where the loss is so small that a change by a thousandth shows in half precision, and larger than its error.
_CONFIDENT = (6.25, -6.25, 6.0, -6.0, 6.5, 5.5)
#: Where the loss of the true class is small, and programs take the logistic function for 1.
_SURE = (20.5, 25.0, 30.0, 22.0)
_SPREAD = (-25.0, 0.0, 3.0, -20.0, -12.0, 1.0, -8.0)
#: Biases and weights, one for each unit, that take it to where its gate is shut or open, and exponentials overflow.
_FAR = (100.0, -100.0, 1000.0, -1000.0)
_STEEP = (8.0, -8.0, 20.0, -20.0, 1000.0, -1000.0)
_SHAPES = ((2,), (1,), (3,), (5,), (2, 3))
_LINES = ((3, 11), (2, 3, 5))
#: Longer than the blocks in which programs work, and no multiple of them.
_BULK = (3, 5, 69)
_TABLES = ((2, 3), (3, 4), (2, 2), (3, 3))


def _from(form: Format, shape: tuple[int, ...], numbers: tuple[float, ...]) -> SearchStrategy[Floats]:
    return small_arrays(form, shape, 1.0, st.sampled_from(numbers))


@st.composite
def _lines(draw: DrawFn, form: Format, shape: tuple[int, ...], scale: float) -> Floats:
    layout = LAYOUTS[draw(st.sampled_from(tuple(LAYOUTS)))]
    return layout(draw(seeded_arrays(form, shape, scale)))


@st.composite
def activations(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call, a key of `ACTIVATIONS`."""
    form, shape = FORMATS[space.dtype], draw(st.sampled_from(_SHAPES))
    match kind:
        case "curved":
            x = draw(_from(form, shape, _CURVED))
        case "tails":
            x = draw(_from(form, shape, _TAILS))
        case "tiny":
            numbers = _TINY if draw(st.booleans()) else tuple(form.smallest_normal * each for each in _SMALLEST)
            x = draw(_from(form, shape, numbers))
        case "huge":
            scale = 1.0 if form is FLOAT16 else draw(st.sampled_from((1.0, 2.0**40, 2.0**-7)))
            x = form.round(scale * draw(_from(form, shape, _HUGE)))
        case "zeros":
            x = draw(small_arrays(form, shape, 1.0, magnitudes(zeros=True)))
            x.flat[0] = 0.0  # where a rectifier has no slope, and programs choose one
        case "scalar":
            x = draw(_from(form, (), _CURVED))
        case "lines":
            x = draw(_lines(form, draw(st.sampled_from(_LINES)), 2.0))
        case _:
            x = draw(_lines(form, _BULK, 2.0))
    return Call((x,), {})


@st.composite
def residuals(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of a loss of regression, a key of `RESIDUALS`."""
    form, shape = FORMATS[space.dtype], draw(st.sampled_from(((2,), (1,), (3,), (2, 2))))
    if kind in {"lines", "bulk"}:
        shape = _BULK if kind == "bulk" else draw(st.sampled_from(_LINES))
        return Call((draw(_lines(form, shape, 2.0)), draw(_lines(form, shape, 2.0))), {})
    prediction = draw(small_arrays(form, shape, 1.0, magnitudes(1, zeros=True)))
    match kind:
        case "short":
            target = draw(small_arrays(form, shape, 1.0, magnitudes(1)))
        case "close":
            target = form.round(prediction * (1 + 4 * form.unit))
        case "equal":
            target = prediction.copy()
        case _:
            scale = 32.0 if form is FLOAT16 else draw(st.sampled_from((1e4, 1e12)))
            target = draw(small_arrays(form, shape, scale, magnitudes()))
    return Call((prediction, target), {})


@st.composite
def probabilities(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of a loss of probabilities, a key of `PROBABILITIES`."""
    form, shape = FORMATS[space.dtype], draw(st.sampled_from(_SHAPES))
    if kind in {"confident", "unlikely"}:
        # One sample alone: a small cost shows what is added to it, and that of a clamped probability is too small.
        alone: tuple[float, ...] = (0.9921875, 0.0078125, 0.984375) if kind == "confident" else (1e-9, 1e-12)
        prediction = np.maximum(draw(_from(form, (1,), alone)), form.smallest_normal)
        return Call((prediction, np.rint(prediction) if kind == "confident" else np.ones(1)), {})
    if kind == "lines":
        shape = draw(st.sampled_from(_LINES))
        prediction = form.round(np.abs(draw(_lines(form, shape, 0.25))))
    else:
        numbers = {"short": _PROBABILITIES, "certain": _CERTAIN, "half": (0.5,)}[kind]
        prediction = draw(_from(form, shape, numbers))
    # Probabilities of 0 and 1 have no logarithm, nor their complements.
    prediction = np.clip(prediction, form.smallest_normal, 1 - form.unit * 2)
    return Call((prediction, draw(_from(form, shape, _LABELS))), {})


@st.composite
def logits(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of a loss of scores of two classes, a key of `LOGITS`."""
    form, shape = FORMATS[space.dtype], draw(st.sampled_from(_SHAPES))
    if kind in {"confident", "certain"}:
        score = draw(_from(form, (1,), _CONFIDENT if kind == "confident" else _SURE))
        return Call((score, np.where(score > 0, 1.0, 0.0)), {})
    if kind == "lines":
        shape = draw(st.sampled_from(_LINES))
        score = draw(_lines(form, shape, 2.0))
    else:
        shape = draw(st.sampled_from(((2,), (3,), (2, 3)))) if kind == "huge" else shape
        numbers = {"short": _SCORES, "tails": _TAILS, "huge": _HUGE, "zeros": (0.0, -0.0)}[kind]
        score = draw(_from(form, shape, numbers))
    target = draw(_from(form, shape, _LABELS))
    if kind == "huge":
        # Of both signs, and as wrong as they can be: where score and label agree there is nothing to see.
        score.flat[0], score.flat[-1] = np.abs(score.flat[0]), -np.abs(score.flat[-1])
        target.flat[0], target.flat[-1] = 0.0, 1.0
    return Call((score, target), {})


def _table(draw: DrawFn, kind: str) -> tuple[int, ...]:
    """Draw how many samples there are, and of how many classes."""
    shapes = {"single": ((1, 3), (1, 33)), "stacked": ((2, 2, 3), (2, 3, 2)), "rows": ((3, 17),)}
    return draw(st.sampled_from(shapes.get(kind, _TABLES)))


def _labels(draw: DrawFn, kind: str, shape: tuple[int, ...]) -> Floats:
    """Draw the classes of samples; the last of many is there, which programs keep for padding."""
    labels = np.array([draw(st.integers(0, shape[-1] - 1)) for _ in range(shape[0])], dtype=np.float64)
    if kind == "rows":
        labels[0] = shape[-1] - 1
    return labels


@st.composite
def classes(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of scores of classes, a key of `CLASSES`; the labels are the classes' numbers."""
    form, shape = FORMATS[space.dtype], _table(draw, kind)
    match kind:
        case "short" | "single" | "stacked":
            scores = draw(_from(form, shape, _SCORES))
        case "spread":
            scores = draw(_from(form, shape, _SPREAD))
        case "huge":
            scores = draw(_from(form, shape, _HUGE))
        case "equal":
            scores = np.full(shape, draw(st.sampled_from((0.0, 5.0, -40.0, 1e4))))
            scores = form.round(scores)
        case "level":
            scores = form.round(np.full(shape, draw(st.sampled_from(_LEVELS))))
        case "confident":
            shape = (2, 2)
            scores = np.stack([draw(_from(form, (2,), _CONFIDENT)), np.zeros(2)], axis=-1)
        case _:
            scores = draw(_lines(form, shape, 3.0))
    if "target" not in space.formula.arrays:
        return Call((scores,), {})
    labels = np.argmax(scores, axis=-1).astype(np.float64) if kind == "confident" else _labels(draw, kind, shape)
    return Call((scores, labels), {})


@st.composite
def combined(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of a loss of classes and numbers together, a key of `COMBINED`."""
    form = FORMATS[space.dtype]
    shape = _table(draw, kind)
    outputs: tuple[int, ...] = (3, 7) if kind == "rows" else draw(st.sampled_from(((2,), (3,), (2, 2))))
    if kind == "rows":
        scores = draw(_lines(form, shape, 3.0))
    elif kind == "level":
        scores = form.round(np.full(shape, draw(st.sampled_from(_LEVELS))))
    else:
        scores = draw(_from(form, shape, {"spread": _SPREAD, "huge": _HUGE}.get(kind, _SCORES)))
    labels = _labels(draw, kind, shape)
    prediction, target = (draw(small_arrays(form, outputs, 1.0, magnitudes(zeros=True))) for _ in range(2))
    weight = draw(st.sampled_from((0.5, 0.25, 2.0, 0.1, 10.0, 0.75)))
    return Call((scores, labels, prediction, target), {"regression_weight": weight})


@st.composite
def gates(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of a gated unit, a block around one or a memory cell, a key of `GATES`."""
    form = FORMATS[space.dtype]
    rows, depth, width = draw(st.sampled_from(((2, 2, 2), (1, 1, 1), (2, 3, 2), (3, 1, 2))))
    if kind == "rows":
        rows, depth, width = 5, 7, 3
    if kind == "far":
        rows, depth, width = 3, 1, len(_STEEP if "w2" in space.formula.arrays else _FAR)
    shapes = {"x": (rows, depth), "w": (depth, width), "b": (width,), "v": (depth, width), "c": (width,)}
    if "cell" in space.formula.arrays:
        state = {"hidden": (rows, width), "cell": (rows, width)}
        shapes = {"x": (rows, depth), **state, "w": (4, depth, width), "u": (4, width, width), "b": (4, width)}
    if "w2" in space.formula.arrays:
        shapes = {"x": (rows, depth), "w": (depth, width), "v": (depth, width), "w2": (width, depth)}
    numbers = magnitudes(zeros=kind == "zeros")
    arrays = []
    for name, shape in shapes.items():
        if kind == "rows":
            arrays.append(draw(_lines(form, shape, 1.0)))
        elif kind == "saturated" and name in {"b", "c"}:
            arrays.append(draw(_from(form, shape, (-30.0, 30.0, 12.0, -12.0))))
        else:
            arrays.append(draw(small_arrays(form, shape, 1.0, numbers)))
    if kind == "far":
        _move_away(draw, form, dict(zip(shapes, arrays, strict=True)))
    return Call(tuple(arrays), {})


def _move_away(draw: DrawFn, form: Format, arrays: Mapping[str, Floats]) -> None:
    """Take the units of a call far from zero, each by another number."""
    if "w2" in arrays:
        arrays["w"][:] = _STEEP
        return
    if "cell" in arrays:
        arrays["b"][3] = _FAR
    else:
        arrays["b"][:] = _FAR
    drawn = arrays["cell" if "cell" in arrays else "c"]
    drawn[:] = draw(_from(form, drawn.shape, _FAR))
