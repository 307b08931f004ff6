"""Honest functions and schedules in every form that the suite has, as factories that say nothing of what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from oracle.arithmetic.formats import precision_models
from oracle.catalogue import FORMULAS, get
from oracle.formula import Formula
from properties.subject import Floats
from tests.helpers.honest import FORMS
from tests.helpers.programs.clip_programs import CLIP_IDS, ClipForm, run_clip
from tests.helpers.programs.curve_programs import CURVES, EVALUATED, run_curve
from tests.helpers.programs.kit import Kit
from tests.helpers.programs.layer_programs import LAYERS
from tests.helpers.programs.normalization_programs import (
    NORMALIZATION_IDS,
    ONE_PASS,
    Batch,
    NormalizationForm,
    run_normalization,
)

__all__ = ["IDENTIFIABLE", "Called", "evaluated", "honest"]

#: What is looked for: all but those that draw a mask for themselves.
IDENTIFIABLE = [formula for formula in FORMULAS if formula.kind != "optimizer" and not formula.drawn]


@dataclass(frozen=True, eq=False)
class Called:
    """A factory of a function that takes the arrays and hyperparameters of a formula, and no others."""

    formula: Formula
    make: Callable[[str], Callable[..., Floats]]

    def __call__(self, *, dtype: str, device: str) -> Callable[..., Floats]:
        """Return the function."""
        function = self.make(dtype)

        def call(*arrays: Floats, **hyperparameters: float) -> Floats:
            if len(arrays) != len(self.formula.arrays) or set(hyperparameters) != set(self.formula.hyperparameters):
                raise TypeError("called with other arguments than it has")
            return function(*arrays, **hyperparameters)

        return call


def _kit(dtype: str) -> Kit:
    return Kit(precision_models(dtype)[0])


def _curve(formula: Formula, program: Any, seed: int) -> Called:
    def make(dtype: str) -> Callable[..., Floats]:
        return lambda *arrays: run_curve(_kit(dtype), program, np.random.default_rng(seed), arrays)

    return Called(formula, make)


def _normalization(formula: Formula, form: NormalizationForm) -> Called:
    def make(dtype: str) -> Callable[..., Floats]:
        def call(x: Floats, *others: Floats, **values: float) -> Floats:
            rows = x.reshape(-1, x.shape[-1])  # of more samples than one axis holds
            shown = run_normalization(_kit(dtype), form, formula.id, Batch((rows, *others), values))
            return shown if shown.ndim == 1 else shown.reshape(x.shape)

        return call

    return Called(formula, make)


def _clipping(formula: Formula, form: ClipForm) -> Called:
    (name,) = formula.hyperparameters
    return Called(
        formula, lambda dtype: lambda grad, **values: run_clip(_kit(dtype), form, formula.id, grad, values[name])
    )


def honest(formula: Formula, draws: int) -> Iterator[tuple[str, Called]]:
    """Yield programs of a formula by name, those with many choices as often as they are to be drawn."""
    for name, factory in FORMS[formula.id].items():
        yield name, Called(formula, lambda dtype, factory=factory: factory(dtype=dtype, device="cpu"))
    programs: Mapping[str, Any] = {**CURVES, **LAYERS}
    for number, program in enumerate(programs.get(formula.id, ())):
        yield f"program {number}", _curve(formula, program, number)
    rng = np.random.default_rng([len(formula.id), draws])
    for _ in range(draws if formula.id in NORMALIZATION_IDS else 0):
        form = NormalizationForm.draw(rng)
        yield str(form), _normalization(formula, form)
    for _ in range(draws if formula.id in CLIP_IDS else 0):
        form = ClipForm.draw(rng)
        yield str(form), _clipping(formula, form)


def evaluated() -> Iterator[tuple[Formula, str, str, Called]]:
    """Yield programs of the evaluations: formula, evaluation, name of the program, factory."""
    for (id, evaluation), programs in EVALUATED.items():
        for number, program in enumerate(programs):
            yield get(id), evaluation, f"program {number}", _curve(get(id), program, number)
    rng = np.random.default_rng(0)
    for id in NORMALIZATION_IDS:
        for variance in ONE_PASS if "one_pass" in get(id).evaluations else ():
            drawn = vars(NormalizationForm.draw(rng))
            yield (
                get(id),
                "one_pass",
                variance,
                _normalization(get(id), NormalizationForm(**{**drawn, "variance": variance})),
            )
