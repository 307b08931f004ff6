"""Fresh programs at every point of every lattice are named, whatever way they are written."""

from __future__ import annotations

import pytest

from conformance.identification.identifier import Identifier
from conformance.session import Session
from oracle.dialects import LATTICES
from tests.helpers.covering import covering, pairs
from tests.helpers.speakers import STYLES, speaker

#: One worker runs them: what they share is made once.
pytestmark = pytest.mark.xdist_group("identify_matrix")

#: A factory offers no schedule's multiplier: it does not say which hyperparameters it takes.
ABSENT = ("schedule_multiplier",)


@pytest.fixture(scope="module")
def identifier():
    return Identifier(Session("quick", 0))


def chosen(lattice, full):
    points = lattice.points(ABSENT)
    return list(points) if full else covering(points)


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_every_dialect_is_named_from_its_behaviour(lattice, identifier, request):
    wrong, unnamed = [], []
    points = chosen(lattice, request.config.getoption("--full"))
    for number, point in enumerate(points):
        style = STYLES[number % (len(STYLES) - 1)]  # scalars in float32 have a test of their own
        found = identifier.identify(speaker(point, style), lattice.name, dtypes=("float64",), fixed={})
        told = (style, point.describe(), found.outcome, found.dialects)
        if not any(dialect.endswith(point.describe()) for dialect in found.dialects):
            wrong.append(told)
        elif not found.identified:
            unnamed.append(told)
            assert all(axis.decided or axis.reason for axis in found.axes), told
        else:
            assert found.precision == {"float64": "compute float64, scalars float64"}, told

    assert wrong == []
    assert len(unnamed) <= 0.05 * len(points), unnamed


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_scalars_in_float32_are_named_and_so_is_the_dialect(lattice, identifier, draws):
    points = lattice.points(ABSENT)
    for point in points[:: max(1, len(points) // draws(3, 60))]:
        found = identifier.identify(speaker(point, "float32 scalars"), lattice.name, dtypes=("float64",), fixed={})

        assert found.identified, point.describe()
        assert any(dialect.endswith(point.describe()) for dialect in found.dialects)
        assert found.precision["float64"].endswith("(scalars in float32)")


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_the_points_that_are_tried_show_every_pair_of_values(lattice):
    points = lattice.points(ABSENT)
    few = covering(points)

    assert set().union(*map(pairs, few)) == set().union(*map(pairs, points))
    assert len(few) < len(points)
