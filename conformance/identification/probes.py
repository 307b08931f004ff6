"""Probes: inputs that tell candidates apart; those of optimizers are trainings, chosen for it and not drawn."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from conformance.session import derived_seed
from oracle.arithmetic.formats import FLOAT32
from oracle.dialects.lattice import HISTORY, Dialect
from oracle.dialects.variants import Variant
from oracle.formula import Formula
from properties.cases import Call, Step, Training
from properties.subject import Floats, Group

__all__ = ["SCREENS", "Candidate", "Probe", "probes"]

Candidate: TypeAlias = Dialect | Variant

#: Far from 0, from 1 and from each other, so that every line of a rule counts; no short binary fractions, which
#: scalars of any precision hold.
VALUES: Mapping[str, float] = {
    "learning_rate": 0.3,
    "momentum": 0.8,
    "dampening": 0.35,
    "alpha": 0.8,
    "beta1": 0.7,
    "beta2": 0.8,
    "eps": 0.07,
    "weight_decay": 0.6,
    "initial_accumulator": 0.4,
    "schedule_multiplier": 0.9,
}

#: What the rates are multiplied by in the course of a training that changes them.
_CHANGES = (1.0, 1.7, 0.4, 0.9, 2.1, 0.6)

#: How many of the pool come first because what passes them is little.
SCREENS = 2

_SHAPE = (5,)
#: Significant bits of what is drawn: few, so that a reader can copy them.
_BITS = 8


@dataclass(frozen=True, eq=False)
class Probe:
    """One input and what it is for.

    Parameters
    ----------
    name : str
    purpose : str
        What it tells apart, or what it is.
    run : Training or Call
        A training is of one tensor; its hyperparameters are all that the rival formulas use, even if the subject does
        not offer them.
    formulas : tuple of Formula
        Those in whose domain a call lies.
    """

    name: str
    purpose: str
    run: Training | Call
    formulas: tuple[Formula, ...] = ()

    @property
    def training(self) -> Training:
        """The training that an optimizer is run on."""
        assert isinstance(self.run, Training)
        return self.run

    @property
    def call(self) -> Call:
        """The call that a function is given."""
        assert isinstance(self.run, Call)
        return self.run

    @property
    def given(self) -> str:
        """A call in words; empty for a training, whose name tells what a reader wants to know."""
        return self.purpose if isinstance(self.run, Call) else ""

    @property
    def steps(self) -> range:
        """The numbers of the steps after which something is shown; a call has one."""
        return range(1, len(self.run.steps) + 1) if isinstance(self.run, Training) else range(1, 2)

    def serves(self, candidate: Candidate) -> bool:
        """Whether a candidate says what comes of the input."""
        return isinstance(candidate, Dialect) or candidate.base in self.formulas

    def unchanged(self) -> Probe:
        """The same training without any change of hyperparameters."""
        steps = tuple(replace(step, changes={}) for step in self.training.steps)
        return replace(self, run=replace(self.training, steps=steps))

    def absent(self, names: Collection[str]) -> frozenset[str]:
        """Return those of some hyperparameters that are 0 throughout or not there, and whether there is no history."""
        if isinstance(self.run, Call):
            return frozenset()
        rows = [row[0] for row in self.run.hyperparameters()]
        zero = frozenset(name for name in names if not any(row.get(name) for row in rows))
        return zero | {HISTORY} if len(rows) == 1 else zero


def probes(held: Mapping[str, float], varied: Collection[str], defaults: Mapping[str, float], seed: int) -> list[Probe]:
    """Return the pool of trainings; the first `SCREENS` of them have no weight decay that is varied.

    Parameters
    ----------
    held : mapping of str to float
        Hyperparameters that have one value throughout: fixed by the user, or what the target is supposed to use.
    varied : collection of str
        Those that the target offers.
    defaults : mapping of str to float
        Values that the target itself gives some of those.
    seed : int
    """
    return list(_probes(held, varied, defaults, np.random.default_rng(derived_seed("identify", seed))))


def _probes(
    held: Mapping[str, float], varied: Collection[str], defaults: Mapping[str, float], random: np.random.Generator
) -> Iterator[Probe]:
    settings = {name: VALUES[name] for name in varied} | dict(held)
    plain = settings | ({"weight_decay": 0.0} if "weight_decay" in varied else {})
    # Gradients are of the order at which epsilon stands out beside the root, or beside the square.
    near = settings.get("eps", VALUES["eps"]) / VALUES["eps"]
    middling = math.sqrt(near)

    def probe(
        name: str,
        purpose: str,
        sizes: Iterable[float],
        values: Mapping[str, float],
        *,
        changing: bool = False,
        zeros: float = 0.0,
        near: float = near,
        shape: tuple[int, ...] = _SHAPE,
    ) -> Probe:
        params = _numbers(random, shape) * np.where(np.arange(math.prod(shape)) < 3, 1.0, near).reshape(shape)
        grads = [_numbers(random, shape) * size * (random.random(shape) >= zeros) for size in sizes]
        steps = [
            Step((_rounded(grad),), _changed(values, varied, factor) if changing else {})
            for grad, factor in zip(grads, _CHANGES * len(grads), strict=False)
        ]
        training = Training((_rounded(params),), (Group((0,), dict(values)),), tuple(steps))
        return Probe(name, purpose, training)

    yield probe("first", "the first step, without weight decay", [near], plain)
    yield probe("plain", "everything but weight decay, at constant hyperparameters", [near] * 4, plain)
    yield probe("rates", "a learning rate that changes in every step", [near] * 5, plain, changing=True)
    yield probe("decay", "weight decay, while the learning rate changes", [near] * 5, settings, changing=True)
    yield probe("still", "weight decay without a gradient", [0.0, 0.0, near, 0.0], settings)
    yield probe("fading", "gradients that fall to a thousandth", near * np.geomspace(1, 1e-3, 6), plain)
    yield probe("growing", "gradients that rise a thousandfold", near * np.geomspace(1e-3, 1, 6), settings)
    yield probe("small", "gradients far below epsilon", [near / 64] * 4, plain)
    yield probe("middling", "gradients whose squares are like epsilon", [middling] * 4, settings, changing=True)
    yield probe("large", "gradients far above epsilon", [near * 64] * 4, settings)
    yield probe("unit", "gradients of order 1, whatever epsilon is", [1.0] * 4, settings, changing=True, near=1.0)
    yield probe("huge", "gradients far above 1", [max(near, 1.0) * 64] * 3, settings, near=1.0)
    yield probe("matrix", "a matrix, which some programs treat otherwise", [near] * 3, settings, shape=(2, 3))
    yield probe("zeros", "gradients that vanish here and there", [near] * 5, settings, zeros=0.5)
    yield probe("long", "thirty steps", [near] * 30, settings)
    own = settings | {name: value for name, value in defaults.items() if name in varied}
    yield probe("defaults", "the target's own defaults", [0.01] * 6, own | dict(held), near=1.0)


def _changed(values: Mapping[str, float], varied: Collection[str], factor: float) -> dict[int, dict[str, float]]:
    names = [name for name in ("learning_rate", "schedule_multiplier") if name in varied]
    return {0: {name: values[name] * factor for name in names}}


def _numbers(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw numbers of both signs between 1/4 and 2."""
    numbers: Floats = random.choice([-1.0, 1.0], shape) * 2.0 ** random.uniform(-2, 1, shape)
    return numbers


def _rounded(values: Floats) -> Floats:
    """Round to few significant bits, which float32 holds."""
    mantissa, exponent = np.frexp(values)
    return FLOAT32.round(np.ldexp(np.rint(mantissa * 2.0**_BITS), exponent - _BITS))
