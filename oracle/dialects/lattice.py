"""Lattices: the axes along which honest programs of a family differ, and every point that they span."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from oracle.dialects.family import SPELLING, Family, bridged
from oracle.formula import Formula

__all__ = ["HISTORY", "WITHOUT_RATE", "Axis", "Dialect", "Lattice", "Names", "Reparametrisation", "decay"]

Place = Any  # a dataclass of a family's axes
Names = Collection[str]

#: Among names: there was no step before.
HISTORY = "history"


@dataclass(frozen=True, eq=False)
class Axis:
    """One thing that programs of a family do in several ways.

    Parameters
    ----------
    name : str
    values : mapping of str to mapping
        What they do, in the words of the field, and what that sets in the family's place; the first is the plainest.
    needs : str
        The hyperparameter without which all values are one.
    """

    name: str
    values: Mapping[str, Mapping[str, Any]]
    needs: str = ""

    def value(self, place: Place) -> str:
        """Return the words for what a place has on this axis; empty if it has none of the values."""
        fits = (all(getattr(place, name) == set for name, set in fields.items()) for fields in self.values.values())
        return next(itertools.compress(self.values, fits), "")


@dataclass(frozen=True)
class Reparametrisation:
    """Two points with the same parameters, if the hyperparameters of one are computed from those of the other.

    Parameters
    ----------
    one, other : mapping of str to str
        Values by axis; the other axes have the same value in both.
    hyperparameters : mapping of str to str
        What ``other`` is to be given, as an expression of the hyperparameters of ``one``.
    constant : str
        The hyperparameter that must not change in the course of a training.
    """

    one: Mapping[str, str]
    other: Mapping[str, str]
    hyperparameters: Mapping[str, str]
    constant: str


def decay(decoupled: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the values of an axis for the ways in which weight decay enters any rule.

    Parameters
    ----------
    decoupled : str
        What the family's places call a decay beside the step, times the learning rate.
    """
    return {
        "none": {"decay": "none", "decay_after": False},
        "L2, in the gradient": {"decay": "l2", "decay_after": False},
        "decoupled, times the learning rate": {"decay": decoupled, "decay_after": False},
        "decoupled, times the learning rate, after the step": {"decay": decoupled, "decay_after": True},
        "decoupled, without the learning rate": {"decay": "unscaled", "decay_after": False},
        "decoupled, without the learning rate, after the step": {"decay": "unscaled", "decay_after": True},
    }


#: A decoupled decay without the learning rate does what one times it does, while the rate is constant.
WITHOUT_RATE = tuple(
    Reparametrisation(
        {"weight decay": f"decoupled, times the learning rate{moment}"},
        {"weight decay": f"decoupled, without the learning rate{moment}"},
        {"weight_decay": "learning_rate * weight_decay"},
        "learning_rate",
    )
    for moment in ("", ", after the step")
)


@dataclass(frozen=True, eq=False)
class Lattice:
    """The points of a family at which somebody's honest program may lie.

    Parameters
    ----------
    family : Family
        Evaluates them, and knows the formulas with a citation among them, and single slips beside them.
    name : str
    axes : tuple of Axis
    customary : mapping of str to tuple of float
        By hyperparameter, values that programs have which do not offer it; without one it is not there at all.
    admitted : callable
        Whether a place makes sense.
    settled : callable
        Maps a place and the names of hyperparameters that are 0 or not there to the place of the same program that
        stands for all of them; `HISTORY` among the names says that there was no step before.
    reparametrisations : tuple of Reparametrisation
    """

    family: Family
    name: str
    axes: tuple[Axis, ...]
    customary: Mapping[str, tuple[float, ...]]
    admitted: Callable[[Place], bool]
    settled: Callable[[Place, Names], Place]
    reparametrisations: tuple[Reparametrisation, ...] = ()
    _dialects: dict[Any, Dialect] = field(default_factory=dict, init=False)
    _known: dict[frozenset[str], dict[Place, list[Place]]] = field(default_factory=dict, init=False)

    @cached_property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of all hyperparameters, in the family's spelling."""
        parameters = inspect.signature(self.family.body).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "axes")

    def places(self, absent: Names = ()) -> Iterator[Place]:
        """Yield every combination of values that makes sense, equivalent ones included.

        Parameters
        ----------
        absent : collection of str
            Hyperparameters that are 0 or not there: an axis that needs one of them stays as it is.
        """
        plain = type(next(iter(self.family.named.values())))()
        ways = [[{}] if axis.needs in absent else axis.values.values() for axis in self.axes]
        for values in itertools.product(*ways):
            place = replace(plain, **_joined(values))
            if self.admitted(place):
                yield place

    def at(self, place: Place) -> Dialect:
        """Return the dialect at a place."""
        return self._dialects.setdefault(place, Dialect(self, place))

    def settle(self, dialect: Dialect, absent: Names) -> Dialect:
        """Return the dialect that stands for all that are the same program as this one."""
        place = self.settled(dialect.place, absent)
        if not dialect.slip:
            return self.at(place)
        names = dialect.names.difference(absent)
        return self._dialects.setdefault((place, names), Dialect(self, place, dialect.slip, names))

    def moved(self, dialect: Dialect, values: Mapping[str, str]) -> Dialect:
        """Return the dialect with other values on some axes."""
        fields = (axis.values.get(values.get(axis.name, ""), {}) for axis in self.axes)
        return self.at(replace(dialect.place, **_joined(fields)))

    def points(self, absent: Names) -> tuple[Dialect, ...]:
        """Return the dialects that differ, named formulas first.

        Parameters
        ----------
        absent : collection of str
            Hyperparameters that are 0 or not there.
        """
        dialects = map(self.at, self._classes(absent))
        return tuple(sorted(dialects, key=lambda dialect: dialect.named is None))

    def alike(self, dialect: Dialect, absent: Names) -> tuple[Place, ...]:
        """Return every place that is the same program as a dialect of `points`."""
        return tuple(self._classes(absent).get(dialect.place, ()))

    def _classes(self, absent: Names) -> Mapping[Place, list[Place]]:
        """Return all places by the place that stands for them."""
        key = frozenset(absent)
        if key not in self._known:
            self._known[key] = {}
            for place in self.places(key):
                self._known[key].setdefault(self.settled(place, key), []).append(place)
        return self._known[key]

    def beside(self, dialects: Iterable[Dialect], needs: str, absent: Names) -> tuple[Dialect, ...]:
        """Return what the dialects become on the axes that need a hyperparameter, which they were found without."""
        axes = [axis for axis in self.axes if axis.needs == needs]
        ways = [_joined(values) for values in itertools.product(*(axis.values.values() for axis in axes))]
        places = (replace(dialect.place, **way) for dialect in dialects for way in ways)
        settled = dict.fromkeys(self.settled(place, absent) for place in places if self.admitted(place))
        return tuple(sorted((self.at(place) for place in settled), key=lambda dialect: dialect.named is None))

    def slips(self, absent: Names) -> tuple[Dialect, ...]:
        """Return the known faults beside the lattice: a named formula with one change that is no convention."""
        slips = []
        for id, point in self.family.points.items():
            known = self.admitted(point.axes) and self._spans(point.axes)
            names = frozenset(SPELLING.get(name, name) for name in point.base.hyperparameters)
            if point.description and not known and not names.intersection(absent):
                slips.append(self._dialects.setdefault(id, Dialect(self, point.axes, id, names)))
        return tuple(slips)

    def _spans(self, place: Place) -> bool:
        values = [axis.values.get(axis.value(place)) for axis in self.axes]
        known = [fields for fields in values if fields is not None]
        return len(known) == len(values) and bool(replace(type(place)(), **_joined(known)) == place)


def _joined(values: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: value for fields in values for name, value in fields.items()}


@dataclass(frozen=True, eq=False)
class Dialect:
    """One point of a lattice, or one slip beside it.

    Parameters
    ----------
    lattice : Lattice
    place : object
        Where it lies on the family's axes.
    slip : str
        The id of a slip.
    names : frozenset of str
        The hyperparameters that a slip uses.
    """

    lattice: Lattice
    place: Place
    slip: str = ""
    names: frozenset[str] = frozenset()
    _settled: dict[frozenset[str], Dialect] = field(default_factory=dict, init=False)

    @cached_property
    def named(self) -> Formula | None:
        """The formula with a citation that lies here."""
        here = (formula for formula, place in self.lattice.family.named.items() if place == self.place)
        return None if self.slip else next(here, None)

    @cached_property
    def id(self) -> str:
        """The id of the formula or of the slip; empty for any other point."""
        return self.slip or (self.named.id if self.named else "")

    @property
    def source(self) -> tuple[str, ...]:
        """The citation of the formula that lies here; empty for any other point."""
        return self.named.source if self.named else ()

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of all hyperparameters that it may use."""
        return self.lattice.hyperparameters

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The value on each axis; of a slip, those of the axes that it leaves alone."""
        return {axis.name: value for axis in self.lattice.axes if (value := axis.value(self.place))}

    @cached_property
    def unusual(self) -> int:
        """How many axes, weight decay left alone, have another value than the plainest."""
        axes = [axis for axis in self.lattice.axes if axis.needs != "weight_decay"]
        return sum(self.values.get(axis.name) != next(iter(axis.values)) for axis in axes)

    def describe(self) -> str:
        """Return what is done here in the field's words, told from the nearest formula with a name."""
        if self.slip:
            point = self.lattice.family.points[self.slip]
            return f"{point.base.id}, but {point.description}"
        if self.named:
            return self.named.title
        named = [self.lattice.at(place) for place in self.lattice.family.named.values()]
        changes = [(self._changes(other), other.id) for other in named]
        change, base = min(changes, key=lambda entry: len(entry[0]))
        return f"{base}, but {'; '.join(change)}"

    def _changes(self, other: Dialect) -> list[str]:
        return [f"{name}: {value}" for name, value in self.values.items() if other.values.get(name) != value]

    @cached_property
    def formula(self) -> Formula:
        """The dialect as a formula; it takes any hyperparameters, and uses those that it knows."""
        family, base = self.lattice.family, self.named
        names = self.names if self.slip else frozenset(self.lattice.hyperparameters)

        def body(param: Any, grad: Any, state: Any, **hyperparameters: Any) -> Any:
            if base is not None:
                return base.body(param, grad, state, **bridged(hyperparameters, base.hyperparameters))
            known = {name: value for name, value in hyperparameters.items() if name in names}
            return family.body(param, grad, state, axes=self.place, **known)

        body.__name__, body.__doc__ = self.id or self.lattice.name, self.describe()
        state_type = base.state_type if base else family.state_type
        return Formula(body.__name__, "optimizer", body, base.source if base else (), {}, {}, (), state_type)

    def settled(self, absent: Names) -> Dialect:
        """Return the dialect that stands for all that are the same program where some hyperparameters are 0."""
        key = frozenset(absent)
        if key not in self._settled:
            self._settled[key] = self.lattice.settle(self, key)
        return self._settled[key]
