"""The errors of the oracle.

::

    OracleError
    ├── DomainError (ValueError)      an argument lies outside its declared domain
    ├── ShapeError (ValueError)       arrays do not fit together
    ├── StatementError (ValueError)   the register of the documents' statements is not as it must be
    ├── UnknownFormulaError (LookupError)  no formula has this id
    └── UndecidedError                a comparison that an enclosure cannot decide
"""

__all__ = ["DomainError", "OracleError", "ShapeError", "StatementError", "UndecidedError", "UnknownFormulaError"]


class OracleError(Exception):
    """Anything that the oracle refuses to answer."""


class DomainError(OracleError, ValueError):
    """An argument lies outside its declared domain."""


class ShapeError(OracleError, ValueError):
    """Arrays do not fit together."""


class StatementError(OracleError, ValueError):
    """The register of the documents' statements is not as it must be."""


class UnknownFormulaError(OracleError, LookupError):
    """No formula has this id."""


class UndecidedError(OracleError):
    """A comparison that an enclosure cannot decide."""
