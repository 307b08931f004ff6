"""Inputs that look for trouble: magnitudes over the whole range, sudden jumps, zeros, betas near both ends."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from oracle.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS, Format, Precision, precision_models
from tests.helpers.programs.kit import Floats

__all__ = ["Clipping", "Training", "draw_clipping", "draw_training", "generator", "mild_training", "precisions"]

_LARGEST_BETA = 1.0 - 2.0**-20
_BETAS = (0.0, 0.1, 0.3, 0.5, 0.6, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, _LARGEST_BETA)
_HALF_BETAS = (0.0, 0.1, 0.3, 0.5, 0.75, 0.9, 0.99)


@dataclass(frozen=True, eq=False)
class Training:
    """Parameters, gradients and hyperparameters, one set for each step."""

    param: Floats
    grads: tuple[Floats, ...]
    hyperparameters: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, eq=False)
class Clipping:
    """An array and the threshold it is clipped to."""

    grad: Floats
    threshold: float


def generator(entropy: int, *names: str) -> np.random.Generator:
    """Return a generator that draws from the names of what it is for, and from the entropy of the run."""
    return np.random.default_rng([zlib.crc32("/".join(names).encode()), entropy])


def precisions(dtype: str) -> tuple[Precision, ...]:
    """Every precision in which programs for a dtype are written: the models, and less usual ones.

    Parameters
    ----------
    dtype : str
        A key of `FORMATS`.
    """
    form = FORMATS[dtype]
    models = precision_models(dtype)
    if form in (FLOAT64, FLOAT32):
        return models
    inside = models[0]
    return (
        *models,
        Precision(form, form, FLOAT64, entry=FLOAT32),  # a loop whose scalars meet arrays in float32
        replace(inside, entry=form),  # a fused kernel that casts its scalars to the dtype
        Precision(form, form, form),
        Precision(form, form, FLOAT64, accumulate=form),
    )


def draw_training(rng: np.random.Generator, names: tuple[str, ...], form: Format, *, elements: int = 16) -> Training:
    """Draw a hostile training.

    Parameters
    ----------
    rng : numpy.random.Generator
    names : tuple of str
        Hyperparameters of the formula.
    form : Format
        Storage format; all arrays are exact in it.
    elements : int
    """
    steps = int(rng.choice([1, 2, 3, 5, 12, 40], p=[0.33, 0.17, 0.17, 0.16, 0.15, 0.02]))
    size = _magnitude(rng, form)
    grads = rng.normal(size=(steps, elements)) * size
    shape = rng.integers(8)
    if shape == 1:
        with np.errstate(over="ignore"):  # what leaves the range is brought back below
            grads *= 10.0 ** rng.uniform(-3, 3, grads.shape)
    elif shape == 2:
        grads[rng.random(grads.shape) < 0.5] = 0.0
    elif shape == 3:
        grads[1:] *= 10.0 ** rng.uniform(-6, 0)  # little after much: what a correction form forgets
    elif shape == 4:
        grads = np.abs(grads)
    elif shape == 5:
        grads[:] = grads[0] * np.where(rng.random(grads.shape) < 0.5, -1.0, 1.0)
    elif shape == 6:
        grads = np.copysign(2.0 ** rng.integers(_low(form), _high(form), grads.shape), grads)
    first = _hyperparameters(rng, names, form, size)
    if shape == 7:  # what has been gathered cancels against the next gradient, almost
        grads[1:2] = -_gathered(first) * grads[:1] * (1 + 2.0 ** rng.uniform(-form.bits - 2, 0, elements))
    scale = float(rng.choice([0.0, 0.0, 1e-6, 1e-3, 1.0, 1.0, 100.0, size]))
    values = [first] * steps
    if rng.random() < 0.2:
        values = [{**first, "learning_rate": first["learning_rate"] * float(2.0 ** rng.uniform(-3, 3))} for _ in values]
    return Training(
        _within(form, rng.normal(size=elements) * scale),
        tuple(_within(form, grad) for grad in grads),
        tuple(values),
    )


def mild_training(rng: np.random.Generator, names: tuple[str, ...], form: Format) -> Training:
    """Draw one step from small parameters, where the bound is at its sharpest."""
    elements = int(rng.integers(1, 5))
    grads = np.copysign(rng.uniform(0.25, 4.0, elements), rng.normal(size=elements))
    param = rng.normal(size=elements) * float(rng.choice([0.0, 1.0]))
    betas = (0.25, 0.5, 0.75, 0.9)
    values = {
        "learning_rate": float(rng.uniform(0.1, 1.0)),
        "schedule_multiplier": float(rng.uniform(0.25, 1.0)),
        "beta1": float(rng.choice(betas)),
        "beta2": float(rng.choice(betas)),
        "alpha": float(rng.choice(betas)),
        "momentum": float(rng.choice(betas)),
        "dampening": float(rng.choice(betas)),
        "eps": float(rng.uniform(0.1, 1.0)),
        "weight_decay": float(rng.choice([0.0, 0.1])),
        "l2_penalty": float(rng.choice([0.0, 0.1])),
    }
    return Training(_within(form, param), (_within(form, grads),), ({name: values[name] for name in names},))


def draw_clipping(
    rng: np.random.Generator, form: Format, *, elements: int | None = None, usual: float = 0.75
) -> Clipping:
    """Draw an array, and a threshold near its norm or far from it."""
    count = int(rng.choice([1, 2, 3, 7, 16, 40])) if elements is None else elements
    with np.errstate(over="ignore"):  # what overflows is brought back into the format's range
        grad = rng.normal(size=count) * _magnitude(rng, form, usual)
        if rng.random() < 0.3:
            grad *= 10.0 ** rng.uniform(-4, 4, count)
    if rng.random() < 0.2:
        grad[rng.random(count) < 0.5] = 0.0
    grad = _within(form, grad if rng.random() < 0.98 else 0.0 * grad)
    norm = float(np.linalg.norm(grad / max(np.max(np.abs(grad)), 1e-300))) * float(np.max(np.abs(grad)))
    factor = rng.choice([1e-3, 0.1, 0.5, 0.9, 1.0, 1.0 + form.unit, 1.0 - form.unit, 1.1, 2.0, 1e3])
    near = norm * float(factor)
    threshold = near if 0.0 < near < np.inf and rng.random() < 0.9 else 1.0
    return Clipping(grad, threshold)


def _hyperparameters(rng: np.random.Generator, names: tuple[str, ...], form: Format, size: float) -> dict[str, float]:
    def beta() -> float:
        if rng.random() < 0.2:
            return float(min(_LARGEST_BETA, 1.0 - 2.0 ** rng.uniform(-20, 0)))
        return float(rng.choice(_HALF_BETAS if form in (FLOAT16, BFLOAT16) and rng.random() < 0.7 else _BETAS))

    def decay() -> float:
        return float(rng.choice([0.0, 0.0, 1e-2, 0.1, 1.0 - 2.0**-10, 10.0 ** rng.uniform(-4, 0)]))

    eps = float(rng.choice([1e-8, 1e-12, 1e-6, 1e-3, 0.1, 1.0, size, 0.1 * size]))
    values = {
        "learning_rate": float(
            rng.choice([0.0, 1e-3, 1e-2, 0.1, 1.0, 10.0 ** rng.uniform(-6, 1)], p=[0.02] + [0.196] * 5)
        ),
        "schedule_multiplier": float(rng.choice([1.0, 0.5, 10.0 ** rng.uniform(-3, 0)])),
        "beta1": beta(),
        "beta2": beta(),
        "momentum": beta(),
        "alpha": beta(),
        "dampening": beta(),
        "eps": max(eps, 1e-2) if form is FLOAT16 and rng.random() < 0.8 else eps,
        "weight_decay": decay(),
        "l2_penalty": decay(),
    }
    if rng.random() < 0.1:
        values["dampening"] = 1.0
    if "beta1" in names and rng.random() < 0.1:  # a decay that takes everything, or more
        whole = 1.0 / max(values["learning_rate"], 1e-3)
        values["weight_decay"] = values["l2_penalty"] = whole * float(rng.choice([1.0, 3.0]))
    return {name: values[name] for name in names}


def _gathered(values: Mapping[str, float]) -> float:
    """Part of the first gradient that stands against the second."""
    if "beta1" in values and "eps" not in values:  # the direction of Lion
        return values["beta1"] * (1 - values["beta2"]) / (1 - values["beta1"])
    return values.get("momentum", values.get("beta1", 0.0))


def _magnitude(rng: np.random.Generator, form: Format, usual: float = 0.75) -> float:
    """Usual sizes with a chance, else any size that the format holds."""
    if rng.random() < usual:
        sizes = [1.0, 1.0, 1e-3, 1e-6, 1e-8, 1e3] if form is not FLOAT16 else [1.0, 1.0, 0.05, 20.0, 1e-3]
        return float(rng.choice(sizes))
    return float(2.0 ** rng.uniform(_low(form), _high(form)))


def _low(form: Format) -> int:
    return form.min_exponent - form.bits + 1


def _high(form: Format) -> int:
    return form.max_exponent


def _within(form: Format, values: Floats) -> Floats:
    return form.round(np.clip(values, -form.largest, form.largest))
