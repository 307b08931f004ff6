"""What optimizers, functions and schedules owe alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.kit.breach import Breach
from conformance.kit.candidate import Candidate, Results, Run, difference, spot
from oracle.arithmetic.formats import FLOAT32, FORMATS, Format
from oracle.bound import Enclosure
from properties.cases import Call, Training
from properties.strategies.numbers import LAYOUTS
from properties.subject import Floats, Rejected

__all__ = [
    "any_layout_is_read",
    "hyperparameters_are_shown",
    "no_digit_is_lost",
    "overwrite",
    "require_floats",
    "require_same",
    "results_repeat",
]


def require_floats(shown: Any, shape: tuple[int, ...], form: Format, what: str) -> None:
    """Require a float64 array of a shape whose numbers a format holds; without dimensions, numpy makes it a scalar."""
    promise = f"{what} as a float64 array of shape {shape} that holds numbers of {form.name}"
    if not isinstance(shown, np.ndarray | np.float64):
        raise Breach(promise, f"gave a {type(shown).__name__}")
    if shown.dtype != np.float64:
        raise Breach(promise, f"the array is one of {shown.dtype}")
    if shown.shape != shape:
        raise Breach(promise, f"the shape is {shown.shape}")
    numbers = np.asarray(shown)
    strange = np.isfinite(numbers) & (form.round(numbers) != numbers)
    if strange.any():
        raise Breach(promise, f"{float(numbers[strange][0])!r} is none")


def require_same(left: Sequence[Floats | None], given: Sequence[Floats | None], what: str) -> None:
    """Require that a subject has left arrays as they were given."""
    for place, (now, before) in enumerate(zip(left, given, strict=True)):
        if now is not None and before is not None and (seen := difference({"it": now}, {"it": before})):
            raise Breach(f"to leave {what} alone", f"wrote to number {place}: {seen}")


def overwrite(arrays: Sequence[Floats | None]) -> None:
    """Change every number of arrays, as their owner may."""
    for array in arrays:
        if array is not None and array.flags.writeable:
            array[...] = 3 - array / 2


def results_repeat(candidate: Candidate) -> None:
    """A new subject starts anew: the first results come again, now that others have been at work."""
    promise = "that a new subject starts anew and that the same inputs give the same results"
    for run, results in candidate.answered:
        try:
            again = candidate.results(run)
        except Rejected as rejection:
            raise Breach(promise, f"when they came again they were refused: {rejection}") from rejection
        if seen := difference(again, results):
            raise Breach(promise, f"when they came again {seen}")


@dataclass(frozen=True)
class _Variation:
    """Another run, and where it may differ."""

    words: str
    run: Run
    touched: tuple[str, ...]


def _varied(run: Run, name: str, value: float, *, settable: bool) -> Iterator[_Variation]:
    """Yield the run with another value of a hyperparameter; in each group of its own, from the start and set later."""
    if isinstance(run, Call):
        yield _Variation(name, replace(run, hyperparameters={**run.hyperparameters, name: value}), ("the result",))
        return
    length = len(run.steps)
    for number, group in enumerate(run.groups):

        def touched(first: int, tensors: tuple[int, ...] = group.tensors) -> tuple[str, ...]:
            return tuple(spot(tensor, step) for tensor in tensors for step in range(first, length + 1))

        other = replace(group, hyperparameters={**group.hyperparameters, name: value})
        groups = tuple(other if place == number else each for place, each in enumerate(run.groups))
        yield _Variation(f"{name} of group {number}", replace(run, groups=groups), touched(1))
        if settable:
            steps = tuple(
                replace(step, changes={number: {name: value}}) if place == 1 else step
                for place, step in enumerate(run.steps)
            )
            words = f"{name} of group {number} as it is set before step 2"
            yield _Variation(words, replace(run, steps=steps), touched(2))


def hyperparameters_are_shown(candidate: Candidate) -> None:
    """Each hyperparameter changes results of its own group where it must, and no others; from the start, and when it is set."""
    blind = _unseen(candidate)
    # Narrow dtypes show little, and what formulas say of masks that are drawn is no matter of single numbers.
    if blind and candidate.form.bits >= FLOAT32.bits and not candidate.formula.drawn:
        raise Breach(f"to use {', '.join(blind)}", "no run that was drawn shows it")


def _unseen(candidate: Candidate) -> list[str]:
    """Require of hyperparameters that they are used, and return those of which no run that was drawn shows it."""
    formula, blind = candidate.formula, []
    for name in formula.hyperparameters:
        if name in candidate.implementation.fixed:
            continue
        shown: dict[str, bool] = {}
        for run, results in candidate.answered:
            if shown and all(shown.values()):
                break
            for value in _others(candidate, run, name):
                for variation in _varied(run, name, value, settable=name in candidate.settable):
                    if not shown.get(variation.words):
                        shown[variation.words] = _is_used(candidate, run, results, variation)
        blind += [words for words, seen in shown.items() if not seen] if shown else [name]
    return blind


def _others(candidate: Candidate, run: Run, name: str) -> list[float]:
    """Return other values of a hyperparameter, as they were drawn for other runs, and half of its own."""
    tables = [values for each in (run, *candidate.drawn) for values in _tables(each)]
    mine, *others = dict.fromkeys(values[name] for values in tables)
    half = mine // 2 if name in candidate.formula.lengths else mine / 2
    return [value for value in (*others, half) if value != mine and value in candidate.formula.draw[name]]


def _tables(run: Run) -> list[Mapping[str, float]]:
    return [group.hyperparameters for group in run.groups] if isinstance(run, Training) else [run.hyperparameters]


def _is_used(candidate: Candidate, run: Run, results: Results, variation: _Variation) -> bool:
    """Return whether a variation must show, and require that it does."""
    try:
        others = candidate.results(variation.run)
    except Rejected:
        return False
    apart = candidate.apart(results, run, others, variation.run)
    shows = any(apart[name].any() for name in variation.touched)
    if candidate.excused(run) or candidate.excused(variation.run):
        return shows  # what is known to deviate may do so in this
    promise = f"to use {variation.words}"
    untouched = {name: array for name, array in results.items() if name not in variation.touched}
    if seen := difference(others, untouched):
        raise Breach(f"{promise} there alone", f"with another value {seen}")
    for name in variation.touched:
        _require_change(results[name], others[name], apart[name], promise, f"with another value {name}")
    return shows


def _require_change(shown: Floats, other: Floats, apart: NDArray[np.bool_], promise: str, what: str) -> None:
    same = apart & (shown == other)
    if same.any():
        raise Breach(promise, f"{what} is {float(shown[same][0])!r} as before")


def no_digit_is_lost(candidate: Candidate) -> None:
    """Results show digits of gradients and arrays that only the declared dtype holds, wherever they must."""
    narrower = max((form.bits for form in FORMATS.values() if form.bits < candidate.form.bits), default=0)
    if not narrower or candidate.formula.kind == "schedule":
        return
    # So little that a narrower dtype rarely tells it, so much that the own one does whatever it rounds; and smaller, so
    # that what is at most 1 stays so.
    factor = 1 - 2.0 ** -(narrower + (candidate.form.bits - narrower) // 5)

    def finer(array: Floats) -> Floats:
        return candidate.form.round(array * factor)

    promise = f"to compute with all digits of {candidate.form.name} that it is given"
    for run, results in candidate.answered:
        if candidate.excused(run):
            continue
        other = _mapped(candidate, run, finer)
        others = candidate.results(other)
        for name, apart in candidate.apart(results, run, others, other).items():
            _require_change(results[name], others[name], apart, promise, f"with other last digits {name}")


def any_layout_is_read(candidate: Candidate) -> None:
    """Arrays may lie in memory as they like: their values are read all the same, but for known deviations."""
    for run, results in candidate.answered:
        expected = candidate.expected(run)
        for words, layout in LAYOUTS.items():
            other = _mapped(candidate, run, layout)
            if candidate.excused(other):
                continue
            shown = candidate.results(other)
            if _within(candidate, results, expected) and not _within(candidate, shown, expected):
                seen = difference(shown, results)
                raise Breach("to read arrays whatever their layout", f"of arrays that are {words}, {seen}")


def _within(candidate: Candidate, results: Results, expected: Sequence[Mapping[str, Enclosure]]) -> bool:
    """Whether an accepted evaluation gives results."""
    return any(
        all(bool((each[name].ratio(array)[candidate.judged(array)] <= 1).all()) for name, array in results.items())
        for each in expected
    )


def _mapped(candidate: Candidate, run: Run, change: Callable[[Floats], Floats]) -> Run:
    """Change the gradients of a training, or the arrays of a call that hold no whole numbers and no seed."""
    if isinstance(run, Training):
        steps = tuple(
            replace(step, grads=tuple(None if grad is None else change(grad) for grad in step.grads))
            for step in run.steps
        )
        return replace(run, steps=steps)
    formula = candidate.formula
    real = set(formula.arrays) - {*formula.integers, *formula.drawn} if formula.kind == "function" else set()
    arrays = [change(array) if name in real else array for name, array in zip(formula.arrays, run.arrays, strict=True)]
    return replace(run, arrays=tuple(arrays))
