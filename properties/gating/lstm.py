"""Claims about long short-term memory."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, result, total
from properties.strategies.inputs import called

__all__ = [
    "closed_output",
    "forgotten_cell",
    "kept_cell",
    "mirrored_memory",
    "nothing_learned",
    "permuted_units",
    "reach_of_a_step",
    "samples_apart",
]

_BOTH = ("lstm_cell", "lstm_hidden")
_SLIDES = "lopesquintas2025llm, Cellule LSTM"
_CALLS = {"short": 4, "saturated": 2, "rows": 1}

#: A bias at which a gate is open, or with the other sign closed, in every format.
_FAR = 1024.0


def _with_biases(call: Call, biases: dict[int, float]) -> Call:
    """Return the call without matrices, some of whose gates have a bias that settles them."""
    *states, w, u, b = call.arrays
    settled = b.copy()
    for gate, bias in biases.items():
        settled[gate] = bias
    return Call((*states, 0.0 * w, 0.0 * u, settled), {})


@claim(
    "nothing_learned",
    kind="invariant",
    formulas=_BOTH,
    statement=r"W = U = b = 0 \implies c_t = \tfrac12 c_{t-1}, \quad h_t = \tfrac12 \tanh c_t",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "lstm_cell_forget_missing",
        "lstm_cell_candidate_logistic",
        "lstm_cell_forget_bias_one",
        "lstm_hidden_forget_missing",
        "lstm_hidden_forget_bias_one",
        "lstm_hidden_unsquashed",
        "lstm_hidden_ungated",
        "lstm_hidden_old_cell",
    ),
)
def nothing_learned(bench: Bench, *, call: Call) -> None:
    """Without parameters a step halves the cell, and half of its hyperbolic tangent is shown."""
    *states, w, u, b = call.arrays
    shown, error = result(bench, Call((*states, 0.0 * w, 0.0 * u, 0.0 * b), {}))
    with working_precision(PRECISION_BITS):
        half = balls(call.arrays[2]) / 2
        value = half if bench.formula.id == "lstm_cell" else half.namespace.tanh(half) / 2
        bench.compare(shown, Enclosure(value=value, error=error), quantity="result", note="there are no parameters")


@claim(
    "kept_cell",
    kind="invariant",
    formulas=("lstm_cell",),
    statement=r"f = 1, i = 0 \implies c_t = c_{t-1}",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=("lstm_cell_gates_swapped", "lstm_cell_bias_missing", "lstm_cell_cell_clipped"),
)
def kept_cell(bench: Bench, *, call: Call) -> None:
    """With the forget gate open and the input gate closed the cell stays."""
    shown, error = result(bench, _with_biases(call, {0: _FAR, 1: -_FAR}))
    bench.compare(shown, Enclosure(value=balls(call.arrays[2]), error=error), quantity="result", note="nothing enters")


@claim(
    "forgotten_cell",
    kind="metamorphic",
    formulas=_BOTH,
    statement=r"f = 0, i = 1 \implies c_t = \tilde c",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "lstm_cell_gates_swapped",
        "lstm_cell_forget_missing",
        "lstm_cell_candidate_logistic",
        "lstm_cell_candidate_rectified",
        "lstm_cell_candidate_swapped",
        "lstm_hidden_gates_swapped",
        "lstm_hidden_forget_missing",
        "lstm_hidden_candidate_rectified",
    ),
)
def forgotten_cell(bench: Bench, *, call: Call) -> None:
    """With the forget gate closed and the input gate open nothing but the candidate is left."""
    settled = _with_biases(call, {0: -_FAR, 1: _FAR, 2: _FAR})
    shown, error = result(bench, settled)
    with working_precision(PRECISION_BITS):
        candidate = balls(np.broadcast_to(settled.arrays[5][3], shown.shape))
        value = candidate.namespace.tanh(candidate)
        value = value if bench.formula.id == "lstm_cell" else value.namespace.tanh(value)
        bench.compare(shown, Enclosure(value=value, error=error), quantity="result", note="all is forgotten")


@claim(
    "closed_output",
    kind="invariant",
    formulas=("lstm_hidden",),
    statement=r"o = 0 \implies h_t = 0",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=("lstm_hidden_ungated", "lstm_hidden_bias_missing", "lstm_hidden_candidate_swapped"),
)
def closed_output(bench: Bench, *, call: Call) -> None:
    """With the output gate closed nothing is shown."""
    shown, error = result(bench, _with_biases(call, {2: -_FAR}))
    nothing = Enclosure(value=balls(np.zeros(shown.shape)), error=error)
    bench.compare(shown, nothing, quantity="result", note="the output gate is closed")


@claim(
    "reach_of_a_step",
    kind="invariant",
    formulas=_BOTH,
    statement=r"\lvert c_t \rvert < \lvert c_{t-1} \rvert + 1, \quad \lvert h_t \rvert < 1",
    source=_SLIDES,
    inputs=called({"short": 4, "saturated": 4}),
    catches=("lstm_cell_candidate_unsquashed", "lstm_hidden_unsquashed"),
)
def reach_of_a_step(bench: Bench, *, call: Call) -> None:
    """A cell grows by less than 1 in a step, and what is shown of it is smaller than 1."""
    shown, error = result(bench, call)
    reach = np.abs(call.arrays[2]) + 1.0 if bench.formula.id == "lstm_cell" else np.ones(shown.shape)
    inside = Enclosure(value=balls(np.zeros(shown.shape)), error=total(reach, error))
    bench.compare(shown, inside, quantity="result", note="that is as far as a step can reach")


@claim(
    "mirrored_memory",
    kind="metamorphic",
    formulas=_BOTH,
    statement=r"(c_{t-1}, W_c, U_c, b_c) \mapsto -(c_{t-1}, W_c, U_c, b_c) \implies (c_t, h_t) \mapsto -(c_t, h_t)",
    source=_SLIDES,
    inputs=called(_CALLS),
    catches=(
        "lstm_cell_candidate_logistic",
        "lstm_cell_candidate_rectified",
        "lstm_cell_candidate_swapped",
        "lstm_hidden_candidate_logistic",
        "lstm_hidden_candidate_rectified",
        "lstm_hidden_candidate_swapped",
    ),
)
def mirrored_memory(bench: Bench, *, call: Call) -> None:
    """The opposite cell and candidate give the opposite result, for the gates see neither."""
    shown, error = result(bench, call)
    x, hidden, cell, *parameters = (array.copy() for array in call.arrays)
    for array in parameters:
        array[3] *= -1.0
    mirrored, mirrored_error = result(bench, Call((x, hidden, -cell, *parameters), {}))
    expected = Enclosure(value=balls(-shown), error=total(error, mirrored_error))
    bench.compare(mirrored, expected, quantity="result", note="cell and candidate changed signs")


@claim(
    "permuted_units",
    kind="metamorphic",
    formulas=_BOTH,
    statement=r"(h, c; W P, P^\top U P, b P) \mapsto (h P, c P)",
    source=_SLIDES,
    inputs=called({"short": 4, "saturated": 1, "rows": 2}),
    catches=("lstm_cell_gate_shared", "lstm_hidden_gate_shared"),
)
def permuted_units(bench: Bench, *, call: Call) -> None:
    """Units in the opposite order, with all that belongs to them, give results in the opposite order."""
    shown, error = result(bench, call)
    x, *others = call.arrays
    hidden, cell, w, u, b = (array[..., ::-1] for array in others)
    arrays = (x, hidden, cell, w, u[:, ::-1], b)
    turned, turned_error = result(bench, Call(tuple(map(np.ascontiguousarray, arrays)), {}))
    expected = Enclosure(value=balls(shown[:, ::-1]), error=total(error[:, ::-1], turned_error))
    bench.compare(turned, expected, quantity="result", note="the units were reversed")


@claim(
    "samples_apart",
    kind="metamorphic",
    formulas=_BOTH,
    statement=r"c_t(x, h, c)_i = c_t(x_i, h_i, c_i)",
    source=_SLIDES,
    inputs=called({"short": 3, "rows": 3}),
    catches=("lstm_cell_rows_mixed", "lstm_hidden_rows_mixed"),
)
def samples_apart(bench: Bench, *, call: Call) -> None:
    """The last sample comes out as it does alone."""
    shown, error = result(bench, call)
    rows, parameters = call.arrays[:3], call.arrays[3:]
    alone, alone_error = result(bench, Call((*(array[-1:].copy() for array in rows), *parameters), {}))
    expected = Enclosure(value=balls(shown[-1:]), error=total(error[-1:], alone_error))
    bench.compare(alone, expected, quantity="result", note="the last sample came alone")
