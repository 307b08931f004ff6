"""The torch adapter converts exactly, calls torch once, and keeps what it is told."""

from __future__ import annotations

import numpy as np
import pytest

from conformance import assert_backend_conforms, check, targets
from conformance.backends import Implementation
from conformance.backends.torch import backend, to_floats, to_tensor
from conformance.backends.torch_optimizers import OptimizerFactory
from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import get
from properties.subject import Group, Rejected

torch = pytest.importorskip("torch")

CPU = {"dtype": "float64", "device": "cpu"}
VALUES = {
    "learning_rate": 0.5,
    "momentum": 0.5,
    "alpha": 0.75,
    "dampening": 0.25,
    "l2_penalty": 0.5,
    "weight_decay": 0.5,
    "beta1": 0.5,
    "beta2": 0.75,
    "eps": 0.125,
    "max_norm": 1.0,
    "clip_value": 1.0,
}


def chosen(formula: str, path: str) -> Implementation:
    found = [each for each in backend().implementations if each.formula == formula and each.label.endswith(f":{path}")]
    return found[0]


def values_of(formula: str) -> dict[str, float]:
    return {name: VALUES[name] for name in get(formula).hyperparameters}


OPTIMIZERS = [each for each in backend().implementations if get(each.formula).kind == "optimizer"]
CLIPS = [each for each in backend().implementations if get(each.formula).arrays == ("grad",)]


def test_adapters_keep_their_promises():
    # Each factory of the adapter, and each path of one optimizer; all of torch takes minutes.
    select = (
        "adamw.adapter@torch.optim.AdamW or momentum_nesterov or clip or dropout or relu or layer_norm or schedule_c"
    )
    assert_backend_conforms("torch", select=select, dtypes=["float64", "bfloat16"], isolate=False)


@pytest.mark.parametrize("dtype", FORMATS)
def test_numbers_of_a_dtype_cross_unchanged(dtype):
    form = FORMATS[dtype]
    values = np.array([form.largest, -form.smallest_normal, form.smallest_subnormal, 1 + 2 * form.unit, -0.0, np.inf])

    crossed = to_floats(to_tensor(values, dtype=dtype, device="cpu"))

    assert crossed.dtype == np.float64
    assert np.array_equal(crossed, values)
    assert np.signbit(crossed[4])


@pytest.mark.parametrize(
    "values",
    [np.arange(6.0).reshape(2, 3).T, np.arange(10.0)[::3], np.array(2.0), np.zeros((0, 3)), np.arange(8.0)[1::2]],
    ids=["transposed", "with gaps", "no dimension", "empty", "offset"],
)
def test_strides_are_kept(values):
    tensor = to_tensor(values, **CPU)

    assert tuple(step * 8 for step in tensor.stride()) == values.strides
    assert np.array_equal(to_floats(tensor), values)


@pytest.mark.parametrize("values", [np.arange(3.0)[::-1], np.broadcast_to(np.arange(2.0), (3, 2))])
def test_strides_that_torch_cannot_update_become_contiguous(values):
    tensor = to_tensor(values, **CPU)

    assert tensor.is_contiguous()
    assert np.array_equal(to_floats(tensor), values)


def test_converting_copies():
    values = np.zeros(2)
    tensor = to_tensor(values, **CPU)
    tensor += 1

    assert np.array_equal(values, [0.0, 0.0])
    assert np.shares_memory(to_floats(tensor), tensor.numpy()) is False


@pytest.mark.parametrize("each", OPTIMIZERS, ids=lambda each: f"{each.formula}@{each.label}")
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_declared_optimizer_runs_in_every_declared_dtype(each, dtype):
    params = [np.arange(6.0).reshape(2, 3), np.array(1.0), np.zeros(0)]
    values = values_of(each.formula)
    groups = [Group((0, 2), values), Group((1,), {**values, "learning_rate": 0.25})]

    stepper = each.factory(params, groups, dtype=dtype, device="cpu")
    stepper.step([np.ones((2, 3)), np.array(1.0), np.zeros(0)])

    assert dtype in each.dtypes
    assert not np.array_equal(stepper.params()[0], params[0])
    assert stepper.params()[1] != params[1]
    assert set(stepper.state()[0]) == set(each.state)


@pytest.mark.parametrize("each", CLIPS, ids=lambda each: each.label)
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_declared_clip_runs_in_every_declared_dtype(each, dtype):
    clip = each.factory(dtype=dtype, device="cpu")

    clipped = clip(np.array([3.0, -4.0]), **values_of(each.formula))

    assert clipped.shape == (2,)
    assert np.all(np.abs(clipped) <= 1.0)


@pytest.mark.parametrize("path", ["loop", "foreach", "fused"])
def test_hyperparameters_reach_torch_by_group(path):
    values = values_of("adamw")
    groups = [Group((0,), values), Group((1,), {**values, "beta1": 0.25})]
    stepper = chosen("adamw", path).factory([np.ones(1), np.ones(1)], groups, **CPU)

    entries = stepper.optimizer.param_groups

    assert entries[0]["betas"] == (0.5, 0.75)
    assert entries[1]["betas"] == (0.25, 0.75)
    assert (entries[0]["lr"], entries[0]["eps"], entries[0]["weight_decay"]) == (0.5, 0.125, 0.5)
    assert (entries[0]["foreach"], entries[0]["fused"]) == {
        "loop": (False, False),
        "foreach": (True, None),
        "fused": (None, True),
    }[path]


def test_changing_a_beta_keeps_the_other():
    stepper = chosen("adam", "loop").factory([np.ones(1)], [Group((0,), values_of("adam"))], **CPU)
    stepper.set_hyperparameters(0, {"beta2": 0.875, "learning_rate": 0.0625})

    assert stepper.optimizer.param_groups[0]["betas"] == (0.5, 0.875)
    assert stepper.optimizer.param_groups[0]["lr"] == 0.0625


def test_a_missing_gradient_is_none_for_torch():
    stepper = chosen("momentum_heavy_ball", "loop").factory(
        [np.ones(2), np.ones(2)], [Group((0, 1), values_of("momentum_heavy_ball"))], **CPU
    )
    stepper.step([None, np.ones(2)])

    assert np.array_equal(stepper.params()[0], [1.0, 1.0])
    assert stepper.state()[0] == {}
    assert np.array_equal(stepper.state()[1]["momentum_buffer"], [1.0, 1.0])


def test_a_constructor_that_refuses_hyperparameters_rejects_the_case():
    values = {**values_of("momentum_nesterov"), "momentum": 0.0}

    with pytest.raises(Rejected, match="Nesterov momentum requires a momentum"):
        chosen("momentum_nesterov", "loop").factory([np.ones(1)], [Group((0,), values)], **CPU)


def test_a_group_whose_entries_have_other_names_is_found_by_its_own_spelling():
    class Renaming(torch.optim.SGD):
        def __init__(self, params, learning_rate):
            super().__init__(params, lr=learning_rate)

    factory = OptimizerFactory(Renaming, {"learning_rate": "learning_rate"})
    groups = [Group((0,), {"learning_rate": 1.0}), Group((1,), {"learning_rate": 2.0})]
    stepper = factory([np.zeros(1), np.zeros(1)], groups, **CPU)
    stepper.step([np.ones(1), np.ones(1)])
    stepper.set_hyperparameters(0, {"learning_rate": 4.0})
    stepper.step([np.ones(1), np.ones(1)])

    assert [param.item() for param in stepper.params()] == [-5.0, -4.0]


@pytest.mark.parametrize(
    ("formula", "paths"), [("rmsprop", {"loop", "foreach"}), ("adagrad", {"loop", "foreach", "fused"})]
)
def test_only_the_paths_that_torch_has_are_declared(formula, paths):
    on_the_cpu = [each for each in backend().implementations if each.formula == formula and "cpu" in each.devices]

    assert {each.label.rpartition(":")[2] for each in on_the_cpu} == paths


@pytest.mark.parametrize(("formula", "name"), [("rmsprop", "square_avg"), ("adagrad", "sum")])
def test_the_squares_that_torch_keeps_bear_the_names_of_the_oracle(formula, name):
    stepper = chosen(formula, "loop").factory([np.ones(1)], [Group((0,), values_of(formula))], **CPU)
    stepper.step([np.array([2.0])])

    assert stepper.state()[0][name] == {"rmsprop": 1.0, "adagrad": 4.0}[formula]


def test_labels_and_formulas_make_unique_ids():
    ids = [(each.formula, each.label, device) for each in backend().implementations for device in each.devices]

    assert len(set(ids)) == len(ids)


def test_the_environment_names_the_version():
    found = backend()

    assert found.environment()["torch"] == found.version == torch.__version__


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_fused_sgd_on_the_cpu_leaves_whole_vector_blocks_untouched(dtype):
    parameter = torch.nn.Parameter(torch.ones(17, dtype=getattr(torch, dtype)))
    optimizer = torch.optim.SGD([parameter], lr=0.5, fused=True)
    parameter.grad = torch.ones_like(parameter)
    optimizer.step()

    assert (parameter == 1).sum().item() == 16, "torch #191763 is fixed: drop the expectation for this version"


@pytest.mark.parametrize(("fused", "end"), [(True, [-1.0, 1.0, 4.0, 6.0]), (False, [-1.0, 1.0, 3.0, 5.0])])
def test_fused_kernels_on_the_cpu_ignore_strides(fused, end):
    parameter = torch.nn.Parameter(torch.arange(8.0)[::2])
    optimizer = torch.optim.SGD([parameter], lr=1.0, fused=fused)
    parameter.grad = torch.ones(4)
    optimizer.step()

    assert parameter.tolist() == end, "torch minds strides now: drop the expectation for this version"


def test_saving_and_loading_makes_a_new_optimizer_with_all_that_was_kept():
    group = Group((0,), values_of("adamw"))
    subject = chosen("adamw", "loop").factory([np.ones(2)], [group], **CPU)
    subject.step([np.ones(2)])
    subject.set_hyperparameters(0, {"learning_rate": 0.25})

    resumed = subject.resumed()

    assert resumed.optimizer is not subject.optimizer
    assert resumed.optimizer.param_groups[0]["lr"] == 0.25
    assert np.array_equal(resumed.params()[0], subject.params()[0])
    assert np.array_equal(resumed.state()[0]["exp_avg"], subject.state()[0]["exp_avg"])


def test_rewinding_goes_back_in_the_very_optimizer_that_was_saved():
    subject = chosen("adam", "loop").factory([np.ones(2)], [Group((0,), values_of("adam"))], **CPU)
    subject.step([np.ones(2)])
    optimizer, (parameter,) = subject.optimizer, subject.parameters
    saved, before = subject.saved(), (subject.params(), subject.state())
    subject.set_hyperparameters(0, {"learning_rate": 0.25})
    subject.step([np.ones(2)])

    subject.rewound(saved)

    assert subject.optimizer is optimizer
    assert optimizer.param_groups[0]["params"] == [parameter]
    assert optimizer.param_groups[0]["lr"] == values_of("adam")["learning_rate"]
    assert np.array_equal(subject.params()[0], before[0][0])
    assert np.array_equal(subject.state()[0]["exp_avg"], before[1][0]["exp_avg"])


def test_a_copy_shares_nothing():
    subject = chosen("adam", "loop").factory([np.ones(2)], [Group((0,), values_of("adam"))], **CPU)
    subject.step([np.ones(2)])
    copy = subject.copied()

    subject.step([np.ones(2)])

    assert not np.array_equal(copy.params()[0], subject.params()[0])
    assert copy.optimizer.param_groups[0]["params"][0] is copy.parameters[0]


def test_a_late_group_is_added_with_its_own_hyperparameters():
    subject = chosen("gd", "loop").factory([np.zeros(2)], [Group((0,), {"learning_rate": 1.0})], **CPU)

    subject.add_group([np.zeros(3)], Group((1,), {"learning_rate": 0.5}))
    subject.add_group([np.zeros(1)], Group((2,), {"learning_rate": 0.25}, maximize=True))
    subject.step([np.ones(2), np.ones(3), np.ones(1)])

    assert [params.tolist() for params in subject.params()] == [[-1.0, -1.0], [-0.5, -0.5, -0.5], [0.25]]


def descending(path="loop"):
    """Three numbers at 0 that descend by their gradients."""
    return chosen("gd", path).factory([np.zeros(3)], [Group((0,), {"learning_rate": 1.0})], **CPU)


GRAD = np.array([1.0, 0.0, -2.0])


def test_gradients_of_several_passes_are_added_up_after_those_of_the_step_before_are_gone():
    subject = descending()
    subject.step([GRAD])

    subject.step_accumulated([[2 * GRAD], [-GRAD]])

    assert subject.params()[0].tolist() == [-2.0, 0.0, 4.0]
    assert np.array_equal(subject.grads()[0], GRAD)


def test_gradients_are_clipped_before_the_step():
    subject = descending()

    subject.step_clipped([2 * GRAD], 2.0)

    assert subject.params()[0].tolist() == [-2.0, 0.0, 2.0]


@pytest.mark.parametrize("path", ["loop", "foreach"])
def test_sparse_gradients_hold_what_is_not_zero_and_dense_ones_follow_them(path):
    subject = descending(path)

    subject.step_sparse([GRAD])
    held = subject.parameters[0].grad
    subject.step([GRAD])

    assert held._nnz() == 2
    assert subject.params()[0].tolist() == [-2.0, 0.0, 4.0]
    assert np.array_equal(subject.grads()[0], GRAD)


def test_a_closure_brings_its_gradients_and_its_loss_comes_back():
    subject = descending()

    assert subject.step_closure(lambda: (0.5, [GRAD])) == 0.5
    assert subject.params()[0].tolist() == [-1.0, 0.0, 2.0]


def test_a_pickle_holds_the_optimizer_with_its_parameters():
    subject = chosen("adam", "loop").factory([np.ones(2)], [Group((0,), values_of("adam"))], **CPU)
    subject.step([np.ones(2)])

    other = subject.pickled()
    other.step([np.ones(2)])

    assert other.optimizer.param_groups[0]["params"][0] is other.parameters[0]
    assert np.array_equal(other.state()[0]["exp_avg"], 1.5 * subject.state()[0]["exp_avg"])


def test_the_frozen_want_no_gradient_and_thaw():
    subject = descending()

    subject.freeze((0,))
    frozen = subject.parameters[0].requires_grad
    subject.freeze(())

    assert (frozen, subject.parameters[0].requires_grad) == (False, True)


def test_only_torchs_own_optimizers_are_asked_for_what_others_need_not_do():
    class Mine(torch.optim.SGD):
        pass

    own, other = (targets.implementation(target, "gd").factory.offers for target in (torch.optim.SGD, Mine))

    assert {*own} - {*other} == {"pickled", "step_closure", "maximize"}


@pytest.mark.parametrize(("path", "left"), [("loop", 1.0), ("foreach", 1.5), ("fused", 1.0)])
def test_the_foreach_path_of_nesterov_adds_the_velocity_to_the_gradient(path, left):
    group = Group((0,), {"learning_rate": 1.0, "momentum": 0.5})
    subject = chosen("momentum_nesterov", path).factory([np.zeros(2)], [group], **CPU)

    subject.step([np.ones(2)])

    assert subject.grads()[0].tolist() == [left, left]


def test_a_momentum_that_pauses_at_zero_leaves_the_buffer_alone():
    group = Group((0,), {"learning_rate": 1.0, "momentum": 0.5})
    subject = chosen("momentum_heavy_ball", "loop").factory([np.zeros(1)], [group], **CPU)

    for momentum, grad in ((0.5, 1.0), (0.0, 2.0), (0.5, 0.0)):
        subject.set_hyperparameters(0, {"momentum": momentum})
        subject.step([np.array([grad])])

    assert subject.params()[0].tolist() == [-3.5]  # with the second gradient in the buffer it would be -4


class Promoting(torch.optim.SGD):
    """Computes in float64, and leaves the parameters there."""

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data = parameter.data.double()
        return super().step(closure)


def test_parameters_in_float64_of_a_float32_run_are_noticed_by_the_claim_about_them_alone():
    report = check(Promoting, "gd", dtypes=["float32"])

    assert [record.property for record in report.checks if record.status != "conforms"] == [
        "parameters_keep_their_place"
    ]
    (record,) = (record for record in report.checks if record.status == "deviates")
    assert "left tensor 0 as float64 of shape (1,) on cpu instead of float32 of shape (1,) on cpu" in record.message
