"""Faults of what comes back through linear maps and through softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.faults.normalization import Norm
from conformance.faults.programs import Array, Fault

__all__ = ["FAULTS"]

_INPUT, _WEIGHT, _BIAS, _SHARES = "linear_vjp_input", "linear_vjp_weight", "linear_vjp_bias", "softmax_vjp"


def _fault(formula: str, what: str, story: str, body: Callable[..., Any]) -> Fault:
    return Fault(f"{formula}_{what}", formula, story, Norm(body))


def _softmax(s: Array, shift: bool = True) -> Array:
    powers = np.exp(s - np.max(s, axis=-1, keepdims=True) if shift else s)
    return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True))


def _pulled(p: Array, v: Array) -> Array:
    return np.asarray(p * (v - np.sum(p * v, axis=-1, keepdims=True)))


def _everywhere(v: Array, axis: int) -> Array:
    return np.broadcast_to(np.sum(v, axis=axis, keepdims=True), v.shape)


def _first_class_ignored(s: Array, v: Array) -> Array:
    rest = np.sum((_softmax(s) * v)[..., 1:], axis=-1, keepdims=True)
    return np.asarray(_softmax(s) * (v - rest))


FAULTS = (
    _fault(_INPUT, "averaged", "It is divided by the number of samples.", lambda w, v: v @ w / len(v)),
    _fault(_INPUT, "turned", "It has the other sign.", lambda w, v: -(v @ w)),
    _fault(_INPUT, "doubled", "It is twice as large.", lambda w, v: 2 * (v @ w)),
    _fault(_INPUT, "mixed", "Every sample gets the cotangents of all.", lambda w, v: _everywhere(v, 0) @ w),
    _fault(
        _INPUT, "running", "A sample gets the cotangents of those before it, too.", lambda w, v: np.cumsum(v, 0) @ w
    ),
    _fault(_INPUT, "clipped", "Cotangents are clipped to [-1, 1].", lambda w, v: np.clip(v, -1, 1) @ w),
    _fault(_INPUT, "epsilon", "A millionth is added.", lambda w, v: v @ w + 1e-6),
    _fault(
        _INPUT,
        "transposed",
        "A square matrix is transposed.",
        lambda w, v: v @ (w.T if w.shape[0] == w.shape[1] else w),
    ),
    _fault(_INPUT, "first_32_outputs", "Outputs beyond the 32nd bring nothing back.", lambda w, v: v[:, :32] @ w[:32]),
    _fault(_WEIGHT, "averaged", "It is divided by the number of samples.", lambda x, v: v.T @ x / len(v)),
    _fault(_WEIGHT, "turned", "It has the other sign.", lambda x, v: -(v.T @ x)),
    _fault(_WEIGHT, "doubled", "It is twice as large.", lambda x, v: 2 * (v.T @ x)),
    _fault(
        _WEIGHT,
        "mixed",
        "Samples and cotangents are added up before they are multiplied.",
        lambda x, v: np.outer(np.sum(v, axis=0), np.sum(x, axis=0)),
    ),
    _fault(_WEIGHT, "clipped", "Cotangents are clipped to [-1, 1].", lambda x, v: np.clip(v, -1, 1).T @ x),
    _fault(_WEIGHT, "epsilon", "A millionth is added.", lambda x, v: v.T @ x + 1e-6),
    _fault(_WEIGHT, "last_sample_ignored", "The last sample is left out.", lambda x, v: v[:-1].T @ x[:-1]),
    _fault(_WEIGHT, "outputs_mixed", "Every output gets the cotangents of all.", lambda x, v: _everywhere(v, 1).T @ x),
    _fault(_WEIGHT, "first_64_samples", "Samples beyond the 64th are left out.", lambda x, v: v[:64].T @ x[:64]),
    _fault(_BIAS, "averaged", "It is divided by the number of samples.", lambda v: np.mean(v, axis=0)),
    _fault(_BIAS, "turned", "It has the other sign.", lambda v: -np.sum(v, axis=0)),
    _fault(_BIAS, "doubled", "It is twice as large.", lambda v: 2 * np.sum(v, axis=0)),
    _fault(_BIAS, "mixed", "Every output gets the cotangents of all.", lambda v: np.sum(_everywhere(v, 1), axis=0)),
    _fault(_BIAS, "clipped", "Cotangents are clipped to [-1, 1].", lambda v: np.sum(np.clip(v, -1, 1), axis=0)),
    _fault(_BIAS, "epsilon", "A millionth is added.", lambda v: np.sum(v, axis=0) + 1e-6),
    _fault(_BIAS, "last_sample_ignored", "The last sample is left out.", lambda v: np.sum(v[:-1], axis=0)),
    _fault(_BIAS, "first_64_samples", "Samples beyond the 64th are left out.", lambda v: np.sum(v[:64], axis=0)),
    _fault(
        _SHARES,
        "diagonal",
        "Only a score's own share is differentiated.",
        lambda s, v: _softmax(s) * (1 - _softmax(s)) * v,
    ),
    _fault(
        _SHARES,
        "unweighted",
        "Cotangents are added up without weights.",
        lambda s, v: _softmax(s) * (v - np.sum(v, axis=-1, keepdims=True)),
    ),
    _fault(
        _SHARES,
        "plain_mean",
        "The mean that is subtracted has no weights.",
        lambda s, v: _softmax(s) * (v - np.mean(v, axis=-1, keepdims=True)),
    ),
    _fault(
        _SHARES,
        "of_logarithm",
        "It is that of the logarithm.",
        lambda s, v: v - _softmax(s) * np.sum(v, axis=-1, keepdims=True),
    ),
    _fault(_SHARES, "turned", "It has the other sign.", lambda s, v: -_pulled(_softmax(s), v)),
    _fault(_SHARES, "warmer", "The temperature is 1.001.", lambda s, v: _pulled(_softmax(s / 1.001), v)),
    _fault(
        _SHARES,
        "unshifted",
        "The exponentials of large scores overflow.",
        lambda s, v: _pulled(_softmax(s, shift=False), v),
    ),
    _fault(
        _SHARES, "clipped", "Cotangents are clipped to [-1, 1].", lambda s, v: _pulled(_softmax(s), np.clip(v, -1, 1))
    ),
    _fault(_SHARES, "epsilon", "A millionth is added.", lambda s, v: _pulled(_softmax(s), v) + 1e-6),
    _fault(_SHARES, "first_class_ignored", "The mean lacks the first class.", _first_class_ignored),
    _fault(
        _SHARES,
        "of_output",
        "Scores are taken for shares.",
        _pulled,
    ),
)
