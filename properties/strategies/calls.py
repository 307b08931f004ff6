"""Calls: what a function's check is run on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hypothesis.strategies import SearchStrategy

from oracle.formula import Formula
from properties.cases import Call
from properties.claims import Space
from properties.strategies import curves
from properties.strategies.clippings import CLIPPINGS, clippings
from properties.strategies.gradients import LINEAR, PULLBACKS, SHARES, linear_maps, pullbacks
from properties.strategies.normalizations import BATCHES, LAYERS, STATISTICS, normalizations

__all__ = ["calls", "kinds"]

Strategy = Callable[[Space, str], SearchStrategy[Call]]

#: By formula: calls of the quick profile by kind, and the strategy of each kind.
_PLANS: Mapping[str, tuple[Mapping[str, int], Strategy]] = {
    **dict.fromkeys(("clip_by_value", "clip_by_norm", "clip_by_norm_torch"), (CLIPPINGS, clippings)),
    "standardize_feature": (
        {kind: BATCHES[kind] for kind in BATCHES if kind not in ("constant", "single")},
        normalizations,
    ),
    "batch_norm": (BATCHES, normalizations),
    **dict.fromkeys(("layer_norm", "rms_norm"), (LAYERS, normalizations)),
    **dict.fromkeys(
        ("batch_norm_running_mean", "batch_norm_running_variance", "batch_norm_running_variance_biased"),
        (STATISTICS, normalizations),
    ),
    **dict.fromkeys(
        ("relu", "sigmoid", "gelu", "gelu_tanh", "gelu_sigmoid", "silu"), (curves.ACTIVATIONS, curves.activations)
    ),
    **dict.fromkeys(
        ("loss_squared_error", "loss_mse", "loss_l1", "loss_squared_error_gradient"),
        (curves.RESIDUALS, curves.residuals),
    ),
    "loss_bce": (curves.PROBABILITIES, curves.probabilities),
    **dict.fromkeys(("bce_with_logits", "bce_with_logits_gradient"), (curves.LOGITS, curves.logits)),
    **dict.fromkeys(("loss_cross_entropy", "loss_cross_entropy_gradient"), (curves.CLASSES, curves.classes)),
    "softmax": ({**curves.CLASSES, "stacked": 2}, curves.classes),
    "loss_combined": (curves.COMBINED, curves.combined),
    **dict.fromkeys(("relu_vjp", "sigmoid_vjp"), (PULLBACKS, pullbacks)),
    "softmax_vjp": (SHARES, pullbacks),
    **dict.fromkeys(("linear_vjp_input", "linear_vjp_weight", "linear_vjp_bias"), (LINEAR, linear_maps)),
    "ffn_swiglu": ({kind: curves.GATES[kind] for kind in curves.GATES if kind != "saturated"}, curves.gates),
    **dict.fromkeys(("glu", "geglu", "swiglu", "lstm_cell", "lstm_hidden"), (curves.GATES, curves.gates)),
}


def kinds(formula: Formula) -> Mapping[str, int]:
    """Return the kinds of call that a function is judged by, and how many of each the quick profile draws."""
    return _PLANS[formula.id][0]


def calls(space: Space, kind: str) -> SearchStrategy[Call]:
    """Return the strategy of one kind of call.

    Parameters
    ----------
    space : Space
        Formula and dtype; the numbers of its calls are exact in the dtype.
    kind : str
        A key of `kinds`.
    """
    return _PLANS[space.formula.id][1](space, kind)
