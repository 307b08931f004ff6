"""PyTorch's learning-rate schedulers that compute a document's schedule."""

from __future__ import annotations

import copy
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.backends import Expectation, Implementation
from conformance.backends.concerns import goes_beyond, until_the_end
from properties.subject import Floats, Rejected, Schedule

__all__ = ["DTYPES", "EVERY_STEP", "SchedulerFactory", "Watched", "schedules"]

#: Learning rates are Python's floats, whatever the parameters are.
DTYPES = ("float64",)
#: All steps, of the longest run.
EVERY_STEP = range(10**9)


@dataclass(frozen=True, eq=False)
class SchedulerFactory:
    """Makes schedules of one scheduler.

    Parameters
    ----------
    attach : callable
        ``attach(optimizer, h)`` makes the scheduler; ``h`` has the hyperparameters as attributes.
    level : str or None
        The hyperparameter that the optimizer's learning rate is; of None, the scheduler does not look at it.
    lengths : tuple of str
        Those that are integers.
    reloads : container of int
        Steps after which a new optimizer and a new scheduler load the state of the old ones, and go on.
    """

    attach: Callable[[Any, Any], Any]
    level: str | None
    lengths: tuple[str, ...] = ()
    reloads: Container[int] = ()

    def __call__(self, *, dtype: str, device: str) -> Schedule:
        """Return the schedule: a new optimizer and scheduler for each run."""

        def schedule(steps: Floats, **hyperparameters: float) -> Floats:
            values = {name: int(value) if name in self.lengths else value for name, value in hyperparameters.items()}
            optimizer, scheduler = self._made(values, dtype, device)
            rates = [float(optimizer.param_groups[0]["lr"])]
            for step in range(int(np.max(steps, initial=0))):
                if step in self.reloads:
                    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
                    optimizer, scheduler = self._made(values, dtype, device)
                    optimizer.load_state_dict(saved[0])
                    scheduler.load_state_dict(saved[1])
                optimizer.step()
                scheduler.step()
                rates.append(float(optimizer.param_groups[0]["lr"]))
            return np.array([rates[int(step)] for step in steps])

        return schedule

    def _made(self, values: Mapping[str, Any], dtype: str, device: str) -> tuple[Any, Any]:
        import torch

        parameter = torch.nn.Parameter(torch.zeros(1, dtype=getattr(torch, dtype), device=device))
        # Some schedulers move the momentum as well, and refuse to be without.
        optimizer = torch.optim.SGD([parameter], lr=values[self.level] if self.level else 1.0, momentum=0.5)
        try:
            return optimizer, self.attach(optimizer, SimpleNamespace(**values))
        except ValueError as error:
            raise Rejected(f"ValueError: {error}") from error


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


@dataclass(eq=False)
class Watched:
    """A scheduler that is shown a metric, one that improves for some epochs and then does not."""

    scheduler: Any
    improving_steps: int
    epochs: int = 0

    def step(self) -> None:
        """Take in the next metric."""
        self.epochs += 1
        self.scheduler.step(-float(min(self.epochs, self.improving_steps)))

    def state_dict(self) -> dict[str, Any]:
        """Return the scheduler's state, and the number of epochs."""
        return {"scheduler": self.scheduler.state_dict(), "epochs": self.epochs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one was."""
        self.scheduler.load_state_dict(state["scheduler"])
        self.epochs = state["epochs"]


def _plateau(optimizer: Any, h: Any) -> Any:
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    settings = {"factor": h.factor, "patience": h.patience, "min_lr": h.end_value}
    scheduler = ReduceLROnPlateau(optimizer, threshold=0.0, threshold_mode="abs", eps=0.0, **settings)
    return Watched(scheduler, h.improving_steps)


def _rises_again(property: str) -> Expectation:
    return Expectation(
        property=property,
        dtypes=DTYPES,
        reason="CosineAnnealingLR rises again after T_max steps, along the same wave; the schedule rests there.",
        evidence="reports/findings/torch_cosine_annealing_rises_again.py: CosineAnnealingLR(SGD(lr=1), T_max=2, "
        "eta_min=0.1) gives 1, 0.55, 0.1, 0.55, 1; so does the closed form of its documentation.",
        versions="2.13.0",
        where=goes_beyond,
        without=until_the_end,
    )


BEYOND = tuple(map(_rises_again, ("follows_the_formula", "levels_at_turns", "rises_and_falls")))


def schedules() -> Iterator[Implementation]:
    """Yield two implementations for each scheduler and schedule that it computes: run through, and saved and loaded."""
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
        (
            "schedule_reduce_on_plateau",
            "ReduceLROnPlateau",
            SchedulerFactory(_plateau, "peak_value", ("improving_steps", "patience")),
            (),
        ),
    ):
        label = f"torch.optim.lr_scheduler.{name}"
        plain = Implementation(formula, label, factory, DTYPES, capabilities=("chained",), expected=expected)
        yield plain
        yield replace(plain, label=f"{label}:reloaded", factory=replace(factory, reloads=EVERY_STEP))
