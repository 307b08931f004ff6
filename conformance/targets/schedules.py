"""Schedules as targets: functions of the step, what makes such functions, and torch's schedulers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.backends.torch_schedules import SchedulerFactory
from conformance.errors import UsageError
from conformance.spellings import Spelled
from conformance.targets.calls import Reading
from conformance.targets.signatures import DTYPES, Parameters, Signature, derived_from, parameters_of
from conformance.targets.trial import makes_schedules
from properties.subject import Floats, Rejected, Schedule

__all__ = ["is_maker", "of_steps"]

_STEP = {"step": inspect.Parameter("step", inspect.Parameter.POSITIONAL_OR_KEYWORD)}
#: The learning rate that a scheduler finds in its optimizer, with torch's default.
_RATE = {"lr": inspect.Parameter("lr", inspect.Parameter.KEYWORD_ONLY, default=1e-3)}
#: What a scheduler takes that is no hyperparameter.
_HOUSEKEEPING = ("optimizer", "last_epoch", "verbose")


def is_maker(target: Any) -> bool:
    """Whether a target makes schedules: is no function of arrays or of the step itself."""
    of_instances = inspect.isclass(target) and "__call__" in dir(target)
    return of_instances or _is_scheduler(parameters_of(target)) or makes_schedules(target)


def _is_scheduler(parameters: Parameters | None) -> bool:
    return next(iter(parameters or ()), None) == "optimizer"


def of_steps(target: Callable[..., Any], rule: Signature, label: str) -> Reading:
    """Say how a target is called with the steps of a schedule.

    Raises
    ------
    UsageError
        If it is a class that makes neither schedulers nor functions of the step.
    """
    parameters, dtypes = parameters_of(target), DTYPES["numpy"][:2]
    if parameters is not None and _is_scheduler(parameters):
        own = {name: each for name, each in parameters.items() if name not in _HOUSEKEEPING}
        made = functools.partial(_scheduler, tuple(own), rule.lengths)
        return Reading(
            target, {**_STEP, **_RATE, **own}, made, dtypes[:1], "lr is the rate of the optimizer that it is given"
        )
    if inspect.isclass(target) and not is_maker(target):
        raise UsageError(f"{rule.id} is a function of the step: target must be one, or make one, got the class {label}")
    if not is_maker(target):
        return Reading(target, parameters, functools.partial(_plain, rule.lengths), dtypes, "the step is an int")
    if makes_schedules(target):
        from conformance.backends import optax

        factory: Callable[[Spelled], Any] = functools.partial(optax.ScheduleFactory, lengths=rule.lengths)
    else:
        factory = functools.partial(_StepFactory, rule.lengths)
        # What Keras computes with has one dtype for all.
        dtypes = ("float32",) if derived_from(target, "keras", "LearningRateSchedule") else dtypes
    return Reading(target, {**_STEP, **(parameters or {})}, factory, dtypes, "it makes a function of the step")


@dataclass(frozen=True, eq=False)
class _StepFactory:
    """Makes schedules of what makes functions of the step."""

    lengths: tuple[str, ...]
    maker: Callable[..., Callable[[int], Any]]

    def __call__(self, *, dtype: str, device: str) -> Schedule:  # noqa: ARG002 - the target's own choices
        """Return the schedule, made anew for each run."""

        def schedule(steps: Floats, **hyperparameters: float) -> Floats:
            values = {name: int(value) if name in self.lengths else value for name, value in hyperparameters.items()}
            try:
                rate = self.maker(**values)
            except ValueError as error:
                raise Rejected(f"ValueError: {error}") from error
            return np.array([float(rate(int(step))) for step in steps])

        return schedule


def _plain(lengths: tuple[str, ...], function: Spelled) -> _StepFactory:
    return _StepFactory(lengths, functools.partial(functools.partial, function))


def _scheduler(own: tuple[str, ...], lengths: tuple[str, ...], function: Spelled) -> SchedulerFactory:
    """Return runs of a scheduler which takes these keywords; its optimizer's rate is what is spelled otherwise."""
    given = {name: spelling for name, spelling in function.spellings.items() if spelling.partition("[")[0] in own}
    level = next((name for name in function.spellings if name not in given), None)
    return SchedulerFactory(_Attached(Spelled(function.function, given, function.positional)), level, lengths)


@dataclass(frozen=True, eq=False)
class _Attached:
    """Makes a scheduler of an optimizer and hyperparameters."""

    scheduler: Spelled

    def __call__(self, optimizer: Any, h: Any) -> Any:
        """Make it."""
        return self.scheduler(optimizer, **vars(h))
