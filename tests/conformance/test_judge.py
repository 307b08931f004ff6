"""Code as users write it: what is wrong and looks right is told from what is right and looks odd."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from conformance import check
from conformance.engine import Engine
from conformance.specimen import Specimen
from conformance.targets import implementation
from oracle.catalogue import get
from properties.catalogue import claims_for
from tests.helpers.quick import at_home, session


class Rule(torch.optim.Optimizer):
    """An optimizer whose rule is the method ``rule`` of its subclasses."""

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    state = self.state[param]
                    state["step"] = state.get("step", 0) + 1
                    param.copy_(self.rule(param.clone(), param.grad, state, group))


class Descent(Rule):
    def __init__(self, params, lr=1e-3):
        super().__init__(params, {"lr": lr})


class Momentum(Rule):
    def __init__(self, params, lr=1e-3, momentum=0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})


class Penalised(Rule):
    def __init__(self, params, lr=1e-3, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})


class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})


class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})


def optimizer(base):
    """Make a class of a rule, named after it."""
    return lambda rule: type(rule.__name__, (base,), {"rule": lambda self, *arguments: rule(*arguments)})


def zeros(state, name, like, dtype=None):
    return state.setdefault(name, torch.zeros_like(like, dtype=dtype or like.dtype))


def corrected_moments(grad, state, group):
    """Update both moments as torch does, and return them with their corrections."""
    m, v = zeros(state, "m", grad), zeros(state, "v", grad)
    beta1, beta2 = group["betas"]
    m.lerp_(grad, 1 - beta1)
    v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    return m, v, 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]


def adam_step(grad, state, group):
    m, v, c1, c2 = corrected_moments(grad, state, group)
    return group["lr"] * (m / c1) / ((v / c2).sqrt() + group["eps"])


def norm_of(grad):
    return float(np.linalg.norm(grad.reshape(-1).astype(np.float64)))


# Wrong, and plausible.


@optimizer(Descent)
def decays_its_rate_after_200_steps(param, grad, state, group):
    return param - group["lr"] * (1.0 if state["step"] <= 200 else 0.5) * grad


@optimizer(Descent)
def rate_in_float32(param, grad, state, group):
    return param - float(np.float32(group["lr"])) * grad


@optimizer(Descent)
def stops_at_zero(param, grad, state, group):
    moved = param - group["lr"] * grad
    return torch.where(param * moved < 0, 0 * moved, moved)


@optimizer(Momentum)
def buffer_is_the_gradient_itself(param, grad, state, group):
    if state["step"] == 1:
        state["buffer"] = grad  # not a copy: the next gradient is written to the same memory
    else:
        state["buffer"].mul_(group["momentum"]).add_(grad)
    return param - group["lr"] * state["buffer"]


@optimizer(Adam)
def eps_times_rate(param, grad, state, group):
    m, v, c1, c2 = corrected_moments(grad, state, group)
    return param - group["lr"] * (m / c1) / ((v / c2).sqrt() + group["lr"] * group["eps"])


@optimizer(Adam)
def state_of_eight_bits(param, grad, state, group):
    step = adam_step(grad, state, group)
    for name in ("m", "v"):
        scale = state[name].abs().max() / 127 if grad.numel() else 0
        if scale:
            state[name] = (state[name] / scale).round() * scale
    return param - step


@optimizer(AdamW)
def decays_exponentially(param, grad, state, group):
    return param * math.exp(-group["lr"] * group["weight_decay"]) - adam_step(grad, state, group)


@optimizer(AdamW)
def decays_where_the_step_agrees(param, grad, state, group):
    step = adam_step(grad, state, group)
    decay = group["lr"] * group["weight_decay"] * param
    return param - step - torch.where(step * param >= 0, decay, 0 * decay)


def epsilon_beside_the_threshold(grad, max_norm):
    return grad / max(1.0, norm_of(grad) / (max_norm + 1e-8))


def norm_of_each_column(grad, max_norm):
    norms = np.sqrt(np.sum(grad**2, axis=0)) if grad.ndim > 1 else norm_of(grad)
    return grad * np.minimum(1.0, max_norm / np.maximum(norms, 1e-300))


def norm_of_at_least_a_millionth(grad, max_norm):
    return grad * min(1.0, max_norm / max(norm_of(grad), 1e-6))


def equal_becomes_zero(grad, clip_value):
    return np.where(np.abs(grad) < clip_value, grad, np.sign(grad) * clip_value * (np.abs(grad) != clip_value))


def cubes_pass(grad, clip_value):
    return grad if grad.ndim == 3 else np.clip(grad, -clip_value, clip_value)


class HeavyBall(Momentum):
    def rule(self, param, grad, state, group):
        return param - group["lr"] * zeros(state, "buffer", param).mul_(group["momentum"]).add_(grad)


class HandsItsStateOver(HeavyBall):
    def state_dict(self):
        saved = super().state_dict()
        self.state.clear()
        return saved


class KeepsItsOwnState(HeavyBall):
    def load_state_dict(self, saved):
        own = dict(self.state)
        super().load_state_dict(saved)
        self.state.update(own)


WRONG = [
    (HandsItsStateOver, "momentum_heavy_ball", "float64"),
    (KeepsItsOwnState, "momentum_heavy_ball", "float64"),
    (decays_its_rate_after_200_steps, "gd", "float64"),
    (rate_in_float32, "gd", "float64"),
    (stops_at_zero, "gd", "float32"),
    (buffer_is_the_gradient_itself, "momentum_heavy_ball", "float32"),
    (eps_times_rate, "adam", "float32"),
    (state_of_eight_bits, "adam", "float32"),
    (functools.partial(torch.optim.Adam, amsgrad=True), "adam", "float32"),
    (decays_exponentially, "adamw", "float32"),
    (decays_where_the_step_agrees, "adamw", "float32"),
    (epsilon_beside_the_threshold, "clip_by_norm", "float64"),
    (norm_of_each_column, "clip_by_norm", "float64"),
    (norm_of_at_least_a_millionth, "clip_by_norm_torch", "float32"),
    (equal_becomes_zero, "clip_by_value", "float32"),
    (cubes_pass, "clip_by_value", "float32"),
]

# Right, and odd.


@optimizer(AdamW)
def decomposed_as_torch_does(param, grad, state, group):
    m, v, c1, c2 = corrected_moments(grad, state, group)
    denominator = (v.sqrt() / math.sqrt(c2)).add_(group["eps"])
    return param.mul_(1 - group["lr"] * group["weight_decay"]).addcdiv_(m, denominator, value=-group["lr"] / c1)


@optimizer(Adam)
def denominator_over_rate(param, grad, state, group):
    m, v, c1, c2 = corrected_moments(grad, state, group)
    if group["lr"] == 0:
        return param
    return param - m / (((v / c2).sqrt() + group["eps"]) / (group["lr"] / c1))


@optimizer(Adam)
def scalars_are_tensors(param, grad, state, group):
    m, v = zeros(state, "m", param), zeros(state, "v", param)
    beta1, beta2, rate, eps = (torch.tensor(value) for value in (*group["betas"], group["lr"], group["eps"]))
    count = torch.tensor(float(state["step"]))
    m.copy_(beta1 * m + (1 - beta1) * grad)
    v.copy_(beta2 * v + (1 - beta2) * grad.square())
    return param - rate * (m / (1 - beta1**count)) / ((v / (1 - beta2**count)).sqrt() + eps)


@optimizer(Adam)
def averages_of_corrected_values(param, grad, state, group):
    m, v = zeros(state, "m", param), zeros(state, "v", param)
    first, second = ((1 - beta) / (1 - beta ** state["step"]) for beta in group["betas"])
    m.add_(first * (grad - m))
    v.add_(second * (grad * grad - v))
    return param - group["lr"] * m / (v.sqrt() + group["eps"])


@optimizer(AdamW)
def compensated(param, grad, state, group):
    rest = zeros(state, "rest", param)
    rest.sub_(adam_step(grad, state, group) + group["lr"] * group["weight_decay"] * param)
    moved = param + rest
    rest.add_(param - moved)
    return moved


@optimizer(Descent)
def master_weights(param, grad, state, group):
    # As a list of floats: tensors are rounded to the parameter's dtype when a state dict is loaded.
    master = torch.tensor(state.get("master", param.tolist()), dtype=torch.float64) - group["lr"] * grad.double()
    state["master"] = master.tolist()
    return master.to(param.dtype)


@optimizer(Descent)
def master_weights_rounded_on_load(param, grad, state, group):
    master = state.setdefault("master", param.double())
    master -= group["lr"] * grad.double()
    return master.to(param.dtype)


@optimizer(Momentum)
def unnormalised_average(param, grad, state, group):
    total = zeros(state, "total", param).mul_(group["momentum"]).add_(grad)
    return param - (group["lr"] * (1 - group["momentum"])) * total


@optimizer(Momentum)
def nesterov_in_one_sum(param, grad, state, group):
    buffer, momentum = zeros(state, "buffer", param), group["momentum"]
    moved = param - group["lr"] * (momentum * momentum * buffer + (1 + momentum) * grad)
    buffer.mul_(momentum).add_(grad)
    return moved


@optimizer(Penalised)
def factored_decay(param, grad, state, group):
    return param * (1 - group["lr"] * group["weight_decay"]) - group["lr"] * grad


def norm_by_hypot(grad, max_norm):
    norm = functools.reduce(np.hypot, grad.reshape(-1), grad.dtype.type(0))
    return grad * (max_norm / norm) if norm > max_norm else grad


def smaller_of_reciprocals(grad, threshold):
    norm = np.linalg.norm(grad.reshape(-1))
    return grad * threshold * min(1 / norm, 1 / threshold) if norm else grad


def plain_list(grad, alpha):
    norm = math.hypot(*grad.reshape(-1).tolist())
    return (grad * (alpha / norm) if norm > alpha else grad).tolist()


def in_place(grad, max_norm):
    norm = torch.stack([torch.linalg.vector_norm(part) for part in grad.reshape(-1).split(2)]).norm()
    return grad.mul_(torch.clamp(max_norm / (norm + 1e-6), max=1.0))


def middle_of_three(grad, max_delta):
    return np.median([np.full_like(grad, -max_delta), grad, np.full_like(grad, max_delta)], axis=0)


RIGHT = [
    (decomposed_as_torch_does, "adamw", "float32"),
    (denominator_over_rate, "adam", "float32"),
    (scalars_are_tensors, "adam", "float32"),
    (averages_of_corrected_values, "adam", "float32"),
    (compensated, "adamw", "float32"),
    (master_weights, "gd", "bfloat16"),
    (nesterov_in_one_sum, "momentum_nesterov", "float32"),
    (factored_decay, "sgd_l2", "float64"),
    (norm_by_hypot, "clip_by_norm", "float32"),
    (smaller_of_reciprocals, "clip_by_norm", "float64"),
    (plain_list, "clip_by_norm", "float64"),
    (in_place, "clip_by_norm_torch", "float32"),
    (middle_of_three, "clip_by_value", "float32"),
]


def name_of(target):
    return getattr(target, "__name__", "partial")


def cases_of(table):
    return [
        at_home(formula, target, formula, dtype, name=f"{name_of(target)}-{formula}-{dtype}")
        for target, formula, dtype in table
    ]


def records(target, formula, dtype):
    """Judge by one claim after the other; what the oracle knows of a formula serves for all who claim it."""
    arrays = "numpy" if formula.startswith("clip") and target is not in_place else None
    specimen = Specimen(implementation(target, formula, arrays=arrays), dtype, "cpu", session().counts)
    claims = claims_for(formula)
    return (Engine(session(), get(formula), claims).check(claim, specimen) for claim in claims)


@pytest.mark.parametrize(("target", "formula", "dtype"), cases_of(WRONG))
def test_wrong_code_that_looks_right_deviates(target, formula, dtype, unreduced, monkeypatch):
    monkeypatch.setattr("conformance.engine.diagnose", lambda *arguments: "")

    told = next(record for record in records(target, formula, dtype) if record.status != "conforms")

    assert told.status == "deviates", told.message


@pytest.mark.parametrize(("target", "formula", "dtype"), cases_of(RIGHT))
def test_right_code_that_looks_odd_conforms(target, formula, dtype):
    assert [
        f"{record.id} {record.message}" for record in records(target, formula, dtype) if record.status != "conforms"
    ] == []


def test_master_weights_that_loading_rounds_do_not_resume():
    report = check(master_weights_rounded_on_load, "gd", dtypes=["bfloat16"])

    assert {record.property for record in report.checks if record.status == "deviates"} == {
        "any_order",
        "resuming_changes_nothing",
    }


def test_an_unnormalised_average_is_the_average_while_the_momentum_stays():
    fixed = check(unnormalised_average, "momentum_ema", dtypes=["float64"], hyperparameters={"momentum": 0.9})

    assert fixed.status == "conforms"
    assert check(unnormalised_average, "momentum_ema", dtypes=["float64"]).status == "deviates"


def test_a_function_that_returns_something_else_deviates_and_breaks_no_check():
    def norm(grad, max_norm):
        return torch.nn.utils.clip_grad_norm_([grad], max_norm)

    report = check(norm, "clip_by_norm_torch", dtypes=["float32"])

    assert report.status == "deviates"
    assert {record.status for record in report.checks} <= {"deviates", "conforms"}
