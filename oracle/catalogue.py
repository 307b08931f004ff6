"""All formulas, in the order in which the documents introduce them."""

from __future__ import annotations

import difflib

from oracle.activations.gelu import gelu, gelu_sigmoid, gelu_tanh
from oracle.activations.relu import relu
from oracle.activations.sigmoid import sigmoid
from oracle.activations.silu import silu
from oracle.clipping.by_norm import clip_by_norm, clip_by_norm_torch
from oracle.clipping.by_value import clip_by_value
from oracle.differentiation.activations import relu_vjp, sigmoid_vjp, softmax_vjp
from oracle.differentiation.layers import linear_vjp_bias, linear_vjp_input, linear_vjp_weight
from oracle.differentiation.losses import (
    bce_with_logits_gradient,
    loss_cross_entropy_gradient,
    loss_squared_error_gradient,
)
from oracle.dropout.masks import dropout_inverted, dropout_keep_proportion
from oracle.errors import UnknownFormulaError
from oracle.formula import Formula
from oracle.gating.blocks import ffn_swiglu
from oracle.gating.gates import geglu, glu, swiglu
from oracle.gating.lstm import lstm_cell, lstm_hidden
from oracle.losses.binary import bce_with_logits, loss_bce
from oracle.losses.combined import loss_combined
from oracle.losses.cross_entropy import loss_cross_entropy
from oracle.losses.regression import loss_l1, loss_mse, loss_squared_error
from oracle.losses.softmax import softmax
from oracle.normalization.batch_norm import (
    batch_norm,
    batch_norm_running_mean,
    batch_norm_running_variance,
    batch_norm_running_variance_biased,
)
from oracle.normalization.layer_norm import layer_norm
from oracle.normalization.rms_norm import rms_norm
from oracle.normalization.standardize_feature import standardize_feature
from oracle.optimizers.adagrad import adagrad, adagrad_eps_inside
from oracle.optimizers.adam import adam, adam_eps_hat, adam_l2
from oracle.optimizers.adam_bourmaud import adam_bourmaud_literal_k1
from oracle.optimizers.adamw import adamw, adamw_paper_scaling
from oracle.optimizers.descent import gd, sgd_l2, weight_decay_unscaled
from oracle.optimizers.lion import lion, lion_literal_ct
from oracle.optimizers.momentum import (
    momentum_ema,
    momentum_heavy_ball,
    momentum_nesterov,
    momentum_torch_dampening,
)
from oracle.optimizers.rmsprop import rmsprop, rmsprop_eps_inside
from oracle.schedules.constant import schedule_constant
from oracle.schedules.cosine import schedule_cosine_restarts, schedule_cosine_to_10pct
from oracle.schedules.plateau import schedule_reduce_on_plateau
from oracle.schedules.triangular import schedule_triangular
from oracle.schedules.warmup import schedule_classic_warmup, schedule_linear_decay_warmup, schedule_transformer

__all__ = ["ALIASES", "FORMULAS", "get"]

FORMULAS: tuple[Formula, ...] = (
    gd,
    momentum_ema,
    momentum_heavy_ball,
    momentum_torch_dampening,
    momentum_nesterov,
    adagrad,
    adagrad_eps_inside,
    rmsprop,
    rmsprop_eps_inside,
    adam,
    adam_eps_hat,
    adam_bourmaud_literal_k1,
    lion,
    lion_literal_ct,
    sgd_l2,
    weight_decay_unscaled,
    adam_l2,
    adamw,
    adamw_paper_scaling,
    clip_by_value,
    clip_by_norm,
    clip_by_norm_torch,
    dropout_keep_proportion,
    dropout_inverted,
    standardize_feature,
    batch_norm,
    batch_norm_running_mean,
    batch_norm_running_variance,
    batch_norm_running_variance_biased,
    layer_norm,
    rms_norm,
    schedule_constant,
    schedule_classic_warmup,
    schedule_triangular,
    schedule_cosine_restarts,
    schedule_cosine_to_10pct,
    schedule_linear_decay_warmup,
    schedule_transformer,
    schedule_reduce_on_plateau,
    relu,
    sigmoid,
    gelu,
    gelu_tanh,
    gelu_sigmoid,
    silu,
    lstm_cell,
    lstm_hidden,
    glu,
    geglu,
    swiglu,
    ffn_swiglu,
    loss_squared_error,
    loss_mse,
    loss_l1,
    loss_bce,
    bce_with_logits,
    softmax,
    loss_cross_entropy,
    loss_combined,
    relu_vjp,
    sigmoid_vjp,
    softmax_vjp,
    linear_vjp_input,
    linear_vjp_weight,
    linear_vjp_bias,
    loss_squared_error_gradient,
    bce_with_logits_gradient,
    loss_cross_entropy_gradient,
)

#: Other names of the same function; never a second body.
ALIASES = {
    "sgd": "gd",
    "momentum_bourmaud": "momentum_ema",
    "weight_decay_bourmaud": "weight_decay_unscaled",
    # Counted from 1 and with the corrections kept apart from the averages, as the index alone leaves them.
    "adam_bourmaud": "adam",
    "adam_bourmaud_index_only": "adam",
}

_BY_ID = {formula.id: formula for formula in FORMULAS}


def get(id: str) -> Formula:
    """Return the formula of an id or of one of its aliases.

    Raises
    ------
    UnknownFormulaError
        Naming the three nearest ids.

    Examples
    --------
    >>> get("sgd")
    <formula gd>
    """
    found = _BY_ID.get(ALIASES.get(id, id))
    if found is None:
        nearest = difflib.get_close_matches(id, [*_BY_ID, *ALIASES], n=3, cutoff=0.0)
        raise UnknownFormulaError(f"no formula has the id {id!r}; the nearest are {', '.join(nearest)}")
    return found
