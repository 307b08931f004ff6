"""The office answers one question after the other, and lets go of what nobody will ask for again."""

from __future__ import annotations

import io
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from conformance import targets
from conformance.remote.office import serve
from conformance.remote.wire import PREAMBLE, Channel
from properties.subject import Group

TARGET = "tests.helpers.abroad:descent"


def adapting() -> tuple[Any, ...]:
    """The question that comes first."""
    return 0, "adapt", (TARGET, asdict(targets.signature("gd", arrays=None, hyperparameters=None))), {}, []


def making(rate: float) -> tuple[Any, ...]:
    """A question for an optimizer."""
    group = Group((0,), {"learning_rate": rate})
    return 0, "make", (0, (np.ones(2),), (group,)), {"dtype": "float64", "device": "cpu"}, []


def answers(*questions: tuple[Any, ...]) -> list[Any]:
    """What is answered, where objects of the other side are shown by their number, and named by a fraction."""
    asked, answered = io.BytesIO(), io.BytesIO()
    asking = Channel(
        answered,
        asked,
        keep=id,
        known=lambda number: f"object {number}",
        kept=str,
        abroad=int,
    )
    for question in questions:
        asking.send(question)
    asked.seek(0)
    serve(asked, answered)
    answered.seek(0)
    assert answered.readline() == PREAMBLE
    return [asking.receive() for _ in questions]


def test_an_optimizer_is_made_and_asked() -> None:
    grads = [np.array([1.0, 2.0])]
    described, made, stepped, params = answers(
        adapting(), making(0.5), (1, "step", (grads,), {}, []), (1, "params", (), {}, [])
    )

    assert described[1]["implementations"][0]["offers"] == ("step_closure", "copied", "saved", "rewound")
    assert (made, stepped) == (("value", "object 1", []), ("value", None, []))
    assert params[1][0].tolist() == [0.5, 0.0]


def test_what_an_optimizer_made_is_what_it_is_given_back() -> None:
    grads = [np.array([1.0, 2.0])]
    *_, saved, _, rewound, params = answers(
        adapting(),
        making(0.5),
        (1, "saved", (), {}, []),
        (1, "step", (grads,), {}, []),
        (1, "rewound", (Fraction(2),), {}, []),
        (1, "params", (), {}, []),
    )

    assert (saved, rewound) == (("value", "object 2", []), ("value", None, []))
    assert params[1][0].tolist() == [1.0, 1.0]


def test_a_refusal_is_no_error() -> None:
    assert answers(adapting(), making(11.0))[1] == ("rejected", "too fast", [])


def test_an_error_comes_with_where_it_was_raised_and_no_frame_of_the_office() -> None:
    _, _, (outcome, (kind, message, places), _) = answers(adapting(), making(0.5), (1, "step", ([],), {}, []))

    assert (outcome, kind, message) == ("error", "IndexError", "list index out of range")
    assert [name for _, _, name, _ in places] == ["step"]


def test_what_an_optimizer_lacks_is_its_error() -> None:
    *_, (outcome, (kind, message, _), _) = answers(adapting(), making(0.5), (1, "resumed", (), {}, []))

    assert (outcome, kind, message) == ("error", "AttributeError", "'Descent' object has no attribute 'resumed'")


def test_what_is_dropped_is_let_go_of() -> None:
    with pytest.raises(KeyError, match="1"):
        answers(
            adapting(), making(0.5), (0, "enter", (0,), {}, [1]), (0, "leave", (), {}, []), (1, "params", (), {}, [])
        )


def test_a_closure_is_called_where_it_came_from_and_forgotten_when_nobody_can_call_it() -> None:
    closures: list[Any] = []
    asked, answered = io.BytesIO(), io.BytesIO()
    asking = Channel(
        answered,
        asked,
        keep=lambda closure: closures.append(closure) or 7,
        known=lambda number: number,
        kept=str,
        abroad=lambda _: None,
    )
    for said in (adapting(), making(0.5), (1, "step_closure", (len,), {}, []), (0.25, [np.array([1.0, 2.0])])):
        asking.send(said)
    asked.seek(0)
    serve(asked, answered)
    answered.seek(len(PREAMBLE))

    _, _, call, result = [asking.receive() for _ in range(4)]
    assert closures == [len]
    assert (call, result) == (("evaluate", 7, []), ("value", 0.25, [7]))
