"""Options and fixtures of the whole test suite."""

from __future__ import annotations

import random
from collections import Counter
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


@pytest.fixture
def unreduced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave counterexamples as they were drawn, which saves the time if nobody reads them."""
    monkeypatch.setattr("conformance.engine.reduced", lambda inputs, violation, *others: (inputs, violation))


@pytest.fixture(scope="session")
def entropy(request: pytest.FixtureRequest) -> int:
    """What generators of numpy are seeded with beside their names: 0, or under ``--full`` the seed of the run."""
    return int(request.config.option.hypothesis_seed) if request.config.getoption("--full") else 0


@pytest.fixture
def judged(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Report how many ``steps`` of optimizers or ``calls`` of functions a test has held against their bounds."""
    return lambda what, count: record_property(f"judged {what}", count)


@pytest.fixture
def outcomes(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Report what an identification of a program has told, and whether that is so."""

    def told(outcome: str, *, right: bool) -> None:
        record_property(f"told {outcome}" if right else "told wrongly", 1)

    return told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was judged and identified in all, by this process and those that it shared the tests with."""
    totals: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                for name, count in report.user_properties:
                    totals[name] += count
    told = {name.removeprefix("told "): count for name, count in totals.items() if name.startswith("told ")}
    if told:
        shares = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(told.items()))
        terminalreporter.write_line(f"told of {sum(told.values()):,} programs: {shares}")
    steps, calls = totals["judged steps"], totals["judged calls"]
    if steps or calls:
        terminalreporter.write_line(
            f"judged: {steps:,} steps of honest optimizers, {calls:,} calls of honest functions"
        )
