"""Faults of long short-term memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.faults.normalization import Norm
from conformance.faults.programs import Array, Fault

__all__ = ["FAULTS", "LSTM", "Memory"]


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _keep(forget: Array, entry: Array, candidate: Array, cell: Array) -> Array:
    return forget * cell + entry * candidate


@dataclass(frozen=True, eq=False)
class Memory:
    """The parts of a cell, each of which a fault may replace.

    Parameters
    ----------
    order : tuple of int
        Places of forget, input, output gate and candidate among the parameters.
    mapped : callable
        ``mapped(x, hidden, w, u, b)`` is what a gate is taken of.
    forget_bias : float
    squash : callable
        Makes the candidate.
    keep : callable
        ``keep(forget, entry, candidate, cell)`` is the new cell.
    show : callable
        ``show(output, new, old)`` is the result.
    """

    order: tuple[int, int, int, int] = (0, 1, 2, 3)
    mapped: Callable[..., Array] = lambda x, hidden, w, u, b: x @ w + hidden @ u + b
    forget_bias: float = 0.0
    squash: Callable[[Array], Array] = np.tanh
    keep: Callable[..., Array] = _keep
    show: Callable[[Array, Array, Array], Any] = lambda output, new, old: new

    def __call__(self, x: Array, hidden: Array, cell: Array, w: Array, u: Array, b: Array) -> Array:
        """Go one step."""
        forget, entry, output, candidate = (self.mapped(x, hidden, w[gate], u[gate], b[gate]) for gate in self.order)
        new = self.keep(_sigmoid(forget + self.forget_bias), _sigmoid(entry), self.squash(candidate), cell)
        return np.asarray(self.show(_sigmoid(output), new, cell))


LSTM = {"lstm_cell": Memory(), "lstm_hidden": Memory(show=lambda output, new, old: output * np.tanh(new))}


def _either(change: str, story: str, source: str = "", **parts: Any) -> tuple[Fault, ...]:
    """Return the fault of both results."""
    return tuple(
        Fault(f"{formula}_{change}", formula, story, Norm(replace(memory, **parts)), source)
        for formula, memory in LSTM.items()
    )


def _shown(change: str, story: str, show: Callable[..., Any]) -> Fault:
    return Fault(f"lstm_hidden_{change}", "lstm_hidden", story, Norm(Memory(show=show)))


FAULTS = (
    *_either("gates_swapped", "Forget and input gate are exchanged.", "torch's order of the gates", order=(1, 0, 2, 3)),
    *_either("candidate_swapped", "The last two blocks of parameters are exchanged.", order=(0, 1, 3, 2)),
    *_either("forget_missing", "Nothing is forgotten.", keep=lambda f, i, c, old: old + i * c),
    *_either(
        "coupled", "The input gate is what the forget gate leaves.", keep=lambda f, i, c, old: f * old + (1 - f) * c
    ),
    *_either("candidate_logistic", "The candidate is a proportion.", squash=_sigmoid),
    *_either("candidate_unsquashed", "The candidate has no hyperbolic tangent.", squash=lambda x: x),
    *_either("candidate_rectified", "Negative candidates become 0.", squash=lambda x: np.maximum(np.tanh(x), 0)),
    *_either("recurrent_missing", "The hidden state is not looked at.", mapped=lambda x, h, w, u, b: x @ w + b),
    *_either("bias_missing", "The biases are missing.", mapped=lambda x, h, w, u, b: x @ w + h @ u),
    *_either("bias_doubled", "The bias is added twice.", mapped=lambda x, h, w, u, b: x @ w + h @ u + 2 * b),
    *_either(
        "recurrent_transposed", "The recurrent matrix is transposed.", mapped=lambda x, h, w, u, b: x @ w + h @ u.T + b
    ),
    *_either(
        "forget_bias_one", "One is added to the forget gate's bias.", "TensorFlow's BasicLSTMCell", forget_bias=1.0
    ),
    *_either(
        "rows_mixed",
        "Each row is computed with the mean of the rows added to a thousandth.",
        mapped=lambda x, h, w, u, b: (x + 1e-3 * x.mean(0)) @ w + h @ u + b,
    ),
    *_either(
        "gate_shared",
        "The first unit's forget gate serves all units.",
        keep=lambda f, i, c, old: f[..., :1] * old + i * c,
    ),
    *_either("cell_clipped", "The cell is kept between -1 and 1.", keep=lambda *parts: np.clip(_keep(*parts), -1, 1)),
    _shown("unsquashed", "The cell is shown without a hyperbolic tangent.", lambda output, new, old: output * new),
    _shown("ungated", "The cell is shown without a gate.", lambda output, new, old: np.tanh(new)),
    _shown("old_cell", "The cell is shown as it was before.", lambda output, new, old: output * np.tanh(old)),
)
