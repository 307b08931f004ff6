"""The laws of an optimizer that claims no formula: each is seen to hold, and to be broken."""

from __future__ import annotations

import copy
import json
import math

import pytest

from conformance import UsageError, laws
from conformance.backends.torch_optimizers import OptimizerFactory, OptimizerStepper
from conformance.cli import main
from conformance.laws import LawProfile, decided
from properties.laws import DUTIES, LAWS, Rig, trials

torch = pytest.importorskip("torch")

OBEYED_BY_ALL = {duty.name for duty in DUTIES} | {
    "permutation",
    "splitting",
    "tensors_apart",
    "groups_apart",
    "translation",
    "sign_symmetry",
    "linear_in_learning_rate",
    "zero_learning_rate_rests",
    "zero_gradient_rests",
    "constant_gradient_descends",
    "late_start",
}


def outcomes(profile: LawProfile) -> dict[str, str]:
    return {record.name: record.outcome for record in profile.records}


class Descent(torch.optim.Optimizer):
    """Plain descent with hooks for what may go wrong."""

    calls = 0

    def __init__(self, params, lr=0.1, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        self.calls += 1
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(self.update(p, p.grad, group, self.state[p]))

    def update(self, p, grad, group, state):
        return group["lr"] * grad


class OfFirst(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * (grad + grad[0] / 16)


class OfMean(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * (grad - grad.mean())


class OfGroup(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * grad / len(group["params"])


class OfAllGroups(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * grad / len(self.param_groups)


class OfPlace(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * grad * torch.sign(p)


class OfPositive(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * grad.clamp(min=0)


class RootOfRate(Descent):
    def update(self, p, grad, group, state):
        return math.sqrt(group["lr"]) * grad


class WithoutRate(Descent):
    def update(self, p, grad, group, state):
        return 0.125 * grad


class Restless(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * (grad + 0.01)


class Ascent(Descent):
    def update(self, p, grad, group, state):
        return -group["lr"] * grad


class Shrinking(Descent):
    """Divides by the number of calls, whoever is called."""

    def update(self, p, grad, group, state):
        return group["lr"] * grad / self.calls


class Random(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * grad * torch.rand_like(grad)


class Clearing(Descent):
    def update(self, p, grad, group, state):
        moved = group["lr"] * grad
        grad.zero_()
        return moved


class Cloned(Descent):
    """A copy that keeps the parameters of the original."""

    def __deepcopy__(self, memo):
        other = Descent([dict(group) for group in self.param_groups])
        memo[id(self)] = other
        return other


class Promoting(Descent):
    """Computes in float64, and leaves the parameters there."""

    def update(self, p, grad, group, state):
        p.data = p.data.double()
        return group["lr"] * grad


class Flattening(Descent):
    def update(self, p, grad, group, state):
        p.data = p.data.reshape(1, -1)
        return group["lr"] * grad.reshape(1, -1)


class Decayed(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * grad + self.part(group) * p

    def part(self, group):
        return group["lr"] * group["weight_decay"]


class DecayedWithoutRate(Decayed):
    def part(self, group):
        return group["weight_decay"]


class ByMatrix(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * (grad - grad.mean(dim=0)) if grad.ndim == 2 else group["lr"] * grad


class SharedByShape(Descent):
    """One buffer for all tensors of a shape."""

    def update(self, p, grad, group, state):
        buffer = self.state.setdefault(tuple(p.shape), torch.zeros_like(p))
        buffer.mul_(0.5).add_(grad)
        return group["lr"] * buffer


class PenaltyInPlace(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * grad.add_(p, alpha=group["weight_decay"])


class WithBuffer(Descent):
    def update(self, p, grad, group, state):
        buffer = state.setdefault("buffer", torch.zeros_like(p))
        return group["lr"] * buffer.mul_(0.5).add_(grad)


class SwapsOnLoad(WithBuffer):
    def load_state_dict(self, state_dict):
        state = state_dict["state"]
        if len(state) == 2:
            state[0], state[1] = state[1], state[0]
        super().load_state_dict(state_dict)


class KeepsItsOptionsOnLoad(WithBuffer):
    def load_state_dict(self, state_dict):
        own = [group["weight_decay"] for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, decay in zip(self.param_groups, own, strict=True):
            group["weight_decay"] = decay

    def update(self, p, grad, group, state):
        return super().update(p, grad, group, state) + group["lr"] * group["weight_decay"] * p


class DecayedByEighth(Decayed):
    def part(self, group):
        return 0.125 * group["weight_decay"]


class NormInSingle(Descent):
    """Plain descent along the gradient over its norm, computed in float32."""

    def update(self, p, grad, group, state):
        return group["lr"] * grad / grad.float().norm().to(grad.dtype)


class OfMatrices(Descent):
    def __init__(self, params, lr=0.1):
        params = list(params)
        tensors = [p for group in params for p in group["params"]]
        if any(p.ndim != 2 for p in tensors):
            raise ValueError("takes matrices only")
        super().__init__(params, lr)


class WithEmaDecay(torch.optim.SGD):
    def __init__(self, params, lr=0.1, decay=0.9):
        super().__init__(params, lr=lr, momentum=decay)


class SignOf(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * torch.sign(grad)


class InProportion(Descent):
    def update(self, p, grad, group, state):
        return group["lr"] * p.norm() * torch.sign(grad)


@pytest.mark.parametrize("target", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop])
def test_what_every_plain_rule_obeys_holds(target):
    found = outcomes(laws(target))

    assert {name for name in OBEYED_BY_ALL if found[name] != "holds"} == set()


@pytest.mark.parametrize(
    ("target", "law"),
    [
        (SignOf, "gradient_scale_ignored"),
        (Descent, "gradient_scale_followed"),
        (InProportion, "parameter_scale_followed"),
        (Decayed, "decay_times_learning_rate"),
        (DecayedWithoutRate, "decay_without_learning_rate"),
    ],
)
def test_a_law_that_only_some_obey_holds_for_one_that_does(target, law):
    assert outcomes(laws(target))[law] == "holds"


@pytest.mark.parametrize(
    ("target", "law"),
    [
        (OfFirst, "permutation"),
        (OfMean, "splitting"),
        (OfGroup, "tensors_apart"),
        (OfAllGroups, "groups_apart"),
        (OfPlace, "translation"),
        (OfPositive, "sign_symmetry"),
        (Descent, "gradient_scale_ignored"),
        (SignOf, "gradient_scale_followed"),
        (Descent, "parameter_scale_followed"),
        (RootOfRate, "linear_in_learning_rate"),
        (WithoutRate, "zero_learning_rate_rests"),
        (Restless, "zero_gradient_rests"),
        (DecayedWithoutRate, "decay_times_learning_rate"),
        (Decayed, "decay_without_learning_rate"),
        (Ascent, "constant_gradient_descends"),
        (Shrinking, "late_start"),
        (Random, "repeats"),
        (Shrinking, "resumes"),
        (Cloned, "copies"),
        (Clearing, "keeps_gradients"),
        (Promoting, "keeps_place"),
        (ByMatrix, "permutation"),
        (ByMatrix, "splitting"),
        (SharedByShape, "tensors_apart"),
        (PenaltyInPlace, "keeps_gradients"),
        (SwapsOnLoad, "resumes"),
        (KeepsItsOptionsOnLoad, "resumes"),
        (DecayedByEighth, "decay_times_learning_rate"),
    ],
)
def test_each_law_is_seen_to_be_broken(target, law):
    assert outcomes(laws(target))[law] == "broken"


def test_every_law_is_among_those_seen_to_be_broken():
    mark = test_each_law_is_seen_to_be_broken.pytestmark[0]

    assert {law for _, law in mark.args[1]} == {entry.name for entry in (*LAWS, *DUTIES)}


@pytest.mark.parametrize(
    ("wide", "narrow", "outcome"),
    [
        (0.0, 0.0, "holds"),
        (2.0**-52, 2.0**-23, "holds"),
        (2.0**-40, 2.0**-23, "undecided"),
        (0.5, 0.5, "broken"),
        (2.0**-15, 2.0**-15, "broken"),
        (2.0**-15, 0.0, "broken"),
        (2.0**-17, 2.0**-17, "undecided"),
        (2.0**-44, 0.0, "undecided"),
        (2.0**-45, 0.0, "holds"),
        (math.inf, math.inf, "broken"),
    ],
)
def test_rounding_is_told_from_mathematics_by_how_it_shrinks(wide, narrow, outcome):
    assert decided(wide, narrow) == outcome


def test_a_parameter_in_another_dtype_is_told_from_what_it_is_in():
    (record,) = (record for record in laws(Promoting).records if record.name == "keeps_place")

    assert record.message == "in float32"


def test_a_parameter_in_another_shape_takes_no_gradient_any_more():
    (record,) = laws(Flattening).failed

    assert record.outcome == "crash"
    assert "size" in record.message


@pytest.mark.parametrize("change", [{}, {"device": "meta"}, {"shape": (1, 12)}, {"dtype": "float32"}])
def test_every_part_of_a_place_is_to_be_kept(change):
    class Shown(OptimizerStepper):
        def places(self):
            return [place._replace(**change) for place in super().places()]

    class Showing(OptimizerFactory):
        def made(self, *arguments):
            return Shown(**vars(super().made(*arguments)))

    (duty,) = (duty for duty in DUTIES if duty.name == "keeps_place")
    rig = Rig(Showing(Descent, {"learning_rate": "lr"}), ("learning_rate",), "float64", "cpu")

    assert duty.kept(rig, *trials(0, 1)[0]) == (not change)


def test_only_broken_duties_and_crashes_are_failures():
    assert laws(OfMean).failed == ()
    assert [record.name for record in laws(Clearing).failed] == ["keeps_gradients"]


def test_what_does_not_run_at_all_is_told_once():
    profile = laws(torch.optim.LBFGS)

    assert [record.outcome for record in profile.records] == ["crash"]
    assert "closure" in profile.summary()


def test_what_is_not_offered_is_said():
    assert outcomes(laws(torch.optim.Rprop))["decay_times_learning_rate"] == "not offered"


def test_a_part_computed_in_float32_breaks_no_law():
    assert outcomes(laws(NormInSingle))["permutation"] in ("holds", "undecided")


def test_what_takes_matrices_only_is_tried_on_them():
    profile = laws(OfMatrices)

    assert 0 < profile.inputs < 6
    assert "takes matrices only" in profile.summary()
    assert outcomes(profile)["translation"] == "holds"


def test_what_refuses_every_input_is_told_why():
    class Fussy(Descent):
        def __init__(self, params, lr=0.1):
            raise ValueError("nothing pleases it")

    with pytest.raises(UsageError, match="nothing pleases it"):
        laws(Fussy)


def test_the_decay_of_an_average_is_not_taken_for_that_of_weights():
    assert laws(WithEmaDecay).matching == "lr is learning_rate"


class OfTwoModes(torch.optim.SGD):
    """Updates in one of its modes only, as optimizers do that average iterates."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, lr)
        self.param_groups[0]["training"] = False

    def train(self):
        self.param_groups[0]["training"] = True

    def step(self, closure=None):
        if not self.param_groups[0]["training"]:
            raise RuntimeError("call train() first")
        return super().step(closure)


def test_what_has_a_mode_for_training_is_set_to_it():
    found = outcomes(laws(OfTwoModes))

    assert found["repeats"] == found["resumes"] == found["copies"] == "holds"


def test_the_same_arguments_give_the_same_profile():
    assert laws(torch.optim.NAdam, seed=3).as_json() == laws(torch.optim.NAdam, seed=3).as_json()


def test_the_numbers_are_in_the_json():
    found = json.loads(laws(Descent).as_json())

    broken = next(record for record in found["records"] if record["name"] == "gradient_scale_ignored")
    assert broken["departures"]["float64"] > 1


def test_loading_turns_the_product_of_nadam_into_the_parameters_dtype():
    weights = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = torch.optim.NAdam([weights])
    weights.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())

    optimizer.load_state_dict(saved)

    assert saved["state"][0]["mu_product"].dtype == torch.float32
    assert optimizer.state[weights]["mu_product"].dtype == torch.float64
    assert outcomes(laws(torch.optim.NAdam))["resumes"] == "broken"


@pytest.mark.parametrize("target", [abs, "math:sqrt", 3])
def test_what_is_no_optimizer_needs_a_formula(target):
    with pytest.raises(UsageError, match="without a formula"):
        laws(target)


def test_a_seed_is_not_negative():
    with pytest.raises(UsageError, match="seed must be an integer of at least 0, got seed=-1"):
        laws(Descent, seed=-1)


def test_the_command_without_a_formula_shows_the_laws(capsys):
    assert main(["check", "torch.optim:AdamW"]) == 0

    shown = capsys.readouterr().out
    assert "holds        decay_times_learning_rate" in shown
    assert "no verdict" in shown


def test_the_command_fails_for_a_broken_duty(capsys):
    assert main(["check", "torch.optim:NAdam"]) == 1
    assert "broken       resumes" in capsys.readouterr().out


def test_options_of_a_verdict_need_a_formula(capsys):
    assert main(["check", "torch.optim:AdamW", "--set", "beta1=0.9"]) == 2
    assert "need --as" in capsys.readouterr().err
