"""Hold honest programs against the bound, and count what was held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from oracle.arithmetic.formats import Precision
from oracle.bound import Walk, bound
from oracle.catalogue import get
from tests.helpers.programs.adam_programs import ADAM_IDS, AdamForm, run_adam
from tests.helpers.programs.adaptive_programs import ADAPTIVE_IDS, AdaptiveForm, run_adaptive
from tests.helpers.programs.clip_programs import ClipForm, run_clip
from tests.helpers.programs.inputs import Clipping, Training
from tests.helpers.programs.kit import Floats, Inapplicable, Kit
from tests.helpers.programs.lion_programs import LION_IDS, LionForm, run_lion
from tests.helpers.programs.momentum_programs import MOMENTUM_IDS, MomentumForm, run_momentum

__all__ = ["Tally", "draw_form", "judge_clipping", "judge_training", "train"]


#: Forms, and what runs one, by the ids of the formulas that they are programs of.
PROGRAMS: tuple[tuple[tuple[str, ...], Any, Any], ...] = (
    (MOMENTUM_IDS, MomentumForm, run_momentum),
    (ADAPTIVE_IDS, AdaptiveForm, run_adaptive),
    (ADAM_IDS, AdamForm, run_adam),
    (LION_IDS, LionForm, run_lion),
)


@dataclass
class Tally:
    """What was judged, and the worst of it.

    Attributes
    ----------
    steps : int
        Pairs of a program and a step of which some element had a bound.
    elements, bounded : int
        Parameters that were looked at, and those that had a bound.
    worst : float
        Largest error over bound.
    offender : str
        Which program, inputs and quantity that was.
    """

    steps: int = 0
    elements: int = 0
    bounded: int = 0
    worst: float = 0.0
    offender: str = ""
    forms: set[Any] = field(default_factory=set)

    def judge(self, enclosure: Any, observed: Floats, what: str, *circumstances: Any) -> None:
        """Compare one array with its enclosure."""
        ratios = np.ravel(enclosure.ratio(observed))
        if ratios.size and (largest := float(np.max(ratios))) > self.worst:
            at = int(np.argmax(ratios))
            self.worst = largest
            self.offender = f"{what}[{at}] at {largest:.6g} bounds, {observed.flat[at]!r} for " + "; ".join(
                map(str, circumstances)
            )

    def count(self, enclosure: Any) -> None:
        """Count the parameters of one program after one step."""
        bounded = int(np.count_nonzero(enclosure.bounded))
        self.steps += bounded > 0
        self.elements += int(np.size(enclosure.bounded))
        self.bounded += bounded

    def summary(self) -> str:
        """Return the figures in one line."""
        share = self.bounded / max(self.elements, 1)
        return f"{self.steps} steps, {len(self.forms)} forms, {share:.1%} bounded, worst {self.worst:.6f}"


def draw_form(rng: np.random.Generator, formula: str) -> Any:
    """Draw a program for an optimizer."""
    (form,) = (form for ids, form, _ in PROGRAMS if formula in ids)
    return form.draw(rng)


def train(kit: Kit, form: Any, formula: str, training: Training) -> list[tuple[Floats, dict[str, Floats]]] | None:
    """Run a program, or return None where its form has no meaning."""
    (program,) = (run for ids, _, run in PROGRAMS if formula in ids)
    try:
        with np.errstate(all="ignore"):
            history: list[tuple[Floats, dict[str, Floats]]] = program(
                kit, form, formula, training.param, training.grads, training.hyperparameters
            )
    except Inapplicable:
        return None
    return history


def judge_training(
    tally: Tally,
    formula: str,
    precision: Precision,
    training: Training,
    forms: Sequence[Any],
    *,
    flush: bool,
    follow: bool = False,
) -> None:
    """Judge programs of one training step by step.

    Parameters
    ----------
    follow : bool
        Whether the walk is synchronised with what each program shows after each step.
    """
    kit = Kit(precision, flush=flush)
    walked: list[Any] = []
    if not follow:
        walk = Walk(get(formula), training.param, precision=precision)
        steps = zip(training.grads, training.hyperparameters, strict=True)
        walked = [walk.step(grad, values) for grad, values in steps]
    for form in forms:
        history = train(kit, form, formula, training)
        if history is None:
            continue
        tally.forms.add(form)
        walk = Walk(get(formula), training.param, precision=precision)
        for step, (param, state) in enumerate(history):
            if follow:
                expected, expected_state = walk.step(training.grads[step], training.hyperparameters[step])
                walk.resynchronise(param, state)
            else:
                expected, expected_state = walked[step]
            circumstances = (precision, form, f"flush {flush}", f"step {step + 1}", training)
            tally.count(expected)
            tally.judge(expected, param, "param", *circumstances)
            for name, observed in state.items():
                tally.judge(expected_state[name], observed, name, *circumstances)


def judge_clipping(
    tally: Tally,
    formula: str,
    precision: Precision,
    clipping: Clipping,
    forms: Sequence[ClipForm],
    *,
    flush: bool,
    evaluation: str = "",
) -> None:
    """Judge programs that clip one array, by an evaluation of the formula."""
    (name,) = get(formula).hyperparameters
    record = get(formula).programs[evaluation]
    expected: Any = bound(record, clipping.grad, precision=precision, **{name: clipping.threshold})
    kit = Kit(precision, flush=flush)
    for form in forms:
        try:
            with np.errstate(all="ignore"):
                observed = run_clip(kit, form, formula, clipping.grad, clipping.threshold)
        except Inapplicable:
            continue
        tally.forms.add(form)
        tally.count(expected)
        tally.judge(expected, observed, "grad", precision, form, f"flush {flush}", clipping)
