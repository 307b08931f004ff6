import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from conformance.session import PROFILES, Session, derived_seed, fingerprint, pinned
from oracle.arithmetic.formats import precision_models
from oracle.catalogue import get
from properties.cases import Call, Step, Training
from properties.subject import Group
from tests.helpers.judging import FEW, array

GD = get("gd")
TRAINING = Training(
    (array(1.0),), (Group((0,), {"learning_rate": 0.5}),), (Step((array(2.0),), {0: {"learning_rate": 0.25}}),)
)


def prints(cases):
    return [fingerprint(case.inputs) for case in cases]


def test_cases_are_drawn_once():
    session = Session("quick", 0)

    assert session.cases(FEW, GD, "float64") is session.cases(FEW, GD, "float64")


def test_the_same_seed_draws_the_same_cases_and_another_seed_others():
    first, again, other = (prints(Session("quick", seed).cases(FEW, GD, "float64")) for seed in (0, 0, 1))

    assert first == again
    assert not set(first) & set(other)


def test_each_formula_and_dtype_has_cases_of_its_own():
    session = Session("quick", 0)
    drawn = {
        tuple(prints(session.cases(FEW, get(id), dtype))) for id in ("gd", "adam") for dtype in ("float64", "float32")
    }

    assert len(drawn) == 4


def test_profiles_multiply_the_number_of_cases():
    assert PROFILES == {"quick": 1, "standard": 10, "thorough": 100}
    assert len(Session("quick", 0).cases(FEW, GD, "float64")) == 6
    assert len(Session("standard", 0).cases(FEW, GD, "float64")) == 60


def test_draws_do_not_depend_on_the_hash_seed():
    program = (
        "from conformance.session import Session, fingerprint; from oracle.catalogue import get;"
        "from tests.helpers.judging import FEW;"
        "print([fingerprint(case.inputs).hex() for case in Session('quick', 3).cases(FEW, get('adam'), 'float32')])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(outputs) == 1
    assert (
        outputs.pop()
        == f"{[print_.hex() for print_ in prints(Session('quick', 3).cases(FEW, get('adam'), 'float32'))]}\n"
    )


def test_enclosures_are_evaluated_once_for_the_same_contents():
    session = Session("quick", 0)
    precision = precision_models("float64")[0]

    rows = session.enclosures(GD, TRAINING, precision)

    assert session.enclosures(GD, replace(TRAINING), precision) is rows
    assert session.counts.oracle == 1


def test_forgetting_keeps_the_counts():
    session = Session("quick", 0)
    session.enclosures(GD, TRAINING, precision_models("float64")[0])

    session.forget()
    session.enclosures(GD, TRAINING, precision_models("float64")[0])

    assert session.counts.oracle == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (array(1.0, 2.0), array(2.0, 1.0)),
        (array(0.0), array(-0.0)),
        (np.zeros((2, 1)), np.zeros((1, 2))),
        ({"a": 1.0}, {"b": 1.0}),
        ([[1], [2]], [[1, 2]]),
        (1.0, "1.0"),
        (TRAINING, replace(TRAINING, params=(array(3.0),))),
        (Call((array(1.0),), {"clip_value": 1.0}), Call((array(1.0),), {"clip_value": 2.0})),
    ],
)
def test_what_differs_has_another_fingerprint(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_copies_have_the_same_fingerprint_whatever_their_strides():
    strided = np.arange(6.0)[::2]

    assert fingerprint([strided]) == fingerprint((strided.copy(),))


def test_seeds_depend_on_every_part():
    assert len({derived_seed("a", "b"), derived_seed("ab"), derived_seed("a", "c"), derived_seed("b", "a")}) == 4
    assert derived_seed("a", 1) == derived_seed("a", 1)


def test_pinned_hyperparameters_hold_in_groups_changes_and_calls():
    fixed = {"learning_rate": 0.125, "clip_value": 4.0, "beta1": 0.5}

    training = pinned(TRAINING, fixed)

    assert training.hyperparameters() == [[{"learning_rate": 0.125}]]
    assert pinned(Call((array(1.0),), {"clip_value": 1.0}), fixed).hyperparameters == {"clip_value": 4.0}
    assert pinned("neither", fixed) == "neither"


def test_what_cannot_change_on_the_way_stays_as_it_begins():
    assert pinned(TRAINING, {}).hyperparameters() == [[{"learning_rate": 0.25}]]
    assert pinned(TRAINING, {}, changes=False).hyperparameters() == [[{"learning_rate": 0.5}]]
