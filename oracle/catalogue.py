"""All formulas, in the order in which the documents introduce them."""

from __future__ import annotations

import difflib

from oracle.clipping.by_norm import clip_by_norm, clip_by_norm_torch
from oracle.clipping.by_value import clip_by_value
from oracle.errors import UnknownFormulaError
from oracle.formula import Formula
from oracle.optimizers.adam import adam, adam_eps_hat, adam_l2
from oracle.optimizers.adamw import adamw, adamw_paper_scaling
from oracle.optimizers.descent import gd, sgd_l2, weight_decay_unscaled
from oracle.optimizers.momentum import (
    momentum_ema,
    momentum_heavy_ball,
    momentum_nesterov,
    momentum_torch_dampening,
)

__all__ = ["ALIASES", "FORMULAS", "get"]

FORMULAS: tuple[Formula, ...] = (
    gd,
    momentum_ema,
    momentum_heavy_ball,
    momentum_torch_dampening,
    momentum_nesterov,
    adam,
    adam_eps_hat,
    sgd_l2,
    weight_decay_unscaled,
    adam_l2,
    adamw,
    adamw_paper_scaling,
    clip_by_value,
    clip_by_norm,
    clip_by_norm_torch,
)

#: Other names of the same function; never a second body.
ALIASES = {"sgd": "gd", "momentum_bourmaud": "momentum_ema", "weight_decay_bourmaud": "weight_decay_unscaled"}

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
