"""The shape in which claims give their inputs."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from properties.cases import Call, Training
from properties.claims import Space
from properties.strategies.calls import calls
from properties.strategies.trainings import Plan, planned_trainings

__all__ = ["Inputs", "called", "keyword", "trained"]

#: Cases of the quick profile, and the strategy of a check's keyword arguments, by kind of case.
Inputs = dict[str, tuple[Fraction | int, SearchStrategy[dict[str, Any]]]]


def keyword(name: str, strategy: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    """Pass what a strategy draws as one keyword argument."""
    return st.fixed_dictionaries({name: strategy})


def trained(
    plan: Plan, transform: Callable[[Training], Training] = lambda training: training
) -> Callable[[Space], Inputs]:
    """Return the inputs of a claim about one kind of training.

    Parameters
    ----------
    plan : Plan
    transform : callable
        Applied to each training drawn.
    """

    def inputs(space: Space) -> Inputs:
        strategy = planned_trainings(space.formula, space.dtype, plan).map(transform)
        return {"trainings": (plan.cases, keyword("training", strategy))}

    return inputs


def called(counts: dict[str, int], transform: Callable[[Call], Call] = lambda call: call) -> Callable[[Space], Inputs]:
    """Return the inputs of a claim about calls of some kinds.

    Parameters
    ----------
    counts : dict of str to int
        Cases of the quick profile by kind of call.
    transform : callable
        Applied to each call drawn.
    """

    def inputs(space: Space) -> Inputs:
        return {kind: (count, keyword("call", calls(space, kind).map(transform))) for kind, count in counts.items()}

    return inputs
