"""PyTorch's learning-rate schedulers that compute a document's schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.backends import Expectation, Implementation
from properties.cases import Call
from properties.subject import Floats, Rejected, Schedule

__all__ = ["SchedulerFactory", "schedules"]

#: Learning rates are Python's floats, whatever the parameters are.
DTYPES = ("float64",)


@dataclass(frozen=True, eq=False)
class SchedulerFactory:
    """Makes schedules of one scheduler.

    Parameters
    ----------
    attach : callable
        ``attach(optimizer, h)`` makes the scheduler; ``h`` has the hyperparameters as attributes.
    level : str
        The hyperparameter that the optimizer's learning rate is.
    lengths : tuple of str
        Those that are integers.
    """

    attach: Callable[[Any, Any], Any]
    level: str
    lengths: tuple[str, ...] = ()

    def __call__(self, *, dtype: str, device: str) -> Schedule:
        """Return the schedule: a new optimizer and scheduler for each run."""
        import torch

        def schedule(steps: Floats, **hyperparameters: float) -> Floats:
            values = {name: int(value) if name in self.lengths else value for name, value in hyperparameters.items()}
            parameter = torch.nn.Parameter(torch.zeros(1, dtype=getattr(torch, dtype), device=device))
            optimizer = torch.optim.SGD([parameter], lr=values[self.level])
            try:
                scheduler = self.attach(optimizer, SimpleNamespace(**values))
            except ValueError as error:
                raise Rejected(f"ValueError: {error}") from error
            rates = [float(optimizer.param_groups[0]["lr"])]
            for _ in range(int(np.max(steps, initial=0))):
                optimizer.step()
                scheduler.step()
                rates.append(float(optimizer.param_groups[0]["lr"]))
            return np.array([rates[int(step)] for step in steps])

        return schedule


def _constant(optimizer: Any, h: Any) -> Any:  # noqa: ARG001 - the optimizer has the rate
    from torch.optim.lr_scheduler import ConstantLR

    return ConstantLR(optimizer, factor=1.0)


def _unchanged(optimizer: Any, h: Any) -> Any:  # noqa: ARG001 - the optimizer has the rate
    from torch.optim.lr_scheduler import LambdaLR

    return LambdaLR(optimizer, lambda _: 1.0)


def _triangular(optimizer: Any, h: Any) -> Any:
    from torch.optim.lr_scheduler import CyclicLR

    return CyclicLR(optimizer, h.init_value, h.peak_value, h.half_cycle_steps, cycle_momentum=False)


def _restarts(optimizer: Any, h: Any) -> Any:
    from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

    return CosineAnnealingWarmRestarts(optimizer, h.cycle_steps, h.cycle_growth, eta_min=h.end_value)


def _annealing(optimizer: Any, h: Any) -> Any:
    from torch.optim.lr_scheduler import CosineAnnealingLR

    return CosineAnnealingLR(optimizer, h.decay_steps, eta_min=0.1 * h.peak_value)


def _warmup_and_decay(optimizer: Any, h: Any) -> Any:
    from torch.optim.lr_scheduler import LambdaLR, LinearLR, SequentialLR

    # LinearLR refuses to start at zero, so that the rise needs a function.
    rise = LambdaLR(optimizer, lambda step: step / h.warmup_steps)
    fall = LinearLR(optimizer, 1.0, h.end_value / h.peak_value, h.decay_steps)
    return SequentialLR(optimizer, [rise, fall], [h.warmup_steps])


def _goes_beyond(call: Call) -> bool:
    """Whether a run has steps after the end of the decay."""
    return bool(np.max(call.arrays[0], initial=0) > call.hyperparameters["decay_steps"])


def _rises_again(property: str) -> Expectation:
    return Expectation(
        property=property,
        dtypes=DTYPES,
        reason="CosineAnnealingLR rises again after T_max steps, along the same wave; the schedule rests there.",
        evidence="By hand: CosineAnnealingLR(SGD(lr=1), T_max=2, eta_min=0.1) gives 1, 0.55, 0.1, 0.55, 1; so does "
        "the closed form of its documentation.",
        versions="2.13.0",
        where=_goes_beyond,
    )


BEYOND = tuple(map(_rises_again, ("follows_the_formula", "levels_at_turns", "rises_and_falls")))


def schedules() -> Iterator[Implementation]:
    """Yield one implementation for each scheduler and schedule that it computes."""
    for formula, name, factory, expected in (
        ("schedule_constant", "ConstantLR", SchedulerFactory(_constant, "init_value"), ()),
        ("schedule_constant", "LambdaLR", SchedulerFactory(_unchanged, "init_value"), ()),
        (
            "schedule_triangular",
            "CyclicLR",
            SchedulerFactory(_triangular, "init_value", ("half_cycle_steps",)),
            (),
        ),
        (
            "schedule_cosine_restarts",
            "CosineAnnealingWarmRestarts",
            SchedulerFactory(_restarts, "peak_value", ("cycle_steps", "cycle_growth")),
            (),
        ),
        (
            "schedule_cosine_to_10pct",
            "CosineAnnealingLR",
            SchedulerFactory(_annealing, "peak_value", ("decay_steps",)),
            BEYOND,
        ),
        (
            "schedule_linear_decay_warmup",
            "SequentialLR:LambdaLR,LinearLR",
            SchedulerFactory(_warmup_and_decay, "peak_value", ("warmup_steps", "decay_steps")),
            (),
        ),
    ):
        label = f"torch.optim.lr_scheduler.{name}"
        yield Implementation(formula, label, factory, DTYPES, capabilities=("chained",), expected=expected)
