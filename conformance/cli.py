"""The command ``exactstep``."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from conformance import commands
from conformance.conventions import command as conventions
from conformance.errors import LoadError, UsageError
from conformance.forms import FORMS
from conformance.identification.identifier import FAMILIES
from conformance.isolation import TIMEOUT
from conformance.session import PROFILES
from conformance.version import __version__
from oracle.arithmetic.formats import FORMATS
from oracle.errors import OracleError

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
    subparsers = root.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = _command(subparsers, "list", commands.list_catalogue, "Show what can be claimed, checked and judged.")
    listing.add_argument("what", choices=("formulas", "properties", "backends"))

    run = _command(subparsers, "run", commands.run_backends, "Judge every implementation of a framework.")
    run.add_argument("backends", nargs="+", metavar="BACKEND", help="see exactstep list backends")
    run.add_argument("-k", dest="select", metavar="EXPR", help="only checks whose id matches: 'adamw and not fused'")
    run.add_argument("--jobs", type=int, metavar="N", help="processes to share the work (default: the cores)")
    run.add_argument(
        "--resume", action="store_true", help="go on with the report.jsonl that an interrupted run left in --output"
    )
    _judging(run)

    check = _command(subparsers, "check", commands.check_target, "Judge one optimizer or function.")
    check.add_argument("target", metavar="TARGET", help="package.module:Name or path/to/file.py:Name")
    _claiming(
        check,
        "the formula that it claims, as in layer_norm, or layer_norm:one_pass for an evaluation of one; "
        "without, an optimizer gets no verdict, but a profile of the laws it obeys",
    )
    _judging(check)

    identifying = _command(
        subparsers,
        "identify",
        commands.identify_target,
        "Say what an optimizer or a function computes, whatever it claims.",
    )
    identifying.add_argument("target", metavar="TARGET", help="package.module:Name or path/to/file.py:Name")
    identifying.add_argument("--family", choices=FAMILIES, help="where to look (default: in all, the likeliest first)")
    _targeting(identifying)
    identifying.add_argument("--device", default="cpu", metavar="D", help="cpu (default) or cuda")
    identifying.add_argument("--seed", type=int, default=0, metavar="N", help="what inputs are drawn from (default: 0)")
    identifying.add_argument("--output", type=Path, metavar="FILE", help="a .json file for all that was found")

    about = "Tabulate what the optimizers, clips and schedules of libraries compute, as measured."
    conventions.arguments(_command(subparsers, "map", commands.map_conventions, about))

    _pinning(subparsers)

    selftest = _command(subparsers, "selftest", commands.run_selftest, "Say which claim notices which seeded fault.")
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

    report = _command(subparsers, "report", commands.show_report, "Show a report in another form.")
    report.add_argument("file", type=Path, metavar="FILE", help="the report.jsonl of a run")
    report.add_argument("--format", choices=sorted(FORMS), required=True)
    report.add_argument("--output", type=Path, metavar="FILE", help="where to write it (default: the standard output)")

    drawing = _command(
        subparsers, "figures", commands.draw_figures, "Draw the worked examples of the documents, as SVG and PNG."
    )
    drawing.add_argument("--output", type=Path, required=True, metavar="DIR", help="a folder for the files")
    return root


def _command(
    subparsers: Any, name: str, run: Callable[[argparse.Namespace], int], help: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = subparsers.add_parser(name, help=help, description=help, allow_abbrev=False)
    command.set_defaults(command=run)
    return command


def _pinning(subparsers: Any) -> None:
    about = "Pin known deviations in a file, and see whether they are still there."
    root = subparsers.add_parser("baseline", help=about, description=about, allow_abbrev=False)
    actions = root.add_subparsers(title="commands", metavar="ACTION", required=True)

    write = _command(
        actions,
        "write",
        commands.write_baseline,
        "Pin what a report says to deviate or to crash, and drop what is gone.",
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
        commands.check_baseline,
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


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = None
    if not name or number is None:
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, got {text!r}")
    return name, number
