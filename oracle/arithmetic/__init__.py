"""Number systems: what a formula body may be run on."""

from oracle.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS, Format, Precision, precision_models
from oracle.arithmetic.primitives import (
    bias_correction,
    decayed,
    interpolated,
    moving_average,
    namespace,
    quotient,
    rescaled,
    stored,
    variance,
)

__all__ = [
    "BFLOAT16",
    "FLOAT16",
    "FLOAT32",
    "FLOAT64",
    "FORMATS",
    "Format",
    "Precision",
    "bias_correction",
    "decayed",
    "interpolated",
    "moving_average",
    "namespace",
    "precision_models",
    "quotient",
    "rescaled",
    "stored",
    "variance",
]
