"""Expressions that select checks by their ids: ``adamw and not (fused or bfloat16)``."""

from __future__ import annotations

import re
from collections.abc import Callable

from conformance.errors import UsageError

__all__ = ["selector"]

Predicate = Callable[[str], bool]

_TOKEN = re.compile(r"[()]|[^\s()]+")


def selector(expression: str | None) -> Predicate:
    """Make a predicate on ids of an expression.

    Parameters
    ----------
    expression : str or None
        Parts of ids, joined by ``and``, ``or``, ``not`` and parentheses; capitals make no difference.
        None selects everything. A whole id is a part of itself.

    Returns
    -------
    callable
        Takes an id and returns whether it is selected.

    Raises
    ------
    UsageError
        If the expression cannot be read, naming the word at which that shows.

    Examples
    --------
    >>> selector("adamw and not fused")("adamw.decoupling@torch.optim.AdamW:foreach[float32,cpu]")
    True
    """
    if expression is None:
        return lambda _: True
    reader = _Reader(expression)
    predicate = reader.alternatives()
    if reader.next is not None:
        raise reader.error("the end")
    return predicate


class _Reader:
    """Reads an expression by recursive descent."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _TOKEN.findall(expression.casefold())[::-1]

    @property
    def next(self) -> str | None:
        return self._tokens[-1] if self._tokens else None

    def _take(self, token: str) -> bool:
        if self.next == token:
            self._tokens.pop()
            return True
        return False

    def error(self, expected: str) -> UsageError:
        found = "the end" if self.next is None else repr(self.next)
        return UsageError(
            f"select must be parts of ids with and, or, not, got select={self._expression!r}: "
            f"expected {expected}, found {found}"
        )

    def alternatives(self) -> Predicate:
        left = self._conjunction()
        while self._take("or"):
            left = _either(left, self._conjunction())
        return left

    def _conjunction(self) -> Predicate:
        left = self._negation()
        while self._take("and"):
            left = _both(left, self._negation())
        return left

    def _negation(self) -> Predicate:
        if self._take("not"):
            inner = self._negation()
            return lambda id: not inner(id)
        if self._take("("):
            inside = self.alternatives()
            if not self._take(")"):
                raise self.error("')'")
            return inside
        word = self.next
        if word in (None, ")", "and", "or"):
            raise self.error("a part of an id")
        self._tokens.pop()
        return lambda id: str(word) in id.casefold()


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda id: left(id) or right(id)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda id: left(id) and right(id)
