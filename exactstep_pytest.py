"""The options of the pytest plugin, and nothing else unless ``--exactstep`` is given.

This file lies outside the packages because their names are common words: a plugin that imported them in every run
would take the place of a user's own ``conformance`` or ``oracle``. What the options do is in
`conformance.pytest_plugin`.

PYTEST_DONT_REWRITE: it asserts nothing, and pytest would warn where it was imported before.
"""

from __future__ import annotations

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer what ``exactstep run`` offers; ``-k``, ``-n`` and ``--junitxml`` are pytest's own."""
    group = parser.getgroup("exactstep", "conformance to formulas of deep learning (Exactstep)")
    group.addoption(
        "--exactstep",
        action="append",
        default=[],
        metavar="BACKEND",
        help="collect the checks of a backend: a name that `exactstep list backends` prints, such as torch, "
        "or package.module:backend; may be repeated; without paths nothing else is collected",
    )
    group.addoption(
        "--exactstep-dtype",
        action="append",
        metavar="D",
        help="float64, float32, bfloat16 or float16; may be repeated (default: all)",
    )
    group.addoption("--exactstep-device", default="cpu", metavar="D", help="cpu (default) or cuda")
    group.addoption(
        "--exactstep-profile",
        default="quick",
        metavar="P",
        help="how many inputs to draw: quick (default), standard or thorough",
    )
    group.addoption(
        "--exactstep-seed", type=int, default=0, metavar="N", help="what inputs are drawn from (default: 0)"
    )
    group.addoption(
        "--exactstep-baseline",
        metavar="FILE",
        help="known deviations, as `exactstep baseline write` pins them: each is a strict xfail",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Bring in the checks if they are asked for."""
    if config.getoption("exactstep"):
        try:
            from conformance import pytest_plugin
        except ImportError as error:  # it says which module of the user's stands in the way
            raise pytest.UsageError(str(error)) from error
        config.pluginmanager.register(pytest_plugin, "exactstep-checks")
