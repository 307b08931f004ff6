"""The errors of the runner.

::

    UsageError (ValueError)      an argument that the runner cannot work with
    └── LoadError                a target or a backend that could not be loaded
"""

__all__ = ["LoadError", "UsageError"]


class UsageError(ValueError):
    """An argument that the runner cannot work with."""


class LoadError(UsageError):
    """A target or a backend that could not be loaded."""
