"""What a record keeps of its inputs is complete and no longer than it must be."""

from __future__ import annotations

import numpy as np

from conformance.evidence import demands, encoded
from conformance.session import Case, CaseKind
from properties.cases import Call, Step, Training
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
    kind = CaseKind("programs", None, 0, 0)

    assert demands([Case(kind, {"training": PLAIN}), Case(kind, {"training": climbing, "call": Call((), {})})]) == {
        *("freeze", "maximize", "copied"),
    }
