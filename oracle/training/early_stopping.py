"""When training ends, and which parameters it returns, by the losses of validation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Real
from typing import NamedTuple

from oracle.domains import at_least
from oracle.formula import Scalar, require_count

__all__ = ["Stop", "early_stopping", "early_stopping_later_ties"]


class Stop(NamedTuple):
    """What was decided at the end of the last epoch; epochs are counted from 1."""

    best: Scalar  # the loss of the stored parameters; infinite if none are stored
    stored: int  # the epoch whose parameters are returned; 0 if none are stored
    stopped: int | None  # the epoch that was the last; None if the losses ran out


def _stop(losses: Iterable[Scalar], patience: int, improves: Callable[[Scalar, Scalar], bool]) -> Stop:
    require_count("patience", patience, at_least(1))
    best: Scalar = math.inf
    stored = 0
    wait = 0
    for epoch, loss in enumerate(losses, start=1):
        if improves(loss, best):
            best, stored, wait = loss, epoch, 0
        else:
            wait += 1
        if wait >= patience:
            return Stop(best, stored, epoch)
    return Stop(best, stored, None)


def early_stopping(losses: Iterable[Scalar], *, patience: int, min_delta: Scalar = 0) -> Stop:
    r"""Store the parameters whenever validation was never better, and stop once it has not been for a while.

    .. math::

        L_e < L_{e^*} - \delta

    Parameters
    ----------
    losses : iterable of scalar
        :math:`L_e`, of validation at the end of each epoch; none is read after the stop. :math:`e^*` is the epoch
        stored last, and without a threshold :math:`L_{e^*}` the least of all losses so far.
    patience : int
        How many epochs without an improvement end the training, at least 1.
    min_delta : scalar, optional
        :math:`\delta \ge 0`, by how much a loss must be lower to be an improvement on the stored one.

    Returns
    -------
    Stop

    Raises
    ------
    DomainError
        If the patience is too small or the threshold negative.

    Notes
    -----
    Bourmaud's slides ("Résumé de l'étape d'apprentissage") store what is lower than the best so far, hence the strict
    comparison, and stop "en régime de sur-apprentissage" without a criterion: the patience is the established one.

    Examples
    --------
    >>> early_stopping([5, 3, 4, 3, 2], patience=2)
    Stop(best=3, stored=2, stopped=4)
    """
    if isinstance(min_delta, Real):
        at_least(0).require("min_delta", min_delta)  # type: ignore[arg-type]  # fractions compare like floats
    return _stop(losses, patience, lambda loss, best: bool(loss < best - min_delta))


def early_stopping_later_ties(losses: Iterable[Scalar], *, patience: int) -> Stop:
    r"""Stop early, but take a loss that equals the best for an improvement: :math:`L_e \le \min_{j < e} L_j`.

    Parameters
    ----------
    losses : iterable of scalar
        Of validation at the end of each epoch; none is read after the stop.
    patience : int
        How many epochs without an improvement end the training, at least 1.

    Returns
    -------
    Stop
        Of equally good epochs the last one is stored.

    Raises
    ------
    DomainError
        If the patience is too small.

    Examples
    --------
    >>> early_stopping_later_ties([5, 3, 4, 3, 2], patience=2)
    Stop(best=2, stored=5, stopped=None)
    """
    return _stop(losses, patience, lambda loss, best: bool(loss <= best))
