"""Variants: every function and schedule, its evaluations and its neighbours, told apart by what they promise."""

from __future__ import annotations

from oracle.catalogue import FORMULAS
from oracle.dialects import FAMILIES, VARIANTS

BY_ID = {}
for variant in VARIANTS:
    BY_ID.setdefault(variant.id, []).append(variant)


def test_every_function_and_schedule_is_there_but_those_that_draw():
    known = {variant.base for variant in VARIANTS}

    assert known == {formula for formula in FORMULAS if formula.kind != "optimizer" and not formula.drawn}
    assert [variant.formula for variant in VARIANTS if variant.named] == [
        formula for family in FAMILIES for formula in family.named if formula in known
    ]


def test_every_neighbour_that_a_diagnosis_knows_is_there():
    for variant in VARIANTS:
        for id in variant.base.neighbours:
            assert id in BY_ID, (variant.base, id)


def test_an_accepted_evaluation_bears_the_formula_s_name_and_an_unstable_one_its_own():
    printed, logsumexp = BY_ID["softmax"]
    (unshifted,) = BY_ID["softmax:unshifted"]

    assert printed.named is printed.base is logsumexp.base is unshifted.evaluates
    assert logsumexp.slip == "softmax:logsumexp"
    assert logsumexp.source == printed.source
    assert unshifted.source == ()
    assert unshifted.describe().startswith("Turn the scores of classes into their probabilities, evaluated unshifted: ")


def test_a_strict_evaluation_which_has_the_same_values_is_left_out():
    assert "clip_by_norm:scaled" not in BY_ID


def test_a_neighbour_has_no_citation_and_no_formula_s_values():
    (leaky,) = BY_ID["relu_leaky"]

    assert leaky.source == ()
    assert leaky.named is leaky.evaluates is None
    assert leaky.describe() == "relu, but negative numbers keep a hundredth of their size"
    assert leaky.settled({"eps"}) is leaky


def test_formulas_come_first_and_accepted_evaluations_next():
    places = [(bool(variant.slip), variant.id != variant.base.id) for variant in VARIANTS]

    assert places == sorted(places)
