"""The pool of a function's inputs: what its formulas are judged by, one probe for what several are."""

from __future__ import annotations

import numpy as np

from conformance.identification.call_probes import call_probes
from conformance.session import Session
from oracle.arithmetic.formats import FLOAT32
from oracle.catalogue import get
from oracle.dialects import VARIANTS

CLIPPINGS = [get("clip_by_norm"), get("clip_by_norm_torch")]


def pool(*formulas, held=None, defaults=None, dtype="float64", seed=0):
    return call_probes(Session("quick", seed), formulas, held or {}, defaults or {}, dtype)


def test_an_input_of_several_formulas_is_one_probe():
    together = pool(*CLIPPINGS)

    assert all(probe.formulas == tuple(CLIPPINGS) for probe in together)
    assert len({probe.name for probe in together}) == len(together)


def test_an_input_serves_what_lies_in_its_domain():
    probes = pool(get("batch_norm"), get("layer_norm"))
    candidates = [variant for variant in VARIANTS if variant.named in (get("batch_norm"), get("layer_norm"))]
    served = [[probe.serves(candidate) for candidate in candidates] for probe in probes]

    assert all(map(any, served))
    assert [True, False] in served
    assert [False, True] in served


def test_large_inputs_come_last():
    sizes = [sum(array.size for array in probe.call.arrays) for probe in pool(get("relu"))]

    assert sizes[-1] > 64
    assert [size > 64 for size in sizes] == sorted(size > 64 for size in sizes)


def test_hyperparameters_have_the_values_held_and_some_inputs_the_defaults():
    free, held = pool(get("rms_norm"), defaults={"eps": 1e-6}), pool(get("rms_norm"), held={"eps": 0.25})

    assert {probe.call.hyperparameters["eps"] for probe in held} == {0.25}
    assert 1e-6 in {probe.call.hyperparameters["eps"] for probe in free}
    assert len({probe.call.hyperparameters["eps"] for probe in free}) > 2


def test_a_default_outside_the_domain_is_left_alone():
    values = [probe.call.hyperparameters["eps"] for probe in pool(get("rms_norm"), defaults={"eps": -1.0})]

    assert min(values) > 0


def test_numbers_are_those_of_the_dtype_and_depend_on_the_seed():
    arrays = [array for probe in pool(get("gelu"), dtype="float32") for array in probe.call.arrays]

    assert all(np.array_equal(FLOAT32.round(array), array) for array in arrays)
    assert pool(get("gelu"), seed=1)[0].given != pool(get("gelu"))[0].given


def test_a_small_input_is_written_down_whole():
    probe = pool(get("rms_norm"))[0]
    x, weight = probe.call.arrays

    eps = probe.call.hyperparameters["eps"]
    assert probe.given == f"x = {x.tolist()}, weight = {weight.tolist()}, eps = {eps!r}"
