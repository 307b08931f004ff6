"""The record of a formula, and the decorator that makes one of a function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from oracle.domains import Domain

__all__ = ["Array", "Formula", "NoState", "Scalar", "formula", "initial_state"]

Array: TypeAlias = Any  # an array of any number system
Scalar: TypeAlias = Any  # a Python number, or a scalar of the same number system


class NoState(NamedTuple):
    """What an optimizer without memory remembers."""


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula of the documents, written once and run in every number system.

    Calling it evaluates the body on arrays of any library, after a check of the domain.

    Parameters
    ----------
    id : str
        Permanent name; the module that defines it is named after its rule.
    kind : {"optimizer", "function"}
        An optimizer maps ``(param, grad, state, **hyperparameters)`` to ``(param, state)``;
        a function maps ``(*arrays, **hyperparameters)`` to an array.
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
    """

    id: str
    kind: Literal["optimizer", "function"]
    body: Callable[..., Any]
    source: tuple[str, ...]
    domain: Mapping[str, Domain]
    draw: Mapping[str, Domain]
    neighbours: tuple[str, ...]
    state_type: type[Any] = field(default=NoState)

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
        self.require(hyperparameters)
        return self.body(*arrays, **hyperparameters)

    def __repr__(self) -> str:
        return f"<formula {self.id}>"

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the keyword-only arguments, in the order of the signature."""
        parameters = inspect.signature(self.body).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return inspect.cleandoc(self.body.__doc__ or "").split("\n")[0]

    @property
    def latex(self) -> str:
        """The display equation of the docstring."""
        match = re.search(r"\.\. math::\n\n((?:    .*\n|\n)+)", inspect.cleandoc(self.body.__doc__ or "") + "\n")
        return "" if match is None else inspect.cleandoc(match[1]).strip()

    def require(self, hyperparameters: Mapping[str, Any]) -> None:
        """Raise unless every plain number lies in its domain.

        Raises
        ------
        DomainError
            Naming the argument, its domain and the value.
        """
        for name, value in hyperparameters.items():
            if name in self.domain and isinstance(value, int | float):
                self.domain[name].require(name, value)


def formula(
    id: str,
    *,
    kind: Literal["optimizer", "function"] = "optimizer",
    source: tuple[str, ...],
    domain: Mapping[str, Domain],
    draw: Mapping[str, Domain] | None = None,
    neighbours: tuple[str, ...],
    state_type: type[Any] = NoState,
) -> Callable[[Callable[..., Any]], Formula]:
    """Make a formula of a function; see `Formula` for the arguments."""

    def decorate(body: Callable[..., Any]) -> Formula:
        drawn = {**domain, **(draw or {})}
        return Formula(id, kind, body, source, domain, drawn, neighbours, state_type)

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
