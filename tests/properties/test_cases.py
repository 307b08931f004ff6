"""A training runs a subject through its steps, and through what happens between them."""

from __future__ import annotations

import numpy as np
import pytest

from properties.cases import Event, Step, Training, observe
from properties.subject import Group


class Diary:
    """Counts what happens to it, in its one parameter and a log that all its copies share."""

    def __init__(self, params, log):
        self.values = [np.array(param) for param in params]
        self.log = log

    def step(self, grads):
        self.log.append([None if grad is None else float(grad) for grad in grads])
        self.values = [value if grad is None else value - grad for value, grad in zip(self.values, grads, strict=True)]

    def params(self):
        return self.values

    def state(self):
        return [{} for _ in self.values]

    def set_hyperparameters(self, group, values):
        self.log.append((group, dict(values)))

    def resumed(self):
        self.log.append("resumed")
        return Diary(self.values, self.log)

    def copied(self):
        self.log.append("copied")
        return Diary(self.values, self.log)

    def add_group(self, params, hyperparameters):
        self.log.append(("group", dict(hyperparameters)))
        self.values += [np.array(param) for param in params]


def _run(training: Training) -> tuple[list[object], list[list[float]]]:
    log: list[object] = []
    shown = observe(
        lambda params, groups, *, dtype, device: Diary(params, log), training, dtype="float64", device="cpu"
    )
    return log, [[float(param) for param in row] for row in shown.params]


ONE = np.array(1.0)
GROUP = Group((0,), {"learning_rate": 1.0})


@pytest.mark.parametrize("event", ["resumed", "copied"])
def test_a_training_goes_on_with_the_new_subject_while_the_old_one_takes_another_way(event: Event) -> None:
    steps = (Step((ONE,)), Step((ONE,), {0: {"learning_rate": 0.5}}, event))

    log, shown = _run(Training((ONE,), (GROUP,), steps))

    assert log == [[1.0], event, [-1.0], (0, {"learning_rate": 0.5}), [1.0]]
    assert shown == [[0.0], [-1.0]]


def test_a_late_group_is_unknown_to_the_subject_until_it_is_added() -> None:
    late = Group((1,), {"learning_rate": 0.5})
    steps = (Step((ONE, None)), Step((ONE, ONE), event="add_group"))

    log, shown = _run(Training((ONE, ONE), (GROUP, late), steps))

    assert log == [[1.0], ("group", {"learning_rate": 0.5}), [1.0, 1.0]]
    assert shown == [[0.0, 1.0], [-1.0, 0.0]]
