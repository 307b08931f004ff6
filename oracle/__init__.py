"""Formulas of deep learning, evaluated exactly, and bounds on what honest programs may return.

`exact` gives the real value of a formula, correctly rounded; `trajectory` repeats an optimizer's
update without rounding between steps; `bound` encloses what every admitted program returns. The
formulas themselves are in `FORMULAS`; `get` finds one by its id.
"""

from oracle.bound import bound
from oracle.catalogue import FORMULAS, get
from oracle.errors import DomainError, OracleError, ShapeError, UndecidedError, UnknownFormulaError
from oracle.exact import exact
from oracle.trajectory import trajectory

__all__ = [
    "FORMULAS",
    "DomainError",
    "OracleError",
    "ShapeError",
    "UndecidedError",
    "UnknownFormulaError",
    "bound",
    "exact",
    "get",
    "trajectory",
]
