"""Enclosures: what an honest program in a given precision may return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.balls import BallArray, abs_lower, abs_upper, is_finite, midpoint, working_precision
from oracle.arithmetic.carriers import carrier
from oracle.arithmetic.composites import stored
from oracle.arithmetic.discontinuities import Way, ways
from oracle.arithmetic.formats import Precision
from oracle.arithmetic.rounding import GROW, SHRINK, Rounded, atom, given, quiet
from oracle.arithmetic.scalars import INFLATION, hyperparameter
from oracle.formula import Formula, initial_state, whole_numbers

__all__ = ["Enclosure", "Walk", "bound"]

Floats = NDArray[np.float64]

# A step of any formula loses a few bits of them, and float64 subjects need 64.
BITS = 128


@dataclass(frozen=True, eq=False)
class Enclosure:
    """What every honest program returns.

    Parameters
    ----------
    value : BallArray or array of float64, shape (...)
        The exact value, or its float64 reference, whose error is part of ``error``.
    error : array of float64, shape (...)
        How far an honest program may be off; infinite where nothing can be said.
    alternatives : tuple of Enclosure
        Other branches of a discontinuity that an honest program may take; their error is -1
        for elements to which the branch is not open.
    reasons : tuple of str
        Why there are alternatives.
    """

    value: Any
    error: Floats
    alternatives: tuple[Enclosure, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def branches(self) -> tuple[Enclosure, ...]:
        """The enclosure of the exact values' own branch, and the alternatives."""
        return (self, *self.alternatives)

    @property
    def bounded(self) -> NDArray[np.bool_]:
        """Where there is a bound, in every branch."""
        bounded: NDArray[np.bool_] = np.all([branch.error < np.inf for branch in self.branches], axis=0)
        return bounded

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Where an honest program may take another branch than the exact values do."""
        opened = [alternative.error >= 0 for alternative in self.alternatives]
        undecided: NDArray[np.bool_] = np.any([np.zeros(self.error.shape, dtype=bool), *opened], axis=0)
        return undecided

    @property
    def midpoint(self) -> Floats:
        """The value, rounded to float64."""
        return midpoint(self.value) if isinstance(self.value, BallArray) else self.value

    def interval(self, index: Any) -> tuple[float, float]:
        """Return the interval around everything that one element, by flat or full index, may be; rounded outward."""
        if isinstance(index, int | np.integer):
            index = np.unravel_index(index, self.error.shape)
        lows, highs = [], []
        with working_precision(BITS):
            for branch in self.branches:
                if branch.error[index] == np.inf:
                    return -np.inf, np.inf
                if branch.error[index] >= 0:
                    center, radius = _element(branch.value, index), flint.arb(float(branch.error[index]))
                    lows.append(_below((center - radius).lower()))
                    highs.append(-_below(-(center + radius).upper()))
        return min(lows), max(highs)

    def ratio(self, observed: Floats) -> Floats:
        """Return the distance of an observation in units of the error.

        Parameters
        ----------
        observed : array of float64, shape (...)

        Returns
        -------
        array of float64, shape (...)
            Smallest over the branches, and rounded down, so that what exceeds 1 is outside for
            certain; 0 where there is no bound. Infinite where there is one, and the observation or
            the value, which may be another observation, is no number.
        """
        observed = np.asarray(observed, dtype=np.float64)
        ratios = [_quotient(_distance(observed, branch.value), branch.error) for branch in self.branches]
        ratio = np.min(ratios, axis=0)
        value = is_finite(self.value) if isinstance(self.value, BallArray) else np.isfinite(self.value)
        return np.where(self.bounded, np.where(np.isfinite(observed) & value, ratio, np.inf), 0.0)

    def separation(self, other: Enclosure) -> Floats:
        """Return the distance of two enclosures in units of both errors; above 1 no program fits both.

        Parameters
        ----------
        other : Enclosure, shape (...)

        Returns
        -------
        array of float64, shape (...)
            Smallest over the branches, and rounded down; 0 where either has no bound.
        """
        separations = [
            _quotient(
                _distance(one.value, two.value),
                np.where(np.minimum(one.error, two.error) < 0, -1.0, one.error + two.error),
            )
            for one in self.branches
            for two in other.branches
        ]
        return np.where(self.bounded & other.bounded, np.min(separations, axis=0), 0.0)

    def differs(self, other: Enclosure) -> NDArray[np.bool_]:
        """Return where the exact values of two enclosures differ for certain, however little; shape (...)."""
        differs: NDArray[np.bool_] = _distance(self.value, other.value) > 0
        return differs


def _element(value: Any, index: Any) -> flint.arb:
    return value.elements[index] if isinstance(value, BallArray) else flint.arb(float(value[index]))


def _below(end: flint.arb) -> float:
    nearest = float(end)
    return nearest if not nearest > end else float(np.nextafter(nearest, -np.inf))


def _distance(a: Any, b: Any) -> Floats:
    """Bound the distance from below."""
    with quiet(), working_precision(BITS):
        if isinstance(a, BallArray) or isinstance(b, BallArray):
            return abs_lower(BallArray(a) - BallArray(b))
        distance: Floats = np.abs(a - b) * SHRINK
        return distance


def _quotient(distance: Floats, error: Floats) -> Floats:
    """Divide, rounding down; infinite where nothing but the value itself is allowed, or the branch is closed."""
    with quiet():
        ratio = np.where(distance > 0, distance / np.maximum(error, 0.0) * SHRINK, 0.0)
        return np.where(error < 0, np.inf, ratio)


class Walk:
    """The enclosures of an optimizer, step by step.

    Parameters
    ----------
    formula : Formula
        An optimizer; its state starts at zero.
    param : array of float64, shape (...)
        Numbers of the storage format.
    precision : Precision
    """

    def __init__(self, formula: Formula, param: Floats, *, precision: Precision) -> None:
        self.formula = formula
        self.precision = precision
        self._begin(param, initial_state(formula.state_type, np.zeros(np.shape(param))))

    @classmethod
    def resumed(cls, formula: Formula, param: Floats, state: Any, *, precision: Precision) -> Walk:
        """Start from a state, a NamedTuple of float64 arrays that are exact in the storage format."""
        walk = cls(formula, param, precision=precision)
        walk._begin(param, state)
        return walk

    def _begin(self, param: Floats, state: Any) -> None:
        self._steps: int = getattr(state, "step", 0)
        quantities = {"param": param, **state._asdict()}
        quantities.pop("step", None)
        self._ways = {name: [Way(given(x, self.precision), True, ())] for name, x in quantities.items()}
        self._kept = {name: ways[0].result for name, ways in self._ways.items()}

    def step(self, grad: Floats, hyperparameters: Mapping[str, float]) -> tuple[Enclosure, dict[str, Enclosure]]:
        """Update once.

        Parameters
        ----------
        grad : array of float64, shape (...)
            Numbers of the storage format.
        hyperparameters : mapping of str to float
            Values of this step, as the program receives them.

        Returns
        -------
        param : Enclosure, shape (...)
        state : dict of str to Enclosure
            By the names of the state's fields, without ``step``.

        Raises
        ------
        DomainError
            If a hyperparameter lies outside its domain.
        """
        self.formula.require(hyperparameters)
        with working_precision(BITS):
            taken = list(ways(lambda: self._update(grad, hyperparameters)))
            self._steps += 1
            self._ways = {
                name: [Way(way.result[name], way.open, way.reasons) for way in taken] for name in taken[0].result
            }
            self._kept = {name: _hull(branches, terms=name != "param") for name, branches in self._ways.items()}
            shown = {name: _enclosure(branches) for name, branches in self._ways.items()}
        return shown.pop("param"), shown

    def _update(self, grad: Floats, hyperparameters: Mapping[str, float]) -> dict[str, Rounded]:
        scalars = {name: hyperparameter(float(value), self.precision) for name, value in hyperparameters.items()}
        fields = {name: self._kept.get(name, self._steps) for name in self.formula.state_type._fields}
        state = self.formula.state_type(**fields)
        param, state = self.formula.body(self._kept["param"], given(grad, self.precision), state, **scalars)
        quantities = {"param": param, **state._asdict()}
        quantities.pop("step", None)
        return {name: _stored_once(value) for name, value in quantities.items()}

    def resynchronise(self, param: Floats, state: Mapping[str, Floats] = MappingProxyType({})) -> None:
        """Narrow the enclosures by what the program shows after a step.

        A program may keep a better copy than it shows. What is kept is therefore any number of the
        prediction that rounds to what is shown; never what is shown itself.

        Parameters
        ----------
        param : array of float64, shape (...)
        state : mapping of str to array of float64, shape (...)
            The exposed part, by the names of the state's fields.
        """
        with working_precision(BITS):
            for name, shown in {"param": param, **state}.items():
                self._kept[name] = _filtered(self._ways[name], np.asarray(shown, dtype=np.float64))


def _stored_once(value: Rounded) -> Rounded:
    """Store what a formula returns, unless it did so itself to read it again."""
    return value if value.reading else stored(value)


def _enclosure(branches: list[Way[Rounded]]) -> Enclosure:
    """Make an enclosure of what all ways through a formula give."""
    enclosures = []
    reasons: dict[str, None] = {}
    for way in branches:
        enclosures.append(Enclosure(way.result.x, np.where(way.open, _shown_error(way.result), -1.0)))
        reasons.update(dict.fromkeys(f"{reason} undecided" for reason in way.reasons))
    unbounded = np.count_nonzero(enclosures[0].error == np.inf)
    if unbounded:
        reasons[f"{unbounded} elements may leave the range, or divide by zero"] = None
    return replace(enclosures[0], alternatives=tuple(enclosures[1:]), reasons=tuple(reasons))


def _shown_error(value: Rounded) -> Floats:
    precision, error = value.precision, value.error
    if precision.readout is precision.storage:
        return error
    unit, underflow = precision.rounding_to(precision.readout)
    with quiet():
        shown: Floats = (error + (value.carrier.upper(value.x) + error) * unit + underflow) * INFLATION
        return shown


def _ends(value: Rounded, origin: Floats) -> tuple[Floats, Floats]:
    """Return both ends of a value's interval relative to an origin, rounded outward."""
    distance = value.x - value.carrier.lift(origin)
    middle = value.carrier.midpoint(distance)
    reach = value.error + np.abs(middle) * (GROW - 1)
    return (middle - reach) - np.abs(middle - reach) * (GROW - 1), (middle + reach) + np.abs(middle + reach) * (
        GROW - 1
    )


def _between(low: Floats, high: Floats, origin: Floats, precision: Precision) -> Rounded:
    """Make a value of an interval relative to an origin."""
    carried = carrier(precision)
    bounded = np.isfinite(low) & np.isfinite(high) & np.isfinite(origin)
    middle = np.where(bounded, low / 2 + high / 2, 0.0)
    x = carried.lift(np.where(bounded, origin, 0.0)) + carried.lift(middle)
    e = np.maximum(high - middle, middle - low) * GROW + carried.unit * carried.upper(x)
    return atom(x, precision, np.where(bounded, e, np.inf))


def _hull(branches: list[Way[Rounded]], *, terms: bool) -> Rounded:
    """Make one value, without a charge for reading, of what all ways give.

    State may be kept in another scale, in which each of its ``terms`` is rounded by itself; a parameter is one number.
    """
    first = branches[0].result
    x, e, M = first.x, first.error, first.M
    carried = first.carrier
    with quiet():
        origin = carried.midpoint(x)
        low, high = _ends(first, origin)
        several: Any = False
        for way in branches[1:]:
            way_low, way_high = _ends(way.result, origin)
            low = np.where(way.open, np.minimum(low, way_low), low)
            high = np.where(way.open, np.maximum(high, way_high), high)
            M = np.where(way.open, np.maximum(M, way.result.M), M)
            several = several | way.open
        if np.any(several):
            joined = _between(low, high, origin, first.precision)
            x, e = carried.choose(several, joined.x, x), np.where(several, joined.error, e)
    kept = atom(x, first.precision, e)
    return replace(kept, M=np.maximum(M, kept.M)) if terms else kept


def _filtered(branches: list[Way[Rounded]], shown: Floats) -> Rounded:
    """Make one value of all that the ways give and that rounds to what is shown."""
    precision = branches[0].result.precision
    with quiet():
        half = precision.preimage_radius(shown) * GROW
        low, high = np.full(shown.shape, np.inf), np.full(shown.shape, -np.inf)
        for way in branches:
            way_low, way_high = _ends(way.result, shown)
            way_low = np.where(way_low > -half, way_low, -half)  # also where there is no prediction
            way_high = np.where(way_high < half, way_high, half)
            possible = way.open & (way_low <= way_high)
            low = np.where(possible, np.minimum(low, way_low), low)
            high = np.where(possible, np.maximum(high, way_high), high)
        # What no way gives was found outside already: go on from what is shown.
        low, high = np.where(low <= high, low, -half), np.where(low <= high, high, half)
        return _between(low, high, shown, precision)


def bound(formula: Formula, *arrays: Floats, precision: Precision, state: Any = None, **hyperparameters: float) -> Any:
    """Return the enclosure of one evaluation.

    Parameters
    ----------
    formula : Formula
    *arrays : array of float64, shape (...)
        What the formula takes; numbers of the storage format. For an optimizer, parameter and gradient;
        for a schedule, the steps.
    precision : Precision
    state : NamedTuple, optional
        An optimizer's state before the update; zero if not given.
    **hyperparameters : float

    Returns
    -------
    Enclosure, or (Enclosure, dict of str to Enclosure)
        Of a function's result, or a schedule's rates; of an optimizer's parameter, and of its state.

    Raises
    ------
    DomainError
        If a hyperparameter lies outside its domain.
    """
    if formula.kind == "optimizer":
        param, grad = arrays
        before = initial_state(formula.state_type, np.zeros(np.shape(param))) if state is None else state
        return Walk.resumed(formula, param, before, precision=precision).step(grad, hyperparameters)
    formula.require(hyperparameters)
    with working_precision(BITS):
        if formula.kind == "schedule":
            (steps,) = arrays
            return _rates(formula, steps, hyperparameters, precision)
        scalars = {name: hyperparameter(float(value), precision) for name, value in hyperparameters.items()}
        inputs = [
            whole_numbers(name, values) if name in formula.integers else given(values, precision)
            for name, values in zip(formula.arrays, arrays, strict=True)
        ]
        return _enclosure(list(ways(lambda: _stored_once(formula.body(*inputs, **scalars)))))


def _rates(formula: Formula, steps: Floats, hyperparameters: Mapping[str, float], precision: Precision) -> Enclosure:
    """Enclose a schedule's rates: scalars all of them, which a program may round to the storage format at last."""
    lengths = formula.lengths
    values = {
        name: int(value) if name in lengths else hyperparameter(float(value), precision)
        for name, value in hyperparameters.items()
    }
    rates = [formula.body(int(step), **values) for step in steps]
    value = BallArray.wrap(np.array([rate.x for rate in rates], dtype=object))
    error = np.array([rate.e for rate in rates])
    if precision.storage.bits < precision.scalars.bits:
        storage = precision.storage
        with quiet():
            error = (error + (abs_upper(value) + error) * storage.unit + storage.smallest_normal) * INFLATION
            error = np.where(abs_upper(value) + error < storage.largest, error, np.inf)
    return Enclosure(value, error)
