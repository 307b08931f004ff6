"""The command ``exactstep map``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from conformance.conventions.records import ConventionMap
from conformance.conventions.survey import convention_map
from conformance.conventions.tables import markdown
from conformance.errors import UsageError

__all__ = ["arguments", "mapped"]

_FORMATS: Mapping[str, Callable[[ConventionMap], str]] = {"markdown": markdown, "json": ConventionMap.as_json}
_SUFFIXES = {".md": "markdown", ".json": "json"}


def arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument("backends", nargs="+", metavar="BACKEND", help="see exactstep list backends")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="what inputs are drawn from (default: 0)")
    command.add_argument("--device", default="cpu", metavar="D", help="cpu (default) or cuda")
    command.add_argument(
        "--format", choices=tuple(_FORMATS), help="default: as the ending of --output says, else markdown"
    )
    command.add_argument("--output", type=Path, metavar="FILE", help="a .md or .json file (default: standard output)")


def mapped(given: argparse.Namespace) -> str:
    """Return the text of the map that is asked for.

    Raises
    ------
    UsageError
        If an argument is wrong.
    """
    output: Path | None = given.output
    if output and (output.suffix not in _SUFFIXES or not output.absolute().parent.is_dir()):
        raise UsageError(f"--output must be a .md or .json file in a folder that exists, got {str(output)!r}")
    form = given.format or (_SUFFIXES[output.suffix] if output else "markdown")
    backends = list(dict.fromkeys(given.backends))
    return _FORMATS[form](convention_map(backends, seed=given.seed, device=given.device))
