"""Numpy optimizers for every point of every lattice, written from its description and not from its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from conformance.faults.programs import Program
from oracle.dialects.lattice import Dialect

__all__ = ["STYLES", "speaker"]

Style = str

#: Ways to write the same program.
STYLES: tuple[Style, ...] = ("printed", "interpolated", "regrouped", "unnormalised", "float32 scalars")


def speaker(dialect: Dialect, style: Style = "printed") -> Program:
    """Return a factory of optimizers that speak a dialect of a lattice, in one of the `STYLES`."""
    rule = {"adam": _adam, "momentum": _momentum, "adaptive": _adaptive, "lion": _lion}[dialect.lattice.name]
    return Program(rule(dialect.values, style))


def _scalars(h: Any, style: Style) -> Any:
    """Return hyperparameters, in float32 if scalars are."""
    if style != "float32 scalars":
        return h
    rounded = {name: np.float64(np.float32(value)) for name, value in vars(h).items()}
    return type(h)(**rounded)


def _weight(beta: float, t: int, style: Style) -> Any:
    """Return the weight that an average has gathered, perhaps in float32."""
    if style != "float32 scalars":
        return 1 - beta**t
    return np.float64(np.float32(1) - np.float32(beta) ** np.float32(t))


class _Average:
    """A moving average from zero, written in one of the styles; `start` is what it starts from instead."""

    def __init__(self, name: str, style: Style) -> None:
        self.name, self.style = name, style

    def __call__(self, memory: dict[str, Any], beta: float, new: Any, start: float = 0.0) -> Any:
        old = memory.get(self.name, np.full_like(new, start))
        if self.style == "unnormalised" and not start:
            memory[self.name] = beta * old + new
            return (1 - beta) * memory[self.name]
        if self.style == "interpolated":
            memory[self.name] = old + (1 - beta) * (new - old)
        elif self.style == "regrouped":
            memory[self.name] = new - beta * (new - old)
        else:
            memory[self.name] = beta * old + (1 - beta) * new
        return memory[self.name]


def _decayed(theta: Any, rate: float, decay: float, words: str, style: Style) -> Any:
    """Return what a decoupled decay leaves of the parameters."""
    factor = decay if "without the learning rate" in words else rate * decay
    return theta * (1 - factor) if style == "regrouped" else theta - factor * theta


def _moved(theta: Any, update: Any, rate: float, decay: float, words: str, style: Style) -> Any:
    """Return the parameters after a step and a decoupled decay, in the order that the words say."""
    if not words.startswith("decoupled"):
        return theta - update
    if words.endswith("after the step"):
        return _decayed(theta - update, rate, decay, words, style)
    return _decayed(theta, rate, decay, words, style) - update


def _adam(values: Mapping[str, str], style: Style) -> Callable[..., Any]:
    epsilon, correction, count = values["epsilon"], values["bias correction"], values["step count"]
    second_words, first_words = values["second moment"], values["first moment"]
    back, decay_words = values["kept for the next step"] == "the corrected moments", values["weight decay"]
    first, second = _Average("m", style), _Average("v", style)
    if back:  # what is written back is no plain average
        first, second = _Average("m", "printed"), _Average("v", "printed")
    correct_first = correction in ("of both moments", "of the first moment alone")
    correct_second = correction in ("of both moments", "of the second moment alone")

    def rule(theta: Any, g: Any, memory: dict[str, Any], options: Any, t: int) -> Any:
        h = _scalars(options, style)
        rate, eps, decay = h.learning_rate, h.eps, h.weight_decay
        if decay_words.startswith("L2"):
            g = g + decay * theta
        k = {"starts at 1": t, "starts at 2": t + 1, "stays at 1 for two steps": max(t - 1, 1)}[count]
        one = _weight(h.beta1, k, style) if correct_first else 1.0
        two = _weight(h.beta2, k, style) if correct_second else 1.0
        m, v = first(memory, h.beta1, g), second(memory, h.beta2, g * g)
        if back:
            m = memory["m"] = m / one
            v = memory["v"] = v / two
            one = 1.0
        if first_words == "one step ahead (Nesterov)":
            m = h.beta1 * m + (1 - h.beta1) * g
        if first_words.startswith("one step ahead, each"):
            after = _weight(h.beta1, k + 1, style) if correct_first else 1.0
            m, one = h.beta1 * m / after + (1 - h.beta1) * g / one, 1.0
        if second_words.startswith("largest so far"):
            v = memory["largest"] = np.maximum(memory.get("largest", 0 * v), v)
        if not back:
            v = v / two
        if second_words.startswith("largest of the corrected"):
            v = memory["largest"] = np.maximum(memory.get("largest", 0 * v), v)
        early = "before the bias correction" in epsilon
        if epsilon.startswith("inside"):
            bottom = np.sqrt(v + (eps / two if early else eps))
        elif epsilon == "absent":
            bottom = np.sqrt(v)
        elif epsilon == "a floor of the root":
            bottom = np.maximum(np.sqrt(v), eps)
        else:
            bottom = np.sqrt(v) + (eps / np.sqrt(two) if early else eps)
        top = m / one + decay * theta if decay_words.startswith("in the numerator") else m / one
        if style == "regrouped" and not decay_words.startswith("in the numerator"):
            update = (rate / one) * m / bottom
        else:
            update = rate * top / bottom
        update = np.where((top == 0) & (bottom == 0), 0.0, update)
        return _moved(theta, update, rate, decay, decay_words, style)

    return rule


def _momentum(values: Mapping[str, str], style: Style) -> Callable[..., Any]:
    memory_words, step, decay_words = values["momentum"], values["step"], values["weight decay"]
    inside, corrected = values["learning rate"].startswith("inside"), values["bias correction"] != "none"
    whole_first = memory_words.endswith("starts with the whole gradient")
    average = _Average("v", style)

    def rule(theta: Any, g: Any, memory: dict[str, Any], options: Any, t: int) -> Any:
        h = _scalars(options, style)
        rate, mu, decay = h.learning_rate, h.momentum, h.weight_decay
        if decay_words.startswith("L2"):
            g = g + decay * theta
        g = rate * g if inside else g
        entering = (1 - h.dampening) * g if memory_words.startswith("dampened") else g
        if memory_words == "none" or (whole_first and t == 1):
            v = memory["v"] = 1.0 * g
            if style == "unnormalised" and memory_words.startswith("moving average"):
                memory["v"] = g / (1 - mu)
        elif memory_words.startswith("moving average"):
            v = average(memory, mu, g)
        else:
            v = memory["v"] = mu * memory.get("v", 0 * g) + entering
        if memory_words.startswith("moving average"):
            entering = (1 - mu) * g
        along = v
        if step.endswith("(Nesterov)") and memory_words != "none":
            along = entering + mu * v
        if corrected:
            along = along / _weight(mu, t, style)
        if step == "along the sign of the velocity":
            along = np.sign(along)
        update = along if inside else rate * along
        return _moved(theta, update, rate, decay, decay_words, style)

    return rule


def _adaptive(values: Mapping[str, str], style: Style) -> Callable[..., Any]:
    summed, epsilon = values["squares"].startswith("summed"), values["epsilon"]
    start_words, corrected = values["start of the squares"], values["bias correction"] != "none"
    centered, momentum = values["centered"] == "yes", values["momentum"]
    decay_words = values["weight decay"]
    squares, means = _Average("v", style), _Average("mean", style)

    def rule(theta: Any, g: Any, memory: dict[str, Any], options: Any, t: int) -> Any:
        h = _scalars(options, style)
        rate, eps, decay = h.learning_rate, h.eps, h.weight_decay
        if decay_words.startswith("L2"):
            g = g + decay * theta
        start = h.initial_accumulator if start_words == "the initial accumulator" else float(start_words)
        if summed:
            v = memory["v"] = memory.get("v", start + 0 * g) + g * g
        else:
            v = squares(memory, h.alpha, g * g, start)
        if corrected:
            v = v / _weight(h.alpha, t, style)
        if centered:
            v = v - means(memory, h.alpha, g) ** 2
        if epsilon == "inside the root":
            bottom = np.sqrt(v + eps)
        elif epsilon == "absent":
            bottom = np.sqrt(v)
        elif epsilon == "a floor of the root":
            bottom = np.maximum(np.sqrt(v), eps)
        else:
            bottom = np.sqrt(v) + eps
        top = rate * g if momentum != "of the quotients" else g
        update = np.where((top == 0) & (bottom == 0), 0.0, top / bottom)
        if momentum != "none":
            update = memory["velocity"] = h.momentum * memory.get("velocity", 0 * g) + update
        if momentum == "of the quotients":
            update = rate * update
        return _moved(theta, update, rate, decay, decay_words, style)

    return rule


def _lion(values: Mapping[str, str], style: Style) -> Callable[..., Any]:
    words, zero, decay_words = values["sign"], values["sign of zero"], values["weight decay"]
    average = _Average("m", style)

    def rule(theta: Any, g: Any, memory: dict[str, Any], options: Any, t: int) -> Any:
        h = _scalars(options, style)
        if decay_words.startswith("L2"):
            g = g + h.weight_decay * theta
        old = memory.get("old", 0 * g)
        direction = h.beta1 * old + (1 - h.beta1) * g
        new = memory["old"] = average(memory, h.beta2, g)
        along = {
            "of the interpolated gradient": direction,
            "of the interpolated gradient of the step before": memory.get("direction", 0 * g),
            "of the new average": new,
            "of the old average": old,
        }[words]
        memory["direction"] = direction
        sign = np.where(along >= 0, 1.0, -1.0) if zero == "1" else np.sign(along)
        return _moved(theta, h.learning_rate * sign, h.learning_rate, h.weight_decay, decay_words, style)

    return rule
