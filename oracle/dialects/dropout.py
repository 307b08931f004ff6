"""Dropout as programs write it: which units they keep, and what they multiply those by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from oracle.dialects.family import Family, Variation
from oracle.dropout.masks import dropout_inverted, dropout_keep_proportion
from oracle.formula import Array, NoState, Scalar

__all__ = ["DROPOUT", "DropoutAxes"]


@dataclass(frozen=True)
class DropoutAxes:
    """A place on the axes of the family; the defaults are ``dropout_keep_proportion``."""

    units: Literal["masked", "others", "all"] = "masked"
    scale: Literal["none", "over keep", "keep", "over drop"] = "none"


def dropout_dialect(x: Array, mask: Array, *, axes: DropoutAxes, keep: Scalar) -> Array:
    """Drop as at one place on the axes."""
    units = {"masked": mask * x, "others": (1 - mask) * x, "all": x}[axes.units]
    scaled: dict[str, Callable[[], Array]] = {
        "none": lambda: units,
        "over keep": lambda: units / keep,
        "keep": lambda: keep * units,
        "over drop": lambda: units / (1 - keep),
    }
    return scaled[axes.scale]()


DROPOUT = Family(
    body=dropout_dialect,
    state_type=NoState,
    named={
        dropout_keep_proportion: DropoutAxes(),
        dropout_inverted: DropoutAxes(scale="over keep"),
    },
    variations={
        "complement": Variation("the units that the mask keeps are removed, and the others kept", {"units": "others"}),
        "everywhere": Variation("no unit is removed", {"units": "all"}),
        "by_keep": Variation("kept units are multiplied by the proportion kept", {"scale": "keep"}),
        "by_drop": Variation("kept units are divided by the proportion removed", {"scale": "over drop"}),
    },
)
