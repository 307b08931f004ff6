"""The errors of the oracle.

::

    OracleError
    ├── DomainError (ValueError)      an argument lies outside its declared domain
    ├── ShapeError (ValueError)       arrays do not fit together
    ├── UnknownFormulaError (LookupError)  no formula has this id
    └── UndecidedError                a comparison that an enclosure cannot decide
"""

__all__ = ["DomainError", "OracleError", "ShapeError", "UndecidedError", "UnknownFormulaError"]


class OracleError(Exception):
    """Anything that the oracle refuses to answer."""


class DomainError(OracleError, ValueError):
    """An argument lies outside its declared domain."""


class ShapeError(OracleError, ValueError):
    """Arrays do not fit together."""


class UnknownFormulaError(OracleError, LookupError):
    """No formula has this id."""


class UndecidedError(OracleError):
    """A comparison that an enclosure cannot decide."""
