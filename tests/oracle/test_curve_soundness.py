"""No honest program for an activation, a loss or a gated unit leaves the bound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from oracle.arithmetic.formats import FORMATS, Format
from oracle.bound import bound
from oracle.catalogue import get
from tests.helpers.programs.curve_programs import CURVES, run_curve
from tests.helpers.programs.inputs import precisions
from tests.helpers.programs.judge import Tally
from tests.helpers.programs.kit import Inapplicable, Kit

Arrays = tuple[NDArray[np.float64], ...]


def _numbers(rng: np.random.Generator, form: Format, shape: tuple[int, ...]) -> NDArray[np.float64]:
    scale = rng.choice([1.0, 1.0, 3.0, 10.0, 40.0, 100.0, 1e4, 1e-3, form.smallest_normal])
    spread = 10.0 ** rng.uniform(-2, 0, shape) if rng.random() < 0.3 else 1.0
    return form.round(rng.normal(size=shape) * scale * spread)


def _arguments(rng: np.random.Generator, form: Format, formula: str) -> Arrays:
    names = get(formula).arrays
    count = int(rng.choice([1, 2, 3, 7, 16]))
    if "cell" in names:
        rows, width = int(rng.choice([1, 3])), 2
        shapes = {"x": (rows, count), "hidden": (rows, width), "cell": (rows, width)}
        shapes |= {"w": (4, count, width), "u": (4, width, width), "b": (4, width)}
        scales = {name: float(rng.choice([1.0, 0.1, 4.0])) for name in names}
        return tuple(form.round(rng.normal(size=shapes[name]) * scales[name]) for name in names)
    if "w2" in names:
        rows, width = int(rng.choice([1, 3])), int(rng.choice([1, 4]))
        shapes = {"x": (rows, count), "w": (count, width), "v": (count, width), "w2": (width, 2)}
        scale = float(rng.choice([1.0, 0.1, 4.0]))
        return tuple(form.round(rng.normal(size=shapes[name]) * scale) for name in names)
    if "w" in names:
        rows, width = int(rng.choice([1, 3])), 2
        scale = float(rng.choice([1.0, 0.1, 4.0]))
        shapes = {"x": (rows, count), "w": (count, width), "b": (width,), "v": (count, width), "c": (width,)}
        return tuple(form.round(rng.normal(size=shapes[name]) * scale) for name in names)
    if formula == "loss_bce":
        p = rng.choice([rng.random(count), 10.0 ** -rng.uniform(0, 4, count), 1 - 10.0 ** -rng.uniform(0, 4, count)])
        p = np.clip(form.round(p), form.smallest_normal, 1 - form.unit)
        return p, form.round(rng.choice([rng.random(count), rng.integers(0, 2, count) * 1.0]))
    first = _numbers(rng, form, (2, count) if names[0] == "scores" else (count,))
    if names[-1] == "upstream":
        return first, form.round(rng.normal(size=count))
    if names[-1] != "target":
        return (first,)
    if names[0] == "scores":
        return first, rng.integers(0, count, 2) * 1.0
    if names[0] == "score":
        return first, form.round(rng.choice([rng.random(count), rng.integers(0, 2, count) * 1.0]))
    return first, form.round(first + _numbers(rng, form, (count,)))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", CURVES)
def test_no_honest_program_leaves_the_bound(
    formula: str, dtype: str, draws: Callable[[int, int], int], entropy: int, judged: Callable[[str, int], None]
) -> None:
    rng, tally = np.random.default_rng([len(formula), len(dtype), entropy]), Tally()
    for _ in range(draws(40, 1000)):
        arrays = _arguments(rng, FORMATS[dtype], formula)
        if not all(np.all(np.isfinite(array)) for array in arrays):
            continue
        choices = precisions(dtype)
        precision = choices[rng.integers(len(choices))]
        kit = Kit(precision, flush=bool(precision.flush_to_zero and rng.random() < 0.3))
        expected = bound(get(formula), *arrays, precision=precision)
        for program in range(len(CURVES[formula])):
            try:
                with np.errstate(all="ignore"):
                    observed = run_curve(kit, formula, program, rng, arrays)
            except Inapplicable:
                continue
            tally.forms.add(program)
            tally.count(expected)
            tally.judge(expected, observed, "result", precision, program, arrays)
    judged("calls", tally.steps)
    print(f"{formula} {dtype}: {tally.summary()}")

    assert tally.worst <= 1.0, tally.offender
    assert tally.bounded >= 0.5 * tally.elements
