"""Small claims and subjects, to judge with few cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.backends import Implementation
from conformance.engine import Engine
from conformance.faults.descent import GD
from conformance.faults.programs import Bookkeeping, Program
from conformance.records import CheckRecord
from conformance.session import Session
from conformance.specimen import Specimen
from oracle import catalogue
from properties.cases import Step, Training
from properties.claims import Claim, Space, claim
from properties.differential import function_follows_the_formula, optimizer_follows_the_formula
from properties.strategies.calls import calls
from properties.strategies.inputs import Inputs, keyword
from properties.strategies.trainings import Plan, planned_trainings
from properties.subject import Floats, Group

__all__ = [
    "FEW",
    "FEW_CALLS",
    "HONEST",
    "Spoilt",
    "a_training",
    "array",
    "few_of",
    "implementation",
    "judged",
    "only",
    "rule_from",
]

HONEST = Program(GD)


def few_of(plan: Plan) -> Callable[[Space], Inputs]:
    """Inputs of a claim about trainings after one plan."""

    def inputs(space: Space) -> Inputs:
        strategy = planned_trainings(space.formula, space.dtype, plan)
        return {"trainings": (plan.cases, keyword("training", strategy))}

    return inputs


def only(training: Training) -> Callable[[Space], Inputs]:
    """Inputs of a claim about one training."""
    return lambda space: {"only": (1, st.just({"training": training}))}


def a_training(hyperparameters: Mapping[str, float], params: list[float], grads: list[list[float]]) -> Training:
    """A training of one tensor."""
    steps = tuple(Step((np.array(grad),)) for grad in grads)
    return Training((np.array(params),), (Group((0,), hyperparameters),), steps)


#: The differential claims of the catalogue, with few cases.
FEW: Claim = claim(
    "follows_the_formula",
    kind="differential",
    formulas=("gd",),
    statement="",
    source="",
    inputs=few_of(Plan(6, steps=(1, 3))),
    catches=(),
)(optimizer_follows_the_formula.check)
FEW_CALLS: Claim = claim(
    "follows_the_formula",
    kind="differential",
    formulas=("clip_by_value",),
    statement="",
    source="",
    inputs=lambda space: {"short": (16, keyword("call", calls(space, "short")))},
    catches=(),
)(function_follows_the_formula.check)


def rule_from(rule: Callable[..., Any]) -> Program:
    """A program of a rule on parameter, gradient and options alone."""
    return Program(lambda theta, g, memory, h, t: rule(theta, g, h))


class Spoilt:
    """A factory of honest subjects, with something done before each step."""

    def __init__(self, before: Callable[[Bookkeeping, Sequence[Floats | None]], object]) -> None:
        self.before = before

    def __call__(self, params, groups, *, dtype, device):
        subject = HONEST(params, groups, dtype=dtype, device=device)
        step = subject.step

        def spoilt_step(grads):
            self.before(subject, grads)
            step(grads)

        subject.step = spoilt_step
        return subject


def implementation(factory: Any, formula: str = "gd", label: str = "mine", **changes: Any) -> Implementation:
    """An implementation of a formula in every dtype."""
    return Implementation(
        formula, label, factory, **{"dtypes": ("float64", "float32", "bfloat16", "float16"), **changes}
    )


def judged(
    subject: Any,
    claims: Sequence[Claim] = (FEW,),
    *,
    dtype: str = "float64",
    session: Session | None = None,
    precision: Any = None,
) -> CheckRecord:
    """The record of the last of the claims, for an implementation or a factory."""
    entry = subject if isinstance(subject, Implementation) else implementation(subject)
    session = session or Session("quick", 0)
    engine = Engine(session, catalogue.get(entry.formula), claims, precision=precision)
    return engine.check(claims[-1], Specimen(entry, dtype, "cpu", session.counts))


def array(*values: float) -> Floats:
    """A float64 array."""
    return np.array(values)
