"""The command ``exactstep``."""

from __future__ import annotations

import argparse
import io
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from conformance import api, baseline, figures
from conformance.console import Progress, print_report
from conformance.conventions import command as conventions
from conformance.errors import LoadError, UsageError
from conformance.forms import FORMS
from conformance.identification import exit_code as identification_code
from conformance.identification import json_file
from conformance.identify import FAMILIES, identify
from conformance.isolation import TIMEOUT
from conformance.jsonlines import read
from conformance.laws import laws
from conformance.presentation import plural
from conformance.report import Report, exit_code, output_files
from conformance.selftest import selftest
from conformance.session import PROFILES
from conformance.version import __version__
from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import FORMULAS
from oracle.errors import OracleError
from oracle.formula import Formula
from properties.catalogue import CLAIMS

__all__ = ["main", "parser"]

USAGE, LOAD, HARNESS, INTERRUPTED, BROKEN_PIPE = 2, 3, 5, 130, 141

_EPILOG = """\
exit codes:
  0    conforms, or identified
  1    deviates, crash, timeout, flaky, or a pass against expectation; identify: none of the known
  2    wrong usage
  3    a target or a backend could not be loaded
  4    nothing was shown: mistrusted or unsupported; identify: undecided
  5    an error of Exactstep itself
  130  interrupted
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        Its arguments; those of the process if not given.

    Returns
    -------
    int
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign gets a question mark, not a failure
    try:
        arguments = parser().parse_args(argv)
        code: int = arguments.command(arguments)
        sys.stdout.flush()
    except LoadError as error:
        return _complain(error, LOAD)
    except BrokenPipeError:
        # Whoever read has gone. What is still buffered must not fail again when the interpreter flushes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (UsageError, OracleError) as error:
        return _complain(error, USAGE)
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}", USAGE)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - uncaught it would exit with 1, which says that the target deviates
        traceback.print_exc()
        return _complain(f"an error of Exactstep itself: {error!r}", HARNESS)
    return code


def _complain(what: object, code: int) -> int:
    sys.stderr.write(f"exactstep: {' '.join(str(what).splitlines())}\n")  # what others raise may have many lines
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser; it offers what is built."""
    root = _Parser(
        prog="exactstep",
        description="Judge implementations of deep-learning formulas by exact mathematics.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"exactstep {__version__}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = _command(commands, "list", _list, "Show what can be claimed, checked and judged.")
    listing.add_argument("what", choices=("formulas", "properties", "backends"))

    run = _command(commands, "run", _run, "Judge every implementation of a framework.")
    run.add_argument("backends", nargs="+", metavar="BACKEND", help="see exactstep list backends")
    run.add_argument("-k", dest="select", metavar="EXPR", help="only checks whose id matches: 'adamw and not fused'")
    run.add_argument("--jobs", type=int, metavar="N", help="processes to share the work (default: the cores)")
    run.add_argument(
        "--resume", action="store_true", help="go on with the report.jsonl that an interrupted run left in --output"
    )
    _judging(run)

    check = _command(commands, "check", _check, "Judge one optimizer or function.")
    check.add_argument("target", metavar="TARGET", help="package.module:Name or path/to/file.py:Name")
    _claiming(
        check,
        "the formula that it claims, as in layer_norm, or layer_norm:one_pass for an evaluation of one; "
        "without, an optimizer gets no verdict, but a profile of the laws it obeys",
    )
    _judging(check)

    identifying = _command(
        commands, "identify", _identify, "Say what an optimizer or a function computes, whatever it claims."
    )
    identifying.add_argument("target", metavar="TARGET", help="package.module:Name or path/to/file.py:Name")
    identifying.add_argument("--family", choices=FAMILIES, help="where to look (default: in all, the likeliest first)")
    _targeting(identifying)
    identifying.add_argument("--device", default="cpu", metavar="D", help="cpu (default) or cuda")
    identifying.add_argument("--seed", type=int, default=0, metavar="N", help="what inputs are drawn from (default: 0)")
    identifying.add_argument("--output", type=Path, metavar="FILE", help="a .json file for all that was found")

    about = "Tabulate what the optimizers, clips and schedules of libraries compute, as measured."
    conventions.arguments(_command(commands, "map", _map, about))

    _pinning(commands)

    selftest = _command(commands, "selftest", _selftest, "Say which claim notices which seeded fault.")
    selftest.add_argument(
        "-k", dest="select", metavar="EXPR", help="only pairs whose id matches: 'adamw and decoupling'"
    )
    selftest.add_argument("--dtype", default="float64", choices=tuple(FORMATS), metavar="D", help=", ".join(FORMATS))
    selftest.add_argument(
        "--profile", choices=tuple(PROFILES), default="quick", help="how many inputs to draw (default: quick)"
    )
    selftest.add_argument("--seed", type=int, default=0, metavar="N", help="what inputs are drawn from (default: 0)")
    selftest.add_argument(
        "--first", action="store_true", help="stop at the first claim that notices a fault: what survives, and no more"
    )
    selftest.add_argument("--output", type=Path, metavar="FILE", help="a .json file for every pair")

    report = _command(commands, "report", _report, "Show a report in another form.")
    report.add_argument("file", type=Path, metavar="FILE", help="the report.jsonl of a run")
    report.add_argument("--format", choices=sorted(FORMS), required=True)

    drawing = _command(commands, "figures", _figures, "Draw the worked examples of the documents, as SVG and PNG.")
    drawing.add_argument("--output", type=Path, required=True, metavar="DIR", help="a folder for the files")
    return root


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
    command.set_defaults(command=run)
    return command


def _pinning(commands: Any) -> None:
    about = "Pin known deviations in a file, and see whether they are still there."
    root = commands.add_parser("baseline", help=about, description=about, allow_abbrev=False)
    actions = root.add_subparsers(title="commands", metavar="ACTION", required=True)

    write = _command(
        actions, "write", _write_baseline, "Pin what a report says to deviate or to crash, and drop what is gone."
    )
    write.add_argument("file", type=Path, metavar="REPORT", help="the report.jsonl of a run")
    write.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the baseline; if it is there, it is updated, and the words in it are kept",
    )
    write.add_argument("--reason", default="", metavar="TEXT", help="of entries without one, which no run accepts")

    check = _command(
        actions,
        "check",
        _check_baseline,
        "Judge the pinned counterexamples, and nothing else: each must fail as it is known to.",
    )
    check.add_argument("baseline", type=Path, metavar="FILE", help="what exactstep baseline write has written")
    check.add_argument(
        "target", metavar="BACKEND", help="as of exactstep run; with --as a target, as of exactstep check"
    )
    _claiming(check, "the formula that a target claims")
    _isolating(check)


def _claiming(command: argparse.ArgumentParser, claim: str) -> None:
    command.add_argument("--as", dest="formula", metavar="FORMULA", help=claim)
    _targeting(command)


def _targeting(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        dest="hyperparameters",
        type=_assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a hyperparameter that the target does not offer, and the value that it uses",
    )
    command.add_argument("--path", type=Path, default=Path(), metavar="DIR", help="where to import from (default: .)")


def _judging(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dtype", nargs="+", action="extend", choices=tuple(FORMATS), metavar="D", help=", ".join(FORMATS)
    )
    command.add_argument(
        "--profile", choices=tuple(PROFILES), default="quick", help="how many inputs to draw (default: quick)"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="what inputs are drawn from (default: 0)")
    command.add_argument(
        "--output", type=Path, metavar="PATH", help="a folder for report.jsonl and report.html, or one such file"
    )
    command.add_argument(
        "--baseline", type=Path, metavar="FILE", help="known deviations: see exactstep baseline --help"
    )
    _isolating(command)


def _isolating(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", default="cpu", metavar="D", help="cpu (default) or cuda")
    isolation = command.add_argument_group(
        "isolation", "A subject that crashes, exits, hangs or takes all memory ends its own check, never the run."
    )
    isolation.add_argument(
        "--isolate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="judge in processes that may die (default), or in this one, where a debugger reaches",
    )
    isolation.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help=f"for each answer of a subject, which takes milliseconds as a rule (default: {TIMEOUT:g})",
    )
    isolation.add_argument(
        "--memory", type=float, metavar="GIB", help="that a process may hold, where /proc tells (default: no limit)"
    )
    isolation.add_argument(
        "--python",
        metavar="PATH",
        help="the interpreter of another environment that the subject lives in; it needs numpy, and nothing of Exactstep",
    )


def _isolation(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("isolate", "timeout", "memory", "python")}


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = None
    if not name or number is None:
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, got {text!r}")
    return name, number


def _list(arguments: argparse.Namespace) -> int:
    if arguments.what == "formulas":
        rows = [(formula.id, _called_with(formula), formula.title) for formula in FORMULAS]
    elif arguments.what == "properties":
        rows = [
            (f"{formula}.{claim.name}", claim.kind, claim.sentence) for claim in CLAIMS for formula in claim.formulas
        ]
    else:
        rows = [(name, "", module) for name, module in api.BACKENDS.items()]
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


def _run(arguments: argparse.Namespace) -> int:
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


def _check(arguments: argparse.Namespace) -> int:
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


def _identify(arguments: argparse.Namespace) -> int:
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


def _map(arguments: argparse.Namespace) -> int:
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


def _write_baseline(arguments: argparse.Namespace) -> int:
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


def _check_baseline(arguments: argparse.Namespace) -> int:
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


def _selftest(arguments: argparse.Namespace) -> int:
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


def _report(arguments: argparse.Namespace) -> int:
    sys.stdout.write(FORMS[arguments.format](read(arguments.file)))
    return 0


def _figures(arguments: argparse.Namespace) -> int:
    for path in figures.write(arguments.output):
        sys.stdout.write(f"{path}\n")
    return 0
