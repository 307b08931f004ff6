"""Options and fixtures of the whole test suite."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="draw the full number of inputs, with a new seed")


@pytest.hookimpl(tryfirst=True)  # before Hypothesis' plugin reads its seed
def pytest_configure(config: pytest.Config) -> None:
    """Draw the same inputs in every run, and under ``--full`` new ones from a seed that can be given again."""
    if not config.getoption("--full"):
        settings.load_profile("ci")
    elif config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


def pytest_report_header(config: pytest.Config) -> str:
    """Say what the drawn inputs depend on."""
    if config.getoption("--full"):
        return f"inputs: all, --hypothesis-seed={config.option.hypothesis_seed}"
    return "inputs: a sample, the same in every run (Hypothesis profile ci)"


@pytest.fixture(scope="session")
def draws(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Number of inputs to draw: the sample, or the full number under ``--full``."""
    full = request.config.getoption("--full")
    return lambda sample, everything: everything if full else sample
