"""Torch's dropout, and functions that somebody else draws a mask in."""

import numpy as np
import pytest
import torch

from conformance import UsageError, check
from conformance.backends.torch_dropout import DropoutFactory, dropouts

IMPLEMENTATIONS = {each.label: each for each in dropouts()}


@pytest.mark.parametrize("label", IMPLEMENTATIONS)
def test_a_seed_gives_the_same_mask_again_and_another_seed_another(label):
    function = IMPLEMENTATIONS[label].factory(dtype="float32", device="cpu")
    x = np.ones((2, 4, 40))
    first, again, other = (function(x, np.array(seed), keep=0.75) for seed in (3.0, 3.0, 4.0))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("label", IMPLEMENTATIONS)
def test_without_a_seed_it_is_inference(label):
    x = np.arange(6.0).reshape(1, 2, 3)

    assert np.array_equal(IMPLEMENTATIONS[label].factory(dtype="float64", device="cpu")(x, keep=0.25), x)


def test_torchs_argument_taken_for_the_proportion_kept_deviates_and_the_mask_is_named(unreduced):
    mistaken = DropoutFactory(lambda drop, training: torch.nn.Dropout(1 - drop).train(training))

    report = check(mistaken, "dropout_inverted", dtypes=["float32"])

    failed = {record.property: record for record in report.checks if record.status == "deviates"}
    assert {"follows_the_formula", "keeps_its_proportion"} <= set(failed)
    assert "dropout_keep_proportion_by_drop" in failed["follows_the_formula"].diagnosis


def test_an_unscaled_dropout_is_named():
    def masked(drop, training):
        return lambda x: x * (torch.rand_like(x) >= drop) if training else x

    unscaled = DropoutFactory(masked)

    report = check(unscaled, "dropout_inverted", dtypes=["float64"])

    failed = {record.property: record for record in report.checks if record.status == "deviates"}
    assert "this is dropout_keep_proportion" in failed["follows_the_formula"].diagnosis
    assert "keeps_its_proportion" not in failed


def test_a_plain_function_is_refused_in_words():
    with pytest.raises(UsageError, match="draws its mask: target must be a factory"):
        check(torch.nn.functional.dropout, "dropout_inverted")
