"""Proofs: the catalogue's own bodies run on expressions, whose differences are to vanish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.formula import Formula, initial_state
from oracle.trajectory import trajectory

__all__ = ["exactly", "expression", "expressions", "series", "state_with", "symbols", "vanishes", "walk"]


def symbols(names: str, **assumptions: bool) -> list[SymbolArray]:
    """Scalars with the given names."""
    return [symbol_array(name, **assumptions) for name in names.split()]


def series(name: str, count: int, **assumptions: bool) -> list[SymbolArray]:
    """Scalars ``name1``, ``name2``, ..."""
    return symbols(" ".join(f"{name}{number}" for number in range(1, count + 1)), **assumptions)


def exactly(*values: object) -> SymbolArray:
    """Rational numbers as they are written, ``"0.1"`` being a tenth: one gives a scalar, several an array."""
    numbers = [sympy.Rational(str(value)) for value in values]
    return SymbolArray(numbers if len(numbers) > 1 else numbers[0])


def expressions(value: Any) -> list[sympy.Expr]:
    """Elements of an array."""
    return list(np.ravel(SymbolArray(value).elements))


def expression(value: Any) -> sympy.Expr:
    """The one element of a scalar."""
    (element,) = expressions(value)
    return element


def vanishes(difference: Any) -> bool:
    """Whether every element is zero whatever its symbols are."""
    return all(_is_zero(element) for element in expressions(difference))


def _is_zero(element: sympy.Expr) -> bool:
    expanded = sympy.expand(element)
    return expanded == 0 or (_may_be_zero(expanded) and sympy.simplify(element) == 0)


def _may_be_zero(element: sympy.Expr) -> bool:
    """Look at one point, which spares most of what does not vanish the search for a simpler form."""
    point = {
        symbol: sympy.Rational(number + 2, 7) for number, symbol in enumerate(sorted(element.free_symbols, key=str))
    }
    return sympy.Abs(sympy.N(element.subs(point), 30, chop=False)) < sympy.Rational(1, 10**20)


def state_with(formula: Formula, zero: Any, **known: Any) -> Any:
    """What a formula remembers, as far as it has fields for what is known, and zeros where nothing is.

    Neighbours remember more, or by other names. Those that count are to be told how many steps there were.
    """
    state = initial_state(formula.state_type, zero)
    return state._replace(**{name: value for name, value in known.items() if name in state._fields})


def walk(
    formula: Formula, start: Any, grads: Sequence[Any], state: Any = None, **hyperparameters: Any
) -> tuple[list[Any], Any]:
    """Run a formula's body from step to step; a hyperparameter is one value, or a list of one for each step."""
    steps = [
        {name: value[number] if isinstance(value, list) else value for name, value in hyperparameters.items()}
        for number in range(len(grads))
    ]
    return trajectory(formula)(start, grads, state, hyperparameters=steps)
