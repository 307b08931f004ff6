"""What optimizers owe: to take parameters as they are, to share nothing, to remember, and to have what they offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.kit.breach import Breach
from conformance.kit.candidate import Candidate, Results, difference, separated, spot
from conformance.kit.duties import overwrite, require_floats, require_same
from conformance.specimen import SubjectFailure, replica
from oracle.arithmetic.formats import FLOAT64, Format
from properties.cases import INTERRUPTIONS, Step, Training
from properties.strategies.hyperparameters import scheduled
from properties.subject import Companion, Floats, Group, Rejected

__all__ = ["DUTIES", "METHODS"]

#: What subjects may do beyond updates.
METHODS = tuple(name for name in vars(Companion) if callable(getattr(Companion, name)) and not name.startswith("_"))

_SHAPES = ((2,), (), (0,), (1,), (2, 3))


def _made(candidate: Candidate, training: Training) -> Any:
    specimen = candidate.specimen
    with specimen.asked(1):
        return specimen.implementation.factory(
            training.params, training.groups, dtype=specimen.dtype, device=specimen.device
        )


def offers_are_there(candidate: Candidate) -> None:
    """Subjects have the methods that their factory offers, and no others but those that it withholds."""
    subject, factory = _made(candidate, replica(_first(candidate))), candidate.implementation.factory
    offers = getattr(factory, "offers", ())
    for name in offers:
        if name != "maximize" and not callable(getattr(subject, name, None)):
            raise Breach(f"{name}, which is among its offers", f"{type(subject).__name__} has no such method")
    for name in METHODS:
        if hasattr(subject, name) and name not in (*offers, *getattr(factory, "withheld", ())):
            promise = f"nothing of the method {name} that {type(subject).__name__} has"
            raise Breach(promise, "it must be among the factory's offers, or withheld")


def _first(candidate: Candidate) -> Training:
    """Return the first run, which is a training: the formula is an optimizer."""
    return _training(candidate.answered[0][0])


def _training(run: Any) -> Training:
    assert isinstance(run, Training)
    return run


def _telling(form: Format, shape: tuple[int, ...], place: int) -> Floats:
    """Return numbers of a format that no narrower one holds, others in each place; among three, its largest."""
    count = int(np.prod(shape))
    numbers = (-1.0) ** np.arange(count) * (1 + (2 * np.arange(count) + 1) * 2 * form.unit) * 2.0**place
    numbers[2:3] = form.largest
    return numbers.reshape(shape)


def parameters_come_back(candidate: Candidate) -> None:
    """Before any update, parameters of any shape and layout are exactly those that were given, in their order."""
    params = [_telling(candidate.form, shape, place) for place, shape in enumerate(_SHAPES)]
    wide = _telling(candidate.form, (3, 4), len(_SHAPES))
    views = [wide.T, wide[:, ::2], wide[::-1]]
    values = _first(candidate).groups[0].hyperparameters
    for given in ([*params, *views], *([array] for array in (*params, *views))):
        _require_back(candidate, given, values)


def _require_back(candidate: Candidate, given: Sequence[Floats], values: Any) -> None:
    group = Group(tuple(range(len(given))), values)
    training = Training(tuple(given), (group,), (Step(tuple(map(np.zeros_like, given))),))
    shapes = ", ".join(str(array.shape) for array in given)
    try:
        subject = _made(candidate, replica(training))
        with candidate.specimen.asked(1):
            shown, states = subject.params(), subject.state()
        with candidate.specimen.asked(1):
            subject.step(training.steps[0].grads)
            after = subject.params()
    except Rejected:
        return
    except SubjectFailure as failure:
        if candidate.excused(training):
            return
        raise Breach(
            f"to take parameters of the shapes {shapes}, or raise Rejected", f"it failed: {failure}"
        ) from failure
    if len(shown) != len(given) or len(states) != len(given):
        seen = f"there are {len(shown)}, and the state of {len(states)}"
        raise Breach(f"to show the {len(given)} parameters that it was given", seen)
    for place, (array, back, later) in enumerate(zip(given, shown, after, strict=True)):
        require_floats(back, array.shape, candidate.form, f"parameter {place} of the shapes {shapes}")
        require_floats(later, array.shape, candidate.form, f"parameter {place} of the shapes {shapes} after an update")
        if seen := difference({"it": back}, {"it": np.array(array)}):
            raise Breach(f"parameter {place} of the shapes {shapes} as it was given", f"before any update {seen}")


def state_has_its_names(candidate: Candidate) -> None:
    """After updates subjects show the state that they declare, and no other, in the shape of the parameter."""
    declared, seen = candidate.implementation.state, set[str]()
    for run, _ in candidate.answered:
        training = _training(run)
        subject = _made(candidate, replica(training))
        with candidate.specimen.asked(len(training.steps)):
            for step in training.steps:
                subject.step(step.grads)
            states = subject.state()
        for tensor, (param, state) in enumerate(zip(training.params, states, strict=True)):
            for name, array in state.items():
                if name not in declared:
                    raise Breach(f"the state {', '.join(declared) or 'of nothing'}", f"tensor {tensor} has {name}")
                require_floats(array, param.shape, FLOAT64, f"{name} of tensor {tensor}")
            seen |= {*state}
    if unseen := [name for name in declared if name not in seen]:
        raise Breach(f"to show {', '.join(unseen)}", "no update has shown it")


def updates_stay_in_the_dtype(candidate: Candidate) -> None:
    """After every update, parameters are numbers of the declared dtype in the shapes that they had."""
    for run, results in candidate.answered:
        for step in range(1, len(_training(run).steps) + 1):
            for tensor, param in enumerate(_training(run).params):
                require_floats(results[spot(tensor, step)], param.shape, candidate.form, spot(tensor, step))


def nothing_is_shared_with_the_caller(candidate: Candidate) -> None:
    """What was given is left alone, and may change afterwards; so may what was returned."""
    run = _with_change(candidate)
    expected = candidate.results(run)
    for what in ("parameters", "gradients", "hyperparameters", "arrays that it returned"):
        if seen := difference(_spoiled(candidate, run, what), expected):
            raise Breach("to keep copies of its own", f"when its {what} were overwritten, {seen}")


def _with_change(candidate: Candidate) -> Training:
    """Return the first run, with a hyperparameter of its first group that is halved on the way, if one can be."""
    run = _first(candidate)
    changes = {name: run.groups[0].hyperparameters[name] / 2 for name in candidate.settable[:1]}
    first, second, *rest = run.steps
    return replace(run, steps=(first, replace(second, changes={0: changes} if changes else {}), *rest))


def _spoiled(candidate: Candidate, run: Training, what: str) -> Results:
    """Put a subject through a run, and overwrite something as soon as it has been given or returned."""
    given = replica(run)
    subject = _made(candidate, given)
    require_same(given.params, run.params, "the parameters that it is given")
    _require_equal([group.hyperparameters for group in given.groups], [group.hyperparameters for group in run.groups])
    if what == "parameters":
        overwrite(given.params)
    results: Results = {}
    for number, (step, original) in enumerate(zip(given.steps, run.steps, strict=True), 1):
        with candidate.specimen.asked(1):
            for group, values in step.changes.items():
                subject.set_hyperparameters(group, values)
            if what == "hyperparameters":
                _spoil([*step.changes.values(), *(group.hyperparameters for group in given.groups)])
            subject.step(step.grads)
            shown, states = subject.params(), subject.state()
        require_same(step.grads, original.grads, "the gradients that it is given")
        if what != "hyperparameters":
            _require_equal([*step.changes.values()], [*original.changes.values()])
        results |= {spot(tensor, number): np.array(param) for tensor, param in enumerate(shown)}
        if what == "gradients":
            overwrite(step.grads)
        if what == "arrays that it returned":
            overwrite([*shown, *(array for state in states for array in state.values())])
    return results


def _require_equal(left: Sequence[Any], given: Sequence[Any]) -> None:
    if left != given:
        raise Breach("to leave the hyperparameters that it is given alone", f"made {left} of {given}")


def _spoil(tables: Sequence[Any]) -> None:
    for table in tables:
        table.update({name: 3 - value / 2 for name, value in table.items()})


def subjects_are_apart(candidate: Candidate) -> None:
    """Two subjects in turn, and a subject and what is made of it, do not see each other."""
    training, (_, expected) = _first(candidate), candidate.answered[0]
    with_itself = _beside(candidate, training, _made(candidate, replica(training)))
    if seen := difference(with_itself, expected):
        raise Breach("subjects that share nothing", f"beside another one {seen}")
    for event in INTERRUPTIONS:
        if event in candidate.implementation.offers and (
            seen := difference(_beside(candidate, training, event), expected)
        ):
            raise Breach(f"a subject that is {event} and shares nothing with what comes of it", seen)


def _beside(candidate: Candidate, run: Training, other: Any) -> Results:
    """Put a subject through a run, while another one, or what comes of an event, goes the other way."""
    subject, given = _made(candidate, replica(run)), replica(run)
    results: Results = {}
    for number, step in enumerate(given.steps, 1):
        with candidate.specimen.asked(2):
            subject.step(step.grads)
            if isinstance(other, str):
                other = getattr(subject, other)()
            other.step([None if grad is None else -grad for grad in step.grads])
            for group, table in enumerate(run.groups):
                other.set_hyperparameters(group, _halved(candidate, table))
            results |= {spot(tensor, number): np.array(param) for tensor, param in enumerate(subject.params())}
    return results


def _halved(candidate: Candidate, group: Group) -> dict[str, float]:
    names = scheduled(candidate.formula)
    return {name: group.hyperparameters[name] / 2 for name in names if name in candidate.settable}


def nothing_is_forgotten(candidate: Candidate) -> None:
    """Last updates differ from those of subjects that begin there, for each tensor in some run where memory must show."""
    if not candidate.formula.state_type._fields:
        return
    memory: dict[int, list[bool]] = {}
    for run, results in candidate.answered:
        training = _training(run)
        last = len(training.steps)
        params = tuple(results[spot(tensor, last - 1)] for tensor in range(len(training.params)))
        late = Training(params, training.groups, training.steps[-1:])
        shown, before, after = candidate.results(late), candidate.expected(run), candidate.expected(late)
        for tensor in range(len(params)):
            name, anew = spot(tensor, last), spot(tensor, 1)
            apart = separated([each[name] for each in before], [each[anew] for each in after])
            memory.setdefault(tensor, []).extend((results[name] != shown[anew])[apart])
    for tensor, remembered in memory.items():
        if remembered and not any(remembered):
            seen = f"the last update of tensor {tensor} is the same whatever came before"
            raise Breach("to remember from update to update", seen)


#: In the order in which the first that is not kept says most.
DUTIES = (
    offers_are_there,
    parameters_come_back,
    updates_stay_in_the_dtype,
    state_has_its_names,
    nothing_is_shared_with_the_caller,
    subjects_are_apart,
    nothing_is_forgotten,
)
