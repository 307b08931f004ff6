"""No honest program for an activation, a loss, a gated unit or what comes back through one leaves the bound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from oracle.arithmetic.formats import FORMATS, Format, precision_models
from oracle.bound import bound
from oracle.catalogue import get
from tests.helpers.arguments import plain_arguments
from tests.helpers.programs.curve_programs import CURVES, EVALUATED, run_curve
from tests.helpers.programs.inputs import precisions
from tests.helpers.programs.judge import Tally
from tests.helpers.programs.kit import Inapplicable, Kit
from tests.helpers.programs.layer_programs import LAYERS

PROGRAMS = {**CURVES, **LAYERS}
#: What no program rounds: it chooses, or multiplies by 0 and 1.
EXACT = ("relu", "relu_vjp")
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
    if formula in LAYERS and "scores" not in names:
        samples, outputs = int(rng.choice([1, 2, 5])), int(rng.choice([1, 3]))
        shapes = {"x": (samples, count), "weight": (outputs, count), "upstream": (samples, outputs)}
        return tuple(_numbers(rng, form, shapes[name]) for name in names)
    if formula == "loss_bce":
        p = rng.choice([rng.random(count), 10.0 ** -rng.uniform(0, 4, count), 1 - 10.0 ** -rng.uniform(0, 4, count)])
        p = np.clip(form.round(p), form.smallest_normal, 1 - form.unit)
        return p, form.round(rng.choice([rng.random(count), rng.integers(0, 2, count) * 1.0]))
    first = _numbers(rng, form, (2, count) if names[0] == "scores" else (count,))
    if names[-1] == "upstream":
        scale = float(rng.choice([1.0, 1.0, 1e-3, 100.0, form.smallest_normal]))
        return first, form.round(rng.normal(size=first.shape) * scale)
    if names[-1] != "target":
        return (first,)
    if names[0] == "scores":
        return first, rng.integers(0, count, 2) * 1.0
    if names[0] == "score":
        return first, form.round(rng.choice([rng.random(count), rng.integers(0, 2, count) * 1.0]))
    return first, form.round(first + _numbers(rng, form, (count,)))


def _judged(formula: str, dtype: str, count: int, entropy: int, evaluation: str = "") -> Tally:
    """Judge every program of a formula, or of one of its evaluations, on arguments that are drawn."""
    rng, tally = np.random.default_rng([len(formula), len(dtype), entropy]), Tally()
    programs = EVALUATED[formula, evaluation] if evaluation else PROGRAMS[formula]
    record = get(formula).programs[evaluation]
    for _ in range(count):
        arrays = _arguments(rng, FORMATS[dtype], formula)
        if not all(np.all(np.isfinite(array)) for array in arrays):
            continue
        choices = precisions(dtype)
        precision = choices[rng.integers(len(choices))]
        kit = Kit(precision, flush=bool(precision.flush_to_zero and rng.random() < 0.3))
        expected = bound(record, *arrays, precision=precision)
        for number, program in enumerate(programs):
            try:
                with np.errstate(all="ignore"):
                    observed = run_curve(kit, program, rng, arrays)
            except Inapplicable:
                continue
            tally.forms.add(number)
            tally.count(expected)
            tally.judge(expected, observed, "result", precision, number, arrays)
    print(f"{formula} {evaluation} {dtype}: {tally.summary()}")
    return tally


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", PROGRAMS)
def test_no_honest_program_leaves_the_bound(
    formula: str, dtype: str, draws: Callable[[int, int], int], entropy: int, judged: Callable[[str, int], None]
) -> None:
    tally = _judged(formula, dtype, draws(40, 1000), entropy)
    judged("calls", tally.steps)

    assert tally.worst <= 1.0, tally.offender
    assert tally.bounded >= 0.5 * tally.elements


def _ordinary(rng: np.random.Generator, form: Format, formula: str) -> Arrays:
    """Draw numbers of order 1, so few that no reduction has more than 8 terms."""
    plain = plain_arguments(get(formula)) or ()
    if formula == "loss_bce":
        plain = (np.maximum(plain[0], 2.0**-10), plain[1])  # a probability of 0 has no logarithm
    return tuple(
        array if name in get(formula).integers else form.round(array * rng.uniform(0.5, 1.0, array.shape))
        for name, array in zip(get(formula).arrays, plain, strict=True)
    )


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", PROGRAMS)
def test_some_honest_program_uses_a_hundredth_of_the_bound(formula: str, dtype: str) -> None:
    rng, tally = np.random.default_rng([len(formula), len(dtype), 1]), Tally()
    for precision in precision_models(dtype)[:2]:
        for _ in range(10):
            arrays = _ordinary(rng, FORMATS[dtype], formula)
            expected = bound(get(formula), *arrays, precision=precision)
            for number, program in enumerate(PROGRAMS[formula]):
                try:
                    observed = run_curve(Kit(precision), program, rng, arrays)
                except Inapplicable:
                    continue
                tally.count(expected)
                tally.judge(expected, observed, "result", precision, number, arrays)

    assert tally.bounded == tally.elements > 0
    assert tally.worst <= 1.0, tally.offender
    assert tally.worst >= 0.01 or formula in EXACT, tally.summary()


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(("formula", "evaluation"), EVALUATED)
def test_no_program_leaves_the_bound_of_its_evaluation(
    formula: str,
    evaluation: str,
    dtype: str,
    draws: Callable[[int, int], int],
    entropy: int,
    judged: Callable[[str, int], None],
) -> None:
    tally = _judged(formula, dtype, draws(40, 1000), entropy, evaluation)
    judged("calls", tally.steps)

    assert tally.worst <= 1.0, tally.offender
    assert tally.worst >= 0.01, "no program uses a hundredth of the bound"
    # Large scores, which half of these are, have no bound in an unstable evaluation.
    assert tally.bounded >= (0.5 if get(formula).evaluations[evaluation].kind == "stable" else 0.2) * tally.elements
