"""Trainings: what an optimizer's check is run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from oracle.arithmetic.formats import FLOAT32, FORMATS
from oracle.formula import Formula
from properties.cases import Step, Training
from properties.claims import Space
from properties.strategies.hyperparameters import STEERING, adjusted, common_values, scheduled, steered_hyperparameters
from properties.strategies.numbers import LAYOUTS, choice, few_digits, magnitudes, seeded_arrays, small_arrays, whole
from properties.subject import Floats, Group

__all__ = ["PLANS", "Plan", "Shapes", "planned_trainings", "trainings"]

Shapes = tuple[tuple[int, ...], ...]

_FEW: Shapes = ((1,), (2,), (3,))
_MANY: Shapes = ((3,), (1,), (0,), (7,), (11, 3), (3, 11), (), (33,))
#: Each once in one training: 0 to 5 dimensions, whole vector blocks, an empty tensor before others, and some shapes
#: twice, in the same and in different groups.
_EVERY: Shapes = (
    (2,), (2,), (8,), (0,), (8,), (), (2, 3, 4), (1,), (16,), (1, 2, 3, 2), (4, 4), (8,), (3,), (32,), (7,), (2, 2),
    (64,), (), (5, 1), (1,), (4,), (2, 3, 4), (3, 11), (12,),
    (2, 1, 3, 1, 2),
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A kind of training.

    Parameters
    ----------
    cases : int or Fraction
        Trainings in the quick profile; of a fraction, it has the whole part, and longer profiles theirs.
    shapes : tuple of shapes
        Of its tensors.
    tensors : tuple of int, int, optional
        Smallest and largest number; if not given, there is one tensor of each shape.
    groups : tuple of int, int
        Smallest and largest number.
    steps, narrow_steps : tuple of int, optional
        Smallest and largest number, also for dtypes narrower than float32; up to what the dtype's
        steering says if not given.
    zeros : bool
        Whether exact zeros, -0.0 and whole zero gradients occur.
    missing : bool
        Whether gradients may be missing.
    extreme : str
        Which of the dtype's extreme magnitudes gradients have, if any.
    far : bool
        Whether parameters are much larger than their steps.
    common : bool
        Whether hyperparameters have their customary values.
    layouts : bool
        Whether parameters and gradients may be non-contiguous.
    still : bool
        Whether learning rates stay as they are.
    adjusted : bool
        Whether decay, epsilon and momentum change in every step, and learning rates only where there is none of them;
        in the last step decay ends.
    late : int
        How many of the groups have one tensor each, the last ones, so that they can be added later.
    rounds : int
        How often the steps are gone through.
    """

    cases: Fraction | int
    shapes: Shapes = _FEW
    tensors: tuple[int, int] | None = (1, 1)
    groups: tuple[int, int] = (1, 1)
    steps: tuple[int, int] | None = None
    narrow_steps: tuple[int, int] | None = None
    zeros: bool = False
    missing: bool = False
    extreme: str = ""
    far: bool = False
    common: bool = False
    layouts: bool = False
    still: bool = False
    adjusted: bool = False
    late: int = 0
    rounds: int = 1


PLANS: Mapping[str, Plan] = {
    "plain": Plan(8),
    "wide": Plan(5, _MANY, tensors=(1, 3), steps=(2, 12), narrow_steps=(1, 3), layouts=True),
    "groups": Plan(4, tensors=(2, 3), groups=(2, 2), steps=(2, 6), narrow_steps=(2, 4), missing=True),
    "every": Plan(1, _EVERY, tensors=None, groups=(5, 5), steps=(2, 3), narrow_steps=(2, 2), layouts=True),
    "adjusted": Plan(4, groups=(1, 2), tensors=(1, 2), steps=(3, 6), narrow_steps=(2, 3), adjusted=True),
    "zeros": Plan(4, steps=(3, 5), narrow_steps=(2, 3), zeros=True),
    "smallest": Plan(1, extreme="smallest"),
    "small": Plan(1, extreme="small"),
    "large": Plan(1, extreme="large"),
    "largest": Plan(1, extreme="largest"),
    "far": Plan(2, steps=(1, 3), far=True),
    "common": Plan(2, steps=(1, 8), common=True),
    "bulk": Plan(1, ((4097,),), steps=(2, 3), narrow_steps=(2, 2)),
    "long": Plan(1, steps=(120, 120), narrow_steps=(120, 120)),
    # Past the range of counters of eight bits.
    "longest": Plan(1, ((1,),), steps=(260, 260), narrow_steps=(2, 3), common=True),
    # Past that of counters in half precision.
    "endless": Plan(Fraction(1, 10), ((1,),), steps=(70, 70), narrow_steps=(2, 3), common=True, rounds=30),
}

#: Elements that are drawn one by one; what has more comes from a seed.
_DRAWN_SINGLY = 64


def trainings(space: Space, kind: str) -> SearchStrategy[Training]:
    """Return the strategy of one kind of training.

    Parameters
    ----------
    space : Space
        Formula and dtype.
    kind : str
        A key of `PLANS`.
    """
    return planned_trainings(space.formula, space.dtype, PLANS[kind])


@st.composite
def planned_trainings(draw: DrawFn, formula: Formula, dtype: str, plan: Plan) -> Training:
    """Draw a training after a plan; its numbers are exact in the dtype."""
    steering, form = STEERING[dtype], FORMATS[dtype]
    low, high = _steps(plan, dtype)
    length = draw(whole(low, high))
    scale = steering.extremes[plan.extreme] if plan.extreme else draw(choice(steering.scales))
    shapes = _shapes(draw, plan)
    owners = _owners(len(shapes), draw(whole(*plan.groups)), plan.late)
    spread = 0 if plan.extreme else steering.spread
    singly = length * sum(_size(shape) for shape in shapes) <= _DRAWN_SINGLY

    def array(shape: tuple[int, ...], factor: float, decades: int) -> Floats:
        if singly:
            return draw(small_arrays(form, shape, factor, magnitudes(decades, zeros=plan.zeros)))
        return draw(seeded_arrays(form, shape, factor, floor=10.0**-decades / 10))

    def laid_out(values: Floats) -> Floats:
        return LAYOUTS[draw(choice(tuple(LAYOUTS)))](values) if plan.layouts else values

    blank = draw(whole(1, length - 1)) if plan.zeros and length > 1 else None

    def tensor_grad(shape: tuple[int, ...], number: int) -> Floats | None:
        if plan.missing and draw(whole(0, 4)) == 4:
            return None
        vanishes = number == blank or (plan.zeros and draw(whole(0, 3)) == 3)
        return laid_out(array(shape, 0.0 if vanishes else scale, spread))

    groups, reaches = [], {}
    for tensors in owners:
        values, reach = draw(_hyperparameters(formula, dtype, scale, plan))
        groups.append(Group(tensors, values))
        reaches.update(dict.fromkeys(tensors, reach))
    params = [laid_out(array(shape, reaches[tensor], 0)) for tensor, shape in enumerate(shapes)]
    steps = []
    for number in range(length):
        grads = tuple(tensor_grad(shape, number) for shape in shapes)
        last = number == length - 1
        changes = {} if plan.still or number == 0 else draw(_changes(formula, dtype, groups, plan, last=last))
        steps.append(Step(grads, changes))
    return Training(tuple(params), tuple(groups), tuple(steps) * plan.rounds)


@st.composite
def _hyperparameters(
    draw: DrawFn, formula: Formula, dtype: str, grad_scale: float, plan: Plan
) -> tuple[dict[str, float], float]:
    """Draw values, and the magnitude of the parameters that belong to them."""
    steering = STEERING[dtype]
    # The movement of adaptive rules does not grow with the gradients; parameters of its order round finely.
    adaptive = any(name in formula.hyperparameters for name in ("eps", "beta2"))
    step = 0.5 * (1.0 if adaptive else grad_scale)
    multiples: tuple[float, ...] = (0.0, 1.0, 2.0) if FORMATS[dtype].bits < FLOAT32.bits else (1.0, 0.0, 4.0)
    decays = any(name in formula.hyperparameters for name in ("weight_decay", "l2_penalty"))
    if plan.far:
        multiples = (64.0,) if FORMATS[dtype].bits < FLOAT32.bits else (1000.0,)
    elif decays:
        multiples = (1.0, 2.0)
    reach = step * draw(choice(multiples))
    if plan.common:
        return common_values(formula, dtype), (reach if decays else steering.learning_rates[-1] * 1e-3 * reach)
    return draw(steered_hyperparameters(formula, dtype, grad_scale, reach)), reach


@st.composite
def _changes(
    draw: DrawFn, formula: Formula, dtype: str, groups: list[Group], plan: Plan, *, last: bool
) -> dict[int, dict[str, float]]:
    """Draw a new value of a scheduled hyperparameter for about half of the steps, or of an adjusted one for each."""
    changing = adjusted(formula) if plan.adjusted else ()
    if not changing and not draw(st.booleans()):
        return {}
    number = draw(whole(0, len(groups) - 1))
    decays = [name for name in ("weight_decay", "l2_penalty") if name in changing]
    if last and decays:
        return {number: dict.fromkeys(decays, 0.0)}
    name = draw(choice(changing or scheduled(formula)))
    factors = (0.5, 0.25) if changing else STEERING[dtype].changes
    factor = draw(choice(factors))
    return {number: {name: few_digits(factor * groups[number].hyperparameters[name])}}


def _shapes(draw: DrawFn, plan: Plan) -> list[tuple[int, ...]]:
    if plan.tensors is None:
        return list(plan.shapes)
    return [draw(choice(plan.shapes)) for _ in range(draw(whole(*plan.tensors)))]


def _steps(plan: Plan, dtype: str) -> tuple[int, int]:
    given = plan.steps if FORMATS[dtype].bits >= FLOAT32.bits else plan.narrow_steps
    return given or (1, STEERING[dtype].steps)


def _owners(tensors: int, groups: int, late: int) -> list[tuple[int, ...]]:
    """Deal tensors out to groups in turn, so that a group's tensors are not neighbours in the subject's list."""
    early = tensors - late
    dealt = [tuple(range(first, early, groups - late)) for first in range(groups - late)]
    if late:
        dealt.reverse()  # nor are the first group's tensors the first of the list
    return [*(mine for mine in dealt if mine), *((tensor,) for tensor in range(early, tensors))]


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
