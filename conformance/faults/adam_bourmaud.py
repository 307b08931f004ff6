"""Faults of Adam with its corrections written back: what a reader would rather have written, above all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.faults.adam import ADAM, AdamRule
from conformance.faults.programs import Array, Fault, Memory, Options, Program, Rule

__all__ = ["FAULTS", "LITERAL"]


def _written_back(rule: AdamRule, moments: tuple[str, ...] = ("exp_avg", "exp_avg_sq")) -> Rule:
    """Divide the averages by their corrections, and keep the quotients."""

    def step(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        zeros = np.zeros_like(theta)
        m = rule.first(memory.get("exp_avg", zeros), g, h)
        v = rule.second(memory.get("exp_avg_sq", zeros), g, m, h)
        first, second = rule.corrections(h, t)
        memory["exp_avg"] = m / first if "exp_avg" in moments else m
        memory["exp_avg_sq"] = v / second if "exp_avg_sq" in moments else v
        moved: Array = rule.move(theta, rule.ratio(m / first, v / second, 1.0, 1.0, h), h)
        return moved

    return step


LITERAL = _written_back(ADAM)


def _literal(id: str, story: str, rule: Rule) -> Fault:
    return Fault(f"adam_bourmaud_{id}", "adam_bourmaud_literal_k1", story, Program(rule))


FAULTS: tuple[Fault, ...] = (
    _literal("is_adam", "The corrected averages are kept apart, as in Adam.", ADAM),
    _literal("first_kept_apart", "Only the second moment is kept corrected.", _written_back(ADAM, ("exp_avg_sq",))),
    _literal("second_kept_apart", "Only the first moment is kept corrected.", _written_back(ADAM, ("exp_avg",))),
    _literal(
        "step_from_two",
        "The count of the corrections starts at 2.",
        _written_back(replace(ADAM, corrections=lambda h, t: (1 - h.beta1 ** (t + 1), 1 - h.beta2 ** (t + 1)))),
    ),
    _literal(
        "uncorrected",
        "The averages are used as they are.",
        _written_back(replace(ADAM, corrections=lambda h, t: (1.0, 1.0))),
    ),
    _literal(
        "eps_inside_root",
        "Epsilon is added inside the root.",
        _written_back(replace(ADAM, ratio=lambda m, v, c1, c2, h: m / np.sqrt(v + h.eps))),
    ),
)
