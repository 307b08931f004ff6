"""What functions and schedules owe: results of their own, and arguments as they were."""

from __future__ import annotations

import numpy as np

from conformance.kit.breach import Breach
from conformance.kit.candidate import Candidate, Results, difference
from conformance.kit.duties import overwrite, require_floats, require_same
from oracle.arithmetic.formats import FLOAT64
from properties.cases import Call
from properties.strategies.numbers import copied
from properties.subject import Floats

__all__ = ["DUTIES"]


def results_are_of_their_own(candidate: Candidate) -> None:
    """Results have the dtype and the shape, arguments are left alone, and neither is kept or given to anybody else."""
    specimen = candidate.specimen
    for run, results in candidate.answered:
        call, expected = _call(run), results["the result"]
        with specimen.asked(1):
            function = candidate.implementation.factory(dtype=specimen.dtype, device=specimen.device)
        given = [copied(array) for array in call.arrays]
        with specimen.asked(1):
            result = function(*given, **call.hyperparameters)
        # Rates are Python's floats in many a library, whatever the parameters are.
        form = FLOAT64 if candidate.formula.kind == "schedule" else candidate.form
        require_floats(result, _shape(candidate, call), form, "a result")
        require_same(given, call.arrays, "the arrays that it is given")
        overwrite(given)
        _require_as_before(result, expected, "when its arguments were overwritten")
        with specimen.asked(1):
            second = function(*map(copied, call.arrays), **call.hyperparameters)
        _require_as_before(second, expected, "when it was called again")
        overwrite([result])
        _require_as_before(second, expected, "when an earlier result was overwritten")
        with specimen.asked(1):
            third = function(*map(copied, call.arrays), **call.hyperparameters)
        _require_as_before(third, expected, "when earlier results were overwritten")


def calls_are_apart(candidate: Candidate) -> None:
    """One function called with many arguments gives what each call would give alone."""
    specimen = candidate.specimen
    with specimen.asked(1):
        function = candidate.implementation.factory(dtype=specimen.dtype, device=specimen.device)
    for run, results in candidate.answered * 2:
        call = _call(run)
        with specimen.asked(1):
            result = function(*map(copied, call.arrays), **call.hyperparameters)
        _require_as_before(result, results["the result"], "between other calls")


def _call(run: object) -> Call:
    assert isinstance(run, Call)
    return run


def _shape(candidate: Candidate, call: Call) -> tuple[int, ...]:
    """Return the shape that the formula gives its result."""
    shape: tuple[int, ...] = candidate.expected(call)[0]["the result"].error.shape
    return shape


def _require_as_before(result: Floats, expected: Floats, when: str) -> None:
    shown: Results = {"the result": np.asarray(result, dtype=np.float64)}
    if seen := difference(shown, {"the result": expected}):
        raise Breach("calls that share nothing with the caller or each other", f"{when} {seen}")


DUTIES = (results_are_of_their_own, calls_are_apart)
