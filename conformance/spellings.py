"""The names that hyperparameters bear in other people's signatures."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

__all__ = ["SPELLINGS", "matched", "write"]

#: By the oracle's name, the preferred first; ``betas[0]`` is a place in a sequence.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("learning_rate", "lr", "step_size", "stepsize", "eta"),
    "beta1": ("beta1", "beta_1", "b1", "betas[0]"),
    "beta2": ("beta2", "beta_2", "b2", "betas[1]"),
    "eps": ("eps", "epsilon"),
    "weight_decay": ("weight_decay", "wd", "decay"),
    "l2_penalty": ("l2_penalty", "weight_decay", "l2", "wd"),
    "schedule_multiplier": ("schedule_multiplier", "multiplier", "eta"),
    "momentum": ("momentum", "mu", "beta", "gamma", "decay", "rho", "alpha"),
    "dampening": ("dampening", "tau"),
    "clip_value": ("clip_value", "threshold", "clip", "max_value", "max_delta", "alpha"),
    "max_norm": ("max_norm", "threshold", "clip", "clip_norm", "clipnorm", "global_clipnorm", "alpha"),
}


def _split(spelling: str) -> tuple[str, int | None]:
    keyword, _, place = spelling.partition("[")
    return keyword, int(place[:-1]) if place else None


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
