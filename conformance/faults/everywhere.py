"""Faults that any optimizer may have, planted in each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from conformance.faults.adagrad import ADAGRAD, ADAGRAD_INSIDE
from conformance.faults.adam import ADAM, AdamRule, Part
from conformance.faults.adam_bourmaud import LITERAL
from conformance.faults.bookkeeping import only
from conformance.faults.decay import ADAM_L2, ADAMW
from conformance.faults.descent import AVERAGE, DAMPENED, GD, HEAVY_BALL, NESTEROV, SGD_L2, unscaled_decay
from conformance.faults.lion import LION, LION_LITERAL
from conformance.faults.programs import Array, Bookkeeping, Fault, Memory, Options, Program, Rule
from conformance.faults.rmsprop import RMSPROP, RMSPROP_INSIDE
from properties.subject import Floats, Group

__all__ = ["FAULTS", "RULES"]

EPS_HAT = replace(ADAM, ratio=lambda m, v, c1, c2, h: (m / c1) / ((np.sqrt(v) + h.eps) / np.sqrt(c2)))
PAPER_SCALING = replace(
    ADAM,
    decay=lambda theta, g, h, t: theta - h.schedule_multiplier * h.weight_decay * theta,
    move=lambda theta, ratio, h: theta - h.schedule_multiplier * h.learning_rate * ratio,
)

_MOMENTA: Mapping[str, Rule] = {
    "gd": GD,
    "momentum_ema": AVERAGE,
    "momentum_heavy_ball": HEAVY_BALL,
    "momentum_torch_dampening": DAMPENED,
    "momentum_nesterov": NESTEROV,
}
_UNDECAYED: Mapping[str, Rule] = {
    **_MOMENTA,
    "adagrad": ADAGRAD,
    "adagrad_eps_inside": ADAGRAD_INSIDE,
    "rmsprop": RMSPROP,
    "rmsprop_eps_inside": RMSPROP_INSIDE,
    "adam": ADAM,
    "adam_eps_hat": EPS_HAT,
    "adam_bourmaud_literal_k1": LITERAL,
}
_ADAMS: Mapping[str, AdamRule] = {"adam_eps_hat": EPS_HAT, "adamw": ADAMW, "adamw_paper_scaling": PAPER_SCALING}
#: Of all optimizers two, without and with a state, for what takes many numbers or a rare shape to show.
_TWO: Mapping[str, Rule] = {"gd": GD, "adam": ADAM}

#: An honest rule for each optimizer.
RULES: Mapping[str, Rule] = {
    **_UNDECAYED,
    **_ADAMS,
    "sgd_l2": SGD_L2,
    "weight_decay_unscaled": unscaled_decay,
    "adam_l2": ADAM_L2,
    "lion": LION,
    "lion_literal_ct": LION_LITERAL,
}


class MissingIsOne(Bookkeeping):
    """A missing gradient is taken for ones."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Fill the gaps."""
        pairs = zip(self.values, grads, strict=True)
        super().step([np.ones(value.shape) if grad is None else grad for value, grad in pairs])


class SecondTensorStays(Bookkeeping):
    """The first tensor of all is updated."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Skip the others."""
        if tensor == 0:
            super().update(group, tensor, grad)


class TensorsLeftOut(Bookkeeping):
    """The tensors of a group are updated up to the 128th."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Skip the others."""
        if tensor in self.members[group][:128]:
            super().update(group, tensor, grad)


class GroupsLeftOut(Bookkeeping):
    """Groups are updated up to the 32nd."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Skip the others."""
        if group < 32:
            super().update(group, tensor, grad)


class StartsOver(Bookkeeping):
    """Loading brings the parameters back to where training began."""

    def __init__(self, rule: Rule, params: Sequence[Floats], groups: Sequence[Group], dtype: str) -> None:
        super().__init__(rule, params, groups, dtype)
        self.start = list(self.values)

    def restore(self, saved: Bookkeeping) -> None:
        """Take over the first parameters of all."""
        super().restore(saved)
        if isinstance(saved, StartsOver):
            self.start, self.values = saved.start, list(saved.start)


class ParametersSharedByCopy(Bookkeeping):
    """A copy shares the parameters of the original."""

    def copied(self) -> Bookkeeping:
        """Copy memories and counters alone."""
        stepper = super().copied()
        stepper.values = self.values
        return stepper


class GradientsCleared(Bookkeeping):
    """The update sets gradients to zero."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Update, then clear."""
        super().step(grads)
        for grad in self.given:
            if grad is not None:
                grad[...] = 0


class ParametersConverted(Bookkeeping):
    """Parameters become float64, or float32 if they were."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Update, then convert."""
        super().update(group, tensor, grad)
        other = np.float32 if self.arithmetic.type is np.float64 else np.float64
        self.values[tensor] = self.values[tensor].astype(other)


def _fed(convert: Callable[[Array], Array]) -> Callable[[Rule], Rule]:
    """Hand converted gradients to a rule."""
    return lambda rule: lambda theta, g, memory, h, t: rule(theta, convert(g), memory, h, t)


def _rounding_down(rule: Rule) -> Rule:
    return lambda theta, g, memory, h, t: np.floor(1024 * rule(theta, g, memory, h, t)) / 1024


def _decaying(rule: Rule) -> Rule:
    def decaying(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        moved: Array = rule(theta, g, memory, h, t) - 0.01 * h.learning_rate * theta
        return moved

    return decaying


def _planted(
    rules: Mapping[str, Rule],
    what: str,
    story: str,
    spoil: Callable[[Rule], Rule] = lambda rule: rule,
    bookkeeping: type[Bookkeeping] = Bookkeeping,
) -> tuple[Fault, ...]:
    """Plant one fault in several rules."""
    return tuple(
        Fault(f"{formula}_{what}", formula, story, Program(spoil(rule), bookkeeping)) for formula, rule in rules.items()
    )


def _in_parts(what: str, story: str, formulas: Sequence[str] = tuple(_ADAMS), **parts: Part) -> tuple[Fault, ...]:
    """Replace parts of Adam's relatives."""
    return tuple(
        Fault(f"{formula}_{what}", formula, story, Program(replace(_ADAMS[formula], **parts))) for formula in formulas
    )


FAULTS = (
    *_planted(
        RULES,
        "zero_counts_as_one",
        "A zero in the gradient counts as 1.",
        _fed(lambda g: np.where(g == 0, np.ones_like(g), g)),
    ),
    *_planted(RULES, "rounds_down", "Parameters are rounded down to multiples of 1/1024.", _rounding_down),
    *_planted(
        RULES,
        "last_of_odd_forgotten",
        "Elements are processed in pairs, and the last of an odd number is forgotten.",
        lambda rule: only(rule, lambda index, size: index < size // 2 * 2),
    ),
    *_planted(RULES, "second_tensor_stays", "Only the first tensor of all is updated.", bookkeeping=SecondTensorStays),
    *_planted(RULES, "missing_is_one", "A missing gradient is taken for ones.", bookkeeping=MissingIsOne),
    *_planted(
        RULES,
        "starts_over_on_load",
        "Loading brings the parameters back to where training began.",
        bookkeeping=StartsOver,
    ),
    *_planted(
        RULES,
        "parameters_shared_by_copy",
        "A deep copy goes on updating the parameters of the original.",
        bookkeeping=ParametersSharedByCopy,
    ),
    *_planted(
        RULES,
        "gradients_cleared",
        "The update leaves zeros in place of the gradients.",
        bookkeeping=GradientsCleared,
    ),
    *_planted(
        RULES,
        "parameters_converted",
        "Parameters become float64, or float32 if they were.",
        bookkeeping=ParametersConverted,
    ),
    *_planted(
        _UNDECAYED,
        "hidden_decay",
        "The parameters decay by a hundredth of the learning rate without being asked.",
        _decaying,
    ),
    *_planted(
        _MOMENTA,
        "gradient_clipped",
        "Gradients are clipped to [-1, 1] without being asked.",
        _fed(lambda g: np.clip(g, -1, 1)),
    ),
    *_planted(
        _TWO,
        "beyond_65536_untouched",
        "Elements after the first 65536 of a tensor are not reached.",
        lambda rule: only(rule, lambda index, size: index < 65536),
    ),
    *_planted(
        _TWO,
        "last_of_whole_blocks_forgotten",
        "The last element of a tensor that fills blocks of 1024 is forgotten.",
        lambda rule: only(rule, lambda index, size: (size % 1024 > 0) | (index < size - 1)),
    ),
    *_planted(
        _TWO,
        "five_dimensions_untouched",
        "Tensors of five dimensions are not updated.",
        lambda rule: lambda theta, g, memory, h, t: theta if theta.ndim > 4 else rule(theta, g, memory, h, t),
    ),
    *_planted(
        _TWO,
        "beyond_128_tensors_untouched",
        "Tensors after the first 128 of a group are not reached.",
        bookkeeping=TensorsLeftOut,
    ),
    *_planted(
        _TWO,
        "beyond_32_groups_untouched",
        "Groups after the first 32 are not reached.",
        bookkeeping=GroupsLeftOut,
    ),
    *_in_parts("no_bias_correction", "The moments are used as they are.", corrections=lambda h, t: (1.0, 1.0)),
    *_in_parts(
        "eps_inside_root",
        "Epsilon is added to the second moment, under the root.",
        ratio=lambda m, v, c1, c2, h: (m / c1) / np.sqrt(v / c2 + h.eps),
    ),
    *_in_parts("no_decay", "The decay has no effect.", ("adamw_paper_scaling",), decay=lambda theta, g, h, t: theta),
    *_in_parts(
        "decay_is_l2",
        "The decay is added to the gradient, and runs through the moments.",
        ("adamw_paper_scaling",),
        decay=lambda theta, g, h, t: theta,
        gradient=lambda theta, g, h: g + h.weight_decay * theta,
    ),
    *_in_parts(
        "decay_not_scheduled",
        "The decay is not multiplied by the schedule.",
        ("adamw_paper_scaling",),
        decay=lambda theta, g, h, t: theta - h.weight_decay * theta,
    ),
    *_in_parts(
        "step_not_scheduled",
        "The step is not multiplied by the schedule.",
        ("adamw_paper_scaling",),
        move=lambda theta, ratio, h: theta - h.learning_rate * ratio,
    ),
)
