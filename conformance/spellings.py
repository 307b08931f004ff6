"""The names that hyperparameters bear in other people's signatures."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SPELLINGS", "Spelled", "matched", "numeric", "write"]

#: By the oracle's name, the preferred first; ``betas[0]`` is a place in a sequence.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("learning_rate", "lr", "step_size", "stepsize", "eta"),
    "beta1": ("beta1", "beta_1", "b1", "betas[0]"),
    "beta2": ("beta2", "beta_2", "b2", "betas[1]"),
    "eps": ("eps", "epsilon"),
    "weight_decay": ("weight_decay", "wd", "decay"),
    "l2_penalty": ("l2_penalty", "weight_decay", "l2", "wd"),
    "schedule_multiplier": ("schedule_multiplier", "multiplier", "eta"),
    "alpha": ("alpha", "rho", "decay", "decay_rate", "beta", "gamma", "smoothing"),
    "momentum": ("momentum", "mu", "beta", "gamma", "decay", "rho", "alpha"),
    "dampening": ("dampening", "tau"),
    "initial_accumulator": ("initial_accumulator", "initial_accumulator_value"),
    "clip_value": ("clip_value", "threshold", "clip", "max_value", "max_delta", "alpha"),
    "init_value": ("init_value", "base_lr", "initial_learning_rate", "learning_rate", "lr", "min_lr", "eta"),
    "peak_value": ("peak_value", "max_lr", "base_lr", "eta_max", "lr_max", "peak_lr", "learning_rate", "lr"),
    "end_value": ("end_value", "eta_min", "min_lr", "lr_min", "end_lr", "floor"),
    "warmup_steps": ("warmup_steps", "num_warmup_steps", "warmup", "n_warmup_steps", "warmup_iters", "tau"),
    "decay_steps": ("decay_steps", "T_max", "total_steps", "num_training_steps", "T"),
    "cycle_steps": ("cycle_steps", "T_0", "first_decay_steps", "period"),
    "cycle_growth": ("cycle_growth", "T_mult", "t_mul"),
    "half_cycle_steps": ("half_cycle_steps", "step_size_up", "step_size", "stepsize", "half_period"),
    "model_width": ("model_width", "d_model", "model_size", "dim", "d"),
    "max_norm": ("max_norm", "threshold", "clip", "clip_norm", "clipnorm", "global_clipnorm", "alpha"),
}


def _split(spelling: str) -> tuple[str, int | None]:
    keyword, _, place = spelling.partition("[")
    return keyword, int(place[:-1]) if place else None


def numeric(parameters: Mapping[str, inspect.Parameter]) -> dict[str, inspect.Parameter]:
    """Leave out what is yes or no by default: such a keyword turns something on, even if it bears a number's name."""
    return {name: found for name, found in parameters.items() if not isinstance(found.default, bool)}


def matched(names: Iterable[str], offered: Container[str]) -> dict[str, str]:
    """Find the spelling of each name among the keywords that a signature offers.

    Parameters
    ----------
    names : iterable of str
        The oracle's names, the claim that decides what a spelling means.
    offered : container of str

    Returns
    -------
    dict of str to str
        Spelling by name; names without one are left out, and no spelling serves two names.
    """
    found: dict[str, str] = {}
    for name in names:
        for spelling in SPELLINGS.get(name, (name,)):
            if _split(spelling)[0] in offered and spelling not in found.values():
                found[name] = spelling
                break
    return found


def write(entries: dict[str, Any], spelling: str, value: float) -> None:
    """Set a value where its spelling says, in place; a place in a sequence keeps the others."""
    keyword, place = _split(spelling)
    if place is None:
        entries[keyword] = value
    else:
        items = list(entries[keyword])
        items[place] = value
        entries[keyword] = tuple(items)


@dataclass(frozen=True, eq=False)
class Spelled:
    """Somebody's function, called with the oracle's names.

    Parameters
    ----------
    function : callable
    spellings : mapping of str to str
        The keyword by hyperparameter.
    positional : tuple of str
        Hyperparameters that are given in this order behind all else, as no keyword bears their names.
    """

    function: Callable[..., Any]
    spellings: Mapping[str, str]
    positional: tuple[str, ...] = ()

    def __call__(self, *arguments: Any, **hyperparameters: Any) -> Any:
        """Call it; hyperparameters that it has no place for are left out."""
        keywords: dict[str, Any] = {}
        for name, spelling in self.spellings.items():
            write(keywords, spelling, hyperparameters[name])
        return self.function(*arguments, *(hyperparameters[name] for name in self.positional), **keywords)
