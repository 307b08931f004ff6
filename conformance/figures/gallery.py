"""All figures, in the order in which the documents show them."""

from __future__ import annotations

from conformance.figures.adaptive import ACCUMULATORS, ADAGRAD_ON_A_BOWL
from conformance.figures.clipping import CLIPPED_DESCENT, CLIPPED_GRADIENTS
from conformance.figures.curves import ACTIVATIONS, SCHEDULES
from conformance.figures.descent import DESCENT_ON_SQUARE, LONGEST_STEPS
from conformance.figures.style import Figure

__all__ = ["FIGURES"]

FIGURES: tuple[Figure, ...] = (
    DESCENT_ON_SQUARE,
    ADAGRAD_ON_A_BOWL,
    ACCUMULATORS,
    LONGEST_STEPS,
    CLIPPED_GRADIENTS,
    CLIPPED_DESCENT,
    SCHEDULES,
    ACTIVATIONS,
)
