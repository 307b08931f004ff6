"""Drawing cases, and shrinking the one that fails: the only two ways in which Hypothesis is run.

Every setting is given explicitly, so that no profile of the user's reaches a verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, find, given, seed, settings, strategies
from hypothesis.errors import Flaky, NoSuchExample
from hypothesis.strategies import SearchStrategy

from properties.strategies.provider import BACKEND

__all__ = ["draw_cases", "shrink"]

Case = TypeVar("Case")


class _BudgetSpent(BaseException):
    """Leaves Hypothesis, which would take any `Exception` for a failure of the predicate."""


def _settings(count: int, *phases: Phase) -> settings:
    return settings(
        max_examples=count,
        phases=phases,
        backend=BACKEND,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        stateful_step_count=50,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )


def _never_exhausted(strategy: SearchStrategy[Case]) -> SearchStrategy[tuple[Case, bool]]:
    """Add a choice, without which Hypothesis would stop after the one case of a strategy that has no more."""
    return strategies.tuples(strategy, strategies.booleans())


def _hypothesis_seed(number: int) -> int:
    """Return what `hypothesis.find` makes of ``Random(number)``, so that both ways draw the same cases."""
    return Random(number).getrandbits(64)


def draw_cases(strategy: SearchStrategy[Case], count: int, seed_number: int) -> list[Case]:
    """Draw cases that depend on the strategy, the count and the seed alone.

    Parameters
    ----------
    strategy : SearchStrategy
        Must not filter so much that Hypothesis gives up.
    count : int
        At least 0.
    seed_number : int

    Returns
    -------
    list
        Exactly ``count`` cases, repetitions included where the strategy has few.

    Raises
    ------
    RuntimeError, hypothesis.errors.Unsatisfiable
        If the strategy rejected too many, or all, of its own draws.
    """
    cases: list[Case] = []

    # Hypothesis begins with the simplest case, which says little and is left out.
    @seed(_hypothesis_seed(seed_number))
    @_settings(count + 1, Phase.generate)
    @given(_never_exhausted(strategy))
    def collect(drawn: tuple[Case, bool]) -> None:
        cases.append(drawn[0])

    if count:
        collect()
        if len(cases) <= count:
            raise RuntimeError(f"{strategy} gave {len(cases) - 1} cases for {count}")
    return cases[1 : count + 1]


def shrink(
    strategy: SearchStrategy[Case], fails: Callable[[Case], bool], count: int, seed_number: int, budget: int
) -> Case | None:
    """Find a small failing case among those that `draw_cases` gives, and what they shrink to.

    Parameters
    ----------
    strategy, count, seed_number
        As they were given to `draw_cases`.
    fails : callable
        Whether a case fails.
    budget : int
        Largest number of calls of ``fails``.

    Returns
    -------
    case or None
        The smallest failing case found; None if none failed within the budget, or one did not do so again.
    """
    smallest: list[Case] = []
    calls = 0

    def counted(drawn: tuple[Case, bool]) -> bool:
        nonlocal calls
        case, _ = drawn
        if calls == budget:
            raise _BudgetSpent
        calls += 1
        if fails(case):
            smallest[:] = [case]
            return True
        return False

    try:
        case, _ = find(
            _never_exhausted(strategy),
            counted,
            settings=_settings(count + 1, Phase.generate, Phase.shrink),
            random=Random(seed_number),
        )
    except (NoSuchExample, Flaky):
        return None
    except _BudgetSpent:
        return smallest[0] if smallest else None
    return case
