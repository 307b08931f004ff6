"""The version, which a checkout has as well as an installation."""

__all__ = ["__version__"]

__version__ = "0.1.0"
