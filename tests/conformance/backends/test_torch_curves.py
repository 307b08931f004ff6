"""Torch's activations, losses and gated units."""

import pickle

import numpy as np
import pytest

from conformance.backends.torch import backend
from conformance.backends.torch_curves import CURVES
from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.bound import bound
from oracle.catalogue import get
from tests.helpers.arguments import plain_arguments

LABELS = {label for _, label, _ in CURVES}
DECLARED = [each for each in backend().implementations if each.label in LABELS]


def test_every_activation_loss_and_gated_unit_is_judged():
    assert {each.formula for each in DECLARED} == {formula for formula, _, _ in CURVES}
    assert len(DECLARED) == len(CURVES)


@pytest.mark.parametrize("each", DECLARED, ids=lambda each: f"{each.formula}-{each.label}")
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_declared_function_stays_within_the_loosest_bound(each, dtype):
    form, formula = FORMATS[dtype], get(each.formula)
    arrays = [form.round(array) for array in plain_arguments(formula)]
    if formula.id == "loss_bce":
        arrays[0] = np.clip(arrays[0], form.smallest_normal, 1 - form.unit)
    values = dict.fromkeys(formula.hyperparameters, 0.25)
    enclosure = bound(formula, *arrays, precision=precision_models(dtype)[-1], **values)

    result = each.factory(dtype=dtype, device="cpu")(*arrays, **values)

    assert result.shape == enclosure.error.shape
    assert (enclosure.ratio(result) <= 1).all()


@pytest.mark.parametrize("each", DECLARED, ids=lambda each: f"{each.formula}-{each.label}")
def test_what_is_declared_can_go_to_another_process(each):
    copy = pickle.loads(pickle.dumps(each))

    assert copy.label == each.label
