"""The checks of backends as tests: what ``pytest --exactstep BACKEND`` collects, and how its tests end."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conformance.api import plan_of
from conformance.console import failure_text
from conformance.docket import Docket
from conformance.errors import UsageError
from conformance.records import CheckRecord
from conformance.reproduction import run_line
from conformance.settings import require_settings
from oracle.arithmetic.formats import FORMATS

__all__ = [
    "BackendChecks",
    "Check",
    "Checks",
    "FormulaChecks",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_make_collect_report",
    "pytest_report_header",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
]

#: What the id of every node begins with.
_ROOT = "exactstep"

#: The nodes that the command line names; all if it names none.
_NAMED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the ids of checks from the search for files, and without other paths search none."""
    try:
        require_settings(dtypes=_dtypes(config), **_settings(config))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    given = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    config.stash[_NAMED] = [arg for arg in given if _lies_in(arg, _ROOT)]
    config.args = [arg for arg in given if not _lies_in(arg, _ROOT)]
    config.args_source = pytest.Config.ArgsSource.ARGS


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is judged, and what its inputs depend on."""
    settings = _settings(config)
    known = f", baseline {_baseline(config)}" if _baseline(config) else ""
    return f"exactstep: {', '.join(_backends(config))}, profile {settings['profile']}, seed {settings['seed']}{known}"


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the checks to what a session collects."""
    report = yield
    if isinstance(collector, pytest.Session) and report.passed:
        report.result.append(Checks.from_parent(collector, name=_ROOT, nodeid=_ROOT))
    return report


@pytest.hookimpl(tryfirst=True)  # before others deselect
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Refuse the name of a check that there is not, as pytest does for those of other tests."""
    if not session.testsfailed:
        for name in config.stash[_NAMED]:
            if not any(_lies_in(item.nodeid, name) for item in items):
                raise pytest.UsageError(f"not found: {name}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Let no run pass for a success in which every check was skipped."""
    if exitstatus == pytest.ExitCode.OK and _shows_nothing(session.config):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so."""
    if _shows_nothing(terminalreporter.config):
        terminalreporter.write_line("exactstep: nothing was shown, for every check was skipped (-rs says why)")


class Checks(pytest.Collector):
    """The checks of all backends that were asked for."""

    def collect(self) -> Iterator[BackendChecks]:
        """Yield the backends."""
        for backend in _backends(self.config):
            yield BackendChecks.from_parent(self, name=backend)


class BackendChecks(pytest.Collector):
    """The checks of one backend; its name is the one that the backend was asked for by."""

    def collect(self) -> Iterator[FormulaChecks]:
        """Load the backend, and yield the formulas that it claims.

        Raises
        ------
        CollectError
            If the backend cannot be loaded, or the baseline is none for it.
        """
        try:
            settings = {"baseline": _baseline(self.config), **_settings(self.config)}
            docket = Docket(plan_of(self.name, dtypes=_dtypes(self.config), **settings)[1])
        except (UsageError, OSError) as error:
            raise self.CollectError(str(error)) from error
        for formula in docket.ids:
            yield FormulaChecks.from_parent(self, name=formula, docket=docket)


class FormulaChecks(pytest.Collector):
    """The checks of one formula: what shares cases and enclosures, so that ``--dist loadscope`` keeps it together."""

    parent: BackendChecks

    def __init__(self, docket: Docket, **settings: Any) -> None:
        super().__init__(**settings)
        self._docket = docket

    def collect(self) -> Iterator[Check]:
        """Yield the checks that were asked for, in the order of a run."""
        named = self.config.stash[_NAMED] or [_ROOT]
        for id in self._docket.ids[self.name]:
            if any(_lies_in(f"{self.nodeid}::{id}", name) for name in named):
                yield Check.from_parent(self, name=id, callobj=partial(self._judge, id))

    def _judge(self, id: str) -> None:
        record = self._docket.record(id)
        settings = {"baseline": _baseline(self.config), **_settings(self.config)}
        line = run_line(self.parent.name, id=id, dtype=record.dtype, **settings)
        _end(replace(record, reproduce=line), known=not self.config.getoption("runxfail"))


class _ItemByName(pytest.Item):
    """Has the node id that its name gives, read as pytest reads it from its cache and from the command line.

    `pytest.Function` would take brackets in a name for a part of it, and ``--lf`` then find nothing again.
    """

    def __init__(self, name: str, parent: pytest.Collector, **settings: Any) -> None:
        super().__init__(name, parent, **settings | {"nodeid": f"{parent.nodeid}::{name}"})


class Check(pytest.Function, _ItemByName):
    """One check; its name is the check's id."""

    parent: FormulaChecks

    def reportinfo(self) -> tuple[Path, None, str]:
        """Say that a check stands in no line of a file; the words are the headline of a failure."""
        return self.config.rootpath / _ROOT, None, f"{self.name} of {self.parent.parent.name}"


def _end(record: CheckRecord, *, known: bool) -> None:
    """End a test as its record says: silence that proves nothing is a skip, and never a pass."""
    if record.status == "conforms":
        return
    if not record.counted:
        pytest.skip(f"{record.status}: {record.message}")
    if record.status == "expected-deviation" and known:
        pytest.xfail(record.message)
    pytest.fail(failure_text(record), pytrace=False)


def _shows_nothing(config: pytest.Config) -> bool:
    """Whether checks came to an end, and all of them were skipped; the workers of pytest-xdist cannot know."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    ends = {
        category
        for category, reports in (reporter.stats.items() if reporter else ())
        if any(_lies_in(getattr(report, "nodeid", ""), _ROOT) for report in reports)
    }
    return ends - {"", "deselected"} == {"skipped"}


def _backends(config: pytest.Config) -> list[str]:
    return list(dict.fromkeys(config.getoption("exactstep")))


def _dtypes(config: pytest.Config) -> Sequence[str]:
    return config.getoption("exactstep_dtype") or tuple(FORMATS)


def _baseline(config: pytest.Config) -> str | None:
    path: str | None = config.getoption("exactstep_baseline")
    return path


def _settings(config: pytest.Config) -> dict[str, Any]:
    """Return the arguments of `run` that a run always has."""
    return {name: config.getoption(f"exactstep_{name}") for name in ("device", "profile", "seed")}


def _lies_in(id: str, node: str) -> bool:
    """Whether an id names a node or something below it."""
    return id == node or id.startswith(f"{node}::")
