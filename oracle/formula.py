"""The record of a formula, and the decorator that makes one of a function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oracle.domains import Domain, at_least
from oracle.errors import DomainError, UnknownFormulaError

__all__ = [
    "Array",
    "Evaluation",
    "Formula",
    "Integers",
    "NoState",
    "Scalar",
    "formula",
    "initial_state",
    "whole_numbers",
]

Array: TypeAlias = Any  # an array of any number system
Integers: TypeAlias = Any  # an array of whole numbers, the same in every number system
Scalar: TypeAlias = Any  # a Python number, or a scalar of the same number system


class NoState(NamedTuple):
    """What an optimizer without memory remembers."""


@dataclass(frozen=True)
class Evaluation:
    """Another program for the values of a formula, with bounds of its own.

    Parameters
    ----------
    program : callable
        Makes a body of the formula's body.
    description : str
        What it does instead, as a clause; a diagnosis prints it.
    kind : {"stable", "unstable", "strict"}
        A stable one has a relative error of at most some roundings times the size of its inputs, or the number of
        steps, and stays in the range, whatever it is given: it is accepted beside the printed one. A subject that only
        an unstable one contains deviates, unless it claims that evaluation. A strict one has bounds where the printed
        one has none, and promises more: a subject is held to it only if it claims it, and then to nothing else.
    """

    program: Callable[[Callable[..., Any]], Callable[..., Any]]
    description: str
    kind: Literal["stable", "unstable", "strict"] = "stable"


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula of the documents, written once and run in every number system.

    Calling it evaluates the body on arrays of any library, after a check of the domain.

    Parameters
    ----------
    id : str
        Permanent name; the module that defines it is named after its rule.
    kind : {"optimizer", "function", "schedule"}
        An optimizer maps ``(param, grad, state, **hyperparameters)`` to ``(param, state)``;
        a function maps ``(*arrays, **hyperparameters)`` to an array; a schedule maps
        ``(step, **hyperparameters)``, where ``step`` counts completed updates, to a number.
    body : callable
        Reads like the printed equation, one statement per line of it.
    source : tuple of str
        Keys of ``references.bib``, each with a place.
    domain : mapping of str to Domain
        Where the oracle answers, by hyperparameter.
    draw : mapping of str to Domain
        The part of the domain that differential checks use.
    neighbours : tuple of str
        Ids of the nearest wrong or different formulas.
    state_type : type, optional
        The NamedTuple of an optimizer's memory.
    evaluations : mapping of str to Evaluation, optional
        Other programs for the same values, by name.
    drawn : tuple of str, optional
        Arrays that an implementation draws at random for itself, and that are read off its results.
    """

    id: str
    kind: Literal["optimizer", "function", "schedule"]
    body: Callable[..., Any]
    source: tuple[str, ...]
    domain: Mapping[str, Domain]
    draw: Mapping[str, Domain]
    neighbours: tuple[str, ...]
    state_type: type[Any] = field(default=NoState)
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.__dict__.update(
            __doc__=self.body.__doc__,
            __name__=self.body.__name__,
            __qualname__=self.body.__qualname__,
            __module__=self.body.__module__,
            __wrapped__=self.body,
        )

    def __call__(self, *arrays: Any, **hyperparameters: Any) -> Any:
        """Evaluate the formula on arrays of any one library."""
        if self.kind == "schedule":
            require_count("step", arrays[0], at_least(0))
        self.require(hyperparameters)
        return self.body(*arrays, **hyperparameters)

    def __repr__(self) -> str:
        return f"<formula {self.id}>"

    @cached_property
    def arrays(self) -> tuple[str, ...]:
        """Names of the positional arguments, in the order of the signature."""
        parameters = inspect.signature(self.body).parameters.values()
        return tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)

    @cached_property
    def integers(self) -> tuple[str, ...]:
        """Names of the positional arguments that hold whole numbers: those annotated as Integers."""
        parameters = inspect.signature(self.body).parameters.values()
        return tuple(p.name for p in parameters if p.annotation == "Integers")

    @cached_property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the keyword-only arguments, in the order of the signature."""
        parameters = inspect.signature(self.body).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)

    @cached_property
    def lengths(self) -> tuple[str, ...]:
        """Names of the hyperparameters that are whole numbers: those annotated as int."""
        parameters = inspect.signature(self.body).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.annotation in (int, "int"))

    @cached_property
    def programs(self) -> Mapping[str, Formula]:
        """The formula by each of its evaluations; by the printed one, which has no name, first."""
        others = self.evaluations.items()
        return {"": self} | {name: replace(self, body=other.program(self.body)) for name, other in others}

    def accepted(self, claimed: str = "") -> tuple[str, ...]:
        """Return the names of the evaluations by which a subject conforms: those that are stable, and what it claims.

        A strict one that is claimed stands alone: the printed one would excuse what it promises.

        Raises
        ------
        UnknownFormulaError
            If the formula has no evaluation of the name that is claimed.
        """
        if claimed not in self.programs:
            known = ", ".join(self.evaluations) or "none"
            raise UnknownFormulaError(f"the evaluation of {self.id} must be among {known}, got {claimed!r}")
        if claimed and self.evaluations[claimed].kind == "strict":
            return (claimed,)
        stable = [name for name, other in self.evaluations.items() if other.kind == "stable" and name != claimed]
        return ("", *stable, claimed) if claimed else ("", *stable)

    @cached_property
    def title(self) -> str:
        """The first line of the docstring."""
        return inspect.cleandoc(self.body.__doc__ or "").split("\n")[0]

    @cached_property
    def latex(self) -> str:
        """The display equation of the docstring."""
        match = re.search(r"\.\. math::\n\n((?:    .*\n|\n)+)", inspect.cleandoc(self.body.__doc__ or "") + "\n")
        return "" if match is None else inspect.cleandoc(match[1]).strip()

    def require(self, hyperparameters: Mapping[str, Any]) -> None:
        """Raise unless every plain number lies in its domain, and every length is whole.

        Raises
        ------
        DomainError
            Naming the argument, its domain and the value.
        """
        for name in self.lengths:
            if name in hyperparameters:
                require_count(name, hyperparameters[name], self.domain[name])
        for name, value in hyperparameters.items():
            if name in self.domain and isinstance(value, int | float):
                self.domain[name].require(name, value)


def require_count(name: str, value: float, domain: Domain) -> None:
    """Raise unless a number is whole and lies in its domain.

    Raises
    ------
    DomainError
        Naming the argument and the value.
    """
    domain.require(name, value)
    if value != int(value):
        raise DomainError(f"{name} must be a whole number, got {name}={value!r}")


def whole_numbers(name: str, values: Any) -> NDArray[np.int64]:
    """Return an array of whole numbers, whatever they are kept in.

    Raises
    ------
    DomainError
        Naming the argument and the value.
    """
    numbers = np.asarray(values)
    for number in numbers[numbers != np.rint(numbers)][:1]:
        raise DomainError(f"{name} must hold whole numbers, got {number!r}")
    return numbers.astype(np.int64)


def formula(
    id: str,
    *,
    kind: Literal["optimizer", "function", "schedule"] = "optimizer",
    source: tuple[str, ...],
    domain: Mapping[str, Domain],
    draw: Mapping[str, Domain] | None = None,
    neighbours: tuple[str, ...],
    state_type: type[Any] = NoState,
    evaluations: Mapping[str, Evaluation] | None = None,
    drawn: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Formula]:
    """Make a formula of a function; see `Formula` for the arguments."""

    def decorate(body: Callable[..., Any]) -> Formula:
        range_drawn = {**domain, **(draw or {})}
        return Formula(id, kind, body, source, domain, range_drawn, neighbours, state_type, evaluations or {}, drawn)

    return decorate


def initial_state(state_type: type[Any], zeros: Any) -> Any:
    """Return the state before the first update.

    Parameters
    ----------
    state_type : type
        A NamedTuple; its field ``step``, if there is one, counts completed updates.
    zeros : array
        Zeros of the parameter's shape, in the number system of the run.

    Returns
    -------
    state : NamedTuple
        ``step`` is 0, every other field is ``zeros``.
    """
    return state_type(**{name: 0 if name == "step" else zeros for name in state_type._fields})
