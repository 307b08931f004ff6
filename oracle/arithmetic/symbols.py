"""The number system that proves identities: arrays of expressions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from oracle.arithmetic.elements import ElementArray, ElementNamespace, elementwise

__all__ = ["SymbolArray", "symbol_array"]

_RELATIONS = {
    operator.lt: sympy.Lt,
    operator.le: sympy.Le,
    operator.gt: sympy.Gt,
    operator.ge: sympy.Ge,
    operator.eq: sympy.Eq,
    operator.ne: sympy.Ne,
}


def _expression(value: Any) -> Any:
    return sympy.Rational(value) if isinstance(value, float) else sympy.sympify(value)


class SymbolArray(ElementArray):
    """An array of expressions; floats enter as the fractions they are."""

    element_type = sympy.Basic
    element = staticmethod(_expression)

    @staticmethod
    def compare(relation: Callable[[Any, Any], Any], left: Any, right: Any) -> SymbolArray:
        """Compare expressions: an array of relations, true and false among them."""
        return SymbolArray.wrap(np.frompyfunc(_RELATIONS[relation], 2, 1)(left, right))


class SymbolNamespace(ElementNamespace):
    """What formulas may do to expressions."""

    sqrt = elementwise(sympy.sqrt)
    sign = elementwise(sympy.sign)
    exp = elementwise(sympy.exp)
    log = elementwise(sympy.log)
    tanh = elementwise(sympy.tanh)
    erf = elementwise(sympy.erf)
    erfc = elementwise(sympy.erfc)
    log1p = elementwise(lambda x: sympy.log(1 + x))
    cos = elementwise(sympy.cos)
    maximum = elementwise(sympy.Max)
    minimum = elementwise(sympy.Min)
    pi = sympy.pi
    where = elementwise(lambda condition, if_true, if_false: sympy.Piecewise((if_true, condition), (if_false, True)))

    def softmax(self, x: SymbolArray) -> Any:
        """Softmax along the last axis, as it is printed."""
        powers = self.exp(x)
        return powers / self.sum(powers, axis=-1, keepdims=True)

    def log_softmax(self, x: SymbolArray) -> Any:
        """Logarithm of the softmax along the last axis, as it is printed."""
        return x - self.log(self.sum(self.exp(x), axis=-1, keepdims=True))

    def cosine(self, turn: Fraction, *_: Any) -> SymbolArray:
        """Cosine of a part of half a turn."""
        return SymbolArray(sympy.cos(sympy.pi * sympy.Rational(turn.numerator, turn.denominator)))

    def root(self, ratio: Fraction, *_: Any) -> SymbolArray:
        """Square root of a fraction."""
        return SymbolArray(sympy.sqrt(sympy.Rational(ratio.numerator, ratio.denominator)))


SymbolArray.namespace = SymbolNamespace(SymbolArray)


def symbol_array(names: str, **assumptions: bool) -> SymbolArray:
    """Make an array of symbols.

    Parameters
    ----------
    names : str
        Names as `sympy.symbols` reads them: one gives a scalar, several an array.
    **assumptions : bool
        What is known of all of them, such as ``positive=True``.

    Returns
    -------
    SymbolArray, shape () or (number of names,)
    """
    return SymbolArray(sympy.symbols(names, **assumptions))
