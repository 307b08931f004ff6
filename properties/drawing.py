"""Drawing cases: the only way in which Hypothesis is run.

Every setting is given explicitly, so that no profile of the user's reaches a verdict.
"""

from __future__ import annotations

from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, strategies
from hypothesis.strategies import SearchStrategy

from properties.strategies.provider import BACKEND

__all__ = ["draw_cases"]

Case = TypeVar("Case")


def _settings(count: int) -> settings:
    return settings(
        max_examples=count,
        phases=(Phase.generate,),
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
    @seed(Random(seed_number).getrandbits(64))
    @_settings(count + 1)
    @given(_never_exhausted(strategy))
    def collect(drawn: tuple[Case, bool]) -> None:
        cases.append(drawn[0])

    if count:
        collect()
        if len(cases) <= count:
            raise RuntimeError(f"{strategy} gave {len(cases) - 1} cases for {count}")
    return cases[1 : count + 1]
