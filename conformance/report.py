"""What a run found out: frozen, and the same for the same arguments."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conformance.errors import UsageError
from conformance.records import CheckRecord, Status, gravest

__all__ = ["Report", "exit_code", "output_files"]

_EXIT_CODES: Mapping[Status, int] = {
    "conforms": 0,
    "expected-deviation": 0,
    "deviates": 1,
    "crash": 1,
    "timeout": 1,
    "flaky": 1,
    "unexpected-pass": 1,
    "mistrusted": 4,
    "unsupported": 4,
    "harness-error": 5,
}


@dataclass(frozen=True)
class Report:
    """The outcome of a run.

    Parameters
    ----------
    target : str
        What was judged: a backend with its version, or the target of a check.
    seed : int
    profile : str
    environment : mapping of str to str
        Versions of what took part.
    not_judged : mapping of str to tuple of str
        By formula and implementation (``adam@torch.optim.Adam``), what is declared and was not run.
    checks : tuple of CheckRecord
        In the order in which they were judged.
    complete : bool
        Whether the run came to its end; a file without footer gives a report that did not.
    """

    target: str
    seed: int
    profile: str
    environment: Mapping[str, str] = field(default_factory=dict)
    not_judged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checks: tuple[CheckRecord, ...] = ()
    complete: bool = True

    @property
    def status(self) -> Status:
        """The gravest status of the counted checks; of an incomplete run ``harness-error``, for the rest is unknown."""
        return gravest(self.checks) if self.complete else "harness-error"

    @property
    def conforms(self) -> bool:
        """Whether some counted check conforms, and every other does or deviates as expected."""
        return self.status == "conforms"

    def summary(self) -> str:
        """Return what failed and a summary, as the console shows them without colours."""
        from conformance.console import print_report  # presentations import the report, not the other way round

        text = io.StringIO()
        print_report(self, text)
        return text.getvalue().rstrip("\n")

    def write(self, path: str | Path) -> None:
        """Write the report to files.

        Parameters
        ----------
        path : str or Path
            A folder, which gets ``report.jsonl`` and ``report.html``, or a file with one of these endings.

        Raises
        ------
        UsageError
            If the path is a file with another ending.
        """
        from conformance import html, jsonlines

        for file in output_files(path):
            text = html.render(self) if file.suffix == ".html" else jsonlines.dumps(self)
            file.write_text(text, encoding="utf-8")


def output_files(path: str | Path) -> tuple[Path, ...]:
    """Return the files that an output path stands for, in folders that exist.

    Raises
    ------
    UsageError
        If the path is a file that ends neither in ``.jsonl`` nor in ``.html``.
    """
    path = Path(path)
    if path.suffix in {".jsonl", ".html"}:
        path.parent.mkdir(parents=True, exist_ok=True)
        return (path,)
    if path.is_file():
        raise UsageError(f"output must be a folder or end in .jsonl or .html, got {str(path)!r}")
    path.mkdir(parents=True, exist_ok=True)
    return (path / "report.jsonl", path / "report.html")


def exit_code(report: Report) -> int:
    """Return the exit code of a command that ends with this report.

    Parameters
    ----------
    report : Report

    Returns
    -------
    int
        0 conforms, also where deviations are expected; 1 somebody has to look at the implementation;
        4 nothing was shown; 5 the error is ours.
    """
    return _EXIT_CODES[report.status]
