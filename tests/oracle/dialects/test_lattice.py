"""Lattices: every axis and point, what is settled, and what is the same in other hyperparameters."""

import itertools

import numpy as np
import pytest

from oracle.arithmetic.balls import abs_lower, abs_upper, balls, midpoint, working_precision
from oracle.dialects import LATTICES
from oracle.dialects.lattice import HISTORY
from oracle.formula import initial_state
from properties.subject import Group
from tests.helpers.speakers import speaker

PARAM = np.array([0.7, -2.1, 0.03])
GRADS = [np.array([0.5, -0.3, 2.2]), np.array([-1.1, 0.13, 0.6]), np.array([0.3, 3.1, -0.07])]
VALUES = {
    "learning_rate": 0.5,
    "beta1": 0.7,
    "beta2": 0.9,
    "eps": 0.13,
    "momentum": 0.8,
    "alpha": 0.85,
    "dampening": 0.35,
    "weight_decay": 0.3,
    "initial_accumulator": 0.6,
    "schedule_multiplier": 0.7,
}
RATES = (1.0, 0.5, 0.75)
BITS = 256

OPTIONAL = ("weight_decay", "schedule_multiplier", "dampening", "initial_accumulator")


def path(dialect, absent=(), values=VALUES, changing="learning_rate"):
    """Parameters after three steps, to 256 bits; after one, if there is no history."""
    zero = dict.fromkeys(absent, 0.0) | {"schedule_multiplier": 1.0}
    with working_precision(BITS):
        param, state = balls(PARAM), initial_state(dialect.formula.state_type, balls(np.zeros(PARAM.shape)))
        named = {name: (zero if name in absent else values)[name] for name in dialect.lattice.hyperparameters}
        known, shown = {name: balls(np.float64(value)) for name, value in named.items()}, []
        for grad, rate in list(zip(GRADS, RATES, strict=True))[: 1 if HISTORY in absent else None]:
            row = known | ({changing: known[changing] * rate} if changing else {})
            param, state = dialect.formula.body(param, balls(grad), state, **row)
            shown.append(param)
        return shown


def same(left, right):
    """Whether no value differs; those that do not are known to 150 bits."""
    with working_precision(BITS):
        gaps = [one - other for one, other in zip(left, right, strict=True)]
        assert all(((abs_lower(gap) > 0) | (abs_upper(gap) < 2.0**-150)).all() for gap in gaps)
        return not any(abs_lower(gap).any() for gap in gaps)


def every(lattice, stride, absent=()):
    return list(itertools.islice((lattice.at(place) for place in lattice.places(absent)), 0, None, stride))


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
@pytest.mark.parametrize(
    "absent",
    [(), ("weight_decay",), OPTIONAL, (*OPTIONAL, HISTORY)],
    ids=["nothing", "decay", "optional", "history"],
)
def test_what_is_settled_is_the_same_program(lattice, absent, draws):
    count = draws(40, 10**6)
    dialects = [one for one in every(lattice, 1) if one.settled(absent) is not one]
    slips = [one for one in lattice.slips(()) if one.settled(absent) is not one]
    sample = [*dialects[:: max(1, len(dialects) // count)], *slips[:: max(1, len(slips) // count)]]

    assert [one.describe() for one in sample if not same(path(one, absent), path(one.settled(absent), absent))] == []


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_what_is_settled_stays_as_it_is(lattice):
    for absent in ((), OPTIONAL, (HISTORY,)):
        for dialect in every(lattice, 37):
            settled = dialect.settled(absent)

            assert settled.settled(absent) is settled


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_every_named_formula_is_a_point(lattice):
    named = {point.named for point in lattice.points(())} - {None}

    assert named == set(lattice.family.named)


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_every_axis_has_one_value_at_every_place(lattice):
    for place in lattice.places():
        for axis in lattice.axes:
            fits = [all(getattr(place, name) == set for name, set in fields.items()) for fields in axis.values.values()]

            assert sum(fits) == 1


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_no_slip_is_a_point(lattice):
    points = {point.place for point in lattice.points(())}

    assert lattice.slips(())
    assert not [slip.id for slip in lattice.slips(()) if slip.place in points]


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_a_slip_needs_what_its_formula_needs(lattice):
    without = lattice.slips(("weight_decay",))

    assert all("weight_decay" not in slip.names for slip in without)
    assert len(without) < len(lattice.slips(())) or lattice.name == "adaptive"


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_programs_written_from_the_words_follow_the_bodies(lattice, draws):
    """What the words say is what the body computes: two people wrote the two."""
    points = lattice.points(("schedule_multiplier",))
    for point in points[:: max(1, len(points) // draws(60, 10**6))]:
        values = {name: VALUES[name] for name in lattice.hyperparameters if name != "schedule_multiplier"}
        subject = speaker(point)([PARAM], [Group((0,), values)], dtype="float64", device="cpu")
        expected = path(point, ("schedule_multiplier",))
        for grad, rate, params in zip(GRADS, RATES, expected, strict=True):
            subject.set_hyperparameters(0, {"learning_rate": values["learning_rate"] * rate})
            subject.step([grad])

            assert np.abs(subject.params()[0] - midpoint(params)).max() < 2.0**-40, point.describe()


REPARAMETRISED = [(lattice, rule) for lattice in LATTICES.values() for rule in lattice.reparametrisations]


@pytest.mark.parametrize(("lattice", "rule"), REPARAMETRISED)
def test_a_reparametrised_point_takes_the_same_path(lattice, rule, draws):
    ones = [one for one in every(lattice, 1) if all(one.values[name] == value for name, value in rule.one.items())]
    ones = ones[:: max(1, len(ones) // draws(25, 10**6))]
    changed = {
        name: eval(expression, {"__builtins__": {}}, dict(VALUES)) for name, expression in rule.hyperparameters.items()
    }

    held, alone = VALUES | changed, ("schedule_multiplier",)
    others = [lattice.moved(one, rule.other) for one in ones]
    pairs = list(zip(ones, others, strict=True))

    assert [
        one.describe() for one, other in pairs if not same(path(one, alone, changing=""), path(other, alone, held, ""))
    ] == []
    assert not all(
        same(path(one, alone, VALUES, rule.constant), path(other, alone, held, rule.constant)) for one, other in pairs
    )


def test_a_dialect_is_told_from_the_nearest_name():
    adam = LATTICES["adam"]
    adamw = next(point for point in adam.points(()) if point.id == "adamw")

    assert adam.moved(adamw, {"epsilon": "inside the root"}).describe() == "adamw, but epsilon: inside the root"
    assert adamw.describe() == adamw.named.title
