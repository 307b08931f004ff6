"""Seeded faults: wrong implementations that the claims must notice.

A fault is data: the formula that it claims, a story, and a factory of subjects. Every fault is
named by the ``catches`` of at least one claim, and every claim's ``catches`` names faults.
"""

from __future__ import annotations

from dataclasses import replace

from conformance.faults import (
    adagrad,
    adam,
    adam_bourmaud,
    bookkeeping,
    clipping,
    curves,
    decay,
    delivery,
    descent,
    differentiation,
    dropout,
    everywhere,
    extremes,
    layers,
    lifecycle,
    lion,
    lstm,
    narrow,
    normalization,
    order,
    plateau,
    rmsprop,
    schedules,
    shipped,
    subtle,
)
from conformance.faults.programs import Fault

__all__ = ["FAULTS", "Fault"]

#: Faults that stay within the bounds of every dtype but float64.
_IN_FLOAT64 = frozenset(
    {
        "adam_float32_state",
        "adam_scalars_in_float32",
        "adam_step_counter_in_bfloat16",
        "adamw_moments_saved_in_single",
        "bce_with_logits_gradient_one_beyond_20",
        "bce_with_logits_linear_beyond_20",
        "clip_begins_late",
        "clip_float32_norm",
        "ffn_swiglu_cut_off",
        "layer_norm_float32_mean",
        "lstm_hidden_cell_clipped_at_10",
    }
)

_SEEDED: tuple[Fault, ...] = (
    *adam.FAULTS,
    *decay.FAULTS,
    *descent.FAULTS,
    *bookkeeping.FAULTS,
    *lifecycle.FAULTS,
    *order.FAULTS,
    *delivery.FAULTS,
    *adagrad.FAULTS,
    *rmsprop.FAULTS,
    *adam_bourmaud.FAULTS,
    *lion.FAULTS,
    *clipping.FAULTS,
    *dropout.FAULTS,
    *normalization.FAULTS,
    *schedules.FAULTS,
    *plateau.FAULTS,
    *curves.FAULTS,
    *differentiation.FAULTS,
    *layers.FAULTS,
    *lstm.FAULTS,
    *extremes.FAULTS,
    *subtle.FAULTS,
    *everywhere.FAULTS,
    *shipped.FAULTS,
    *narrow.FAULTS,
)

FAULTS = tuple(replace(fault, dtypes=("float64",)) if fault.id in _IN_FLOAT64 else fault for fault in _SEEDED)
