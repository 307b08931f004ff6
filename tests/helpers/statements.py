"""Tests of the documents' statements: each comes with false variants, on which the same test must fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

__all__ = ["statement"]


def statement(
    *ids: str, false: Mapping[str, Mapping[str, Any]]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a test of statements, and with it one test for each false variant.

    Parameters
    ----------
    *ids : str
        Ids as in ``oracle/statements.toml``: ``adam.P3``, ``D012``, or an entry's own.
    false : mapping of str to mapping
        By a name in words, the arguments that make the statement wrong (another formula, weight, constant or
        exponent): with each of them the test must raise `AssertionError`, and nothing else.

    Returns
    -------
    decorator
        Of a test whose arguments all have defaults, those of the true statement.
    """
    if not false:
        raise TypeError(f"a test of {', '.join(ids)} that nothing could fail says nothing: give a false variant")

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @pytest.mark.parametrize("variant", ["as stated", *false])
        def run(variant: str) -> None:
            if variant == "as stated":
                test()
                return
            with pytest.raises(AssertionError):
                test(**false[variant])

        run.__name__ = run.__qualname__ = test.__name__
        run.__doc__ = test.__doc__
        run.__module__ = test.__module__
        run.statement_ids = ids  # type: ignore[attr-defined]
        return run

    return decorate
