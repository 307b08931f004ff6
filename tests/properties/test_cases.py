"""A training runs a subject through its steps, and through what happens between them."""

from __future__ import annotations

import numpy as np
import pytest

from properties.cases import Evaluation, Interruption, Step, Training, Way
from properties.observing import observe
from properties.subject import Group, Place


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

    def pickled(self):
        self.log.append("pickled")
        return Diary(self.values, self.log)

    def saved(self):
        self.log.append("saved")
        return [np.array(value) for value in self.values]

    def rewound(self, saved):
        self.log.append("rewound")
        self.values = saved

    def add_group(self, params, group):
        self.log.append(("group", group.tensors, dict(group.hyperparameters), group.maximize))
        self.values += [np.array(param) for param in params]

    def freeze(self, tensors):
        self.log.append(("frozen", tensors))

    def step_accumulated(self, passes):
        self.log.append([[float(grad) for grad in grads] for grads in passes])
        self.step([sum(grads) for grads in zip(*passes, strict=True)])

    def step_clipped(self, grads, limit):
        self.log.append(([float(grad) for grad in grads], limit))
        self.step([np.clip(grad, -limit, limit) for grad in grads])

    def step_closure(self, closure):
        closure()
        loss, grads = closure()
        self.step(grads)
        return loss

    def step_sparse(self, grads):
        self.log.append("sparse")
        self.step(grads)

    def grads(self):
        return [np.array(7.0) for _ in self.values]

    def places(self):
        return [Place(value.dtype.name, "cpu", value.shape) for value in self.values]


EVERYTHING = (
    *("resumed", "copied", "pickled", "saved", "rewound", "add_group", "freeze", "maximize", "grads", "places"),
    *("step_accumulated", "step_closure", "step_clipped", "step_sparse"),
)


def _observed(training: Training, offers: tuple[str, ...] = EVERYTHING, dtype: str = "float64"):
    log: list[object] = []

    def factory(params, groups, *, dtype, device):
        return Diary(params, log)

    factory.offers = offers
    return log, observe(factory, training, dtype=dtype, device="cpu")


def _run(training: Training, offers: tuple[str, ...] = EVERYTHING) -> tuple[list[object], list[list[float]]]:
    log, shown = _observed(training, offers)
    return log, [[float(param) for param in row] for row in shown.params]


ONE, TWO = np.array(1.0), np.array(2.0)
GROUP = Group((0,), {"learning_rate": 1.0})
ABOUT = Training(
    (ONE, ONE),
    (GROUP, Group((1,), {"learning_rate": 0.5}, maximize=True)),
    (
        Step((None, None), {}, ("copied", "saved", "rewound"), "step_closure", frozen=(0,)),
        Step((ONE, ONE), {0: {"learning_rate": 2.0}}, ("pickled", "add_group", "resumed"), "step_sparse"),
    ),
)


@pytest.mark.parametrize("event", ["resumed", "copied", "pickled"])
def test_a_training_goes_on_with_the_new_subject_while_the_old_one_takes_another_way(event: Interruption) -> None:
    steps = (Step((ONE,)), Step((ONE,), {0: {"learning_rate": 0.5}}, (event,)))

    log, shown = _run(Training((ONE,), (GROUP,), steps))

    assert log == [[1.0], event, [-1024.0], (0, {"learning_rate": 0.5}), [1.0]]
    assert shown == [[0.0], [-1.0]]


def test_a_subject_that_is_saved_goes_on() -> None:
    log, shown = _run(Training((ONE,), (GROUP,), (Step((ONE,)), Step((ONE,), events=("saved",)))))

    assert log == [[1.0], "saved", [1.0]]
    assert shown == [[0.0], [-1.0]]


def test_a_subject_that_is_rewound_takes_another_way_first() -> None:
    log, shown = _run(Training((ONE,), (GROUP,), (Step((ONE,)), Step((ONE,), events=("rewound",)))))

    assert log == [[1.0], "saved", [-1024.0], "rewound", [1.0]]
    assert shown == [[0.0], [-1.0]]


@pytest.mark.parametrize(
    ("dtype", "grad", "factor"),
    [("float64", 3.0, 1024.0), ("float16", 3.0, 64.0), ("float16", 500.0, 1.0), ("float64", 1e300, 1.0)],
)
def test_the_other_way_is_as_far_as_squares_stay_finite(dtype: str, grad: float, factor: float) -> None:
    log, _ = _observed(Training((ONE,), (GROUP,), (Step((grad * ONE,), {}, ("rewound",)),)), dtype=dtype)

    assert log == ["saved", [-factor * grad], "rewound", [grad]]


def test_events_come_in_their_order() -> None:
    steps = (Step((ONE,), {}, ("copied", "resumed", "copied")),)

    log, _ = _run(Training((ONE,), (GROUP,), steps))

    assert log == ["copied", [-1024.0], "resumed", [-1024.0], "copied", [-1024.0], [1.0]]


def test_late_groups_are_unknown_to_the_subject_until_each_is_added() -> None:
    late = (Group((1,), {"learning_rate": 0.5}), Group((2,), {"learning_rate": 0.25}))
    steps = (
        Step((ONE, None, None)),
        Step((ONE, ONE, None), events=("add_group",)),
        Step((None, None, ONE), events=("add_group",)),
    )

    log, shown = _run(Training((ONE, ONE, ONE), (GROUP, *late), steps))

    assert log == [
        [1.0],
        ("group", (1,), {"learning_rate": 0.5}, False),
        [1.0, 1.0],
        ("group", (2,), {"learning_rate": 0.25}, False),
        [None, None, 1.0],
    ]
    assert shown == [[0.0, 1.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("step", [[1.0, 2.0]]),
        ("step_accumulated", [[[2.0, 4.0], [-1.0, -2.0]], [1.0, 2.0]]),
        ("step_clipped", [([1.0, 4.0], 2.0), [1.0, 2.0]]),
        ("step_sparse", ["sparse", [1.0, 2.0]]),
    ],
)
def test_in_whatever_way_gradients_come_the_rule_sees_the_same(way: Way, told: list[object]) -> None:
    log, _ = _run(Training((ONE, ONE), (Group((0, 1), {}),), (Step((ONE, TWO), way=way),)))

    assert log == told


def test_where_there_is_no_gradient_there_is_nothing_to_clip() -> None:
    steps = (Step((None,), way="step_clipped"), Step((0 * ONE,), way="step_clipped"))

    assert _run(Training((ONE,), (GROUP,), steps))[0] == [[None], [0.0]]


def test_a_closure_that_is_called_again_gives_turned_gradients_and_another_loss() -> None:
    log, shown = _observed(Training((ONE,), (GROUP,), (Step((ONE,)), Step((ONE,), way="step_closure"))))

    assert log == [[1.0], [-1.0]]
    assert shown.evaluations == (None, Evaluation(calls=2, loss=1.5, returned=-1.5))


def test_each_closure_has_a_loss_of_its_own() -> None:
    _, shown = _observed(Training((ONE,), (GROUP,), 3 * (Step((ONE,), way="step_closure"),)))

    losses = [evaluation.loss for evaluation in shown.evaluations if evaluation]
    assert len({*losses, *(-loss for loss in losses)}) == 6


def test_who_climbs_is_given_turned_gradients_and_shows_them_turned_back() -> None:
    groups = (GROUP, Group((1,), {}, maximize=True))

    log, shown = _observed(Training((ONE, ONE), groups, (Step((ONE, TWO)),)))

    assert log == [[1.0, -2.0]]
    assert [float(grad) for grad in shown.grads[0] if grad is not None] == [7.0, -7.0]


def test_who_is_frozen_is_said_before_every_step_of_a_program_that_freezes() -> None:
    log, _ = _run(Training((ONE,), (GROUP,), (Step((None,), frozen=(0,)), Step((ONE,)))))

    assert log == [("frozen", (0,)), [None], ("frozen", ()), [1.0]]


def test_what_is_not_offered_is_left_out_and_its_group_is_there_from_the_start() -> None:
    log, shown = _run(ABOUT, ())

    assert log == [[None, None], (0, {"learning_rate": 2.0}), [1.0, 1.0]]
    assert shown == [[1.0, 1.0], [0.0, 0.0]]


def test_a_training_tells_what_it_demands_of_an_optimizer() -> None:
    assert ABOUT.demands == {*EVERYTHING} - {"grads", "places", "step_accumulated", "step_clipped"}
    assert ABOUT.restricted(("copied", "maximize")).demands == {"copied", "maximize"}
    assert ABOUT.uninterrupted().demands == ABOUT.demands - {"resumed", "copied", "pickled", "saved", "rewound"}
    assert Training((ONE,), (GROUP,), (Step((ONE,)),)).demands == set()


def test_places_are_shown_after_each_update_of_the_parameters_that_are_there() -> None:
    late = Group((1,), {"learning_rate": 0.5})
    steps = (Step((ONE, None)), Step((ONE, ONE), events=("add_group",)))
    place = Place("float64", "cpu", ())

    _, shown = _observed(Training((ONE, ONE), (GROUP, late), steps))

    assert shown.places == ((place,), (place, place))
