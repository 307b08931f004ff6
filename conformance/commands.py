"""What the commands of ``exactstep`` do with their arguments; each returns an exit code."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance import api, baseline, figures, frameworks
from conformance.console import Progress, print_report
from conformance.conventions import command as conventions
from conformance.errors import LoadError, UsageError
from conformance.forms import FORMS
from conformance.identification.identifier import identify
from conformance.identification.results import exit_code as identification_code
from conformance.identification.results import json_file
from conformance.jsonlines import read
from conformance.laws import laws
from conformance.presentation import plural
from conformance.report import Report, exit_code, output_files
from conformance.selftest import selftest
from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import FORMULAS
from oracle.formula import Formula
from properties.catalogue import CLAIMS

__all__ = [
    "check_baseline",
    "check_target",
    "draw_figures",
    "identify_target",
    "list_catalogue",
    "map_conventions",
    "run_backends",
    "run_selftest",
    "show_report",
    "write_baseline",
]


def _isolation(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("isolate", "timeout", "memory", "python")}


def list_catalogue(arguments: argparse.Namespace) -> int:
    """Print what there is of formulas, properties or backends."""
    if arguments.what == "formulas":
        rows = [(formula.id, _called_with(formula), formula.title) for formula in FORMULAS]
    elif arguments.what == "properties":
        rows = [
            (f"{formula}.{claim.name}", claim.kind, claim.sentence) for claim in CLAIMS for formula in claim.formulas
        ]
    else:
        rows = [(name, "", module) for name, module in frameworks.BACKENDS.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return 0


def _called_with(formula: Formula) -> str:
    """Return the hyperparameters of a formula; for a schedule, all that it is called with, in order."""
    step = formula.arrays if formula.kind == "schedule" else ()
    return ", ".join((*step, *formula.hyperparameters))


@contextmanager
def _work(target: str, output: Path | None) -> Iterator[Progress]:
    """Show progress, and keep a target from what is ours: the standard output and the exit code."""
    if output:
        output_files(output)  # what is no place for files should be said before the work, not after it
    try:
        with Progress(sys.stderr) as progress, redirect_stdout(sys.stderr):
            yield progress
    except SystemExit as error:
        raise LoadError(f"cannot load {target}: SystemExit: {error}") from error


def run_backends(arguments: argparse.Namespace) -> int:
    """Judge backends, and print and write the report."""
    backends = list(dict.fromkeys(arguments.backends))
    several = len(backends) > 1
    if several and (arguments.resume or arguments.baseline):
        option = "--resume goes on with" if arguments.resume else "--baseline is of"
        raise UsageError(f"{option} one backend, got {', '.join(backends)}")
    with _work(", ".join(backends), arguments.output) as progress:
        reports = [
            api.run(
                backend,
                select=arguments.select,
                dtypes=arguments.dtype,
                device=arguments.device,
                profile=arguments.profile,
                seed=arguments.seed,
                jobs=_jobs(isolate=arguments.isolate) if arguments.jobs is None else arguments.jobs,
                output=None if several else arguments.output,
                resume=arguments.resume,
                baseline=arguments.baseline,
                progress=progress,
                **_isolation(arguments),
            )
            for backend in backends
        ]
    return _end(_together(reports), arguments.output, written=not several)


def _jobs(*, isolate: bool) -> int:
    """Choose how many processes share the work: one for each core, or this one alone."""
    if not isolate:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _together(reports: Sequence[Report]) -> Report:
    return replace(
        reports[0],
        target=", ".join(report.target for report in reports),
        environment=dict(item for report in reports for item in report.environment.items()),
        not_judged=dict(item for report in reports for item in report.not_judged.items()),
        checks=tuple(record for report in reports for record in report.checks),
    )


@contextmanager
def _importing(path: Path) -> Iterator[None]:
    """Let targets be imported from a folder."""
    if not path.is_dir():
        raise UsageError(f"--path must be a folder, got {str(path)!r}")
    folder = str(path.resolve())
    # Only now, when all of ours is imported: a folder of the same name there cannot take its place.
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def check_target(arguments: argparse.Namespace) -> int:
    """Judge one target by a formula, or profile its laws if it claims none."""
    with _importing(arguments.path):
        if arguments.formula is None:
            return _laws(arguments)
        with _work(arguments.target, arguments.output) as progress:
            report = api.check(
                arguments.target,
                arguments.formula,
                profile=arguments.profile,
                seed=arguments.seed,
                dtypes=arguments.dtype,
                device=arguments.device,
                hyperparameters=dict(arguments.hyperparameters),
                baseline=arguments.baseline,
                progress=progress,
                **_isolation(arguments),
            )
    return _end(_found_there(report, arguments.path), arguments.output)


def identify_target(arguments: argparse.Namespace) -> int:
    """Print what a target computes."""
    if arguments.output:
        json_file(arguments.output)  # before the work
    with _importing(arguments.path), _work(arguments.target, None):
        found = identify(
            arguments.target,
            arguments.family,
            seed=arguments.seed,
            device=arguments.device,
            hyperparameters=dict(arguments.hyperparameters),
        )
    sys.stdout.write(f"{found.summary()}\n")
    if arguments.output:
        found.write(arguments.output)
        sys.stdout.write(f"  written: {arguments.output}\n")
    return identification_code(found)


def map_conventions(arguments: argparse.Namespace) -> int:
    """Print or write the conventions of libraries."""
    with _work(", ".join(arguments.backends), None):
        text = conventions.mapped(arguments)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
        text = f"  written: {arguments.output}\n"
    sys.stdout.write(text)
    return 0


def _laws(arguments: argparse.Namespace) -> int:
    if arguments.dtype or arguments.hyperparameters or arguments.output or arguments.baseline:
        raise UsageError(
            "--dtype, --set, --output and --baseline need --as: a profile of laws has no formula to set them for"
        )
    if arguments.timeout or arguments.memory or arguments.python:
        raise UsageError("--timeout, --memory and --python need --as: a profile of laws is made in this process")
    with _work(arguments.target, None):
        profile = laws(arguments.target, seed=arguments.seed, device=arguments.device)
    sys.stdout.write(f"{profile.summary()}\n")
    return 1 if profile.failed else 0


def _found_there(report: Report, path: Path) -> Report:
    """Add the folder to import from to the lines that run checks again, unless it is where they are run."""
    option = "" if path == Path() else f" {shlex.join(['--path', str(path)])}"
    return replace(
        report, checks=tuple(replace(record, reproduce=record.reproduce + option) for record in report.checks)
    )


def _end(report: Report, output: Path | None, *, written: bool = False) -> int:
    print_report(report, sys.stdout)
    if output:
        if not written:  # only now, so that a file that cannot be written costs no result
            report.write(output)
        sys.stdout.write(f"  written: {', '.join(map(str, output_files(output)))}\n")
    return exit_code(report)


def write_baseline(arguments: argparse.Namespace) -> int:
    """Write what a report found into a file of known deviations."""
    output: Path = arguments.output
    before = baseline.read(output) if output.exists() else {}
    update = baseline.updated(before, read(arguments.file), arguments.reason)
    output.write_text(baseline.dumps(update.deviations), encoding="utf-8")
    unexplained = sorted(key for key, known in update.deviations.items() if not known.reason.strip())
    for what, keys in (
        ("new", update.added),
        ("gone", update.gone),
        ("needs a reason", unexplained),
        ("left to you", update.left),
    ):
        sys.stdout.writelines(f"{what}: {id} ({status})\n" for id, status in keys)
    sys.stdout.write(f"written: {output}, {plural(len(update.deviations), 'known deviation')}\n")
    return 1 if update.left else 0


def check_baseline(arguments: argparse.Namespace) -> int:
    """Judge the counterexamples of a file of known deviations."""
    judged = {"dtypes": tuple(FORMATS), "device": arguments.device, "baseline": arguments.baseline, "replay": True}
    with _importing(arguments.path), _work(arguments.target, None) as progress:
        judged |= {"progress": progress, **_isolation(arguments)}
        settings = dict(arguments.hyperparameters)
        if arguments.formula is not None:
            report = api.check(arguments.target, arguments.formula, hyperparameters=settings, **judged)
        elif settings:
            raise UsageError("--set needs --as: a backend sets its own hyperparameters")
        else:
            report = api.run(arguments.target, **judged)
    return _end(report, None)


def run_selftest(arguments: argparse.Namespace) -> int:
    """Say which claim notices which seeded fault."""
    output: Path | None = arguments.output
    if output and (output.suffix != ".json" or not output.absolute().parent.is_dir()):
        raise UsageError(f"--output must be a .json file in a folder that exists, got {str(output)!r}")
    with Progress(sys.stderr) as progress:
        matrix = selftest(
            arguments.select,
            profile=arguments.profile,
            dtype=arguments.dtype,
            seed=arguments.seed,
            first=arguments.first,
            progress=progress,
        )
    sys.stdout.write(f"{matrix.summary()}\n")
    if output:
        output.write_text(matrix.as_json(), encoding="utf-8")
        sys.stdout.write(f"  written: {output}\n")
    return 1 if matrix.unexplained else 0


def show_report(arguments: argparse.Namespace) -> int:
    """Print or write a report in another form."""
    text = FORMS[arguments.format](read(arguments.file))
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


def draw_figures(arguments: argparse.Namespace) -> int:
    """Write the figures of the documents."""
    for path in figures.write(arguments.output):
        sys.stdout.write(f"{path}\n")
    return 0
