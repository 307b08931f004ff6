"""Dialects: the formulas nearest to a formula, wrong or merely different.

Each family is spanned once, in one parametrised body that serves identification alone. The named
formulas among its points are evaluated by their own bodies, which tests prove equal to the family's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from oracle.dialects.activations import ACTIVATIONS
from oracle.dialects.adam import ADAM, ADAM_LATTICE
from oracle.dialects.adaptive import ADAPTIVE, ADAPTIVE_LATTICE
from oracle.dialects.blocks import BLOCKS
from oracle.dialects.clipping import CLIPPING
from oracle.dialects.differentiation import CLASS_GRADIENTS, RESIDUAL_GRADIENTS, SCORE_GRADIENTS, SHARES, SLOPES
from oracle.dialects.dropout import DROPOUT
from oracle.dialects.family import Family, Variation
from oracle.dialects.gating import GATING
from oracle.dialects.lattice import Axis, Dialect, Lattice
from oracle.dialects.layers import LINEAR_BIAS, LINEAR_INPUT, LINEAR_WEIGHT
from oracle.dialects.lion import LION, LION_LATTICE
from oracle.dialects.losses import BINARY, COMBINED, CROSS_ENTROPY, LOGITS, REGRESSION, SOFTMAX
from oracle.dialects.lstm import LSTM
from oracle.dialects.momentum import MOMENTUM, MOMENTUM_LATTICE
from oracle.dialects.normalization import NORMALIZATION, RUNNING
from oracle.dialects.schedules import SCHEDULES
from oracle.dialects.variants import Variant, variants
from oracle.errors import UnknownFormulaError
from oracle.formula import Formula

__all__ = [
    "FAMILIES",
    "LATTICES",
    "VARIANTS",
    "Axis",
    "Dialect",
    "Family",
    "Lattice",
    "Variant",
    "Variation",
    "neighbour",
    "relatives",
]

FAMILIES = (
    MOMENTUM,
    ADAPTIVE,
    ADAM,
    LION,
    CLIPPING,
    DROPOUT,
    NORMALIZATION,
    RUNNING,
    SCHEDULES,
    ACTIVATIONS,
    REGRESSION,
    BINARY,
    LOGITS,
    SOFTMAX,
    CROSS_ENTROPY,
    COMBINED,
    SLOPES,
    SHARES,
    LINEAR_INPUT,
    LINEAR_WEIGHT,
    LINEAR_BIAS,
    RESIDUAL_GRADIENTS,
    SCORE_GRADIENTS,
    CLASS_GRADIENTS,
    GATING,
    LSTM,
    BLOCKS,
)

#: Where an unknown optimizer is looked for, by name.
LATTICES = {lattice.name: lattice for lattice in (MOMENTUM_LATTICE, ADAPTIVE_LATTICE, ADAM_LATTICE, LION_LATTICE)}

#: What an unknown function or schedule is compared with.
VARIANTS = variants(FAMILIES)

_FAMILY = {formula.id: family for family in FAMILIES for formula in family.named}


def neighbour(formula: Formula, id: str) -> Formula:
    """Return a point of a formula's family, evaluated from that formula's hyperparameters.

    Parameters
    ----------
    formula : Formula
        What is claimed.
    id : str
        Any id of the family that runs with the hyperparameters of ``formula``.

    Returns
    -------
    Formula
        Takes exactly the hyperparameters of ``formula``, keeps a state type of its own, and its
        title says what it does instead. It works in every number system.

    Raises
    ------
    UnknownFormulaError
        If the family has no such point, or it asks for hyperparameters that ``formula`` lacks.
    """
    family = _FAMILY[formula.id]
    if id not in family.points or not family.runs(id, formula):
        raise UnknownFormulaError(f"{formula.id} has no relative with the id {id!r}")
    return family.at(id, formula)


def relatives(formula: Formula, kept: Mapping[str, float] = MappingProxyType({})) -> tuple[Formula, ...]:
    """Return every other point of a formula's family that runs with its hyperparameters.

    Parameters
    ----------
    formula : Formula
        What is claimed.
    kept : mapping of str to float, optional
        Values of hyperparameters that it lacks, by the family's names: of all that a program does not set to 0.

    Returns
    -------
    tuple of Formula
        The named formulas first, then the changes of ``formula``, then those of the others.
    """
    family = _FAMILY[formula.id]
    ids = [id for id in family.points if id != formula.id and family.runs(id, formula, kept)]
    ids.sort(key=lambda id: (bool(family.points[id].description), family.points[id].base is not formula))
    return tuple(family.at(id, formula, kept) for id in ids)
