"""Identification: what a target computes, told by its behaviour; what is like nothing known is not guessed."""

from __future__ import annotations

import functools
import json
from dataclasses import replace

import pytest

from conformance import UsageError, identify
from conformance.backends import Implementation
from conformance.backends.torch import backend
from conformance.backends.torch_optimizers import OptimizerFactory
from conformance.cli import main
from conformance.faults.adam import ADAM
from conformance.faults.programs import Program
from conformance.identification.identifier import Identifier
from conformance.identification.results import exit_code
from conformance.session import Session
from oracle.dialects import LATTICES

torch = pytest.importorskip("torch")

#: One worker runs them: what they share is made once.
pytestmark = pytest.mark.xdist_group("identify")


class Rule(torch.optim.Optimizer):
    """An optimizer of one tensor at a time, with an average `m` and a second one `v` when it asks for them."""

    def __init__(self, params, lr=1e-3, **others):
        super().__init__(params, {"lr": lr, **others})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state[p]
                    state["t"] = state.get("t", 0) + 1
                    p.sub_(self.update(p, p.grad, group, state))

    def adam(self, grad, state, beta1, beta2):
        m = state.setdefault("m", torch.zeros_like(grad)).lerp_(grad, 1 - beta1)
        v = state.setdefault("v", torch.zeros_like(grad)).mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        return m / (1 - beta1 ** state["t"]), (v / (1 - beta2 ** state["t"])).sqrt()


class HiddenAdam(Rule):
    def __init__(self, params, lr=1e-3):
        super().__init__(params, lr)

    def update(self, p, grad, group, state):
        first, root = self.adam(grad, state, 0.9, 0.999)
        return group["lr"] * first / (root + 1e-8)


class OddlyHidden(HiddenAdam):
    def update(self, p, grad, group, state):
        first, root = self.adam(grad, state, 0.91, 0.997)
        return group["lr"] * first / (root + 3e-8)


class HiddenDecay(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas=betas, eps=eps)

    def update(self, p, grad, group, state):
        first, root = self.adam(grad, state, *group["betas"])
        return group["lr"] * (first / (root + group["eps"]) + 0.01 * p)


class InSingle(Rule):
    """Adam whose state is kept in float32, whatever the parameters are."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas=betas, eps=eps)

    def update(self, p, grad, group, state):
        first, root = self.adam(grad.float(), state, *group["betas"])
        return (group["lr"] * first / (root + group["eps"])).to(p.dtype)


class SingleBetas(Rule):
    """Adam that rounds its betas to float32, but no 0."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas=betas, eps=eps)

    def update(self, p, grad, group, state):
        first, root = self.adam(grad, state, *(torch.tensor(beta).item() for beta in group["betas"]))
        return group["lr"] * first / (root + group["eps"])


class Padded(SingleBetas):
    """Adam with another number beside epsilon, too small for anything but float64."""

    def update(self, p, grad, group, state):
        first, root = self.adam(grad, state, *group["betas"])
        return group["lr"] * first / ((root**2 + 1e-14).sqrt() + group["eps"])


class Keeping(Rule):
    """AdamW that reads its options once, when it is made."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.options = lr, betas, eps, weight_decay
        super().__init__(params, lr)

    def update(self, p, grad, group, state):
        lr, betas, eps, decay = self.options
        first, root = self.adam(grad, state, *betas)
        return lr * (first / (root + eps) + decay * p)


class Switched(Rule):
    """A velocity that an option turns into an average, which bears the name of a number."""

    def __init__(self, params, lr=1e-3, momentum=0.9, dampening=False):
        super().__init__(params, lr, momentum=momentum, dampening=dampening)

    def update(self, p, grad, group, state):
        if "m" not in state:
            state["m"] = torch.zeros_like(grad)
        share = 1 - group["momentum"] if group["dampening"] else 1.0
        return group["lr"] * state["m"].mul_(group["momentum"]).add_(grad, alpha=share)


class Signum(Rule):
    def __init__(self, params, lr=1e-3, beta=0.9):
        super().__init__(params, lr, beta=beta)

    def update(self, p, grad, group, state):
        m = state.setdefault("m", torch.zeros_like(grad)).lerp_(grad, 1 - group["beta"])
        return group["lr"] * m.sign()


class Noisy(Rule):
    def update(self, p, grad, group, state):
        return group["lr"] * torch.sign(grad + 0.1 * torch.randn_like(grad))


class Clipped(Rule):
    def update(self, p, grad, group, state):
        return group["lr"] * grad.clamp(-1.5, 1.5)


class Trusting(Rule):
    def update(self, p, grad, group, state):
        return group["lr"] * grad * p.norm() / grad.norm().clamp(min=1e-30)


class Waning(Rule):
    def update(self, p, grad, group, state):
        return group["lr"] / (1 + 1e-4 * (state["t"] - 1)) * grad


class VectorsApart(Rule):
    """Plain descent of vectors, and along the sign for matrices."""

    def update(self, p, grad, group, state):
        return group["lr"] * (grad if p.ndim == 1 else grad.sign())


class Late(Rule):
    """Plain descent that forgets half of every gradient after 20 steps."""

    def update(self, p, grad, group, state):
        return group["lr"] * grad * (0.5 if state["t"] > 20 else 1.0)


class NarrowOnly(Rule):
    """Plain descent, and twice that in float32."""

    def update(self, p, grad, group, state):
        return group["lr"] * grad * (2.0 if p.dtype == torch.float32 else 1.0)


class Fussy(Rule):
    def __init__(self, params, lr=1e-3):
        raise ValueError("nothing pleases it")


class WithoutDecay(torch.optim.AdamW):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        if weight_decay:
            raise ValueError("decays nothing")
        super().__init__(params, lr, betas, eps, weight_decay)


class Raising(Rule):
    def update(self, p, grad, group, state):
        raise RuntimeError("out of order")


@pytest.fixture(scope="module")
def identifier():
    """What is known of one target's rivals serves for the next."""
    return Identifier(Session("quick", 0))


def value(found, name):
    return next(axis.values for axis in found.axes if axis.name == name)


@pytest.mark.parametrize(
    ("target", "family", "formula", "dialect"),
    [
        (torch.optim.AdamW, "adam", "adamw", "adamw: "),
        (torch.optim.Adam, "adam", "adam_l2", "adam_l2: "),
        (
            torch.optim.SGD,
            "momentum",
            "",
            "momentum_torch_dampening, but weight decay: L2, in the gradient",
        ),
        (
            torch.optim.Adagrad,
            "adaptive",
            "",
            "adagrad, but start of the squares: the initial accumulator; weight decay: L2, in the gradient",
        ),
        (
            torch.optim.RMSprop,
            "adaptive",
            "",
            "rmsprop, but momentum: of the quotients; weight decay: L2, in the gradient",
        ),
    ],
    ids=["AdamW", "Adam", "SGD", "Adagrad", "RMSprop"],
)
def test_optimizers_of_torch_are_identified(target, family, formula, dialect):
    found = identify(target)

    assert found.identified
    assert found.family == family
    assert found.formula == formula
    assert found.dialects[0].startswith(dialect)
    assert list(found.precision) == ["float64", "float32"]
    assert found.rivals > 30


@pytest.mark.parametrize(
    ("target", "axis", "words"),
    [
        (
            functools.partial(torch.optim.Adam, amsgrad=True),
            "second moment",
            "largest so far, then corrected (AMSGrad)",
        ),
        (functools.partial(torch.optim.RMSprop, centered=True), "centered", "yes"),
        (functools.partial(torch.optim.SGD, nesterov=True), "step", "along the velocity one step ahead (Nesterov)"),
    ],
    ids=["amsgrad", "centered", "nesterov"],
)
def test_what_an_option_changes_is_told(target, axis, words):
    found = identify(target, dtypes=["float64"])

    assert found.identified
    assert value(found, axis) == (words,)


@pytest.mark.parametrize(
    "target",
    [
        torch.optim.Rprop,
        torch.optim.Adamax,
        torch.optim.NAdam,
        torch.optim.RAdam,
        torch.optim.Adadelta,
        torch.optim.ASGD,
        Noisy,
        Clipped,
        Trusting,
        Waning,
        Late,
        VectorsApart,
        OddlyHidden,
        Padded,
    ],
    ids=lambda target: target.__name__,
)
def test_what_is_like_nothing_known_is_not_guessed(target, identifier):
    found = identifier.identify(target, dtypes=["float64"], fixed={})

    assert found.outcome == "none of the known"
    assert found.formula == ""
    assert found.dialects == ()
    assert exit_code(found) == 1
    nearest, departure = found.excluded[0]
    assert departure.error_over_bound > 1
    assert f"nearest       {nearest.removesuffix('.')}: param after step {departure.step}"[:60] in found.summary()


def test_constants_that_are_not_offered_are_tried_at_their_customary_values():
    found = identify(HiddenAdam)

    assert found.formula == "adam"
    assert dict(found.held) == {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    assert "beta2=0.999 throughout" in " ".join(found.summary().split())


def test_constants_of_one_s_own_can_be_given():
    found = identify(OddlyHidden, hyperparameters={"beta1": 0.91, "beta2": 0.997, "eps": 3e-8})

    assert found.formula == "adam"


def test_a_hidden_weight_decay_is_found():
    found = identify(HiddenDecay, dtypes=["float64"])

    assert found.formula == "adamw"
    assert found.held["weight_decay"] == 0.01


def test_a_hyperparameter_that_is_not_offered_and_does_not_show_is_said_so():
    (axis,) = [axis for axis in identify(HiddenAdam, dtypes=["float64"]).axes if axis.name == "weight decay"]

    assert axis.values == ("none",)
    assert axis.reason == "the target offers no weight_decay, and shows none"


@pytest.mark.parametrize("target", [InSingle], ids=lambda target: target.__name__)
def test_narrow_arithmetic_in_a_wide_run_is_named_and_so_is_the_dialect(target):
    found = identify(target)

    assert found.formula == "adam"
    assert found.precision["float64"].endswith("float32)")
    assert found.precision["float32"] == "compute float32, scalars float64"


def test_what_is_another_rule_in_float32_is_no_known_rule():
    found = identify(NarrowOnly)

    assert found.outcome == "none of the known"
    assert found.formula == ""
    assert found.dialects == ()
    assert found.message.startswith("in float64 it is gd: Move the parameters against the gradient")
    assert "in float32 it departs: param after step 1 of the probe 'first'" in found.message


def test_a_learning_rate_that_is_read_once_is_told_and_left_as_it_is():
    found = identify(Keeping, dtypes=["float64"])

    assert found.formula == "adamw"
    assert found.message == "a learning rate that changes is not heeded, so it was left as it is"


def test_dialects_that_are_the_same_are_one_answer_that_names_all():
    found = identify(Signum, dtypes=["float64"])

    assert found.identified
    assert len(found.dialects) == 2
    assert value(found, "momentum") == ("decaying sum (heavy ball)", "moving average (EMA)")


def test_an_axis_without_meaning_is_the_same_for_all_its_values():
    points = {point.id: point for point in LATTICES["adam"].points(())}
    plain = LATTICES["adam"].moved(points["adam"], {"bias correction": "of neither moment"})
    from tests.helpers.speakers import speaker

    found = identify(speaker(plain), "adam", dtypes=["float64"])
    (count,) = [axis for axis in found.axes if axis.name == "step count"]

    assert count.decided
    assert len(count.values) == 3
    assert count.reason == "the same for this dialect"


def test_another_spelling_of_the_hyperparameters_is_noted():
    found = identify(functools.partial(torch.optim.AdamW), dtypes=["float64"])

    (note,) = found.notes
    assert note == (
        "while learning_rate stays as it is, the same as adam, but weight decay: decoupled, without the learning rate "
        "with weight_decay = learning_rate * weight_decay"
    )


def test_the_last_rival_and_what_told_it_apart_are_kept():
    proof = identify(torch.optim.AdamW, dtypes=["float64"]).proof
    (low, high), (rival_low, rival_high) = proof.answer, proof.rivals

    assert low <= proof.observed <= high
    assert not rival_low <= proof.observed <= rival_high
    assert proof.run.steps[proof.step - 1].grads[0].shape == proof.run.params[0].shape


def test_hyperparameters_of_the_target_are_matched_and_its_defaults_read():
    found = identify(torch.optim.AdamW, dtypes=["float64"])

    assert found.matching["beta2"] == "betas[1]"
    assert dict(found.defaults) == {
        "learning_rate": 1e-3,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.01,
    }
    assert found.left["amsgrad"] == "False"


def test_what_turns_something_on_is_left_as_it_is():
    found = identify(Switched, dtypes=["float64"])

    assert found.formula == "momentum_heavy_ball"
    assert found.left["dampening"] == "False"


def test_what_refuses_every_input_is_not_taken_for_anything():
    found = identify(Fussy)

    assert found.outcome == "none of the known"
    assert found.message == "nothing was seen: every input was refused"


def test_what_a_target_refuses_to_have_varied_is_held():
    found = identify(functools.partial(torch.optim.SGD, nesterov=True), dtypes=["float64"])

    assert found.held["dampening"] == 0.0
    assert "defaults" in found.refused  # their momentum is 0, which torch does not look ahead with


def test_a_crash_is_told():
    found = identify(Raising)

    assert found.outcome == "crash"
    assert "out of order" in found.summary()
    assert exit_code(found) == 1


def test_a_factory_of_numpy_is_identified_in_whatever_family_it_is():
    found = identify(Program(ADAM), dtypes=["float64"])

    assert found.formula == "adam"
    assert found.family == "adam"


def test_an_implementation_of_a_backend_is_identified_whatever_it_claims():
    (fused,) = [
        implementation
        for implementation in backend().implementations
        if implementation.label.startswith("torch.optim.Adam:fused") and implementation.formula == "adam_l2"
    ]

    assert identify(replace(fused, formula="gd"), "adam", dtypes=["float64"]).formula == "adam_l2"


def test_what_an_implementation_declares_is_not_left_at_0_in_a_family_that_has_it_not():
    spellings = {"learning_rate": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}
    found = identify(
        Implementation("adam", "here", OptimizerFactory(SingleBetas, spellings), ("float64",)), dtypes=["float64"]
    )

    assert found.formula == "adam"
    assert found.precision["float64"].endswith("(scalars in float32)")


def test_in_float32_alone_it_is_identified_by_float32():
    found = identify(torch.optim.AdamW, "adam", dtypes=["float32"])

    assert found.formula == "adamw"
    assert list(found.precision) == ["float32"]


def test_an_undecided_axis_says_why():
    found = identify(WithoutDecay, dtypes=["float64"])
    (axis,) = [axis for axis in found.axes if not axis.decided]

    assert found.outcome == "undecided"
    assert exit_code(found) == 4
    assert axis.name == "weight decay"
    assert {"none", "L2, in the gradient"} < set(axis.values)
    assert axis.reason == "no input that the target takes tells them apart"
    assert "decay" in found.refused
    assert found.formula == ""


def test_the_same_arguments_give_the_same_answer():
    assert identify(torch.optim.RMSprop, seed=3).as_json() == identify(torch.optim.RMSprop, seed=3).as_json()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_answer_does_not_depend_on_the_seed(seed):
    assert identify(torch.optim.AdamW, seed=seed, dtypes=["float64"]).formula == "adamw"


def test_what_was_found_is_written_as_json(tmp_path):
    path = tmp_path / "found.json"
    found = identify(torch.optim.SGD, dtypes=["float64"])
    found.write(path)
    kept = json.loads(path.read_text())

    assert kept["outcome"] == "identified"
    assert float.fromhex(kept["proof"]["observed"]) == found.proof.observed
    with pytest.raises(UsageError, match=r"output must be a \.json file"):
        found.write(tmp_path / "found.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"family": "lamb"},
            "family must be among momentum, adaptive, adam, lion, functions, schedules, got family='lamb'",
        ),
        ({"seed": -1}, "seed must be an integer of at least 0, got seed=-1"),
        ({"dtypes": ["bfloat16"]}, "dtypes must be a sequence of names among float64, float32"),
        ({"hyperparameters": {"beta3": 0.9}}, "hyperparameters must be among .* got beta3"),
        ({"hyperparameters": {"eps": -1.0}}, "hyperparameters must be finite numbers of at least 0, got eps=-1.0"),
    ],
)
def test_wrong_arguments_are_told(arguments, message):
    with pytest.raises(UsageError, match=message):
        identify(torch.optim.SGD, **arguments)


@pytest.mark.parametrize("target", [abs, 3, "math:sqrt"])
def test_what_is_no_optimizer_is_refused_where_one_is_looked_for(target):
    with pytest.raises(UsageError, match="target must be a subclass of torch"):
        identify(target, "adam")


@pytest.mark.parametrize("target", [3, dict])
def test_what_is_neither_an_optimizer_nor_a_function_is_refused(target):
    with pytest.raises(UsageError, match=r"target must be a subclass of torch.* a function of arrays or of the step"):
        identify(target)


def test_the_command_names_the_dialect_and_writes_it(tmp_path, capsys):
    path = tmp_path / "found.json"

    assert main(["identify", "torch.optim:AdamW", "--family", "adam", "--output", str(path)]) == 0
    assert capsys.readouterr().out.startswith("torch.optim:AdamW  this is adamw\n")
    assert json.loads(path.read_text())["formula"] == "adamw"


def test_the_command_says_that_nothing_is_known(capsys):
    assert main(["identify", "torch.optim:Rprop", "--family", "momentum"]) == 1
    assert "none of the known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["torch.optim:AdamW", "--family", "lamb"], 2),
        (["torch.optim:AdamW", "--output", "found.txt"], 2),
        (["torch.optim:NoSuchThing"], 3),
    ],
)
def test_the_command_tells_wrong_usage_by_its_exit_code(arguments, code, capsys):
    assert main(["identify", *arguments]) == code
    assert capsys.readouterr().err.startswith("exactstep: ")
