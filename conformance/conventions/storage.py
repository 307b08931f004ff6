"""What an optimizer does with numbers that a half format cannot hold: in its arithmetic, its state and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from conformance.backends import Implementation
from conformance.conventions.models import NOT_DECLARED, strictest
from conformance.conventions.records import Cell, undecided
from conformance.identification.offers import offer
from conformance.identification.probes import VALUES, Probe
from conformance.identification.results import Identification
from conformance.identification.search import Search, asked
from conformance.session import Session, derived_seed
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import FLOAT32, FLOAT64, FORMATS, Format, Precision
from oracle.bound import Enclosure, Walk
from oracle.dialects.lattice import Dialect
from properties.cases import Observation, Step, Training
from properties.subject import Floats, Group

__all__ = ["exact_path", "in_half"]

#: Elements of a parameter that start alike; every other one has a gradient of the other sign.
_ELEMENTS = 64
_UPDATES = 48

#: Elements of a parameter whose numbers have no pattern.
_CROWD = 256


def in_half(
    session: Session,
    implementation: Implementation,
    found: Identification,
    dialect: Dialect | None,
    dtype: str,
    device: str,
) -> dict[str, Cell]:
    """Say how an optimizer computes in a half format, in what it keeps its state, and how it rounds its parameters.

    Parameters
    ----------
    session : Session
    implementation : Implementation
    found : Identification
        In wider formats.
    dialect : Dialect, optional
        What was found, if that is one point of a lattice.
    dtype : str
        The half format.
    device : str
    """
    names = (dtype, f"state in {dtype}", f"parameters in {dtype}")
    if dtype not in implementation.dtypes:
        return dict.fromkeys(names, undecided(NOT_DECLARED))
    if dialect is None:
        return dict.fromkeys(names, undecided("what it computes is not known"))
    offered = offer(implementation, dialect.lattice.hyperparameters, {}).implementation
    specimen = Specimen(offered, dtype, device, session.counts)
    values = {**{name: VALUES[name] for name in found.matching}, **found.held}
    pool = list(_crowds(values, FORMATS[dtype], session.seed))
    measures = (
        partial(_arithmetic, session, specimen, dialect, pool),
        partial(_state, specimen, pool[0]),
        partial(_parameters, specimen, dialect, found.matching, values),
    )
    return {name: _within_the_boundary(measure) for name, measure in zip(names, measures, strict=True)}


def _crowds(values: Mapping[str, float], form: Format, seed: int) -> Iterator[Probe]:
    """Yield trainings of so many numbers that what rounds more often than a bound allows leaves it somewhere."""
    random = np.random.default_rng(derived_seed("conventions", seed))
    near = values.get("eps", VALUES["eps"]) / VALUES["eps"]

    def drawn(low: float, high: float) -> Floats:
        numbers: Floats = random.choice([-1.0, 1.0], _CROWD) * 2.0 ** random.uniform(low, high, _CROWD)
        return numbers

    for name, size in (("near", near), ("small", near / 16), ("large", near * 16)):
        steps = tuple(Step((form.round(drawn(-3, 1) * size),)) for _ in range(6))
        # Beside a parameter that is small, the rounding of a step shows.
        training = Training((form.round(drawn(-10, 1)),), (Group((0,), dict(values)),), steps)
        yield Probe(name, "many numbers of a half format", training)


def _within_the_boundary(measure: Callable[[], Cell]) -> Cell:
    """Let a failure of the subject cost one cell."""
    try:
        return measure()
    except SubjectFailure as failure:
        return undecided(str(failure))


def _arithmetic(session: Session, specimen: Specimen, dialect: Dialect, pool: Sequence[Probe]) -> Cell:
    """Return the strictest precision model that contains what all probes show."""
    shown = {probe: asked(specimen.train(probe.training), probe) for probe in pool}
    if all(params is None for params in shown.values()):
        return undecided("every input was refused")

    def holds(precision: Precision) -> bool:
        return bool(Search(session, precision, shown.__getitem__).run([dialect], pool).classes)

    return strictest(specimen.dtype, holds)


def _state(specimen: Specimen, probe: Probe) -> Cell:
    """Return the narrowest format that holds all numbers of the state after steps of numbers without a pattern."""
    answer = specimen.train(probe.training)
    if not isinstance(answer, Observation):
        return undecided("its hyperparameters were refused")
    entries = [values for row in answer.states for state in row for values in state.values()]
    numbers = np.concatenate([values.ravel() for values in entries]) if entries else np.zeros(0)
    if not np.any(numbers):
        return undecided("nothing of its state is shown")
    narrow: tuple[Format, ...] = (FORMATS[specimen.dtype], FLOAT32, FLOAT64)
    return Cell(next(form.name for form in narrow if np.array_equal(form.round(numbers), numbers, equal_nan=True)))


def _parameters(specimen: Specimen, dialect: Dialect, varied: Container[str], values: Mapping[str, float]) -> Cell:
    """Take many steps, none of which a rounded parameter follows, and see whether the parameter moves after all."""
    form = FORMATS[specimen.dtype]
    if "learning_rate" not in varied:
        return undecided("its learning rate cannot be varied")
    if "weight_decay" in varied:
        values = {**values, "weight_decay": 0.0}
    start = np.full(_ELEMENTS, 1.5)
    # A quarter of the distance to the next number, which rounding to nearest undoes whichever way it leads.
    rate = _creeping_rate(dialect, values, float(form.spacing(start)[0]) / 4)
    if rate is None:
        return undecided("no learning rate makes its steps small")
    creeping = _training({**values, "learning_rate": rate})
    # Steps that no rounding hides must show: else that it rests would say nothing.
    control = _shown(specimen, _training({**values, "learning_rate": 64 * rate}))
    params, again = _shown(specimen, creeping), _shown(specimen, creeping)
    if control is None or params is None or again is None:
        return undecided("its hyperparameters were refused")
    if np.any(control[-1] == start):
        return undecided(f"not all of its {_ELEMENTS} elements move by longer steps either")
    if not all(map(np.array_equal, params, again)):
        return Cell("rounded at random", reason="the same steps from the same numbers end elsewhere")
    if all(np.array_equal(param, start) for param in params):
        return Cell("rounded to nearest", reason="steps of at most a quarter of the spacing never move it")
    better = _enclosures(dialect, creeping, Precision(FLOAT32, FLOAT32, FLOAT32, readout=form))
    if all(np.all(path.ratio(param) <= 1) for path, param in zip(better, params, strict=True)):
        return Cell("kept better than shown", reason="steps of at most a quarter of the spacing add up")
    return undecided("it moves at steps of at most a quarter of the spacing, and not as they add up")


def _shown(specimen: Specimen, training: Training) -> list[Floats] | None:
    """Return what a new subject shows of its parameter after each step; None if it refuses."""
    answer = specimen.train(training)
    if not isinstance(answer, Observation):
        return None
    params = [row[0] for row in answer.params]
    if any(param.shape != training.params[0].shape for param in params):
        raise SubjectFailure("its parameter did not keep its shape")
    return params


def _creeping_rate(dialect: Dialect, values: Mapping[str, float], most: float) -> float | None:
    """Return the learning rate with which no step is longer, and all go far together; None if there is none."""
    unit = exact_path(dialect, {**values, "learning_rate": 1.0})
    longest = float(np.max(np.abs(np.diff(unit, axis=0))))
    if not 0 < longest < np.inf:
        return None
    rate = most / longest
    path = exact_path(dialect, {**values, "learning_rate": rate})
    # Where the learning rate is no factor of the step, it does not bring it down.
    short = np.max(np.abs(np.diff(path, axis=0))) <= most * (1 + 2.0**-20)
    return rate if short and np.min(np.abs(path[-1] - path[0])) > 6 * most else None


def _training(values: Mapping[str, float]) -> Training:
    start, grad = np.full(_ELEMENTS, 1.5), np.resize([0.75, -0.75], _ELEMENTS)
    return Training((start,), (Group((0,), dict(values)),), (Step((grad,)),) * _UPDATES)


def exact_path(dialect: Dialect, values: Mapping[str, float]) -> Floats:
    """Return the exact values of two elements, which go either way, at some hyperparameters; shape (steps + 1, 2)."""
    training = _training(values)
    start = training.params[0][:2]
    steps = tuple(Step((np.asarray(step.grads[0])[:2],)) for step in training.steps)
    pair = Training((start,), training.groups, steps)
    enclosures = _enclosures(dialect, pair, Precision(FLOAT64, FLOAT64, FLOAT64))
    return np.array([start, *(enclosure.midpoint for enclosure in enclosures)])


def _enclosures(dialect: Dialect, training: Training, precision: Precision) -> list[Enclosure]:
    """Return what honest programs show of the parameter after each step."""
    walk = Walk(dialect.formula, training.params[0], precision=precision)
    grads: list[Any] = [step.grads[0] for step in training.steps]
    return [walk.step(grad, training.groups[0].hyperparameters)[0] for grad in grads]
