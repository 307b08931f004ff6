"""What crosses between two interpreters arrives as what it was."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from conformance.remote.wire import Channel
from properties.cases import Call, Step, Training
from properties.subject import Group

NOT_A_NUMBER = np.array([0x7FF8_0000_0000_BEEF], np.uint64).view(np.float64)
LAYOUTS = {
    "a scalar": np.array(2.5),
    "a row": np.arange(3.0),
    "nothing": np.zeros((0, 3)),
    "gaps": np.arange(12.0)[::4],
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "reversed": np.arange(6.0).reshape(2, 3)[::-1],
    "one row often": np.broadcast_to(np.arange(3.0), (2, 3)),
    "signs and infinities": np.array([-0.0, np.inf, -np.inf, 5e-324]),
    "a marked NaN": NOT_A_NUMBER,
    "float32": np.arange(3, dtype=np.float32),
    "integers": np.arange(3),
    "truth values": np.array([True, False]),
    "texts": np.array(["a", "text"]),
}
VALUES = [None, True, 7, -0.0, 0.1, float("inf"), "η and α", [1, [2.0]], (1, (2.0, None)), {0: {"lr": 0.1}, "a": ()}]


def across(value: Any) -> Any:
    """What arrives of a value, where objects stay what they are and are named by their place in a list."""
    kept: list[Any] = []
    line = io.BytesIO()

    def keep(entry: Any) -> int:
        kept.append(entry)
        return len(kept) - 1

    channel = Channel(line, line, keep=keep, known=kept.__getitem__, kept=kept.__getitem__, abroad=lambda _: None)
    channel.send(value)
    line.seek(0)
    return channel.receive()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_keeps_its_bits_and_its_layout(layout: str) -> None:
    array = LAYOUTS[layout]

    arrived = across(array)

    assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
    assert arrived.strides == array.strides
    assert arrived.tobytes() == array.tobytes()
    assert arrived.flags.writeable


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_plain_value_comes_back_as_it_was(value: Any) -> None:
    assert repr(across(value)) == repr(value)


def test_a_training_comes_back_with_all_that_happens_in_it() -> None:
    group = Group((0,), {"learning_rate": 0.1}, maximize=True)
    step = Step((None,), {0: {"learning_rate": 0.2}}, ("resumed",), "step_closure", (0,))

    training = across(Training((LAYOUTS["gaps"],), (group,), (step,)))

    assert (training.groups, training.steps) == ((group,), training.steps)
    assert repr(training.steps) == repr((step,))
    assert training.params[0].strides == (32,)


def test_a_call_comes_back() -> None:
    call = across(Call((np.array(1.0),), {"eps": 0.5}))

    assert (type(call), call.arrays[0].tolist(), call.hyperparameters) == (Call, 1.0, {"eps": 0.5})


def test_a_type_that_not_every_numpy_has_arrives_as_float64() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16

    arrived = across(np.array([1.5, -0.0, np.inf], bfloat16))

    assert arrived.dtype == np.float64
    assert arrived.tobytes() == np.array([1.5, -0.0, np.inf]).tobytes()


def test_what_is_like_an_array_arrives_as_one() -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.arange(2.0, dtype=dtype)

    assert across(Tensor()).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "stays",
    [object(), len, np.array([object()])],
    ids=["an object", "a function", "objects"],
)
def test_anything_else_is_spoken_of_and_stays_where_it_is(stays: Any) -> None:
    assert across([stays])[0] is stays


def test_no_class_is_made_but_those_of_inputs() -> None:
    message = json.dumps({"record": ["Popen", {"args": "true"}]}).encode()
    line = io.BytesIO(len(message).to_bytes(8, "big") + message)

    with pytest.raises(KeyError, match="Popen"):
        Channel(line, line, keep=id, known=id, kept=id, abroad=id).receive()


def test_the_end_is_told_from_a_value() -> None:
    with pytest.raises(EOFError):
        Channel(io.BytesIO(b"\0\0"), io.BytesIO(), keep=id, known=id, kept=id, abroad=id).receive()
