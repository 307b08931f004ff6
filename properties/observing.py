"""Running a subject through a training, and keeping what it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from oracle.arithmetic.formats import FORMATS
from properties.cases import Evaluation, Observation, Step, Training
from properties.subject import Floats, StepperFactory

__all__ = ["first_difference", "observe"]

Grads = list[Floats | None]

#: How many times as large the gradients are that an update has which is taken back, or which another copy takes.
_DETOUR = 1024.0


def observe(factory: StepperFactory, training: Training, *, dtype: str, device: str) -> Observation:
    """Run a subject through what it offers of a training, and record what it shows after every step.

    Parameters
    ----------
    factory : StepperFactory
        Its ``offers`` say what its subjects do beyond updates; the rest is left out.
    training : Training
    dtype, device : str

    Returns
    -------
    Observation

    Raises
    ------
    Rejected
        If the subject refuses the hyperparameters.
    """
    offers = getattr(factory, "offers", ())
    training = training.restricted(offers)
    waiting = list(training.late_groups)
    early = training.groups[: len(training.groups) - len(waiting)]
    present = len(training.params) - sum(len(group.tensors) for group in waiting)
    climbing = {tensor for group in training.groups if group.maximize for tensor in group.tensors}
    subject: Any = factory(training.params[:present], early, dtype=dtype, device=device)
    params, states, shown_grads, evaluations, places = [], [], [], [], []
    for number, step in enumerate(training.steps):
        grads = _signed(step.grads, climbing)
        for event in step.events:
            if event == "add_group":
                group = waiting.pop(0)
                first, present = present, present + len(group.tensors)
                subject.add_group(training.params[first:present], group)
            elif event == "saved":
                subject.saved()
            elif event == "rewound":
                saved = subject.saved()
                subject.step(_detour(grads[:present], dtype))
                subject.rewound(saved)
            else:
                left, subject = subject, getattr(subject, event)()
                left.step(_detour(grads[:present], dtype))
        for group_number, values in step.changes.items():
            subject.set_hyperparameters(group_number, values)
        if "freeze" in training.demands:
            subject.freeze(step.frozen)
        evaluations.append(_update(subject, step, grads[:present], number))
        # Copies, because a subject may show the arrays that it goes on to write to.
        params.append(tuple(_copied(param) for param in (*subject.params(), *training.params[present:])))
        shown = [{name: _copied(entry) for name, entry in entries.items()} for entries in subject.state()]
        states.append((*shown, *({} for _ in training.params[present:])))
        if "grads" in offers:
            shown_grads.append(tuple(_signed(subject.grads(), climbing)))
        if "places" in offers:
            places.append(tuple(subject.places()))
    return Observation(tuple(params), tuple(states), tuple(shown_grads), tuple(evaluations), tuple(places))


def _update(subject: Any, step: Step, grads: Grads, number: int) -> Evaluation | None:
    """Let a subject update once with gradients that come in the step's way, rounded nowhere."""
    limit = _largest(grads)
    match step.way:
        case "step_closure":
            return _evaluated(subject, grads, number)
        case "step_accumulated":
            # What overwrites, and what keeps the first pass, goes the wrong way or twice as far.
            subject.step_accumulated([_scaled(grads, 2), _scaled(grads, -1)])
        case "step_clipped" if limit > 0:
            subject.step_clipped([None if grad is None else _enlarged(grad, limit) for grad in grads], limit)
        case "step_sparse":
            subject.step_sparse(grads)
        case _:  # there may be nothing to clip
            subject.step(grads)
    return None


def _evaluated(subject: Any, grads: Grads, number: int) -> Evaluation:
    """Update with a closure that gives the gradients, and a loss of its own, once; whoever calls again gets them turned."""
    calls, loss = 0, number + 0.5

    def closure() -> tuple[float, Grads]:
        nonlocal calls
        calls += 1
        return (loss, grads) if calls == 1 else (-loss, _scaled(grads, -1))

    returned = subject.step_closure(closure)
    return Evaluation(calls, loss, None if returned is None else float(returned))


def _detour(grads: Grads, dtype: str) -> Grads:
    """Turn the gradients, and enlarge them as far as their squares stay finite, so that a sign remembers them too."""
    room = math.sqrt(FORMATS[dtype].largest) / max(_largest(grads), 1.0)
    return _scaled(grads, -float(np.clip(2.0 ** math.floor(math.log2(room)), 1.0, _DETOUR)))


def _largest(grads: Grads) -> float:
    return max((float(np.max(np.abs(grad), initial=0.0)) for grad in grads if grad is not None), default=0.0)


def _scaled(grads: Grads, factor: float) -> Grads:
    return [None if grad is None else factor * grad for grad in grads]


def _enlarged(grad: Floats, limit: float) -> Floats:
    """Double the numbers that lie at the limit, so that clipping gives back what was there."""
    return np.where(np.abs(grad) == limit, 2 * grad, grad)


def _signed(grads: Sequence[Floats | None], climbing: set[int]) -> Grads:
    """Turn the gradients of those that climb."""
    return [-grad if tensor in climbing and grad is not None else grad for tensor, grad in enumerate(grads)]


def _copied(shown: Floats) -> Floats:
    return np.array(shown, dtype=np.float64)


def first_difference(shown: Floats, expected: Floats) -> str:
    """Name the first element of two arrays of one shape that differs in a bit, as 0.0 and -0.0 do."""
    bits, others = (np.ascontiguousarray(array).reshape(-1).view(np.int64) for array in (shown, expected))
    index = int(np.flatnonzero(bits != others)[0])
    return f"{float(shown.flat[index])!r} instead of {float(expected.flat[index])!r} at index {index}"
