"""Targets become implementations whose names are matched, or one line says why not."""

from __future__ import annotations

import functools
import math
import subprocess
import sys

import numpy as np
import pytest

from conformance import check
from conformance.backends import Implementation
from conformance.errors import LoadError, UsageError
from conformance.faults import FAULTS
from conformance.targets import implementation
from conformance.targets.loading import load
from oracle.errors import DomainError, UnknownFormulaError
from properties.subject import Group, Rejected

torch = pytest.importorskip("torch")

CPU = {"dtype": "float64", "device": "cpu"}


def stepped(found, values, grads=(1.0,), changes=()):
    """Return where one parameter goes from zero, with changes before the steps after the first."""
    stepper = found.factory([np.zeros(1)], [Group((0,), values)], **CPU)
    for number, grad in enumerate(grads):
        if number:
            stepper.set_hyperparameters(0, changes[number - 1])
        stepper.step([np.full(1, grad)])
    return stepper.params()[0].item()


class Descent(torch.optim.Optimizer):
    """Plain descent with a constructor of its own."""

    def __init__(self, params, learning_rate=0.1, wd=0.0):
        super().__init__(params, {"step_size": learning_rate, "wd": wd})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    param.add_(param.grad + group["wd"] * param, alpha=-group["step_size"])


class TwoBetas(torch.optim.Adam):
    """Adam with separate betas, handing the rest on."""

    def __init__(self, params, b1=0.9, beta_2=0.999, **keywords):
        super().__init__(params, betas=(b1, beta_2), **keywords)


class Switched(torch.optim.SGD):
    """SGD that may average, which it calls by the name of a number."""

    def __init__(self, params, lr=0.1, momentum=0.0, dampening=False):
        super().__init__(params, lr, momentum, dampening=momentum if dampening else 0.0)


def wave(step, eta_max, eta_min, T_0, T_mult):
    """A schedule in the names of the paper."""
    while step >= T_0:
        step, T_0 = step - T_0, T_0 * T_mult
    return eta_min + (eta_max - eta_min) * (1 + np.cos(np.pi * step / T_0)) / 2


def nameless_wave(t, high, low, length, growth):
    assert all(type(number) is int for number in (t, length, growth))
    return wave(t, high, low, length, growth)


class OneBeta(torch.optim.Adam):
    """Adam whose first beta is nobody's business."""

    def __init__(self, params, lr=1e-3, beta2=0.999, epsilon=1e-8):
        super().__init__(params, lr=lr, betas=(0.5, beta2), eps=epsilon)


def test_torch_classes_are_matched_by_name():
    found = implementation(torch.optim.AdamW, "adamw")

    assert found.label == "torch.optim.AdamW"
    assert found.matching == (
        "lr is learning_rate; betas[0] is beta1; betas[1] is beta2; eps is eps; weight_decay is weight_decay"
    )


def test_the_claim_decides_what_weight_decay_means():
    assert "weight_decay is l2_penalty" in implementation(torch.optim.Adam, "adam_l2").matching
    assert "weight_decay is weight_decay" in implementation(torch.optim.AdamW, "adamw").matching
    assert "weight_decay" not in implementation(torch.optim.Adam, "adam").matching


def test_what_is_no_hyperparameter_of_the_formula_keeps_its_default():
    values = {"learning_rate": 1.0, "momentum": 0.5}

    assert stepped(implementation(torch.optim.SGD, "momentum_nesterov"), values) == -1.0
    assert (
        stepped(implementation(functools.partial(torch.optim.SGD, nesterov=True), "momentum_nesterov"), values) == -1.5
    )


def test_names_of_the_constructor_and_of_its_groups_may_differ():
    found = implementation(Descent, "gd")

    assert found.matching == "learning_rate is learning_rate"
    assert stepped(found, {"learning_rate": 1.0}, (1.0, 1.0), [{"learning_rate": 4.0}]) == -5.0


def test_keywords_handed_on_to_the_class_above_are_offered():
    found = implementation(TwoBetas, "adam")
    stepper = found.factory(
        [np.zeros(1)], [Group((0,), {"learning_rate": 1.0, "beta1": 0.5, "beta2": 0.75, "eps": 1.0})], **CPU
    )
    stepper.set_hyperparameters(0, {"beta1": 0.25})

    assert stepper.optimizer.param_groups[0]["betas"] == (0.25, 0.75)
    assert stepper.optimizer.param_groups[0]["eps"] == 1.0


def test_a_partial_keeps_its_options():
    found = implementation(functools.partial(torch.optim.Adam, foreach=True), "adam")
    values = {"learning_rate": 1.0, "beta1": 0.5, "beta2": 0.75, "eps": 1.0}
    stepper = found.factory([np.zeros(1)], [Group((0,), values)], **CPU)

    assert found.label == "torch.optim.Adam"
    assert stepper.optimizer.param_groups[0]["foreach"] is True


def test_a_class_defined_in_a_function_works():
    class Local(torch.optim.SGD):
        pass

    found = implementation(Local, "gd")

    assert found.label.endswith("test_a_class_defined_in_a_function_works.Local")
    assert stepped(found, {"learning_rate": 2.0}) == -2.0


def test_what_is_not_offered_must_be_given():
    with pytest.raises(UsageError, match=r"OneBeta offers no beta1: set hyperparameters=\{\"beta1\": \.\.\.\}"):
        implementation(OneBeta, "adam")


def test_what_turns_something_on_is_no_number_whatever_its_name():
    found = implementation(Switched, "momentum_heavy_ball")

    assert "dampening" not in found.matching
    assert stepped(found, {"learning_rate": 1.0, "momentum": 0.5}, (1.0, 1.0), [{}]) == -2.5
    with pytest.raises(UsageError, match="Switched offers no dampening"):
        implementation(Switched, "momentum_torch_dampening")
    with pytest.raises(UsageError, match="Switched offers no dampening"):
        implementation(functools.partial(Switched, dampening=True), "momentum_torch_dampening")


def test_what_is_given_is_fixed():
    found = implementation(OneBeta, "adam", hyperparameters={"beta1": 0.5})
    values = {"learning_rate": 1.0, "beta1": 0.5, "beta2": 0.75, "eps": 1.0}

    assert found.fixed == {"beta1": 0.5}
    assert "beta1=0.5 fixed" in found.matching
    assert stepped(found, values, (1.0, 1.0), [{"beta1": 0.5}]) == -1.0


def test_an_unknown_hyperparameter_lists_those_of_the_formula():
    with pytest.raises(UsageError, match="must be among learning_rate, beta1, beta2, eps, got lr"):
        implementation(torch.optim.Adam, "adam", hyperparameters={"lr": 0.1})


def test_a_fixed_value_outside_its_domain_is_named():
    with pytest.raises(DomainError, match=r"beta1 must be in \[0, 1\], got beta1=2"):
        implementation(OneBeta, "adam", hyperparameters={"beta1": 2.0})


def test_an_unknown_formula_lists_the_nearest():
    with pytest.raises(UnknownFormulaError, match="adamw"):
        implementation(torch.optim.AdamW, "adamv")


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_a_constructor_that_refuses_is_a_rejected_case(error):
    class Picky(torch.optim.SGD):
        def __init__(self, params, lr):
            raise error("not today")

    found = implementation(Picky, "gd")

    with pytest.raises(Rejected, match="not today"):
        stepped(found, {"learning_rate": 1.0})


def test_any_other_exception_propagates():
    class Broken(torch.optim.SGD):
        def __init__(self, params, lr):
            raise RuntimeError("disk on fire")

    found = implementation(Broken, "gd")

    with pytest.raises(RuntimeError, match="disk on fire"):
        stepped(found, {"learning_rate": 1.0})


@pytest.mark.parametrize("target", [dict, lambda x: x, "conformance.faults:FAULTS"], ids=["class", "lambda", "tuple"])
def test_what_is_no_optimizer_is_refused(target):
    with pytest.raises(UsageError, match="target must be"):
        implementation(target, "adam")


def test_a_class_is_no_function_of_arrays():
    with pytest.raises(UsageError, match="is a function of arrays"):
        implementation(torch.nn.ReLU, "clip_by_value")


def clip_numpy(grad, limit):
    assert isinstance(grad, np.ndarray)
    return np.clip(grad, -limit, limit)


def clip_torch(grad, *, threshold):
    return torch.clamp(grad, -threshold, threshold)


def clip_wrongly(grad):
    return grad


def test_functions_take_scalars_by_alias_or_else_by_position():
    by_alias = implementation(clip_torch, "clip_by_value")
    by_position = implementation(clip_numpy, "clip_by_value", arrays="numpy")
    grad = np.array([3.0, -0.5])

    assert by_alias.matching == "threshold is clip_value; arrays of torch"
    assert by_position.matching == "clip_value is given by position; arrays of numpy"
    for found in (by_alias, by_position):
        assert np.array_equal(found.factory(**CPU)(grad, clip_value=1.0), [1.0, -0.5])


def test_a_function_that_takes_any_keyword_gets_the_oracles_names():
    def clip(grad, **limits):
        return grad.clip(-limits["clip_value"], limits["clip_value"])

    found = implementation(clip, "clip_by_value")

    assert found.factory(**CPU)(np.full(1, 3.0), clip_value=2.0) == 2.0


def test_what_a_function_without_a_result_leaves_in_its_argument_is_its_result():
    def clip(grad, limit):
        np.clip(grad, -limit, limit, out=grad)

    found = implementation(clip, "clip_by_value", arrays="numpy")
    in_place = implementation(lambda grad, limit: grad.clamp_(-limit, limit) and None, "clip_by_value", arrays="torch")

    assert found.factory(**CPU)(np.full(1, 3.0), clip_value=2.0) == 2.0
    assert in_place.factory(**CPU)(np.full(1, 3.0), clip_value=2.0) == 2.0


def test_a_torch_function_may_return_a_numpy_array():
    found = implementation(lambda grad, limit: grad.clamp(-limit, limit).numpy(), "clip_by_value", arrays="torch")

    assert found.factory(**CPU)(np.full(1, 3.0), clip_value=2.0) == 2.0


def test_functions_without_a_signature_take_everything_by_position():
    found = implementation(np.minimum, "clip_by_value", arrays="numpy")

    assert np.array_equal(found.factory(dtype="float32", device="cpu")(np.array([3.0]), clip_value=1.0), [1.0])


def soft_over_rows(scores, *, axis=None):
    return np.apply_along_axis(lambda row: np.exp(row - row.max()) / np.exp(row - row.max()).sum(), axis, scores)


def norm_by_any_name(x, normalized_shape, bias, weight, eps=1e-5):
    return torch.nn.functional.layer_norm(x, normalized_shape, weight, bias, eps)


def loss_of_classes(target, scores):
    return torch.nn.functional.cross_entropy(scores, target)


def norm_without_shift(x, normalized_shape, weight, bias, eps=1e-5):
    return torch.nn.functional.layer_norm(x, normalized_shape, weight, None, eps)


@pytest.mark.parametrize(
    ("target", "formula", "conforms"),
    [
        (torch.nn.functional.layer_norm, "layer_norm", True),
        (torch.nn.functional.rms_norm, "rms_norm", True),
        (torch.nn.functional.softmax, "softmax", True),
        (soft_over_rows, "softmax", True),
        (norm_by_any_name, "layer_norm", True),
        (norm_without_shift, "layer_norm", False),
        (loss_of_classes, "loss_cross_entropy", True),
        (functools.partial(soft_over_rows, axis=0), "softmax", False),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_functions_are_told_the_last_axis_and_given_arrays_by_name(target, formula, conforms):
    assert check(target, formula, dtypes=["float64"]).conforms == conforms


def test_no_axis_stays_none_where_a_formula_is_of_the_whole_array():
    def clip(grad, max_norm, axis=None):
        return grad * np.minimum(1.0, max_norm / np.linalg.norm(grad, axis=axis))

    assert implementation(clip, "clip_by_norm").factory(**CPU)(np.array([3.0, 4.0]), max_norm=2.5).tolist() == [
        1.5,
        2.0,
    ]


def test_what_the_formula_does_not_have_must_be_set_by_the_target():
    message = "torch.nn.functional.batch_norm needs running_mean, running_var, which batch_norm does not have"
    with pytest.raises(UsageError, match=message):
        implementation(torch.nn.functional.batch_norm, "batch_norm")


def test_a_function_without_room_for_a_scalar_is_refused():
    with pytest.raises(UsageError, match="clip_wrongly offers no clip_value"):
        implementation(clip_wrongly, "clip_by_value")
    with pytest.raises(UsageError, match="offers no clip_value"):
        implementation(lambda grad, clip=False: grad, "clip_by_value")


def test_arrays_are_torchs_if_the_function_or_a_global_of_its_module_is():
    own = {"__name__": "elsewhere"}
    exec("import numpy\ndef clip(grad, limit):\n    return numpy.clip(grad, -limit, limit)", own)

    assert implementation(torch.clamp, "clip_by_value").matching.endswith("arrays of torch")
    assert implementation(clip_numpy, "clip_by_value").matching.endswith("arrays of torch")
    assert implementation(own["clip"], "clip_by_value").matching.endswith("arrays of numpy")
    with pytest.raises(UsageError, match="arrays must be among torch, numpy, jax, got 'mlx'"):
        implementation(own["clip"], "clip_by_value", arrays="mlx")


def test_factories_and_implementations_are_taken_as_they_are():
    by_id = {fault.id: fault for fault in FAULTS}
    for fault in (by_id["gd_ascent"], by_id["clip_does_nothing"]):
        found = implementation(fault.make, fault.formula, hyperparameters={})
        again = implementation(found, fault.formula)

        assert found.factory is fault.make
        assert again == found
    assert isinstance(implementation(by_id["gd_ascent"].make, "sgd"), Implementation)


def test_names_of_modules_are_loaded():
    found = implementation("torch.optim:AdamW", "adamw")

    assert found.label == "torch.optim:AdamW"
    assert load("conformance.faults:FAULTS") is FAULTS


def test_names_in_files_are_loaded(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("import dataclasses, torch\n\nclass Mine(torch.optim.SGD):\n    pass\n")

    found = implementation(f"{file}:Mine", "gd")

    assert stepped(found, {"learning_rate": 2.0}) == -2.0


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("torch.optim", "target must be module:name or path/to/file.py:name, got 'torch.optim'"),
        ("no.such.module:Adam", "cannot load no.such.module:Adam: ModuleNotFoundError"),
        ("torch.optim:Adamv", "cannot load torch.optim:Adamv: AttributeError"),
        ("no/such/file.py:Adam", "cannot load no/such/file.py:Adam: FileNotFoundError"),
    ],
)
def test_names_that_lead_nowhere_say_so(target, message):
    with pytest.raises(LoadError, match=message):
        load(target)


def test_judging_numpy_code_imports_no_framework():
    code = (
        "import sys, numpy as np; from conformance.targets import implementation; "
        "implementation(lambda g, limit: np.clip(g, -limit, limit), 'clip_by_value'); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_file_that_exits_when_it_is_imported_cannot_be_loaded(tmp_path):
    (tmp_path / "quits.py").write_text("raise SystemExit(7)", "utf-8")

    with pytest.raises(LoadError, match="SystemExit: 7"):
        load(f"{tmp_path / 'quits.py'}:clip")


# -- Schedules -------------------------------------------------------------------------------------------------------

CYCLES = {"peak_value": 1.0, "end_value": 0.5, "cycle_steps": 2, "cycle_growth": 2}


NAMED = "eta_max is peak_value; eta_min is end_value; T_0 is cycle_steps; T_mult is cycle_growth; the step is an int"
PLACED = "".join(f"{name} is given by position; " for name in CYCLES) + "the step is an int"


@pytest.mark.parametrize(("target", "matching"), [(wave, NAMED), (nameless_wave, PLACED)], ids=["named", "placed"])
def test_a_schedule_is_called_with_the_step_and_then_values_and_lengths(target, matching):
    found = implementation(target, "schedule_cosine_restarts")
    rates = found.factory(**CPU)(np.arange(7.0), **CYCLES)

    assert found.matching == matching
    assert found.dtypes == ("float64", "float32")
    assert [round(rate, 4) for rate in rates] == [1.0, 0.75, 1.0, 0.9268, 0.75, 0.5732, 1.0]


def test_what_is_given_by_position_may_lie_behind_what_is_named():
    found = implementation(
        lambda t, T_0, high, low, growth: wave(t, high, low, T_0, growth), "schedule_cosine_restarts"
    )

    assert found.matching.startswith(
        "T_0 is cycle_steps; peak_value is given by position; end_value is given by position"
    )
    assert found.factory(**CPU)(np.arange(3.0), **CYCLES).tolist() == [1.0, 0.75, 1.0]


def test_a_length_that_is_set_reaches_the_schedule_as_an_integer():
    found = implementation(nameless_wave, "schedule_cosine_restarts", hyperparameters={"cycle_growth": 2.0})
    function = implementation(
        lambda t, high, low, length: nameless_wave(t, high, low, length, 2),
        "schedule_cosine_restarts",
        hyperparameters={"cycle_growth": 2.0},
    )

    assert found.fixed == function.fixed == {"cycle_growth": 2.0}
    assert found.factory(**CPU)(np.arange(3.0), **CYCLES).tolist() == [1.0, 0.75, 1.0]
    assert function.factory(**CPU)(np.arange(3.0), **CYCLES).tolist() == [1.0, 0.75, 1.0]


def test_a_length_that_is_no_whole_number_is_refused():
    with pytest.raises(DomainError, match=r"cycle_growth must be a whole number, got cycle_growth=1\.5"):
        implementation(wave, "schedule_cosine_restarts", hyperparameters={"cycle_growth": 1.5})


class Level:
    """Makes a function of the step, which always returns the same."""

    def __init__(self, init_value):
        self.value = init_value

    def __call__(self, step):
        assert type(step) is int
        return self.value


class Fading(Level):
    """A level that is not kept."""

    def __call__(self, step):
        return self.value * 0.5**step


class LateWaves(torch.optim.lr_scheduler.CosineAnnealingWarmRestarts):
    """Waves that begin one step late."""

    def get_lr(self):
        rates, self.kept = getattr(self, "kept", self.base_lrs), super().get_lr()
        return rates


class HalfAngles(torch.optim.lr_scheduler.LRScheduler):
    """The waves by squares of cosines of half the angle, each from the step alone."""

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0):
        self.first, self.growth, self.low = T_0, T_mult, eta_min
        super().__init__(optimizer)

    def grown(self, step):
        length = self.first
        while step >= length:
            step, length = step - length, length * self.growth
        return step, length

    def get_lr(self):
        step, length = self.grown(self.last_epoch)
        return [self.low + (rate - self.low) * math.cos(math.pi * step / (2 * length)) ** 2 for rate in self.base_lrs]


class GrownOnce(HalfAngles):
    """Waves that do not grow after the second."""

    def grown(self, step):
        behind, length = step - self.first, self.first * self.growth
        return (step, self.first) if behind < 0 else (behind % length, length)


def waves_of(optimizer, period, growth, last_epoch=-1):
    """Make a scheduler of an optimizer, in words of its own."""
    return torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, period, growth, last_epoch=last_epoch)


WAVES = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
TOLD = "T_0 is cycle_steps; T_mult is cycle_growth; lr is the rate of the optimizer that it is given"


def test_a_scheduler_is_given_an_optimizer_that_has_the_rate():
    found = implementation(WAVES, "schedule_cosine_restarts")

    assert found.matching == f"lr is peak_value; eta_min is end_value; {TOLD}"
    assert found.dtypes == ("float64",)
    assert found.factory(**CPU)(np.array([0.0, 1.0, 2.0, 4.0]), **CYCLES).tolist() == [1.0, 0.75, 1.0, 0.75]


def test_a_function_may_make_the_scheduler():
    found = implementation(waves_of, "schedule_cosine_restarts", hyperparameters={"end_value": 0.0})

    assert found.matching.startswith(
        "lr is peak_value; period is cycle_steps; end_value=0.0 fixed; cycle_growth is given"
    )
    rates = found.factory(**CPU)(np.array([0.0, 1.0, 2.0, 4.0]), **{**CYCLES, "end_value": 0.0})
    assert rates.tolist() == [1.0, 0.5, 1.0, 0.5]


def test_a_scheduler_may_move_the_momentum_too():
    found = implementation(torch.optim.lr_scheduler.CyclicLR, "schedule_triangular")
    levels = {"init_value": 1.0, "peak_value": 2.0, "half_cycle_steps": 2}

    assert found.factory(**CPU)(np.arange(4.0), **levels).tolist() == [1.0, 1.5, 2.0, 1.5]


def test_what_a_scheduler_refuses_is_a_rejected_case():
    found = implementation(WAVES, "schedule_cosine_restarts")

    with pytest.raises(Rejected, match="Expected positive integer T_0, but got 0"):
        found.factory(**CPU)(np.zeros(1), **{**CYCLES, "cycle_steps": 0})


@pytest.mark.parametrize(
    ("target", "formula", "conforms"),
    [
        (WAVES, "schedule_cosine_restarts", True),
        (LateWaves, "schedule_cosine_restarts", False),
        (HalfAngles, "schedule_cosine_restarts", True),
        (GrownOnce, "schedule_cosine_restarts", False),
        (Level, "schedule_constant", True),
        (Fading, "schedule_constant", False),
    ],
)
def test_what_makes_schedules_is_judged_by_them(target, formula, conforms):
    report = check(target, formula, dtypes=["float64"])

    assert report.conforms == conforms


def test_a_class_that_makes_no_functions_is_no_schedule():
    with pytest.raises(
        UsageError, match="schedule_constant is a function of the step: target must be one, or make one"
    ):
        implementation(Descent, "schedule_constant")


# -- Clips of gradients where torch keeps them -----------------------------------------------------------------------


def put_a_clipped_one_there(parameters, max_norm):
    """Leave the gradient as it is, and put another in its place."""
    norms = torch.stack([torch.linalg.vector_norm(parameter.grad) for parameter in parameters])
    factor = (max_norm / (torch.linalg.vector_norm(norms) + 1e-6)).clamp(max=1.0)
    for parameter in parameters:
        parameter.grad = parameter.grad * factor


def clip_all_but_large(parameters, max_norm):
    """Clip, unless it would be much."""
    for parameter in parameters:
        norm = parameter.grad.norm()
        if norm < 100 * max_norm:
            parameter.grad *= torch.clamp(max_norm / (norm + 1e-6), max=1.0)


@pytest.mark.parametrize(
    ("target", "conforms"),
    [(torch.nn.utils.clip_grad_norm_, True), (put_a_clipped_one_there, True), (clip_all_but_large, False)],
    ids=["torch", "another", "wrong"],
)
def test_gradients_may_be_clipped_where_they_are_kept(target, conforms):
    report = check(target, "clip_by_norm_torch", dtypes=["float64"])

    assert report.conforms == conforms
    assert (
        implementation(target, "clip_by_norm_torch").matching == "max_norm is max_norm; it changes gradients in place"
    )


def test_labels_are_given_as_whole_numbers():
    def classes(scores, target):
        assert target.dtype == np.int64
        return scores[0, target[0]]

    found = implementation(classes, "loss_cross_entropy", arrays="numpy")

    assert found.factory(**CPU)(np.array([[0.5, 2.0]]), np.array([1.0])) == 2.0
    assert found.matching == "target holds whole numbers; arrays of numpy"
