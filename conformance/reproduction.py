"""Lines that run a check again."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

__all__ = ["check_line", "importable", "run_line"]


def run_line(
    backend: str,
    *,
    id: str,
    dtype: str,
    device: str,
    profile: str,
    seed: int,
    baseline: str | Path | None = None,
    python: str | None = None,
) -> str:
    """Return the shell line that runs one check of a backend again.

    Parameters
    ----------
    backend : str
        The name or ``module:object`` that the backend was asked for by.
    id : str
        Of the check.
    dtype, device, profile, seed, baseline, python
        As the run had them.

    Examples
    --------
    >>> run_line("torch", id="gd.x@torch.optim.SGD[float32,cpu]", dtype="float32", device="cpu", profile="quick", seed=0)
    "exactstep run torch -k 'gd.x@torch.optim.SGD[float32,cpu]' --dtype float32 --device cpu --profile quick --seed 0"
    """
    words = ["exactstep", "run", backend, "-k", id, *_options(dtype, device, profile, seed, baseline, python)]
    return shlex.join(words)


def check_line(
    target: Any,
    formula: str,
    *,
    dtype: str,
    device: str,
    profile: str,
    seed: int,
    hyperparameters: Mapping[str, float],
    arrays: str | None,
    precision: object,
    python: str | None = None,
    baseline: str | Path | None = None,
) -> str:
    """Return the line that judges a target in one dtype again.

    It is a shell line if the command can say all of it, and a line of Python otherwise: for a target that
    no import reaches, and for the arguments ``arrays`` and ``precision``.
    """
    name = target if isinstance(target, str) else importable(target)
    if name is not None and arrays is None and precision is None:
        settings = [f"--set={key}={value!r}" for key, value in hyperparameters.items()]
        options = _options(dtype, device, profile, seed, baseline, python)
        return shlex.join(["exactstep", "check", name, "--as", formula, *settings, *options])
    arguments = {
        "dtypes": (dtype,),
        "device": device,
        "profile": profile,
        "seed": seed,
        "arrays": arrays,
        "hyperparameters": dict(hyperparameters) or None,
        "precision": precision,
        "python": python,
        "baseline": None if baseline is None else str(baseline),
    }
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items() if value is not None)
    return f"check({getattr(target, '__name__', 'target') if name is None else repr(name)}, {formula!r}, {given})"


def importable(target: Any) -> str | None:
    """Return the ``module:name`` under which another process finds an object, or None."""
    module, name = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    if module in (None, "__main__", "builtins") or name is None or "<" in name or module not in sys.modules:
        return None
    try:
        found = attrgetter(name)(sys.modules[module])
    except AttributeError:
        return None
    return f"{module}:{name}" if found is target else None


def _options(
    dtype: str, device: str, profile: str, seed: int, baseline: str | Path | None, python: str | None
) -> list[str]:
    known = [] if baseline is None else ["--baseline", str(baseline)]
    elsewhere = [] if python is None else ["--python", python]
    return ["--dtype", dtype, "--device", device, "--profile", profile, "--seed", str(seed), *known, *elsewhere]
