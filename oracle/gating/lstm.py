"""One step of a long short-term memory: what its cell keeps, and what it shows."""

from __future__ import annotations

from oracle.arithmetic.curves import affine_pair, sigmoid
from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, formula

__all__ = ["lstm_cell", "lstm_hidden", "lstm_parameters"]

_SOURCE = ("lopesquintas2025llm, Cellule LSTM", "hochreiter1997long, Section 4", "gers2000learning, Section 3")


@formula(
    "lstm_cell",
    kind="function",
    source=_SOURCE,
    domain={},
    neighbours=(
        "lstm_hidden",
        "lstm_cell_gates_swapped",
        "lstm_cell_forget_missing",
        "lstm_cell_coupled",
        "lstm_cell_candidate_logistic",
        "lstm_cell_recurrent_missing",
        "lstm_cell_bias_missing",
        "lstm_cell_forget_bias_one",
    ),
)
def lstm_cell(x: Array, hidden: Array, cell: Array, w: Array, u: Array, b: Array) -> Array:
    r"""Forget a part of a memory cell, and add a part of what is new.

    .. math::

        f &= \sigma(x_t W_f + h_{t-1} U_f + b_f) \\
        i &= \sigma(x_t W_i + h_{t-1} U_i + b_i) \\
        \tilde c &= \tanh(x_t W_c + h_{t-1} U_c + b_c) \\
        c_t &= f \otimes c_{t-1} + i \otimes \tilde c

    Parameters
    ----------
    x : array, shape (N, d)
        :math:`x_t`, one sample per row; finite.
    hidden, cell : array, shape (N, n)
        :math:`h_{t-1}` and :math:`c_{t-1}`.
    w : array, shape (4, d, n)
        :math:`W_f`, :math:`W_i`, :math:`W_o` and :math:`W_c`, in this order.
    u : array, shape (4, n, n)
        :math:`U`, in the same order.
    b : array, shape (4, n)
        :math:`b`, in the same order.

    Returns
    -------
    array, shape (N, n)
        :math:`c_t`.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The document shows a figure alone; this is the usual cell, with a forget gate and without
    peepholes. ``lstm_hidden`` is its other result. Torch stacks the gates as i, f, c, o and has two
    biases, which it adds up.

    Examples
    --------
    >>> import numpy as np
    >>> zeros = np.zeros
    >>> lstm_cell(np.ones((1, 1)), zeros((1, 1)), np.ones((1, 1)), zeros((4, 1, 1)), zeros((4, 1, 1)), zeros((4, 1)))
    array([[0.5]])
    """
    forget = sigmoid(affine_pair(x, w[0], hidden, u[0], b[0]))
    entry = sigmoid(affine_pair(x, w[1], hidden, u[1], b[1]))
    candidate = namespace(x).tanh(affine_pair(x, w[3], hidden, u[3], b[3]))
    return forget * cell + entry * candidate


@formula(
    "lstm_hidden",
    kind="function",
    source=_SOURCE,
    domain={},
    neighbours=(
        "lstm_cell",
        "lstm_hidden_gates_swapped",
        "lstm_hidden_forget_missing",
        "lstm_hidden_coupled",
        "lstm_hidden_candidate_logistic",
        "lstm_hidden_recurrent_missing",
        "lstm_hidden_bias_missing",
        "lstm_hidden_forget_bias_one",
        "lstm_hidden_unsquashed",
        "lstm_hidden_ungated",
        "lstm_hidden_old_cell",
    ),
)
def lstm_hidden(x: Array, hidden: Array, cell: Array, w: Array, u: Array, b: Array) -> Array:
    r"""Show a part of a memory cell after its update.

    .. math::

        o &= \sigma(x_t W_o + h_{t-1} U_o + b_o) \\
        h_t &= o \otimes \tanh(c_t)

    Parameters
    ----------
    x : array, shape (N, d)
        :math:`x_t`, one sample per row; finite.
    hidden, cell : array, shape (N, n)
        :math:`h_{t-1}` and :math:`c_{t-1}`.
    w : array, shape (4, d, n)
        :math:`W_f`, :math:`W_i`, :math:`W_o` and :math:`W_c`, in this order.
    u : array, shape (4, n, n)
        :math:`U`, in the same order.
    b : array, shape (4, n)
        :math:`b`, in the same order.

    Returns
    -------
    array, shape (N, n)
        :math:`h_t`, with :math:`c_t` as ``lstm_cell`` computes it.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    See ``lstm_cell``.

    Examples
    --------
    >>> import numpy as np
    >>> zeros = np.zeros
    >>> lstm_hidden(np.ones((1, 1)), zeros((1, 1)), zeros((1, 1)), zeros((4, 1, 1)), zeros((4, 1, 1)), zeros((4, 1)))
    array([[0.]])
    """
    new_cell = lstm_cell.body(x, hidden, cell, w, u, b)
    output = sigmoid(affine_pair(x, w[2], hidden, u[2], b[2]))
    return output * namespace(x).tanh(new_cell)


def lstm_parameters(inputs: int, units: int, *, biases: int = 1) -> int:
    r"""Count the parameters of a cell, :math:`4 (h (h + d) + h)` with one bias for each gate.

    Parameters
    ----------
    inputs, units : int
        :math:`d` and :math:`h`.
    biases : int
        Vectors for each gate; torch has 2.

    Returns
    -------
    int

    Examples
    --------
    >>> lstm_parameters(3, 5)
    180
    """
    return 4 * (units * (units + inputs) + biases * units)
