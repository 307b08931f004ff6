"""What a record keeps of its inputs is complete and no longer than it must be."""

from __future__ import annotations

import json

import numpy as np
import pytest

from conformance.evidence import decoded, demands, encoded
from conformance.session import Case, fingerprint
from oracle.catalogue import FORMULAS, get
from properties.cases import Call, Step, Training
from properties.catalogue import claims_for
from properties.claims import Space
from properties.drawing import draw_cases
from properties.strategies.numbers import LAYOUTS
from properties.subject import Group

ONE = np.array([1.0])
PLAIN = Training((ONE,), (Group((0,), {"learning_rate": 0.5}),), (Step((ONE,)), Step((None,), frozen=(0,))))


def test_what_is_as_by_default_is_not_written_down():
    assert encoded(PLAIN) == {
        "params": [["0x1.0000000000000p+0"]],
        "groups": [{"tensors": [0], "hyperparameters": {"learning_rate": "0x1.0000000000000p-1"}}],
        "steps": [
            {"grads": [["0x1.0000000000000p+0"]], "changes": {}},
            {"grads": [None], "changes": {}, "frozen": [0]},
        ],
    }


def test_what_is_otherwise_is():
    assert encoded(Group((0,), {}, maximize=True)) == {"tensors": [0], "hyperparameters": {}, "maximize": True}
    assert encoded(Step((None,), {}, ("copied", "resumed"), "step_closure")) == {
        "grads": [None],
        "changes": {},
        "events": ["copied", "resumed"],
        "way": "step_closure",
    }


def test_demands_are_those_of_all_trainings():
    climbing = Training((ONE,), (Group((0,), {}, maximize=True),), (Step((ONE,), events=("copied",)),))

    assert demands([Case({"training": PLAIN}), Case({"training": climbing, "call": Call((), {})})]) == {
        *("freeze", "maximize", "copied"),
    }


def arrays(inputs):
    """All arrays of some inputs, in order."""
    for run in Case(inputs).runs:
        if isinstance(run, Call):
            yield from run.arrays
        else:
            yield from run.params
            yield from (grad for step in run.steps for grad in step.grads if grad is not None)


def there_and_back(inputs, formula):
    return decoded(json.loads(json.dumps(encoded(inputs), allow_nan=False)), formula)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.id)
def test_the_inputs_of_every_claim_are_read_back_bit_for_bit(formula, draws):
    space = Space(formula, "float32", "quick")
    kinds = [kind for claim in claims_for(formula.id) for kind in claim.inputs(space).values()]
    cases = [inputs for share, drawn in kinds for inputs in draw_cases(drawn, draws(1, share), 0)]

    assert cases
    for inputs in cases:
        again = there_and_back(inputs, formula)

        assert fingerprint(again) == fingerprint(inputs)
        for array, copy in zip(arrays(inputs), arrays(again), strict=True):
            assert copy.flags.c_contiguous == array.flags.c_contiguous
            assert array.flags.c_contiguous or copy.strides == array.strides


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_strides_are_kept_where_they_are_not_those_of_rows(layout):
    array = layout(np.arange(6.0).reshape(2, 3))
    (call,) = there_and_back({"call": Call((array,), {})}, get("relu")).values()

    assert call.arrays[0].strides == array.strides
    assert call.arrays[0].tolist() == array.tolist()


def test_numbers_without_a_decimal_are_read_back_with_their_bits():
    odd = np.array([-0.0, np.inf, -np.inf, np.nan, 5e-324, 1 / 3])
    back = there_and_back({"call": Call((odd, np.array(-0.0)), {"peak_value": 0.1, "steps": 3})}, get("relu"))

    assert fingerprint(back["call"].arrays) == fingerprint((odd, np.array(-0.0)))
    assert back["call"].hyperparameters == {"peak_value": 0.1, "steps": 3}
    assert isinstance(back["call"].hyperparameters["steps"], int)


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({"seed": 0.5}, TypeError),
        ({"seed": "a half"}, ValueError),
        ({"call": {"arrays": []}}, KeyError),
        ({"training": {"params": [], "groups": [{"tensors": []}], "steps": []}}, TypeError),
        ({"call": {"arrays": [{"values": ["0x1p+0"], "strides": [-1]}], "hyperparameters": {}}}, ValueError),
        ({"call": {"arrays": [{"values": ["0x1p+0"], "strides": [1, 1]}], "hyperparameters": {}}}, ValueError),
    ],
)
def test_what_is_no_input_is_not_read(inputs, error):
    with pytest.raises(error):
        decoded(inputs, get("relu"))
