"""How hard it is to check a counterexample by hand."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.console import print_report
from conformance.records import CheckRecord
from conformance.report import Report
from oracle.arithmetic.formats import FLOAT64, FORMATS
from oracle.catalogue import get
from properties.reduction.numbers import digits

__all__ = ["Difficulty", "difficulty"]


@dataclass(frozen=True)
class Difficulty:
    """What a reader has to go through.

    Parameters
    ----------
    steps : int
        Updates of an optimizer; 1 for a call of a function.
    coordinates : int
        Elements of all parameters, or of the array that a function is applied to; 1 for a schedule, whose rates are
        asked for all at once.
    digits : int
        The most significant digits that a number of the input has.
    lines, columns : int
        Of what is printed, but for the command that runs it again, which is one line whatever its length.
    """

    steps: int
    coordinates: int
    digits: int
    lines: int
    columns: int


def difficulty(record: CheckRecord, report: Report) -> Difficulty:
    """Measure the counterexample of one of a report's checks."""
    assert record.counterexample is not None
    inputs = record.counterexample["inputs"]
    form = FORMATS[record.dtype]
    found: list[int] = []
    steps = coordinates = 1
    if training := inputs.get("training"):
        steps = len(training["steps"])
        coordinates = sum(1 for _ in _numbers(training["params"]))
        arrays = [training["params"], *(step["grads"] for step in training["steps"])]
        settings = [group["hyperparameters"] for group in training["groups"]]
        settings += [values for step in training["steps"] for values in step["changes"].values()]
    else:
        arrays, settings = inputs["call"]["arrays"], [inputs["call"]["hyperparameters"]]
        if get(record.formula).kind == "function":
            coordinates = sum(1 for _ in _numbers(arrays[0]))
        else:
            arrays = []
    found += [digits(number, form) for number in _numbers(arrays)]
    found += [digits(number, FLOAT64) for values in settings for number in _numbers(list(values.values()))]
    lines = _printed(record, report)
    return Difficulty(steps, coordinates, max(found), len(lines), max(map(len, lines)))


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):  # an array with strides
        yield from _numbers(value["values"])
    elif isinstance(value, list):
        for entry in value:
            yield from _numbers(entry)
    elif value is not None:
        yield float.fromhex(value) if isinstance(value, str) else float(value)


def _printed(record: CheckRecord, report: Report) -> list[str]:
    stream = io.StringIO()
    print_report(Report(report.target, report.seed, report.profile, {}, {}, checks=(record,)), stream)
    lines = stream.getvalue().partition("\n\n")[0].splitlines()
    return [line for line in lines if not line.lstrip().startswith("rerun ")]
