"""No honest program leaves the bound, and the bound is not idle.

Programs are drawn from many thousands of forms, one for every admitted way of writing the
formula down, and run on inputs that look for trouble. ``pytest --full`` draws enough for
more than 2,000,000 judged steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS, Precision, precision_models
from oracle.bound import Walk
from oracle.catalogue import get
from tests.helpers.programs.adam_programs import ADAM_IDS
from tests.helpers.programs.adaptive_programs import ADAPTIVE_IDS
from tests.helpers.programs.clip_programs import CLIP_IDS, SCALED_AXES, ClipForm
from tests.helpers.programs.inputs import Training, draw_clipping, draw_training, generator, mild_training, precisions
from tests.helpers.programs.judge import Tally, draw_form, judge_clipping, judge_training
from tests.helpers.programs.lion_programs import LION_IDS
from tests.helpers.programs.momentum_programs import MOMENTUM_IDS

OPTIMIZERS = (*MOMENTUM_IDS, *ADAPTIVE_IDS, *ADAM_IDS, *LION_IDS)

# Share of elements that have a bound although the inputs visit the ends of the range, where the
# moments of Adam overflow and underflow; float16 arithmetic has little range to begin with.
BOUNDED = {"float64": 0.8, "float32": 0.7, "bfloat16": 0.7, "float16": 0.4}

Draws = Callable[[int, int], int]
Judged = Callable[[str, int], None]


def _setting(rng: np.random.Generator, dtype: str) -> tuple[Precision, bool]:
    """Draw a precision, and whether the program flushes subnormal numbers to zero."""
    choices = precisions(dtype)
    precision = choices[rng.integers(len(choices))]
    return precision, bool(precision.flush_to_zero and rng.random() < 0.3)


def _trainings(rng: np.random.Generator, formula: str, dtype: str, count: int) -> Iterator[Training]:
    """Yield an easy training, of which every element has a bound, and hostile ones."""
    names, form = get(formula).hyperparameters, FORMATS[dtype]
    yield mild_training(rng, names, form)
    for _ in range(count - 1):
        yield draw_training(rng, names, form)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", OPTIMIZERS)
def test_no_honest_program_leaves_the_bound(
    formula: str, dtype: str, draws: Draws, entropy: int, judged: Judged
) -> None:
    rng, tally = generator(entropy, formula, dtype), Tally()
    for training in _trainings(rng, formula, dtype, draws(12, 220)):
        precision, flush = _setting(rng, dtype)
        forms = [draw_form(rng, formula) for _ in range(draws(8, 40))]
        judge_training(tally, formula, precision, training, forms, flush=flush)
    judged("steps", tally.steps)
    print(f"{formula} {dtype}: {tally.summary()}")

    assert tally.worst <= 1.0, tally.offender
    assert tally.steps > 0


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", ["adamw", "momentum_nesterov", "adam_l2", "lion"])
def test_no_honest_program_leaves_a_bound_that_follows_it(
    formula: str, dtype: str, draws: Draws, entropy: int, judged: Judged
) -> None:
    rng, tally = generator(entropy, "following", formula, dtype), Tally()
    for training in _trainings(rng, formula, dtype, draws(8, 120)):
        precision, flush = _setting(rng, dtype)
        forms = [draw_form(rng, formula) for _ in range(2)]
        judge_training(tally, formula, precision, training, forms, flush=flush, follow=True)
    judged("steps", tally.steps)
    print(f"following {formula} {dtype}: {tally.summary()}")

    assert tally.worst <= 1.0, tally.offender
    assert tally.steps > 0


@pytest.mark.parametrize("dtype", FORMATS)
def test_most_elements_have_a_bound(dtype: str) -> None:
    rng, tally = generator(0, "bounded", dtype), Tally()
    for formula in OPTIMIZERS:
        for _ in range(10):
            training = draw_training(rng, get(formula).hyperparameters, FORMATS[dtype])
            precision, _ = _setting(rng, dtype)
            walk = Walk(get(formula), training.param, precision=precision)
            for grad, values in zip(training.grads, training.hyperparameters, strict=True):
                tally.count(walk.step(grad, values)[0])

    assert tally.bounded >= BOUNDED[dtype] * tally.elements, tally.summary()


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", CLIP_IDS)
def test_no_honest_clipping_leaves_the_bound(
    formula: str, dtype: str, draws: Draws, entropy: int, judged: Judged
) -> None:
    rng, tally = generator(entropy, formula, dtype), Tally()
    for _ in range(draws(40, 1000)):
        clipping = draw_clipping(rng, FORMATS[dtype])
        precision, flush = _setting(rng, dtype)
        forms = [ClipForm.draw(rng) for _ in range(8)]
        judge_clipping(tally, formula, precision, clipping, forms, flush=flush)
    judged("calls", tally.steps)
    print(f"{formula} {dtype}: {tally.summary()}")

    assert tally.worst <= 1.0, tally.offender
    assert tally.bounded >= 0.5 * tally.elements


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", ["clip_by_norm", "clip_by_norm_torch"])
def test_no_scaled_clipping_leaves_the_bound_of_its_evaluation(
    formula: str, dtype: str, draws: Draws, entropy: int, judged: Judged
) -> None:
    rng, tally = generator(entropy, "scaled", formula, dtype), Tally()
    for _ in range(draws(40, 1000)):
        clipping = draw_clipping(rng, FORMATS[dtype], usual=0.3)
        precision, flush = _setting(rng, dtype)
        forms = [ClipForm.draw(rng, SCALED_AXES) for _ in range(8)]
        judge_clipping(tally, formula, precision, clipping, forms, flush=flush, evaluation="scaled")
    judged("calls", tally.steps)
    print(f"{formula}, scaled, {dtype}: {tally.summary()}")

    assert tally.worst <= 1.0, tally.offender
    assert tally.worst >= 0.01
    assert tally.bounded >= 0.5 * tally.elements


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", OPTIMIZERS)
def test_some_program_uses_a_twentieth_of_a_short_bound(formula: str, dtype: str) -> None:
    rng, tally = generator(0, "sharp", formula, dtype), Tally()
    for precision in precision_models(dtype)[:2]:
        for _ in range(6):
            training = mild_training(rng, get(formula).hyperparameters, FORMATS[dtype])
            forms = [draw_form(rng, formula) for _ in range(8)]
            judge_training(tally, formula, precision, training, forms, flush=False)

    assert tally.bounded == tally.elements
    assert tally.worst >= 0.05


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", ["clip_by_norm", "clip_by_norm_torch"])
def test_some_clipping_uses_a_twentieth_of_a_short_bound(formula: str, dtype: str) -> None:
    rng, tally = generator(0, "sharp", formula, dtype), Tally()
    for precision in precision_models(dtype)[:2]:
        for _ in range(20):
            clipping = draw_clipping(rng, FORMATS[dtype], elements=int(rng.integers(1, 5)))
            judge_clipping(tally, formula, precision, clipping, [ClipForm.draw(rng) for _ in range(8)], flush=False)

    assert tally.worst >= 0.05
