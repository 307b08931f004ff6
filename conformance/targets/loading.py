"""Loading: what a user names, imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.backends import Backend, Implementation
from conformance.errors import LoadError
from conformance.targets.signatures import bare

__all__ = ["backend_at", "load", "named"]


def named(target: Any) -> tuple[Any, str]:
    """Return what a target is, imported if it is a string, and what to call it.

    Raises
    ------
    LoadError
        If a string names nothing that can be imported.
    """
    if isinstance(target, str):
        return load(target), target
    return target, target.label if isinstance(target, Implementation) else _label(target)


def load(target: str) -> Any:
    """Import what ``"package.module:name"`` or ``"path/to/file.py:name"`` names.

    Raises
    ------
    LoadError
        Naming the part that could not be imported.
    """
    place, colon, name = target.rpartition(":")
    if not (place and colon and name):
        raise LoadError(f"target must be module:name or path/to/file.py:name, got {target!r}")
    try:
        found: Any = _run_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        raise LoadError(f"cannot load {target}: {type(error).__name__}: {error}") from error
    return found


def backend_at(place: str) -> Backend:
    """Return the backend that ``"module:object"`` is, or returns when it is called.

    Raises
    ------
    LoadError
        If it cannot be loaded, or is no backend.
    """
    found = load(place)
    try:
        loaded = found if isinstance(found, Backend) else found()
    except Exception as error:  # importing a framework runs its code, which may raise anything
        raise LoadError(f"cannot load backend {place}: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, Backend):
        raise LoadError(f"{place} must be a Backend or return one, got {loaded!r}")
    return loaded


def _run_file(path: Path) -> ModuleType:
    name = f"exactstep_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None  # any file that ends with .py has one
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and pickles look for it
    spec.loader.exec_module(module)
    return module


def _label(target: Any) -> str:
    """Name a target by the outermost package that offers it under its own name."""
    found = bare(target)
    found = found if hasattr(found, "__qualname__") else type(found)
    parts, name = found.__module__.split("."), found.__qualname__.replace("<locals>.", "")
    for depth in range(1, len(parts) + 1):
        package = ".".join(parts[:depth])
        if getattr(sys.modules.get(package), name, None) is found:
            return f"{package}.{name}"
    return f"{found.__module__}.{name}"
