"""Targets: what a user names, made into an implementation of a formula."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np

from conformance.backends import Backend, Implementation
from conformance.backends.jax_arrays import precision_of, to_array
from conformance.backends.torch_optimizers import OFFERED_BY_ALL, OFFERED_BY_TORCH, OptimizerFactory
from conformance.backends.torch_tensors import devices, to_floats, to_tensor
from conformance.errors import LoadError, UsageError
from conformance.spellings import matched, numeric, write
from properties.subject import Floats, Function, Schedule

__all__ = [
    "DTYPES",
    "Arrays",
    "Signature",
    "adapted",
    "backend_at",
    "constructor_parameters",
    "default",
    "implementation",
    "is_factory",
    "is_torch_optimizer",
    "load",
    "named",
    "parameters_of",
    "sequences",
    "signature",
    "unknown_optimizer",
]

Arrays = Literal["torch", "numpy", "jax"]
Parameters = Mapping[str, inspect.Parameter]

#: Hyperparameters that programs of a formula may have beside its own.
_FAMILIAR = ("weight_decay", "momentum", "dampening", "initial_accumulator")

DTYPES: Mapping[str, tuple[str, ...]] = {
    "torch": ("float64", "float32", "bfloat16", "float16"),
    "numpy": ("float64", "float32", "float16"),
    "jax": ("float64", "float32", "bfloat16", "float16"),
}


@dataclass(frozen=True)
class Signature:
    """How a formula is called: all that an adapter needs to know of it.

    Parameters
    ----------
    id, kind : str
        Of the formula.
    arrays, hyperparameters, integers, lengths, drawn : tuple of str
        As the formula has them.
    fixed : mapping of str to float
        Hyperparameters that are not varied.
    taken : {"torch", "jax", "numpy"}, optional
        The arrays that a function takes.
    """

    id: str
    kind: str
    arrays: tuple[str, ...]
    hyperparameters: tuple[str, ...]
    integers: tuple[str, ...]
    lengths: tuple[str, ...]
    drawn: tuple[str, ...]
    fixed: Mapping[str, float]
    taken: Arrays | None = None


def signature(formula: str, *, arrays: Arrays | None, hyperparameters: Mapping[str, float] | None) -> Signature:
    """Return how a formula is called, with the arguments and errors of `implementation`."""
    from oracle.catalogue import get  # only here: interpreters that only adapt need not have what the oracle needs

    rule, fixed = get(formula), dict(hyperparameters or {})
    unknown = sorted(set(fixed) - set(rule.hyperparameters))
    if unknown:
        raise UsageError(f"hyperparameters must be among {', '.join(rule.hyperparameters)}, got {', '.join(unknown)}")
    rule.require(fixed)
    if arrays is not None and arrays not in DTYPES:
        raise UsageError(f"arrays must be among {', '.join(DTYPES)}, got {arrays!r}")
    return Signature(
        rule.id,
        rule.kind,
        rule.arrays,
        rule.hyperparameters,
        rule.integers,
        rule.lengths,
        rule.drawn,
        fixed,
        arrays,
    )


def implementation(
    target: Any,
    formula: str,
    *,
    arrays: Arrays | None = None,
    hyperparameters: Mapping[str, float] | None = None,
) -> Implementation:
    """Describe a target as an implementation of a formula.

    Parameters
    ----------
    target : object or str
        A subclass of ``torch.optim.Optimizer`` or ``keras.optimizers.Optimizer``, or a function that makes a
        gradient transformation of optax, or a ``functools.partial`` of one; a function of arrays or, for a schedule,
        of the step; a StepperFactory, FunctionFactory or ScheduleFactory; an Implementation; or one of these as
        ``"package.module:name"`` or ``"path/to/file.py:name"``.
    formula : str
        Id of the formula that it is to be judged by.
    arrays : {"torch", "jax", "numpy"}, optional
        What a function takes; torch or jax if it, or a global of its module, belongs to one of them.
    hyperparameters : mapping of str to float, optional
        Values that are not varied, by the oracle's names: necessary where the target does not offer them.

    Returns
    -------
    Implementation
        Its ``matching`` says in words which keyword is given which hyperparameter.

    Raises
    ------
    UnknownFormulaError
        If no formula has this id.
    LoadError
        If a string names nothing that can be imported.
    UsageError
        If the target is no implementation of this kind of formula, or offers no place for a hyperparameter.
    """
    return adapted(target, signature(formula, arrays=arrays, hyperparameters=hyperparameters))


def adapted(target: Any, rule: Signature) -> Implementation:
    """Describe a target as what it is claimed to be, with the results and errors of `implementation`."""
    fixed = rule.fixed
    found, label = named(target)
    if isinstance(found, Implementation):
        return replace(found, formula=rule.id, fixed={**found.fixed, **fixed})
    if not callable(found):
        raise UsageError(f"target must be a class, a function or a factory, got {found!r}")
    if is_factory(found, rule.kind):
        return Implementation(rule.id, label, found, DTYPES["torch"], fixed=fixed, matching="by the oracle's names")
    if rule.drawn:
        raise UsageError(
            f"{rule.id} draws its {', '.join(rule.drawn)}: target must be a factory (*, dtype, device) of functions "
            f"(x, *seed, {', '.join(rule.hyperparameters)}), got {label}"
        )
    if rule.kind == "optimizer":
        return _optimizer(found, rule, label, fixed)
    return _function(found, rule, label, fixed, rule.taken or _arrays_of(found))


def unknown_optimizer(target: Any) -> Implementation:
    """Describe an optimizer that claims no formula: its learning rate and its decay are all that is looked for.

    Raises
    ------
    LoadError
        If a string names nothing that can be imported.
    UsageError
        If the target is no subclass of ``torch.optim.Optimizer`` and no ``functools.partial`` of one.
    """
    found, label = named(target)
    if not callable(found) or not is_torch_optimizer(found):
        raise UsageError(
            f"without a formula, target must be a subclass of torch.optim.Optimizer, got {label}: say which it claims"
        )
    # Of one that claims no formula, a decay without further words may be that of an average.
    offered = set(numeric(constructor_parameters(found))) - {"decay"}
    spellings = matched(("learning_rate", "weight_decay"), offered)
    factory = OptimizerFactory(found, spellings)
    return Implementation("", label, factory, DTYPES["torch"], devices=devices(), matching=_words(spellings, {}))


def default(parameters: Parameters, spelling: str) -> float | None:
    """Return the default of a keyword, or of a place in one, if it is a number."""
    keyword, _, place = spelling.partition("[")
    found = parameters[keyword].default
    value = found[int(place[:-1])] if place and isinstance(found, tuple | list) else found
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def sequences(spellings: Mapping[str, str], parameters: Parameters) -> dict[str, Any]:
    """Return the defaults of keywords that are sequences, places of which are set."""
    names = {spelling.partition("[")[0] for spelling in spellings.values() if "[" in spelling}
    return {name: parameters[name].default for name in names if isinstance(parameters[name].default, tuple)}


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
    bare = target.func if isinstance(target, functools.partial) else target
    bare = bare if hasattr(bare, "__qualname__") else type(bare)
    parts, name = bare.__module__.split("."), bare.__qualname__.replace("<locals>.", "")
    for depth in range(1, len(parts) + 1):
        package = ".".join(parts[:depth])
        if getattr(sys.modules.get(package), name, None) is bare:
            return f"{package}.{name}"
    return f"{bare.__module__}.{name}"


def parameters_of(target: Callable[..., Any]) -> Parameters | None:
    """Return what a target takes, or None if it does not say."""
    try:
        return inspect.signature(target).parameters
    except (TypeError, ValueError):  # built-in functions may have none
        return None


def constructor_parameters(target: Any) -> Parameters:
    """Return what the constructor takes, and what it hands on to the classes above as ``**keywords``."""
    bare: Any = target.func if isinstance(target, functools.partial) else target
    parameters: dict[str, inspect.Parameter] = {}
    for constructor in (target, *(base.__init__ for base in bare.__mro__)):
        offered = inspect.signature(constructor).parameters
        parameters = {**offered, **parameters}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in offered.values()):
            break
    return parameters


def is_factory(target: Callable[..., Any], kind: str) -> bool:
    """Whether a target's signature is that of a factory of subjects of a kind of formulas."""
    names = set(parameters_of(target) or ())
    expected = {"params", "groups", "dtype", "device"} if kind == "optimizer" else {"dtype", "device"}
    return names == expected


def is_torch_optimizer(target: Any) -> bool:
    """Whether a target is a subclass of ``torch.optim.Optimizer`` or a ``functools.partial`` of one."""
    return ("torch.optim.optimizer", "Optimizer") in _bases(target)


def _is_keras_optimizer(target: Any) -> bool:
    return any(module.partition(".")[0] == "keras" and name == "BaseOptimizer" for module, name in _bases(target))


def _bases(target: Any) -> list[tuple[str, str]]:
    bare = target.func if isinstance(target, functools.partial) else target
    return [(base.__module__, base.__name__) for base in getattr(bare, "__mro__", ())]


def _arrays_of(target: Any) -> Arrays:
    if _belongs_to(target, "torch"):
        return "torch"
    return "jax" if _belongs_to(target, "jax") or _belongs_to(target, "optax") else "numpy"


def _belongs_to(target: Any, package: str) -> bool:
    bare = inspect.unwrap(target.func if isinstance(target, functools.partial) else target)
    values = [bare, *getattr(bare, "__globals__", {}).values()]
    names = [value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "") for value in values]
    return any(isinstance(name, str) and name.partition(".")[0] == package for name in names)


def _match(formula: Signature, parameters: Parameters, label: str, fixed: Mapping[str, float]) -> dict[str, str]:
    """Find a keyword for each hyperparameter.

    Raises
    ------
    UsageError
        Naming those that have none and no fixed value.
    """
    keywords = {
        name
        for name, parameter in numeric(parameters).items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    spellings = matched(formula.hyperparameters, keywords)
    missing = [name for name in formula.hyperparameters if name not in spellings and name not in fixed]
    if missing:
        example = ", ".join(f'"{name}": ...' for name in missing)
        raise UsageError(f"{label} offers no {', '.join(missing)}: set hyperparameters={{{example}}} to what it uses")
    return spellings


def _words(spellings: Mapping[str, str], fixed: Mapping[str, float]) -> str:
    pairs = [f"{spelling} is {name}" for name, spelling in spellings.items()]
    pairs += [f"{name}={value!r} fixed" for name, value in fixed.items()]
    return "; ".join(pairs)


def _optimizer(target: Any, formula: Signature, label: str, fixed: Mapping[str, float]) -> Implementation:
    if _is_keras_optimizer(target):
        from conformance.backends import keras_arrays, keras_optimizers

        spellings = _match(formula, constructor_parameters(target), label, fixed)
        return _whole(formula, label, keras_optimizers.OptimizerFactory(target, spellings), keras_arrays.DTYPES, fixed)
    if not inspect.isclass(target) and _belongs_to(target, "optax"):
        from conformance.backends import jax_arrays, optax

        spellings = _match(formula, parameters_of(target) or {}, label, fixed)
        return _whole(formula, label, optax.TransformationFactory(target, spellings), jax_arrays.DTYPES, fixed)
    if not is_torch_optimizer(target):
        raise UsageError(
            f"{formula.id} is an optimizer: target must be a subclass of torch.optim.Optimizer or of "
            "keras.optimizers.Optimizer, a function that makes a transformation of optax, or a factory "
            f"(params, groups, *, dtype, device), got {label}"
        )
    parameters = constructor_parameters(target)
    spellings = _match(formula, parameters, label, fixed)
    taken = {spelling.partition("[")[0] for spelling in spellings.values()}
    beside = matched(_FAMILIAR, set(numeric(parameters)) - taken)
    own = {name: default(parameters, spelling) for name, spelling in beside.items()}
    return Implementation(
        formula.id,
        label,
        OptimizerFactory(target, spellings, sequences(spellings, parameters), offers=_offers(target)),
        DTYPES["torch"],
        devices=devices(),
        fixed=fixed,
        kept={name: value for name, value in own.items() if value},
        matching=_words(spellings, fixed),
    )


def _whole(
    formula: Signature, label: str, factory: Any, dtypes: tuple[str, ...], fixed: Mapping[str, float]
) -> Implementation:
    """Describe an optimizer of a framework that differentiates with respect to all parameters at once."""
    matching = _words(factory.spellings, fixed)
    return Implementation(formula.id, label, factory, dtypes, fixed=fixed, missing_gradients=False, matching=matching)


def _offers(target: Any) -> tuple[str, ...]:
    bare: Any = target.func if isinstance(target, functools.partial) else target
    return OFFERED_BY_TORCH if bare.__module__.startswith("torch.optim.") else OFFERED_BY_ALL


@dataclass(frozen=True, eq=False)
class _PlainFunction:
    """A factory of calls of one function."""

    function: Callable[..., Any]
    spellings: Mapping[str, str]
    positional: tuple[str, ...]
    arrays: Arrays
    integers: tuple[bool, ...]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype and a device."""

        def call(*arrays: Floats, **hyperparameters: float) -> Floats:
            places = [hyperparameters[name] for name in self.positional]
            keywords: dict[str, Any] = {}
            for name, spelling in self.spellings.items():
                write(keywords, spelling, hyperparameters[name])
            taken = [
                self._taken(array, "int64" if whole else dtype, device)
                for array, whole in zip(arrays, self.integers, strict=True)
            ]
            result = self.function(*taken, *places, **keywords)
            if result is None:  # it worked in place
                result = taken[0]
            # Numpy's are widened where they are read, which is where text and complex numbers are refused.
            return to_floats(result) if hasattr(result, "detach") else np.array(result)

        def call_in_jax(*arrays: Floats, **hyperparameters: float) -> Floats:
            with precision_of(dtype):
                return call(*arrays, **hyperparameters)

        return call_in_jax if self.arrays == "jax" else call

    def _taken(self, array: Floats, dtype: str, device: str) -> Any:
        if self.arrays == "torch":
            return to_tensor(array, dtype=dtype, device=device)
        if self.arrays == "jax":
            return to_array(array, dtype=dtype)
        return np.array(array, dtype=dtype, order="K")


@dataclass(frozen=True, eq=False)
class _PlainSchedule:
    """A factory of runs of one function of the step."""

    function: Callable[..., Any]
    spellings: Mapping[str, str]
    positional: tuple[str, ...]
    lengths: tuple[str, ...]

    def __call__(self, *, dtype: str, device: str) -> Schedule:  # noqa: ARG002 - the target's own choices
        """Return the schedule."""

        def call(steps: Floats, **hyperparameters: float) -> Floats:
            values = {name: int(value) if name in self.lengths else value for name, value in hyperparameters.items()}
            places = [values[name] for name in self.positional]
            keywords: dict[str, Any] = {}
            for name, spelling in self.spellings.items():
                write(keywords, spelling, values[name])
            return np.array([float(self.function(int(step), *places, **keywords)) for step in steps])

        return call


def _function(
    target: Callable[..., Any], formula: Signature, label: str, fixed: Mapping[str, float], arrays: Arrays
) -> Implementation:
    parameters = parameters_of(target)
    if inspect.isclass(target):
        what = "the step" if formula.kind == "schedule" else "arrays"
        raise UsageError(f"{formula.id} is a function of {what}: target must be one, got the class {label}")
    names = list(parameters or ())
    offered = numeric({name: parameters[name] for name in names[len(formula.arrays) :]} if parameters else {})
    room = len(offered)
    spellings = matched(formula.hyperparameters, offered)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in offered.values()):
        spellings = {name: spellings.get(name, name) for name in formula.hyperparameters if name not in fixed}
    used = set(spellings.values())
    unnamed = [name for name in formula.hyperparameters if name not in spellings and name not in fixed]
    if unnamed and parameters is not None and len(unnamed) > room - len(used):
        _match(formula, offered, label, fixed)
    words = _words(spellings, fixed) + "".join(f"; {name} is given by position" for name in unnamed)
    if formula.kind == "schedule":
        schedule = _PlainSchedule(target, spellings, tuple(unnamed), formula.lengths)
        return Implementation(
            formula.id,
            label,
            schedule,
            DTYPES["numpy"][:2],
            fixed=fixed,
            matching=f"{words.removeprefix('; ')}; the step is an int",
        )
    return Implementation(
        formula.id,
        label,
        _PlainFunction(
            target, spellings, tuple(unnamed), arrays, tuple(name in formula.integers for name in formula.arrays)
        ),
        DTYPES[arrays],
        devices=devices() if arrays == "torch" else ("cpu",),
        fixed=fixed,
        matching="; ".join(
            part
            for part in (
                words.removeprefix("; "),
                *(f"{name} holds whole numbers" for name in formula.integers),
                f"arrays of {arrays}",
            )
            if part
        ),
    )
