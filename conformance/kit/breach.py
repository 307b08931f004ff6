"""How an adapter fails: with what it promises, and what was seen instead."""

from __future__ import annotations

__all__ = ["Breach"]


class Breach(AssertionError):
    """An adapter does not keep a promise.

    Parameters
    ----------
    promise : str
        What it promises, as the object of a sentence.
    seen : str
        What was seen instead, as a clause.
    """

    def __init__(self, promise: str, seen: str) -> None:
        super().__init__(f"promises {promise}, but {seen}")
