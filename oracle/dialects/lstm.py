"""Long short-term memory as programs write it: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oracle.arithmetic.curves import affine_pair, sigmoid
from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation
from oracle.formula import Array, NoState
from oracle.gating.lstm import lstm_cell, lstm_hidden

__all__ = ["LSTM", "LstmAxes"]


@dataclass(frozen=True)
class LstmAxes:
    """A place on the axes of the family; the defaults are ``lstm_cell``."""

    shown: Literal["cell", "gated", "unsquashed", "ungated", "old cell"] = "cell"
    forget: Literal["own", "entry's", "none"] = "own"
    entry: Literal["own", "forget's", "rest"] = "own"
    candidate: Literal["tanh", "logistic"] = "tanh"
    recurrent: bool = True
    bias: bool = True
    forget_bias: int = 0


def lstm_dialect(x: Array, hidden: Array, cell: Array, w: Array, u: Array, b: Array, *, axes: LstmAxes) -> Array:
    """Update a cell as at one place on the axes."""
    xp = namespace(x)
    rows = hidden if axes.recurrent else xp.zeros_like(hidden)

    def mapped(gate: int) -> Array:
        return affine_pair(x, w[gate], rows, u[gate], b[gate] if axes.bias else xp.zeros_like(b[gate]))

    first = mapped(0) + axes.forget_bias if axes.forget_bias else mapped(0)
    second = mapped(1)
    forget = {"own": sigmoid(first), "entry's": sigmoid(second), "none": 1}[axes.forget]
    entry = {"own": sigmoid(second), "forget's": sigmoid(first), "rest": 1 - forget}[axes.entry]
    candidate = xp.tanh(mapped(3)) if axes.candidate == "tanh" else sigmoid(mapped(3))
    new_cell = forget * cell + entry * candidate
    match axes.shown:
        case "cell":
            return new_cell
        case "unsquashed":
            return sigmoid(mapped(2)) * new_cell
        case "ungated":
            return xp.tanh(new_cell)
        case "old cell":
            return sigmoid(mapped(2)) * xp.tanh(cell)
    return sigmoid(mapped(2)) * xp.tanh(new_cell)


_SHOWN = ("lstm_hidden",)

LSTM = Family(
    body=lstm_dialect,
    state_type=NoState,
    named={lstm_cell: LstmAxes(), lstm_hidden: LstmAxes(shown="gated")},
    variations={
        "gates_swapped": Variation("forget and input gate are exchanged", {"forget": "entry's", "entry": "forget's"}),
        "forget_missing": Variation("nothing is forgotten", {"forget": "none"}),
        "coupled": Variation("the input gate is what the forget gate leaves of 1", {"entry": "rest"}),
        "candidate_logistic": Variation(
            "the logistic function stands for the candidate's hyperbolic tangent", {"candidate": "logistic"}
        ),
        "recurrent_missing": Variation("the hidden state is not looked at", {"recurrent": False}),
        "bias_missing": Variation("the biases are dropped", {"bias": False}),
        "forget_bias_one": Variation("one is added to the forget gate's bias", {"forget_bias": 1}),
        "unsquashed": Variation("the cell is shown without a hyperbolic tangent", {"shown": "unsquashed"}, only=_SHOWN),
        "ungated": Variation("the cell is shown without a gate", {"shown": "ungated"}, only=_SHOWN),
        "old_cell": Variation("the cell is shown as it was before", {"shown": "old cell"}, only=_SHOWN),
    },
)
