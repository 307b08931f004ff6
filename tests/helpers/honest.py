"""Right implementations in odd forms, which no claim may call wrong: re-associated, lerped, unnormalised, folded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.faults.adagrad import ADAGRAD, ADAGRAD_INSIDE
from conformance.faults.adam import ADAM
from conformance.faults.adam_bourmaud import LITERAL
from conformance.faults.clipping import Clip
from conformance.faults.decay import ADAM_L2, ADAMW
from conformance.faults.descent import GD, HEAVY_BALL
from conformance.faults.dropout import Dropout
from conformance.faults.lion import LION, LION_LITERAL
from conformance.faults.normalization import BATCH_NORM, LAYER_NORM, RMS_NORM, STANDARDIZE, Norm, Recipe, Running
from conformance.faults.programs import Arithmetic, Program, Rule
from conformance.faults.rmsprop import RMSPROP, RMSPROP_INSIDE
from conformance.faults.schedules import Rates

__all__ = ["FORMS"]


def options_as(convert: Callable[[float], Any], rule: Rule) -> Rule:
    """Hand converted hyperparameters to a rule."""
    return lambda theta, g, memory, h, t: rule(
        theta, g, memory, SimpleNamespace(**{name: convert(value) for name, value in vars(h).items()}), t
    )


def repeated_reductions(t, peak_value, end_value, factor, improving_steps, patience):
    rate = peak_value
    for _ in range(max(0, t - improving_steps) // (patience + 1)):
        rate = min(rate, max(rate * factor, end_value))
    return rate


def plateau_by_powers(t, peak_value, end_value, factor, improving_steps, patience):
    reductions = max(0, t - improving_steps) // (patience + 1)
    return max(peak_value * math.exp(reductions * math.log(factor)), min(end_value, peak_value))


def identity(x, keep):
    return x


def above(random, shape, keep, memory):
    """Draw every unit for itself, by a number above the proportion removed."""
    return random.random(shape, dtype=np.float32) >= 1 - keep


def narrow_scalars(rule: Rule) -> Rule:
    """Compute with hyperparameters of the arrays' own type, as a GPU kernel does."""
    return lambda theta, g, memory, h, t: options_as(theta.dtype.type, rule)(theta, g, memory, h, t)


def moments(theta, g, memory, h):
    """Lerp both moments."""
    m, v = (memory.get(name, np.zeros_like(theta)) for name in ("exp_avg", "exp_avg_sq"))
    memory["exp_avg"] = m + (1 - h.beta1) * (g - m)
    memory["exp_avg_sq"] = v + (1 - h.beta2) * (g * g - v)
    return memory["exp_avg"], memory["exp_avg_sq"]


def folded_adam(theta, g, memory, h, t):
    m, v = moments(theta, g + getattr(h, "l2_penalty", 0.0) * theta, memory, h)
    root = np.sqrt(1 - h.beta2**t)
    size = h.learning_rate * getattr(h, "schedule_multiplier", 1.0) * root / (1 - h.beta1**t)
    decayed = theta * (1 - decay_rate(h))
    return decayed - size * m / (np.sqrt(v) + h.eps * root)


def unnormalised_adam(theta, g, memory, h, t):
    """Keep plain weighted sums, and scale them where they are read; multiply by reciprocals."""
    penalised = theta * getattr(h, "l2_penalty", 0.0) + g
    s = memory["s"] = h.beta1 * memory.get("s", np.zeros_like(theta)) + penalised
    q = memory["q"] = h.beta2 * memory.get("q", np.zeros_like(theta)) + penalised * penalised
    for name, beta in (("power1", h.beta1), ("power2", h.beta2)):
        memory[name] = memory.get(name, 1.0) * beta
    m = s * ((1 - h.beta1) / (1 - memory["power1"]))
    v = q * ((1 - h.beta2) / (1 - memory["power2"]))
    ratio = m * (1 / (np.sqrt(v) + h.eps))
    rate = h.learning_rate * getattr(h, "schedule_multiplier", 1.0)
    return theta - (rate * ratio + decay_rate(h) * theta)


def decay_rate(h):
    """Return what the parameters lose in a step, relative to their size."""
    decay = getattr(h, "weight_decay", 0.0)
    return decay * getattr(h, "schedule_multiplier", h.learning_rate)


def eps_hat(theta, g, memory, h, t):
    m, v = moments(theta, g, memory, h)
    return theta - (h.learning_rate / (1 - h.beta1**t)) * (m / ((np.sqrt(v) + h.eps) / np.sqrt(1 - h.beta2**t)))


def averaged(theta, g, memory, h, t):
    v = memory.get("v", np.zeros_like(theta))
    memory["v"] = v + (1 - h.momentum) * (g - v)
    return theta - h.learning_rate * memory["v"]


def distributed_heavy_ball(theta, g, memory, h, t):
    v = memory.get("v", np.zeros_like(theta))
    memory["v"] = g + v * h.momentum
    return theta - h.learning_rate * h.momentum * v - h.learning_rate * g


def dampened(theta, g, memory, h, t):
    v = memory["v"] = g.copy() if t == 1 else (1 - h.dampening) * g + h.momentum * memory["v"]
    return theta - h.learning_rate * v


def look_ahead(theta, g, memory, h, t):
    v = memory.get("v", np.zeros_like(theta))
    memory["v"] = h.momentum * v + g
    return theta - h.learning_rate * ((1 + h.momentum) * g + h.momentum * h.momentum * v)


def reciprocal_adagrad(theta, g, memory, h, t):
    s = memory["s"] = g * g + memory.get("s", np.zeros_like(theta))
    return theta + (-h.learning_rate) * (g * (1 / (np.sqrt(s) + h.eps)))


def lerped_rmsprop(theta, g, memory, h, t):
    v = memory.get("v", np.zeros_like(theta))
    memory["v"] = v + (1 - h.alpha) * (g * g - v)
    return theta - (h.learning_rate * g) / (np.sqrt(memory["v"]) + h.eps)


def unnormalised_rmsprop(theta, g, memory, h, t):
    """Keep the weighted sum, and let the root of its factor stand beside the learning rate and epsilon."""
    s = memory["s"] = h.alpha * memory.get("s", np.zeros_like(theta)) + g * g
    root = np.sqrt(1 - h.alpha)
    return theta - (h.learning_rate / root) * (g / (np.sqrt(s) + h.eps / root))


def written_back_adam(theta, g, memory, h, t):
    moments(theta, g, memory, h)
    memory["exp_avg"] = memory["exp_avg"] * (1 / (1 - h.beta1**t))
    memory["exp_avg_sq"] = memory["exp_avg_sq"] * (1 / (1 - h.beta2**t))
    return theta - h.learning_rate * (memory["exp_avg"] / (np.sqrt(memory["exp_avg_sq"]) + h.eps))


def lerped_lion(theta, g, memory, h, t):
    m = memory.get("m", np.zeros_like(theta))
    sign = np.sign(m + (1 - h.beta1) * (g - m))
    memory["m"] = m + (1 - h.beta2) * (g - m)
    return theta - h.learning_rate * (sign + h.weight_decay * theta)


def unnormalised_lion(theta, g, memory, h, t):
    """Keep the sum of gradients, and compare it with the gradient in its own scale."""
    s = memory.get("s", np.zeros_like(theta))
    sign = np.sign(h.beta1 * (1 - h.beta2) / (1 - h.beta1) * s + g)
    memory["s"] = h.beta2 * s + g
    return theta - h.learning_rate * h.weight_decay * theta - h.learning_rate * sign


def by_norm(added: float, form: str) -> Callable[..., Any]:
    def clip(g, limit):
        largest = np.max(np.abs(g), initial=0)
        if form == "scaled norm" and largest:
            norm = largest * np.sqrt(np.sum((g / largest) ** 2))
        else:
            norm = np.sqrt(np.sum(np.sort((g * g).reshape(-1))))
        norm = norm + added
        if form == "quotient":
            return g * limit / np.maximum(norm, limit) if max(norm, limit) else g
        return g * np.minimum(1, limit / norm) if norm else g

    return clip


def folded_norm(recipe: Recipe) -> Callable[..., Any]:
    """Scale and shift once: x s + (b - m s), with Welford's moments where the mean is subtracted."""

    def body(x, weight=1, bias=0, *, eps=0.0):
        turned = np.moveaxis(x, recipe.axis, 0)
        if recipe.centre is RMS_NORM.centre:
            middle, square = np.zeros_like(turned[0]), np.mean(turned * turned, axis=0)
        else:
            middle, square = welford(turned)
        scale = weight * (1 / np.sqrt(np.expand_dims(square, recipe.axis) + eps))
        return x * scale + (bias - np.expand_dims(middle, recipe.axis) * scale)

    return body


def welford(rows):
    """Mean and variance along the first axis, in one pass."""
    middle, total = np.zeros_like(rows[0]), np.zeros_like(rows[0])
    for count, row in enumerate(rows, start=1):
        before = row - middle
        middle = middle + before / count
        total = total + before * (row - middle)
    return middle, total / len(rows)


def in_one_pass(recipe: Recipe) -> Recipe:
    """Take the variance as the mean square less the square of the mean, and nothing below zero."""
    return replace(
        recipe,
        moment=lambda x, along: np.maximum(np.mean(x * x, **along) - np.mean(x, **along) ** 2, 0),
    )


def one_pass(x):
    return np.mean(x * x, axis=0) - np.mean(x, axis=0) ** 2


def corrected_average(old, new, momentum):
    return old + momentum * (new - old)


NORMS: Mapping[str, Recipe] = {
    "standardize_feature": STANDARDIZE,
    "batch_norm": BATCH_NORM,
    "layer_norm": LAYER_NORM,
    "rms_norm": RMS_NORM,
}
STATISTICS: Mapping[str, Callable[[Any], Any]] = {
    "batch_norm_running_mean": lambda x: welford(x)[0],
    "batch_norm_running_variance": lambda x: welford(x)[1] * len(x) / (len(x) - 1),
    "batch_norm_running_variance_biased": lambda x: welford(x)[1],
}


ONE_PASS: Mapping[str, Callable[[Any], Any]] = {
    "batch_norm_running_variance": lambda x: one_pass(x) * len(x) / (len(x) - 1),
    "batch_norm_running_variance_biased": one_pass,
}


def power_warmup(t, peak_value, end_value, warmup_steps):
    weight = t / warmup_steps if t < warmup_steps else warmup_steps**0.5 * t**-0.5
    return end_value * (1 - weight) + peak_value * weight


def distance_triangle(t, init_value, peak_value, half_cycle_steps):
    rest = t % (2 * half_cycle_steps)
    return init_value + min(rest, 2 * half_cycle_steps - rest) * ((peak_value - init_value) / half_cycle_steps)


def turning_triangle(t, init_value, peak_value, half_cycle_steps):
    turn = t / (2 * half_cycle_steps) % 1.0
    return peak_value - (peak_value - init_value) * abs(1 - 2 * turn)


def squared_restarts(t, peak_value, end_value, cycle_steps, cycle_growth):
    while t >= cycle_steps:
        t, cycle_steps = t - cycle_steps, cycle_steps * cycle_growth
    return peak_value - (peak_value - end_value) * math.sin(0.5 * math.pi * t / cycle_steps) ** 2


def factored_wave(t, peak_value, decay_steps):
    return peak_value * ((1 - 0.1) * (0.5 * (1 + math.cos(math.pi * min(t / decay_steps, 1.0)))) + 0.1)


def next_on_the_wave(rate, t, peak_value, decay_steps):
    """Go from one rate to the next, as torch does."""
    if t > decay_steps:
        return rate
    here, before = (1 + math.cos(math.pi * k / decay_steps) for k in (t, t - 1))
    return here / before * (rate - 0.1 * peak_value) + 0.1 * peak_value


def minimum_of_lines(t, peak_value, end_value, warmup_steps, decay_steps):
    if t < warmup_steps:
        return peak_value * (t / warmup_steps)
    part = min((t - warmup_steps) / decay_steps, 1.0)
    return part * end_value + (1.0 - part) * peak_value


def transformer_by_its_peak(t, model_width, warmup_steps):
    peak = 1 / math.sqrt(model_width * warmup_steps)
    return peak * min(t / warmup_steps, math.sqrt(warmup_steps / max(t, 1)))


class Stepwise:
    """A factory of schedules that begin at the peak and reach each rate from the one before."""

    def __init__(self, following):
        self.following = following

    def __call__(self, *, dtype, device):
        def schedule(steps, **hyperparameters):
            rates = [hyperparameters["peak_value"]]
            for step in range(1, steps.size):
                rates.append(self.following(rates[-1], step, **hyperparameters))
            arithmetic = Arithmetic(dtype)
            return np.array(arithmetic.store(np.array(rates)), dtype=np.float64)

        return schedule


def elementwise(function, x):
    return np.reshape(np.array([function(value) for value in np.ravel(x)], dtype=x.dtype), x.shape)


def stable_sigmoid(x):
    power = np.exp(-np.abs(x))
    return np.where(x < 0, power, 1) / (1 + power)


def gelu(x):
    return 0.5 * x + 0.5 * x * elementwise(math.erf, x / math.sqrt(2))


def log_softmax(s):
    shifted = s - np.max(s, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def logsumexp(s):
    largest = np.max(s, axis=-1, keepdims=True)
    return largest + np.log(np.sum(np.exp(s - largest), axis=-1, keepdims=True))


def overflowing_sigmoid(x):
    return np.exp(x) / (1 + np.exp(x))


def unshifted_softmax(s):
    return np.exp(s) / np.sum(np.exp(s), axis=-1, keepdims=True)


def unshifted_logsumexp(s):
    return np.log(np.sum(np.exp(s), axis=-1, keepdims=True))


def one_hot(s, y):
    return np.eye(s.shape[-1])[y.astype(int)]


def picked(rows, y):
    """The true class's element of each row."""
    return np.take_along_axis(rows, y.astype(int)[..., None], -1)[..., 0]


def through_probability(z, y):
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def remembered(x, hidden, cell, w, u, b):
    """Take all gates of one product, and add the biases before the last term."""
    rows, columns = np.hstack([hidden, x]), np.concatenate([u, w], axis=1)
    forget, entry, output, candidate = (rows @ columns[gate] + b[gate] for gate in range(4))
    return stable_sigmoid(entry) * np.tanh(candidate) + stable_sigmoid(forget) * cell, stable_sigmoid(output)


def softmax(s):
    powers = np.exp(s - np.max(s, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def jacobian_of_softmax(s, v):
    p = softmax(s)
    matrix = np.eye(s.shape[-1], dtype=s.dtype) * p[..., None] - p[..., None] * p[..., None, :]
    return (v[..., None, :] @ matrix)[..., 0, :]


def distributed_softmax_vjp(s, v):
    p = np.exp(log_softmax(s))
    return v * p - softmax(s) * np.sum(p * v, axis=-1, keepdims=True)


def half_gated(both):
    first, second = np.split(both, 2, axis=-1)
    return first / (1 + np.exp(-second))


ADAM_FORMS = {"folded": folded_adam, "unnormalised": unnormalised_adam, "narrow scalars": narrow_scalars(folded_adam)}

CURVES: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "relu": {"half of the sum": lambda x: 0.5 * x + 0.5 * np.abs(x)},
    "sigmoid": {
        "printed": lambda x: 1 / (1 + np.exp(-x)),
        "tangent": lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
        "stable": stable_sigmoid,
    },
    "silu": {"quotient": lambda x: x / (1 + np.exp(-x)), "tangent": lambda x: 0.5 * x + 0.5 * x * np.tanh(0.5 * x)},
    "gelu_sigmoid": {"quotient": lambda x: x / (1 + np.exp(-1.702 * x))},
    "gelu_tanh": {
        "factored": lambda x: 0.5 * x * (1 + np.tanh(x * (math.sqrt(2 / math.pi) * (1 + 0.044715 * x * x)))),
    },
    "gelu": {"complement": lambda x: 0.5 * x * elementwise(math.erfc, -x * math.sqrt(0.5))},
    "loss_squared_error": {"dot product": lambda s, y: np.dot((s - y).ravel(), (s - y).ravel())},
    "loss_mse": {"shares": lambda s, y: np.sum((s - y) ** 2 / s.size)},
    "loss_l1": {"larger less smaller": lambda s, y: np.sum(np.maximum(s, y) - np.minimum(s, y))},
    "loss_bce": {"log1p": lambda p, y: np.mean((y - 1) * np.log1p(-p) - y * np.log(p))},
    "bce_with_logits": {
        "complement": lambda z, y: np.mean((1 - y) * z - np.minimum(z, 0) + np.log1p(np.exp(-np.abs(z)))),
        "printed": lambda z, y: np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))),
    },
    "softmax": {
        "exponential": lambda s: np.exp(log_softmax(s)),
        "logsumexp": lambda s: np.exp(s - logsumexp(s)),
    },
    "loss_cross_entropy": {
        "added up": lambda s, y: -np.sum(one_hot(s, y) * log_softmax(s)) / len(s),
        "logsumexp": lambda s, y: np.mean(logsumexp(s)[..., 0] - picked(s, y)),
    },
    "ffn_swiglu": {"quotient": lambda x, w, v, w2: ((x @ v) * (x @ w) / (1 + np.exp(-(x @ w)))) @ w2},
    "lstm_cell": {"one product": lambda *arrays: remembered(*arrays)[0]},
    "lstm_hidden": {"one product": lambda *arrays: np.tanh(remembered(*arrays)[0]) * remembered(*arrays)[1]},
    "loss_combined": {
        "weighted residuals": lambda s, y, r, t, regression_weight: (
            np.sum(regression_weight * (r - t) ** 2)
            - np.mean(np.take_along_axis(log_softmax(s), y.astype(int)[:, None], -1))
        ),
    },
    "relu_vjp": {"masked": lambda x, v: v * (x > 0)},
    "sigmoid_vjp": {"printed": lambda x, v: v * stable_sigmoid(x) * (1 - stable_sigmoid(x))},
    "softmax_vjp": {"Jacobian": jacobian_of_softmax, "distributed": distributed_softmax_vjp},
    "linear_vjp_input": {"columns": lambda w, v: np.stack([v @ column for column in w.T], axis=-1)},
    "linear_vjp_weight": {"rows": lambda x, v: sum(np.outer(*pair) for pair in zip(v[::-1], x[::-1], strict=True))},
    "linear_vjp_bias": {"product of ones": lambda v: np.ones(len(v), dtype=v.dtype) @ v},
    "loss_squared_error_gradient": {"added": lambda s, y: (s - y) - (y - s)},
    "bce_with_logits_gradient": {"shares": lambda z, y: stable_sigmoid(z) / z.size - y / z.size},
    "loss_cross_entropy_gradient": {
        "shares": lambda s, y: np.exp(log_softmax(s)) / len(s) - one_hot(s, y) / len(s),
        "logsumexp": lambda s, y: (np.exp(s - logsumexp(s)) - one_hot(s, y)) / len(s),
    },
    "glu": {"side by side": lambda x, w, b, v, c: half_gated(x @ np.hstack([w, v]) + np.hstack([b, c]))},
    "geglu": {
        "last row first": lambda x, w, b, v, c: gelu((x[::-1] @ w)[::-1] + b) * (c + x @ v),
    },
    "swiglu": {"quotient": lambda x, w, b, v, c: (b + x @ w) * (c + x @ v) / (1 + np.exp(-(b + x @ w)))},
}

#: Factories by formula and form.
FORMS: Mapping[str, Mapping[str, Any]] = (
    {
        formula: {name: Program(rule) for name, rule in rules.items()}
        for formula, rules in {
            "gd": {
                "printed": GD,
                "negative rate": lambda theta, g, memory, h, t: theta + (-h.learning_rate) * g,
                "narrow scalars": narrow_scalars(GD),
            },
            "momentum_ema": {"lerp": averaged, "narrow scalars": narrow_scalars(averaged)},
            "momentum_heavy_ball": {"printed": HEAVY_BALL, "distributed": distributed_heavy_ball},
            "momentum_torch_dampening": {"swapped sum": dampened},
            "momentum_nesterov": {"one sum": look_ahead},
            "sgd_l2": {
                "factored": lambda theta, g, memory, h, t: (
                    theta * (1 - h.learning_rate * h.l2_penalty) - h.learning_rate * g
                )
            },
            "weight_decay_unscaled": {
                "factored": lambda theta, g, memory, h, t: theta * (1 - h.weight_decay) - h.learning_rate * g
            },
            "adam": {"printed": ADAM, **ADAM_FORMS},
            "adam_eps_hat": {"lerp": eps_hat},
            "adam_l2": {"printed": ADAM_L2, **ADAM_FORMS},
            "adamw": {"printed": ADAMW, **ADAM_FORMS},
            "adamw_paper_scaling": ADAM_FORMS,
            "adagrad": {
                "printed": ADAGRAD,
                "reciprocal": reciprocal_adagrad,
                "narrow scalars": narrow_scalars(ADAGRAD),
            },
            "adagrad_eps_inside": {"printed": ADAGRAD_INSIDE, "narrow scalars": narrow_scalars(ADAGRAD_INSIDE)},
            "rmsprop": {
                "printed": RMSPROP,
                "lerp": lerped_rmsprop,
                "unnormalised": unnormalised_rmsprop,
                "narrow scalars": narrow_scalars(RMSPROP),
            },
            "rmsprop_eps_inside": {"printed": RMSPROP_INSIDE, "narrow scalars": narrow_scalars(RMSPROP_INSIDE)},
            "adam_bourmaud_literal_k1": {"printed": LITERAL, "reciprocals": written_back_adam},
            "lion": {
                "printed": LION,
                "lerp": lerped_lion,
                "unnormalised": unnormalised_lion,
                "narrow scalars": narrow_scalars(LION),
            },
            "lion_literal_ct": {"printed": LION_LITERAL, "narrow scalars": narrow_scalars(LION_LITERAL)},
        }.items()
    }
    | {
        "schedule_constant": {"returned": Rates(lambda t, init_value: init_value)},
        "schedule_classic_warmup": {"powers": Rates(power_warmup)},
        "schedule_triangular": {"distance": Rates(distance_triangle), "turns": Rates(turning_triangle)},
        "schedule_cosine_restarts": {"square": Rates(squared_restarts)},
        "schedule_cosine_to_10pct": {"one factor": Rates(factored_wave), "recursive": Stepwise(next_on_the_wave)},
        "schedule_linear_decay_warmup": {"minimum": Rates(minimum_of_lines)},
        "schedule_transformer": {"peak": Rates(transformer_by_its_peak)},
        "schedule_reduce_on_plateau": {
            "repeated": Rates(repeated_reductions),
            "power": Rates(plateau_by_powers),
        },
        "clip_by_value": {
            "bounds": Clip(lambda g, c: np.maximum(-c, np.minimum(g, c))),
            "sign and magnitude": Clip(lambda g, c: np.copysign(np.minimum(np.abs(g), c), g)),
        },
        "clip_by_norm": {form: Clip(by_norm(0.0, form)) for form in ("minimum", "scaled norm", "quotient")},
        "clip_by_norm_torch": {form: Clip(by_norm(1e-6, form)) for form in ("minimum", "scaled norm", "quotient")},
    }
    | {
        "dropout_inverted": {
            "quotient": Dropout(lambda x, mask, keep: mask * x / x.dtype.type(keep), identity),
            "scaled mask": Dropout(lambda x, mask, keep: x * (mask / x.dtype.type(keep)), identity),
            "reciprocal": Dropout(lambda x, mask, keep: np.where(mask, x * (1 / x.dtype.type(keep)), 0), identity),
            "counted from the other end": Dropout(lambda x, mask, keep: mask * x / x.dtype.type(keep), identity, above),
        },
        "dropout_keep_proportion": {
            "product": Dropout(lambda x, mask, keep: mask * x, lambda x, keep: x * x.dtype.type(keep)),
            "difference": Dropout(lambda x, mask, keep: x - ~mask * x, lambda x, keep: x.dtype.type(keep) * x),
        },
    }
    | {formula: {"printed": Norm(recipe), "folded": Norm(folded_norm(recipe))} for formula, recipe in NORMS.items()}
    | {
        formula: {"two products": Norm(Running(statistic)), "correction": Norm(Running(statistic, corrected_average))}
        for formula, statistic in STATISTICS.items()
    }
    | {formula: {name: Norm(body) for name, body in forms.items()} for formula, forms in CURVES.items()}
)

#: Factories by formula and unstable evaluation: honest only where this is claimed.
UNSTABLE: Mapping[tuple[str, str], tuple[Any, ...]] = {
    **{
        (formula, "one_pass"): (Norm(in_one_pass(recipe)),)
        for formula, recipe in NORMS.items()
        if formula != "rms_norm"
    },
    **{(formula, "one_pass"): (Norm(Running(statistic)),) for formula, statistic in ONE_PASS.items()},
    **{
        claimed: tuple(map(Norm, bodies))
        for claimed, bodies in {
            ("sigmoid", "overflowing"): (overflowing_sigmoid,),
            ("silu", "overflowing"): (lambda x: x * overflowing_sigmoid(x),),
            ("gelu_sigmoid", "overflowing"): (lambda x: x * overflowing_sigmoid(1.702 * x),),
            ("softmax", "unshifted"): (unshifted_softmax, lambda s: np.exp(s - unshifted_logsumexp(s))),
            ("loss_cross_entropy", "unshifted"): (
                lambda s, y: np.mean(unshifted_logsumexp(s)[..., 0] - picked(s, y)),
                lambda s, y: -np.mean(np.log(picked(unshifted_softmax(s), y))),
            ),
            ("loss_cross_entropy", "through_probability"): (
                lambda s, y: -np.mean(np.log(picked(np.exp(log_softmax(s)), y))),
            ),
            ("loss_cross_entropy_gradient", "unshifted"): (
                lambda s, y: (unshifted_softmax(s) - one_hot(s, y)) / len(s),
            ),
            ("loss_combined", "unshifted"): (
                lambda s, y, r, t, regression_weight: (
                    np.mean(unshifted_logsumexp(s)[..., 0] - picked(s, y)) + regression_weight * np.sum((r - t) ** 2)
                ),
            ),
            ("loss_combined", "through_probability"): (
                lambda s, y, r, t, regression_weight: (
                    regression_weight * np.sum((r - t) ** 2) - np.mean(np.log(picked(np.exp(log_softmax(s)), y)))
                ),
            ),
            ("bce_with_logits", "unshifted"): (lambda z, y: np.mean(np.log(1 + np.exp(z)) - y * z),),
            ("bce_with_logits", "through_probability"): (through_probability,),
        }.items()
    },
}
