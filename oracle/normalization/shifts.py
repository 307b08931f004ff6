"""How the distributions of training and test data may differ, on finite tables of probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

__all__ = ["Table", "conditional", "marginal", "shifts"]

#: Probabilities of an input (rows) together with a label (columns).
Table = Sequence[Sequence[Fraction]]


def marginal(table: Table, *, of: str) -> tuple[Fraction, ...]:
    """Add up a table: the distribution of the input ``"x"``, or of the label ``"y"``.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> marginal([[half, 0], [0, half]], of="x")
    (Fraction(1, 2), Fraction(1, 2))
    """
    lines = table if of == "x" else list(zip(*table, strict=True))
    return tuple(Fraction(sum(line)) for line in lines)


def conditional(table: Table, *, of: str) -> Mapping[int, tuple[Fraction, ...]]:
    """Divide a table: the distribution of ``"y"`` for each input that occurs, or of ``"x"`` for each label.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> conditional([[half, half], [0, 0]], of="y")
    {0: (Fraction(1, 2), Fraction(1, 2))}
    """
    lines = table if of == "y" else list(zip(*table, strict=True))
    return {place: tuple(p / sum(line) for p in line) for place, line in enumerate(lines) if sum(line)}


def _agree(one: Mapping[int, tuple[Fraction, ...]], other: Mapping[int, tuple[Fraction, ...]]) -> bool:
    """Whether two conditional distributions are the same wherever both are defined."""
    return all(one[place] == other[place] for place in one.keys() & other.keys())


def shifts(training: Table, test: Table) -> frozenset[str]:
    r"""Name the shifts between two joint distributions of inputs and labels.

    Parameters
    ----------
    training, test : sequence of sequences of Fraction
        Probabilities, inputs in rows and labels in columns; each table adds up to 1.

    Returns
    -------
    frozenset of str
        ``dataset`` if :math:`P(X, y)` differs; ``covariate`` if :math:`P(X)` does and :math:`P(y \mid X)` does
        not; ``concept`` if :math:`P(y \mid X)` does; ``prior`` if :math:`P(y)` does and :math:`P(X \mid y)`
        does not. A conditional distribution is compared where both tables have one.

    Examples
    --------
    >>> quarter = Fraction(1, 4)
    >>> uniform = [[quarter, quarter], [quarter, quarter]]
    >>> sorted(shifts(uniform, [[3 * quarter / 2, 3 * quarter / 2], [quarter / 2, quarter / 2]]))
    ['covariate', 'dataset']
    """
    tables = training, test
    x, y = ([marginal(table, of=name) for table in tables] for name in "xy")
    y_given_x, x_given_y = ([conditional(table, of=name) for table in tables] for name in "yx")
    same_relation, same_appearance = _agree(*y_given_x), _agree(*x_given_y)
    found = {
        "dataset": list(map(tuple, training)) != list(map(tuple, test)),
        "covariate": x[0] != x[1] and same_relation,
        "concept": not same_relation,
        "prior": y[0] != y[1] and same_appearance,
    }
    return frozenset(name for name, holds in found.items() if holds)
