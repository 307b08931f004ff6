"""Seeded faults: wrong implementations that the claims must notice.

A fault is data: the formula that it claims, a story, and a factory of subjects. Every fault is
named by the ``catches`` of at least one claim, and every claim's ``catches`` names faults.
"""

from __future__ import annotations

from conformance.faults import (
    adagrad,
    adam,
    adam_bourmaud,
    bookkeeping,
    clipping,
    curves,
    decay,
    descent,
    differentiation,
    dropout,
    extremes,
    layers,
    lifecycle,
    lion,
    lstm,
    normalization,
    plateau,
    rmsprop,
    schedules,
    subtle,
)
from conformance.faults.programs import Fault

__all__ = ["FAULTS", "Fault"]

FAULTS: tuple[Fault, ...] = (
    *adam.FAULTS,
    *decay.FAULTS,
    *descent.FAULTS,
    *bookkeeping.FAULTS,
    *lifecycle.FAULTS,
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
)
