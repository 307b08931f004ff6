"""What the families share: a table of points, and the bridge from a formula to a point of its family."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from oracle.formula import Formula, Scalar

__all__ = ["SPELLING", "Family", "Variation", "bridged", "times"]

#: Names of the bodies here for what some formulas call otherwise.
SPELLING = {"l2_penalty": "weight_decay", "clip_value": "max_norm"}


def times(factor: Scalar, value: Scalar) -> Scalar:
    """Multiply, unless by the number 1, which would count as a rounding."""
    return value if isinstance(factor, int | float) and factor == 1 else factor * value


@dataclass(frozen=True)
class Variation:
    """One change to a formula.

    Parameters
    ----------
    description : str
        What the code does instead, as a clause; a diagnosis prints it.
    axes : mapping of str to object
        The axes that change, and their values.
    needs : str
        The hyperparameter, as the family spells it, without which the change means nothing.
    only : tuple of str
        Ids of the formulas that it is made to; all of them if empty.
    """

    description: str
    axes: Mapping[str, Any]
    needs: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Point:
    """A named formula, or one with one change, which the description tells."""

    base: Formula
    axes: Any
    description: str = ""


@dataclass(frozen=True, eq=False)
class Family:
    """Related formulas, and the axes along which code that claims them differs.

    Parameters
    ----------
    body : callable
        The whole family in one function, ``body(*arrays, axes=..., **hyperparameters)``.
    named : mapping of Formula to object
        The formulas with a citation, and where they lie on the axes.
    variations : mapping of str to Variation
        The changes by name. The id of a changed formula is ``formula_change``; a place that a
        formula or an earlier change has taken gets no second id.
    state_type : type
        What the body remembers.
    """

    body: Callable[..., Any]
    named: Mapping[Formula, Any]
    variations: Mapping[str, Variation]
    state_type: type[Any]
    points: Mapping[str, Point] = field(init=False)

    def __post_init__(self) -> None:
        points = {formula.id: Point(formula, axes) for formula, axes in self.named.items()}
        taken = {(_spelled(formula.hyperparameters), axes) for formula, axes in self.named.items()}
        for formula, axes in self.named.items():
            names = _spelled(formula.hyperparameters)
            for change, variation in self.variations.items():
                place = (names, replace(axes, **variation.axes))
                meant = not variation.needs or variation.needs in names
                if meant and place not in taken and (not variation.only or formula.id in variation.only):
                    points[f"{formula.id}_{change}"] = Point(formula, place[1], variation.description)
                    taken.add(place)
        object.__setattr__(self, "points", points)

    def evaluate(self, id: str) -> Callable[..., Any]:
        """Return the body of a point, which takes the family's spelling of its formula's hyperparameters."""
        point = self.points[id]
        return functools.partial(self.body, axes=point.axes)

    def at(self, id: str, formula: Formula, kept: Mapping[str, float] = MappingProxyType({})) -> Formula:
        """Return a point as a formula that takes exactly the hyperparameters of ``formula``.

        Others that it needs have the values ``kept``, by the family's names.
        """
        point = self.points[id]
        named = not point.description
        names = point.base.hyperparameters if named else _spelled(point.base.hyperparameters)
        target = point.base.body if named else self.evaluate(id)

        @functools.wraps(formula.body)  # keeps the signature
        def body(*arrays: Any, **hyperparameters: Any) -> Any:
            return target(*arrays[: len(point.base.arrays)], **bridged({**kept, **hyperparameters}, names))

        body.__name__ = id
        body.__doc__ = _sentence(point, formula, {name: kept[name] for name in kept if name in _spelled(names)})
        state_type = point.base.state_type if named else self.state_type
        return replace(formula, id=id, body=body, state_type=state_type, neighbours=())

    def runs(self, id: str, formula: Formula, kept: Mapping[str, float] = MappingProxyType({})) -> bool:
        """Whether a point can be evaluated with the hyperparameters of ``formula`` and the first of its arrays."""
        given, base = {*_spelled(formula.hyperparameters), "schedule_multiplier", *kept}, self.points[id].base
        begins = formula.arrays[: len(base.arrays)] == base.arrays
        return begins and given.issuperset(_spelled(base.hyperparameters))


def _spelled(names: Iterable[str]) -> tuple[str, ...]:
    """Return hyperparameter names in the family's spelling, in an order that does not matter."""
    return tuple(sorted(SPELLING.get(name, name) for name in names))


def bridged(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the hyperparameters that ``names`` ask for; a schedule's multiplier is 1, or part of the learning rate."""
    spelled = {SPELLING.get(name, name): value for name, value in values.items()}
    wanted = {name: SPELLING.get(name, name) for name in names}
    multiplier = spelled.pop("schedule_multiplier", 1)
    if "schedule_multiplier" in wanted:
        spelled["schedule_multiplier"] = multiplier
    elif "learning_rate" in spelled:
        spelled["learning_rate"] = times(multiplier, spelled["learning_rate"])
    return {name: spelled[spelling] for name, spelling in wanted.items()}


def _sentence(point: Point, formula: Formula, kept: Mapping[str, float]) -> str:
    """Return what a point computes, as seen from a formula."""
    title = point.base.title
    if point.description:
        title = point.description if point.base is formula else f"as {point.base.id}, but {point.description}"
    told = " and ".join(f"{name}={value!r}" for name, value in kept.items())
    return f"{title.removesuffix('.')} with {told}" if told else title
