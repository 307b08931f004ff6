"""Frameworks: the backends that are built in, the interpreters they live in, and the versions that a report keeps."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from conformance.backends import Backend
from conformance.errors import UsageError
from conformance.remote.host import Host, Interpreter, backend_in
from conformance.targets.loading import backend_at
from conformance.version import __version__

__all__ = ["BACKENDS", "environment", "interpreter_of", "loaded_backend"]

#: Built-in backends by name.
BACKENDS: Mapping[str, str] = {
    "autograd": "conformance.backends.autograd:backend",
    "bitsandbytes": "conformance.backends.bitsandbytes:backend",
    "flax": "conformance.backends.flax:backend",
    "heavyball": "conformance.backends.heavyball:backend",
    "jax": "conformance.backends.jax:backend",
    "keras": "conformance.backends.keras:backend",
    "lion-pytorch": "conformance.backends.lion_pytorch:backend",
    "mlx": "conformance.backends.mlx:backend",
    "onnx": "conformance.backends.onnx:backend",
    "optax": "conformance.backends.optax:backend",
    "pytorch_optimizer": "conformance.backends.pytorch_optimizer:backend",
    "scikit-learn": "conformance.backends.scikit_learn:backend",
    "tinygrad": "conformance.backends.tinygrad:backend",
    "torch": "conformance.backends.torch:backend",
    "torch-compiled": "conformance.backends.torch_compiled:backend",
    "torch-optimi": "conformance.backends.torch_optimi:backend",
    "torch-optimizer": "conformance.backends.torch_optimizer:backend",
    "transformers": "conformance.backends.transformers:backend",
}

_FRAMEWORKS = ("flax", "jax", "keras", "optax", "torch")
_PACKAGES = ("hypothesis", "numpy", "python-flint")


def environment(host: Host | None) -> dict[str, str]:
    """Return versions of what takes part, here and where the subjects live, and no word on whose machine this is."""
    versions = {
        "exactstep": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    for package in _PACKAGES:
        versions[package] = version(package)
    if host:
        both = {name: f", {versions[name]} of the judge" for name in host.versions if name in versions}
        return versions | {name: f"{found} of the subject{both.get(name, '')}" for name, found in host.versions.items()}
    for framework in _FRAMEWORKS:
        if framework in sys.modules:
            versions[framework] = version(framework)
    return versions


def interpreter_of(python: str | None, isolate: bool | None, **named: object) -> Interpreter | None:
    """Return the interpreter that subjects live in, or None if that is this one."""
    if python is None:
        return None
    ((role, value),) = named.items()
    if not python:
        raise UsageError(f"python must be the path of an interpreter, got python={python!r}")
    if not isinstance(value, str):
        raise UsageError(f"{role} must be named by a string where python is given, got {role}={value!r}")
    if isolate is False:
        raise UsageError("isolate must not be False where python is given: another interpreter is another process")
    return Interpreter(python, str(Path(sys.path[0]).resolve()))  # what is found first here is found first there


def loaded_backend(backend: str | Backend, interpreter: Interpreter | None) -> Backend:
    """Return a backend from what `run` takes for one, described by another interpreter if there is one."""
    if isinstance(backend, Backend):
        return backend
    if not isinstance(backend, str):
        raise UsageError(f"backend must be a name, 'module:object' or a Backend, got backend={backend!r}")
    if ":" not in backend and backend not in BACKENDS:
        raise UsageError(f"backend must be 'module:object' or among {', '.join(BACKENDS)}, got backend={backend!r}")
    place = BACKENDS.get(backend, backend)
    return backend_in(interpreter, place) if interpreter else backend_at(place)
