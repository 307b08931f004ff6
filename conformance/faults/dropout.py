"""Faults of dropout."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.faults.programs import Arithmetic, Array, Fault
from properties.subject import Floats, RandomFunction

__all__ = ["FAULTS", "Dropout", "plain"]

Mask = NDArray[np.bool_]
#: Returns the kept units of one pass, from the generator, the pass's shape, the proportion and all passes' memory.
Sampler = Callable[[np.random.Generator, tuple[int, ...], float, dict[str, Any]], Mask]
#: Returns what becomes of the units of one pass.
Rule = Callable[[Array, Mask, float], Array]
Inference = Callable[[Array, float], Array]


def plain(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    """Draw every unit for itself."""
    return random.random(shape) < keep


def _inverted(x: Array, mask: Mask, keep: float) -> Array:
    return mask * x / x.dtype.type(keep)


def _unscaled(x: Array, mask: Mask, keep: float) -> Array:
    return mask * x


def _identity(x: Array, keep: float) -> Array:
    return x


def _scaled(x: Array, keep: float) -> Array:
    return x * x.dtype.type(keep)


@dataclass(frozen=True, eq=False)
class Dropout:
    """A factory of random functions: how the mask is drawn, what it does, and what inference does."""

    rule: Rule
    inference: Inference
    sampler: Sampler = plain

    def __call__(self, *, dtype: str, device: str) -> RandomFunction:
        """Return the function; there is only the CPU."""
        arithmetic = Arithmetic(dtype)

        def function(x: Floats, *seed: Floats, **hyperparameters: float) -> Floats:
            keep = hyperparameters["keep"]
            passes = [arithmetic.load(units) for units in x]
            if seed:
                random, memory = np.random.default_rng(int(seed[0])), dict[str, Any]()
                masks = [self.sampler(random, units.shape, keep, memory) for units in passes]
                results = [self.rule(units, mask, keep) for units, mask in zip(passes, masks, strict=True)]
            else:
                results = [self.inference(units, keep) for units in passes]
            return np.array([arithmetic.store(result) for result in results], dtype=np.float64).reshape(x.shape)

        return function


def _others(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return plain(random, shape, 1 - keep, memory)


def _one_row(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return np.broadcast_to(plain(random, shape[-1:], keep, memory), shape)


def _whole_rows(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return np.broadcast_to(plain(random, (*shape[:-1], 1), keep, memory), shape)


def _once(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    mask: Mask = memory.setdefault("mask", plain(random, shape, keep, memory))
    return mask


def _drop_first(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    mask = plain(random, shape, keep, memory)
    mask.flat[0] = False
    return mask


def _again(period: int, whole: bool) -> Sampler:
    """Return a sampler whose passes come again after a period, or stay as they are when it is over."""

    def sampler(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
        passes: list[Mask] = memory.setdefault("passes", [])
        drawn = len(passes) < period
        passes.append(plain(random, shape, keep, memory) if drawn else passes[-period if whole else -1])
        return passes[-1]

    return sampler


def _row_pairs(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    """Draw two rows, and repeat them down the batch."""
    return _tiled(plain(random, (2, shape[-1]), keep, memory), shape)


def _thirty_two(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return _tiled(plain(random, (*shape[:-1], 32), keep, memory), shape)


def _half_rows(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return _tiled(plain(random, (*shape[:-1], -(-shape[-1] // 2)), keep, memory), shape)


def _tiled(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Repeat a mask along both axes as often as a shape takes, and cut off the rest."""
    rows, units = shape[0] if len(shape) > 1 else 1, shape[-1]
    mask = np.atleast_2d(mask)
    repeated = np.tile(mask, (-(-rows // mask.shape[0]), -(-units // mask.shape[1])))
    return repeated[:rows, :units].reshape(shape)


def _one_source(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return plain(memory.setdefault("random", np.random.default_rng(0)), shape, keep, memory)


def _keep_last(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    mask = plain(random, shape, keep, memory)
    mask.flat[-1] = True
    return mask


def _exact_count(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    units = math.prod(shape)
    return (random.permutation(units) < round(keep * units)).reshape(shape)


def _tenths(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return plain(random, shape, math.floor(10 * keep) / 10, memory)


def _hundredths(random: np.random.Generator, shape: tuple[int, ...], keep: float, memory: dict[str, Any]) -> Mask:
    return plain(random, shape, round(keep, 2), memory)


def _fixed(x: Array, rule: Rule, keep: float) -> Array:
    """Drop as training does, by a mask of its own."""
    return rule(x, np.arange(x.size).reshape(x.shape) % 2 == 0, keep)


def _inverted_fault(
    id: str,
    story: str,
    *,
    rule: Rule = _inverted,
    inference: Inference = _identity,
    sampler: Sampler = plain,
    source: str = "",
) -> Fault:
    return Fault(f"dropout_{id}", "dropout_inverted", story, Dropout(rule, inference, sampler), source)


def _kept_fault(
    id: str, story: str, *, rule: Rule = _unscaled, inference: Inference = _scaled, sampler: Sampler = plain
) -> Fault:
    subject = Dropout(rule, inference, sampler)
    return Fault(f"dropout_keep_proportion_{id}", "dropout_keep_proportion", story, subject)


INVERTED = (
    _inverted_fault("unscaled", "Kept units are not divided.", rule=_unscaled, source="the older convention"),
    _inverted_fault(
        "scaled_by_the_proportion_removed",
        "Kept units are multiplied by the proportion removed.",
        rule=lambda x, mask, keep: mask * x * x.dtype.type(1 - keep),
    ),
    _inverted_fault(
        "divided_by_the_proportion_removed",
        "Kept units are divided by the proportion removed.",
        rule=lambda x, mask, keep: mask * x / x.dtype.type(1 - keep),
        source="lmjohns3/theanets PR #123, kaldi-asr/kaldi #2814",
    ),
    _inverted_fault(
        "proportions_exchanged",
        "The proportion to remove is taken for the one to keep, in the mask and in the divisor.",
        rule=lambda x, mask, keep: mask * x / x.dtype.type(1 - keep),
        sampler=_others,
    ),
    _inverted_fault(
        "mask_of_the_proportion_removed",
        "The mask keeps what it should remove; the divisor is right.",
        sampler=_others,
    ),
    _inverted_fault(
        "adds_noise", "Removed units become a thousandth.", rule=lambda x, mask, keep: _inverted(x, mask, keep) + 1e-3
    ),
    _inverted_fault(
        "removes_nothing",
        "Every unit is kept, and divided.",
        sampler=lambda random, shape, keep, memory: np.ones(shape, dtype=bool),
    ),
    _inverted_fault(
        "squared_proportion",
        "Two masks are multiplied, as if the layer were applied twice; the divisor is that of one.",
        sampler=lambda random, shape, keep, memory: (
            plain(random, shape, keep, memory) & plain(random, shape, keep, memory)
        ),
    ),
    _inverted_fault("one_mask_for_all_rows", "One row's mask serves the whole batch.", sampler=_one_row),
    _inverted_fault(
        "whole_rows", "A row is removed or kept as a whole.", sampler=_whole_rows, source="torch.nn.Dropout1d"
    ),
    _inverted_fault("mask_not_redrawn", "The mask of the first pass serves all.", sampler=_once),
    _inverted_fault("every_second_pass_again", "The masks of two passes come again.", sampler=_again(2, whole=True)),
    _inverted_fault("every_second_row_again", "The masks of two rows come again in each pass.", sampler=_row_pairs),
    _inverted_fault("period_of_32_units", "A row repeats its mask after 32 units.", sampler=_thirty_two),
    _inverted_fault("half_a_row_twice", "The mask of half a row serves the other half.", sampler=_half_rows),
    _inverted_fault("seed_ignored", "The masks are the same under every seed.", sampler=_one_source),
    _inverted_fault("last_unit_never_removed", "The last unit is always kept.", sampler=_keep_last),
    _inverted_fault(
        "exact_count",
        "The proportion is rounded to a number of units, and each pass keeps just as many.",
        sampler=_exact_count,
        source="a mask drawn as a permutation",
    ),
    _inverted_fault(
        "frozen_after_two_passes", "The mask of the second pass serves all that follow.", sampler=_again(2, whole=False)
    ),
    _inverted_fault("keep_in_tenths", "The proportion is rounded down to tenths.", sampler=_tenths),
    _inverted_fault("keep_in_hundredths", "The proportion is rounded to hundredths.", sampler=_hundredths),
    _inverted_fault("never_keeps_all", "The first unit is always removed.", sampler=_drop_first),
    _inverted_fault("scaled_at_inference", "Inference multiplies by the proportion kept.", inference=_scaled),
    _inverted_fault(
        "drops_at_inference", "Inference drops units.", inference=lambda x, keep: _fixed(x, _inverted, keep)
    ),
)

KEPT = (
    _kept_fault("keep_in_hundredths", "The proportion is rounded to hundredths.", sampler=_hundredths),
    _kept_fault("rescaled", "Kept units are divided by the proportion kept.", rule=_inverted),
    _kept_fault(
        "scaled_in_training",
        "Kept units are multiplied by the proportion kept.",
        rule=lambda x, mask, keep: mask * x * x.dtype.type(keep),
    ),
    _kept_fault("exchanged", "The mask keeps what it should remove.", sampler=_others),
    _kept_fault("whole_rows", "A row is removed or kept as a whole.", sampler=_whole_rows),
    _kept_fault("exact_count", "Each pass keeps the same number of units.", sampler=_exact_count),
    _kept_fault("never_keeps_all", "The first unit is always removed.", sampler=_drop_first),
    _kept_fault("unscaled_at_inference", "Inference changes nothing.", inference=_identity),
    _kept_fault("drops_at_inference", "Inference drops units.", inference=lambda x, keep: _fixed(x, _unscaled, keep)),
)

FAULTS = INVERTED + KEPT
