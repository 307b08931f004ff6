r"""Laws that an optimizer may obey whatever its formula: what can be said of one that the catalogue does not know.

A law compares two runs that it says are the same. By how much they differ, relative to the largest update, is
the law's departure. Inputs are exact in float32, and so are the two ways of saying the same; hence what rounding
makes them differ by shrinks by about :math:`2^{-29}` from float32 to float64, and what mathematics does stays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from properties.cases import Interruption, Observation, Step, Training
from properties.observing import observe
from properties.subject import Floats, Group, Place, StepperFactory

__all__ = ["DECAY", "DUTIES", "LAWS", "LEARNING_RATE", "Duty", "Law", "Rig", "Trial", "trials"]

#: Learning rate and decay of all runs, where the optimizer offers them; both are powers of two.
LEARNING_RATE, DECAY = 0.125, 0.5

#: What tensors and gradients are multiplied by; a power of two, so that this rounds nothing.
_FACTOR = 8.0

#: Of trials, in turn. Matrices, which some rules treat apart, are cut into halves of one shape, vectors into others.
_SHAPES: tuple[tuple[int, ...], ...] = ((12,), (4, 3), (2, 6))

#: Parameters, and gradients of several steps.
Trial = tuple[Floats, list[Floats]]


@dataclass(frozen=True, eq=False)
class Rig:
    """An optimizer that nobody knows, in one dtype.

    Parameters
    ----------
    factory : StepperFactory
    offered : tuple of str
        Which of ``learning_rate`` and ``weight_decay`` can be set.
    dtype, device : str
    """

    factory: StepperFactory
    offered: tuple[str, ...]
    dtype: str
    device: str

    def values(self, **changed: float) -> dict[str, float]:
        """Return the hyperparameters of a run: the usual learning rate, no decay, and what is changed."""
        values = {"learning_rate": LEARNING_RATE, "weight_decay": 0.0} | changed
        return {name: value for name, value in values.items() if name in self.offered}

    def run(self, training: Training) -> Observation:
        """Run a new optimizer."""
        return observe(self.factory, training, dtype=self.dtype, device=self.device)

    def train(self, param: Floats, grads: Sequence[Floats | None], **changed: float) -> list[Floats]:
        """Return one tensor before the first step and after each."""
        training = Training((param,), (Group((0,), self.values(**changed)),), tuple(Step((grad,)) for grad in grads))
        return [param, *(row[0] for row in self.run(training).params)]


@dataclass(frozen=True, eq=False)
class Law:
    """Two runs that are the same.

    Parameters
    ----------
    name, sentence : str
    departure : callable
        ``departure(rig, param, grads)``: how far the law is from holding, relative to the largest update.
    needs : tuple of str
        Hyperparameters that the optimizer must offer.
    """

    name: str
    sentence: str
    departure: Callable[[Rig, Floats, Sequence[Floats]], float]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Duty:
    """What every optimizer owes its caller, bit for bit.

    Parameters
    ----------
    name, sentence : str
    kept : callable
        ``kept(rig, param, grads)``.
    needs : tuple of str
        Methods of `properties.subject.Companion` that the optimizer must offer.
    """

    name: str
    sentence: str
    kept: Callable[[Rig, Floats, Sequence[Floats]], bool]
    needs: tuple[str, ...] = ()


def trials(seed: int, count: int) -> list[Trial]:
    """Draw parameters and gradients of several steps.

    Parameters
    ----------
    seed : int
    count : int

    Returns
    -------
    list of (array, list of array)
        Vectors and matrices of 12 elements. Parameters are multiples of 1/256 up to 2, gradients of all sizes
        between 1/100 and 100; exact in float32.
    """
    drawn = []
    for number, shape in zip(range(count), itertools.cycle(_SHAPES), strict=False):
        random = np.random.Generator(np.random.Philox(key=[seed, number]))
        param = random.integers(-512, 513, shape) / 256.0
        scale = 10.0 ** random.integers(-2, 3)
        grads = scale * random.normal(size=(6, *shape)) * np.exp(random.normal(size=shape))
        drawn.append((param, [grad.astype(np.float32).astype(np.float64) for grad in grads]))
    return drawn


def _apart(shown: Sequence[Floats], expected: Sequence[Floats], reference: Sequence[Floats]) -> float:
    """Return the largest difference relative to the largest update of a reference run."""
    furthest = 0.0
    for one, other in zip(shown, expected, strict=True):
        if np.array_equal(one, other, equal_nan=True):
            continue
        with np.errstate(all="ignore"):
            difference = np.abs(one - other)
        furthest = max(furthest, float(np.max(difference)) if np.all(np.isfinite(difference)) else np.inf)
    if furthest == 0.0:
        return 0.0
    largest = max(float(np.max(np.abs(after - before))) for before, after in itertools.pairwise(reference))
    return furthest / largest if largest > 0 else np.inf


def _mapped(change: Callable[[Floats], Floats], arrays: Sequence[Floats]) -> list[Floats]:
    return [change(array) for array in arrays]


def _permutation(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    order = np.random.Generator(np.random.Philox(key=param.size)).permutation(param.size)

    def shuffled(array: Floats) -> Floats:
        return array.reshape(-1)[order].reshape(array.shape)

    plain = rig.train(param, grads)
    return _apart(rig.train(shuffled(param), _mapped(shuffled, grads)), _mapped(shuffled, plain), plain)


def _cut(array: Floats) -> tuple[Floats, Floats]:
    place = 5 if array.ndim == 1 else len(array) // 2
    return array[:place].copy(), array[place:].copy()


def _pieces(rig: Rig, param: Floats, grads: Sequence[Floats], groups: Sequence[tuple[int, ...]]) -> list[Floats]:
    """Return a tensor that is trained in two pieces, put together."""
    members = tuple(Group(tensors, rig.values()) for tensors in groups)
    shown = rig.run(Training(_cut(param), members, tuple(Step(_cut(grad)) for grad in grads)))
    return [param, *(np.concatenate(row) for row in shown.params)]


def _splitting(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    plain = rig.train(param, grads)
    return _apart(_pieces(rig, param, grads, [(0, 1)]), plain, plain)


def _alone(rig: Rig, param: Floats, grads: Sequence[Floats]) -> list[Floats]:
    starts, slopes = _cut(param), [_cut(grad) for grad in grads]
    first, second = (rig.train(start, [slope[side] for slope in slopes]) for side, start in enumerate(starts))
    return [np.concatenate(pair) for pair in zip(first, second, strict=True)]


def _tensors_apart(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    alone = _alone(rig, param, grads)
    return _apart(_pieces(rig, param, grads, [(0, 1)]), alone, alone)


def _groups_apart(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    alone = _alone(rig, param, grads)
    return _apart(_pieces(rig, param, grads, [(0,), (1,)]), alone, alone)


def _translation(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    plain, moved = rig.train(param, grads), rig.train(param + 0.75, grads)
    return _apart(_mapped(lambda array: array - 0.75, moved), plain, plain)


def _sign_symmetry(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    plain, mirrored = rig.train(param, grads), rig.train(-param, [-grad for grad in grads])
    return _apart(_mapped(np.negative, mirrored), plain, plain)


def _updates(path: Sequence[Floats]) -> list[Floats]:
    return [after - path[0] for after in path]


def _scaled(grad_power: int, param_power: int, update_power: int) -> Callable[[Rig, Floats, Sequence[Floats]], float]:
    def departure(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
        plain = rig.train(param, grads)
        scaled = rig.train(param * _FACTOR**param_power, [grad * _FACTOR**grad_power for grad in grads])
        shrunk = _mapped(lambda array: array / _FACTOR**update_power, _updates(scaled))
        return _apart(shrunk, _updates(plain), plain)

    return departure


def _first_step_linear(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    plain = rig.train(param, grads[:1])
    doubled = rig.train(param, grads[:1], learning_rate=2 * LEARNING_RATE)
    return _apart(_mapped(lambda array: array / 2, _updates(doubled)), _updates(plain), plain)


def _zero_rate(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    plain, still = rig.train(param, grads), rig.train(param, grads, learning_rate=0.0)
    return _apart(still, [param] * len(still), plain)


def _zero_gradient(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    plain, still = rig.train(param, grads), rig.train(param, [0 * grad for grad in grads])
    return _apart(still, [param] * len(still), plain)


def _decay(*, scaled: bool) -> Callable[[Rig, Floats, Sequence[Floats]], float]:
    def departure(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
        departures = []
        for rate in (LEARNING_RATE, 2 * LEARNING_RATE):
            shown = rig.train(param, [0 * grad for grad in grads], learning_rate=rate, weight_decay=DECAY)
            kept = 1 - (rate * DECAY if scaled else DECAY)
            expected = [param * kept**step for step in range(len(shown))]
            departures.append(_apart(shown, expected, expected))
        return max(departures)

    return departure


def _constant_gradient(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    path = rig.train(param, [grads[0]] * len(grads))
    climbs = [np.maximum((after - before) * np.sign(grads[0]), 0.0) for before, after in itertools.pairwise(path)]
    return _apart(climbs, [np.zeros_like(climb) for climb in climbs], path)


def _late_start(rig: Rig, param: Floats, grads: Sequence[Floats]) -> float:
    steps = tuple(Step((grad, grad if number else None)) for number, grad in enumerate(grads))
    shown = rig.run(Training((param, param), (Group((0, 1), rig.values()),), steps))
    alone = rig.train(param, grads[1:])
    return _apart([param, *(row[1] for row in shown.params[1:])], alone, alone)


def _decaying(rig: Rig, param: Floats, grads: Sequence[Floats], *events: Interruption) -> Training:
    """Two tensors of one shape in two groups, with decay, the first group at a learning rate that changes."""
    groups = (
        Group((0,), rig.values(weight_decay=DECAY)),
        Group((1,), rig.values(learning_rate=LEARNING_RATE / 2, weight_decay=DECAY / 2)),
    )
    changes = {
        number: {name: value / 2 for name, value in group.hyperparameters.items()}
        for number, group in enumerate(groups)
    }
    first, *rest = (Step((grad, grad[::-1].copy()), events=events) for grad in grads)
    return Training((param, param[::-1].copy()), groups, (replace(first, changes=changes), *rest))


def _repeats(rig: Rig, param: Floats, grads: Sequence[Floats]) -> bool:
    first, second = (rig.train(param, grads, weight_decay=DECAY) for _ in range(2))
    return all(one.tobytes() == other.tobytes() for one, other in zip(first, second, strict=True))


def _goes_on(event: Interruption) -> Callable[[Rig, Floats, Sequence[Floats]], bool]:
    def kept(rig: Rig, param: Floats, grads: Sequence[Floats]) -> bool:
        rows = zip(
            rig.run(_decaying(rig, param, grads, event)).params,
            rig.run(_decaying(rig, param, grads)).params,
            strict=True,
        )
        return all(one.tobytes() == other.tobytes() for row in rows for one, other in zip(*row, strict=True))

    return kept


def _keeps_gradients(rig: Rig, param: Floats, grads: Sequence[Floats]) -> bool:
    training = _decaying(rig, param, grads)
    return all(
        left is not None and given is not None and np.array_equal(left, given)
        for row, step in zip(rig.run(training).grads, training.steps, strict=True)
        for left, given in zip(row, step.grads, strict=True)
    )


def _keeps_place(rig: Rig, param: Floats, grads: Sequence[Floats]) -> bool:
    expected = Place(rig.dtype, rig.device, param.shape)
    return all(place == expected for row in rig.run(_decaying(rig, param, grads)).places for place in row)


LAWS = (
    Law("permutation", "Elements may be stored in any order.", _permutation),
    Law("splitting", "A tensor cut in two is updated like the whole.", _splitting),
    Law("tensors_apart", "Tensors of one group do not see each other.", _tensors_apart),
    Law("groups_apart", "Groups do not see each other.", _groups_apart),
    Law("translation", "Without decay, parameters that start elsewhere move alike.", _translation),
    Law("sign_symmetry", "Mirrored parameters and gradients move in mirrored ways.", _sign_symmetry),
    Law("gradient_scale_ignored", "Gradients 8 times as large give the same updates.", _scaled(1, 0, 0)),
    Law("gradient_scale_followed", "Gradients 8 times as large give updates 8 times as large.", _scaled(1, 0, 1)),
    Law("parameter_scale_followed", "Parameters 8 times as large give updates 8 times as large.", _scaled(0, 1, 1)),
    Law(
        "linear_in_learning_rate",
        "Twice the learning rate makes the first step twice as long.",
        _first_step_linear,
        ("learning_rate",),
    ),
    Law("zero_learning_rate_rests", "With a learning rate of 0 nothing moves.", _zero_rate, ("learning_rate",)),
    Law("zero_gradient_rests", "With gradients of 0 and no decay nothing moves.", _zero_gradient),
    Law(
        "decay_times_learning_rate",
        "With gradients of 0 each step takes the part lr * decay off the parameters.",
        _decay(scaled=True),
        ("learning_rate", "weight_decay"),
    ),
    Law(
        "decay_without_learning_rate",
        "With gradients of 0 each step takes the part decay off the parameters.",
        _decay(scaled=False),
        ("weight_decay",),
    ),
    Law("constant_gradient_descends", "Along a constant gradient no step climbs.", _constant_gradient),
    Law("late_start", "A parameter whose first gradient comes later starts then.", _late_start),
)

DUTIES = (
    Duty("repeats", "Two equal runs end with equal bits.", _repeats),
    Duty(
        "resumes", "Saved and loaded before every step, it goes on with equal bits.", _goes_on("resumed"), ("resumed",)
    ),
    Duty("copies", "Deep copied before every step, it goes on with equal bits.", _goes_on("copied"), ("copied",)),
    Duty("keeps_gradients", "An update leaves the gradients as they were.", _keeps_gradients, ("grads",)),
    Duty("keeps_place", "An update leaves parameters in their dtype, device and shape.", _keeps_place, ("places",)),
)
